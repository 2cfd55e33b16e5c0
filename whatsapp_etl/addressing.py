"""Whether a message begins by calling somebody: "Kenny, …" or "@Kenny …". Pure.

The rules, for a name as `AGENT_KEYWORDS` has it:

- Blanks, emoji and invisible characters (directions of writing among them) before it do not count.
- "@" and the name, and no word goes on behind it: not "@Kennys", "@Kenny's", "@Kenny-Lee", "@Kenny.example".
- Or the name and a comma of any script; blanks, emoji and invisible characters may stand between the two.
- Upper and lower case are the same, and so are the wide and narrow forms of one character.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

#: Commas of all scripts; wide, small and vertical forms become one of them by normalising.
_COMMAS = frozenset(",،、\u055d߸፣᠂᠈꓾꘍⸲⸴⹁")
#: Other marks behind which a new word begins, although no blank follows.
_ENDS = _COMMAS | frozenset(":;!?…。؛؟।")
#: Of a name, in characters. Normalising makes a character at most 18 times as long.
LONGEST_NAME = 64
_MOST_PER_CHARACTER = 18

_EMOJI_JOINERS = frozenset("\ufe0e\ufe0f\u20e3")
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def is_addressed(text: str | None, names: Iterable[str]) -> bool:
    """Whether a text begins by calling one of these names."""
    if not text:
        return False
    start = _skipping_blanks(text, 0)
    return any(_calls(text, start, name) for name in names)


def name_of(entry: str) -> str:
    """Return a name as a person wrote it into the settings, without the "@" that some put before it.

    Raises:
        ValueError: It cannot be called: empty, too long, or it does not begin and end with a letter or digit.
    """
    name = " ".join(entry.strip().removeprefix("@").split())
    if not name or len(name) > LONGEST_NAME or not (_is_word(name[0]) and _is_word(name[-1])):
        msg = f"has an entry that is no name: up to {LONGEST_NAME} characters, a letter or digit at both ends"
        raise ValueError(msg)
    return name


def folded(text: str) -> str:
    """Return a text in the form in which names are compared."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _calls(text: str, start: int, name: str) -> bool:
    if start < len(text) and folded(text[start]) == "@":
        end = _end_of(text, _skipping_invisible(text, start + 1), name)
        return end is not None and not _goes_on(text, end)
    end = _end_of(text, start, name)
    if end is None:
        return False
    behind = _skipping_blanks(text, end)
    return behind < len(text) and folded(text[behind]) in _COMMAS


def _end_of(text: str, start: int, name: str) -> int | None:
    """Return where the name ends that begins at `start`; None: another word stands there."""
    wanted = folded(name)
    # A composed character may be written as several, and several be folded into one.
    longest = min(len(text), start + _MOST_PER_CHARACTER * len(wanted))
    if not folded(text[start:longest]).startswith(wanted):
        return None
    for end in range(start + 1, longest + 1):
        if folded(text[start:end]) == wanted:
            return end
    return None


def _goes_on(text: str, end: int) -> bool:
    """Whether the word that a name ends at `end` goes on behind it."""
    place = _skipping_invisible(text, end)
    if place == len(text):
        return False
    following = text[place]
    if _is_word(following):
        return True
    if following.isspace() or _is_emoji(following) or folded(following) in _ENDS:
        return False
    # An apostrophe, a hyphen, a dot: the word goes on if a letter follows.
    place = _skipping_invisible(text, place + 1)
    return place < len(text) and _is_word(text[place])


def _skipping_blanks(text: str, place: int) -> int:
    while place < len(text) and (
        text[place].isspace() or _is_invisible(text[place]) or _is_emoji(text[place])
    ):
        place += 1
    return place


def _skipping_invisible(text: str, place: int) -> int:
    while place < len(text) and _is_invisible(text[place]):
        place += 1
    return place


def _is_invisible(character: str) -> bool:
    """Whether it shows nothing itself: marks of direction, joiners, variants of emoji."""
    return character in _EMOJI_JOINERS or unicodedata.category(character) == "Cf"


def _is_emoji(character: str) -> bool:
    return unicodedata.category(character) == "So" or ord(character) in _SKIN_TONES


def _is_word(character: str) -> bool:
    """Whether it is part of a word: letters, digits, what is written on or between them."""
    if character in _EMOJI_JOINERS:
        return False
    category = unicodedata.category(character)
    return category[0] in "LNM" or category == "Pc"
