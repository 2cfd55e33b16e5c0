"""What a text as it was typed says once the page has drawn it: the text alone, without formatting marks.

The other half of the one renderer (`transform.text`): that one reads what the page drew, this one what it
would draw. Both leave the same text, so it does not tell by which of the two ways a message was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from whatsapp_etl.store_records import NO_NAMES, Names
from whatsapp_etl.transform.text import clean

_FENCE = "```"
_BULLET = re.compile(r"[-*] (\S.*)")
_NUMBERED = re.compile(r"(\d{1,3})\. (\S.*)")
_QUOTED = re.compile(r"> (\S.*)")
#: Marks count at the edges of words only, and with no white space on their inner side.
_BEFORE, _AFTER = r"(?<![^\W_])", r"(?![^\W_])"
_CODE = re.compile(rf"{_BEFORE}(?<!`)`([^`\n]+)`(?!`){_AFTER}")
_MARKS = tuple(
    re.compile(
        rf"{_BEFORE}(?<!{sign}){sign}([^\s{sign}](?:[^{sign}\n]*[^\s{sign}])?){sign}(?!{sign}){_AFTER}"
    )
    for sign in (r"\*", "_", "~")
)
_MENTION = re.compile(r"@(\d{5,})")
#: What the ids of people end with.
_PEOPLE = ("c.us", "lid")
#: Without any of these, one line of text is shown as it was typed.
_TYPED_MARKS = re.compile(r"[*_~`@\r\n]")
#: What a line begins with that is an item or a quotation.
_LINE_MARKS = ("- ", "* ", "> ")
#: Deeper marks than these are no formatting that anybody typed.
_DEEPEST = 12


def shown(raw: str | None, mentions: Names = NO_NAMES) -> str | None:
    """Return what a typed text shows; None when it shows nothing.

    Args:
        raw: The text, with "*bold*", "- items", "> quotes" and "@4915…" for people.
        mentions: Names by the id that is mentioned.
    """
    if not raw:
        return None
    # Most texts are of this kind, and a hundred thousand of them are read at once.
    if _TYPED_MARKS.search(raw) is None and not raw.startswith(_LINE_MARKS) and not raw[0].isdigit():
        return clean(raw)
    return clean("\n".join(_line(line, mentions) for line in _lines(raw.replace("\r\n", "\n"))))


def mentioned(raw: str | None, ids: tuple[str, ...]) -> frozenset[str]:
    """Return which of these people a text names by their number."""
    numbers = set(_MENTION.findall(raw or ""))
    return frozenset(each for each in ids if each.partition("@")[0] in numbers)


def _lines(raw: str) -> list[str]:
    """Return the lines; those of a fenced block, which closes on a later one, stay together."""
    rest = raw.split("\n")
    last_fence = max((place for place, line in enumerate(rest) if _FENCE in line), default=-1)
    lines: list[str] = []
    inside: list[str] = []
    for place, line in enumerate(rest):
        has_opened = (len(inside) > 0) != (line.count(_FENCE) % 2 == 1)
        inside.append(line)
        if not (has_opened and place < last_fence):
            lines.append("\n".join(inside))
            inside = []
    return lines


def _line(line: str, names: Names) -> str:
    if item := _BULLET.fullmatch(line):
        return f"- {_inline(item[1], names)}"
    if item := _NUMBERED.fullmatch(line):
        return f"{int(item[1])}. {_inline(item[2], names)}"
    if item := _QUOTED.fullmatch(line):
        return _inline(item[1], names)
    return _inline(line, names)


def _inline(text: str, names: Names) -> str:
    """Return a run of text without marks. What stands between code marks is left as it is."""
    out: list[str] = []
    for part, is_code in _fenced(text):
        if is_code:
            out.append(part)
            continue
        at = 0
        for code in _CODE.finditer(part):
            out += (_unmarked(part[at : code.start()], names), code[1])
            at = code.end()
        out.append(_unmarked(part[at:], names))
    return "".join(out)


def _fenced(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a text with whether they are fenced; a fence around nothing is text."""
    at = begin = 0
    while (opened := text.find(_FENCE, begin)) >= 0:
        inside = opened + len(_FENCE)
        closed = text.find(_FENCE, inside)
        if closed < 0:
            break
        if text[inside:closed].strip():
            yield text[at:opened], False
            yield text[inside:closed], True
            at = begin = closed + len(_FENCE)
        else:
            begin = inside
    yield text[at:], False


def _unmarked(text: str, names: Names, depth: int = 0) -> str:
    out: list[str] = []
    at = 0
    found = [mark.search(text) if depth < _DEEPEST else None for mark in _MARKS]
    while (first := min(filter(None, found), key=lambda match: match.start(), default=None)) is not None:
        out += (_named(text[at : first.start()], names), _unmarked(first[1], names, depth + 1))
        at = first.end()
        found = [
            mark.search(text, at) if match is not None and match.start() < at else match
            for mark, match in zip(_MARKS, found, strict=True)
        ]
    out.append(_named(text[at:], names))
    return "".join(out)


def _named(text: str, names: Names) -> str:
    """Return a run of text with names for numbers; looked up, since an account knows thousands."""
    if not names or "@" not in text:
        return text
    return _MENTION.sub(lambda match: f"@{_name_of(match[1], names)}", text)


def _name_of(number: str, names: Names) -> str:
    found = (names.get(f"{number}@{server}") for server in _PEOPLE)
    return next(filter(None, found), number)
