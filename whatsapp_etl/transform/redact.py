"""Makes markup showable: structure stays, what people wrote does not.

Letters become x, digits 9, ids a short hash. What only names parts of the page (tags, roles, classes,
test ids, icon names) stays, since it is what a broken selector is repaired from.
"""

from __future__ import annotations

import hashlib
import re
from html import escape

from selectolax.lexbor import LexborHTMLParser, LexborNode

#: Attributes that name parts of the page. Their values are kept where they look like a name.
_NAMING = frozenset(
    {
        "class", "role", "dir", "tabindex", "type", "data-testid", "data-icon", "data-tab", "draggable",
        "data-virtualized", "aria-hidden", "aria-live", "aria-checked", "aria-disabled", "aria-haspopup",
        "aria-modal", "data-meta-key", "data-scrolltracepolicy", "data-computed-align",
    }
)  # fmt: skip
_IDENTIFYING = frozenset({"data-id", "data-jid", "id", "for", "href", "src", "data-ref", "data-link-code"})
_NAME = re.compile(r"[A-Za-z0-9_.:\- ]*")
#: What may be an id inside a name: a word of six and more characters that has a digit.
_ID_IN_NAME = re.compile(r"(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{6,}")
_ICON_NAME = re.compile(r"[a-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*")
_LONG_NUMBER = re.compile(r"\d{5,}")
_VOID = frozenset({"img", "br", "input", "hr", "source", "wbr", "meta", "link"})
_WHITE = frozenset(" \n\t\r")
#: What lies deeper is left out: a page nests a few dozen elements, and only one made to break readers more.
_DEEPEST = 300


def redact_text(text: str) -> str:
    """Return `text` with every letter as x and every digit as 9; ASCII punctuation stays."""
    return "".join(map(_redact_character, text))


def hash_id(text: str) -> str:
    """Return the first 16 hex digits of the sha256 of an id."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def redact_html(html: str) -> str:
    """Return markup of the same structure in which nobody's words, names or numbers can be read."""
    out: list[str] = []
    for body in LexborHTMLParser(html).css("body"):
        _walk(body, out)
    return "".join(out)


def _walk(node: LexborNode, out: list[str], depth: int = 0) -> None:
    for child in node.iter(include_text=True):
        tag = child.tag
        if tag == "-text":
            text = child.text_content or ""
            keeps = tag_is_icon_name(node, text)
            out.append(text if keeps else escape(redact_text(text), quote=False))
        elif tag is not None and not tag.startswith("-"):
            attributes = "".join(
                f' {name}="{escape(_redact_value(name, value or ""))}"'
                for name, value in child.attributes.items()
                if _NAME.fullmatch(name)
            )
            out.append(f"<{tag}{attributes}>")
            if tag not in _VOID:
                if depth < _DEEPEST:
                    _walk(child, out, depth + 1)
                out.append(f"</{tag}>")


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


def _redact_value(name: str, value: str) -> str:
    if name in _IDENTIFYING:
        return hash_id(value)
    if name in _NAMING and _NAME.fullmatch(value):
        return _ID_IN_NAME.sub(lambda match: hash_id(match[0]), value) if name != "class" else value
    return redact_text(value)


def _redact_character(character: str) -> str:
    if character in _WHITE:
        return character
    if character.isdecimal():
        return "9"
    return character if character.isascii() and not character.isalpha() else "x"
