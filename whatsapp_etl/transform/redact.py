"""Makes markup showable: structure stays, what people wrote does not.

Letters become x, digits 9, ids a short hash. What only names parts of the page (tags, roles, classes,
test ids, icon names, and the words that its selector packs know) stays, since it is what a broken
selector is repaired from.
"""

from __future__ import annotations

import re
from html import escape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import COMPUTED_ALIGNMENT
from whatsapp_etl.transform.page_words import PageWords

#: Attributes that name parts of the page. Their values are kept where they look like a name.
_NAMING = frozenset(
    {
        "class", "role", "dir", "tabindex", "type", "data-testid", "data-icon", "data-tab", "draggable",
        "data-virtualized", "aria-hidden", "aria-live", "aria-checked", "aria-disabled", "aria-haspopup",
        "aria-modal", "data-meta-key", "data-scrolltracepolicy", COMPUTED_ALIGNMENT,
    }
)  # fmt: skip
_IDENTIFYING = frozenset({"data-id", "data-jid", "id", "for", "href", "src", "data-ref", "data-link-code"})
_NAME = re.compile(r"[A-Za-z0-9_.:\- ]*")
#: What may be an id inside a name: a word of six and more characters that has a digit.
_ID_IN_NAME = re.compile(r"(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{6,}")
_ICON_NAME = re.compile(r"[a-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*")
_LONG_NUMBER = re.compile(r"\d{5,}")
#: A message's id tells by its form what it is: packed with chat and sender, an album's, or bare.
_PACKED_ID = re.compile(
    r"(?P<direction>true|false)_[^_@]*@(?P<chat>[a-z.]+)_[^_]+(?P<tail>(?:_(?:in|out))?)(?:_[^_@]*@(?P<who>[a-z.]+))?"
)
_ALBUM_ID = re.compile(r"(?P<form>album|grouped(?:-[a-z]+)?)-[^-]+-[^-]+-(?P<count>\d+)")
_CLOCK = re.compile(r"\d{1,2}[:.]\d\d(?:[:.]\d\d)?")
#: A word before or after a clock may belong to it.
_BEFORE = re.compile(r"([^\W\d_][^\d_:\[\],]*)$")
_AFTER = re.compile(r"\s{0,2}([^\W\d_][^\d:\[\],]*)")
_WORD_CHARACTERS = 20
_VOID = frozenset({"img", "br", "input", "hr", "source", "wbr", "meta", "link"})
_NO_WORDS = PageWords()
#: What lies deeper is left out: a page nests a few dozen elements, and only one made to break readers more.
_DEEPEST = 300


def redact_text(text: str) -> str:
    """Return `text` with every letter as x and every digit as 9; ASCII punctuation stays."""
    return "".join(map(_redact_character, text))


def redact_html(html: str, words: PageWords = _NO_WORDS) -> str:
    """Return markup of the same structure in which nobody's words, names or numbers can be read.

    Args:
        html: The page or a part of it.
        words: What of it is the page's own and stays.
    """
    document = LexborHTMLParser(html)
    redactor = _Redactor(document, words)
    for body in document.css("body"):
        redactor.walk(body)
    return "".join(redactor.out)


def redact_id(value: str) -> str:
    """Return an id that nobody has, of the same form: what else it says is hashed as a whole.

    A phone number alone would be found from its hash by trying all of them; so none is made of it.
    """
    hashed = hash_id(value)
    if packed := _PACKED_ID.fullmatch(value):
        who = f"_0@{packed['who']}" if packed["who"] else ""
        return f"{packed['direction']}_0@{packed['chat']}_{hashed}{packed['tail']}{who}"
    if album := _ALBUM_ID.fullmatch(value):
        return f"{album['form']}-{hashed}-{hash_id(hashed)}-{redact_text(album['count'])}"
    return hashed


class _Redactor:
    """Writes a document without what people wrote in it."""

    def __init__(self, document: LexborHTMLParser, words: PageWords) -> None:
        self.out: list[str] = []
        self._words = words
        self._written = frozenset(node.mem_id for css in words.written for node in document.css(css))

    def walk(self, node: LexborNode, depth: int = 0, *, is_written: bool = False) -> None:
        """Write what is inside a node."""
        is_written = is_written or node.mem_id in self._written
        for child in node.iter(include_text=True):
            tag = child.tag
            if tag == "-text":
                text = child.text_content or ""
                keeps = tag_is_icon_name(node, text) or (text in self._words and not is_written)
                self.out.append(escape(text if keeps else _redact_moment(text, self._words), quote=False))
            elif tag is not None and not tag.startswith("-"):
                attributes = "".join(
                    f' {name}="{escape(_redact_value(name, value or "", self._words))}"'
                    for name, value in child.attributes.items()
                    if _NAME.fullmatch(name)
                )
                self.out.append(f"<{tag}{attributes}>")
                if tag not in _VOID:
                    if depth < _DEEPEST:
                        self.walk(child, depth + 1, is_written=is_written)
                    self.out.append(f"</{tag}>")


def tag_is_icon_name(node: LexborNode, text: str) -> bool:
    """Whether a text is an icon's name: the title of a drawing, in the form of a name."""
    parent = node.parent
    return (
        node.tag == "title"
        and parent is not None
        and parent.tag == "svg"
        and _ICON_NAME.fullmatch(text) is not None
        and _LONG_NUMBER.search(text) is None
    )


def _redact_value(name: str, value: str, words: PageWords) -> str:
    begin, end = words.part_of(name, value)
    if end > begin:
        redacted = _redact_moment(value, words)
        return redacted[:begin] + value[begin:end] + redacted[end:]
    if name in _IDENTIFYING:
        return redact_id(value)
    if name in _NAMING and _NAME.fullmatch(value):
        return _ID_IN_NAME.sub(lambda match: hash_id(match[0]), value) if name != "class" else value
    return _redact_moment(value, words)


def _redact_moment(text: str, words: PageWords) -> str:
    """Return redacted text in which the words of a clock stay, such as "9:99 PM"."""
    redacted = redact_text(text)
    for clock in _CLOCK.finditer(text):
        begin, end = max(0, clock.start() - _WORD_CHARACTERS), clock.end() + _WORD_CHARACTERS
        for found in (_BEFORE.search(text, begin, clock.start()), _AFTER.match(text, clock.end(), end)):
            if found and found[1] in words:
                redacted = redacted[: found.start(1)] + found[1] + redacted[found.end(1) :]
    return redacted


def _redact_character(character: str) -> str:
    if character.isspace():
        return character
    if character.isdecimal():
        return "9"
    return character if character.isascii() and not character.isalpha() else "x"
