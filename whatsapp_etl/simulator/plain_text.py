"""What a reader of the page sees of a text that was typed with marks.

Written for the truth alone, from how the marks work, and shared with no parser: a mistake in the
reading of the page must not be able to hide behind the same mistake here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_FENCE = re.compile(r"```(.+?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_BULLET = re.compile(r"^[*-] (?=\S)")
_QUOTE = re.compile(r"^> (?=\S)")
_HELD = "\ufdd0{}\ufdd1"  #: Stands for text that no mark may touch; these are no characters of any text.
_HELD_PATTERN = re.compile("\ufdd0(\\d+)\ufdd1")


def plain_text(raw: str, mentions: Mapping[str, str]) -> str | None:
    """Return the text without its marks, mentions by name; None when nothing is left."""
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        held.append(match.group(1))
        return _HELD.format(len(held) - 1)

    text = raw.replace("\0", "")
    text = _CODE.sub(hold, _FENCE.sub(hold, text))
    text = "\n".join(_line(line) for line in text.split("\n"))
    for jid, name in mentions.items():
        text = text.replace("@" + jid.partition("@")[0], "@" + name)
    text = _HELD_PATTERN.sub(lambda match: held[int(match.group(1))], text)
    return text.strip() or None


def _line(line: str) -> str:
    line = _QUOTE.sub("", line)
    bullet = _BULLET.match(line)
    head, rest = ("- ", line[bullet.end() :]) if bullet else ("", line)
    for mark in "*_~":
        rest = _without(mark, rest)
    return head + rest


def _without(mark: str, line: str) -> str:
    """Take away pairs of one mark: at the edges of words, with no space on their inner side."""
    sign = re.escape(mark)
    pair = re.compile(rf"(?<![^\W_]){sign}(?=[^\s{sign}])([^{sign}]*[^\s{sign}]){sign}(?![^\W_])")
    return pair.sub(r"\1", line)
