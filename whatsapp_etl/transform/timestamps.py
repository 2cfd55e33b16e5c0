"""Displayed dates and times as instants.

The page shows minutes, in the language of its interface and the zone of its browser. Neither is named
beside the time, so both are given. Words (AM, Today, Monday, …) come from the selector pack.

A local time that occurs twice is taken as the first of the two; one that does not exist (clocks going
forward) is moved forward by the gap. Both choices are fixed, so that the same text always gives the
same instant.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from whatsapp_etl.errors import MessageParseError

#: Marks that steer the direction of text and show nothing.
_BIDI = re.compile("[\u200b\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"[\s\u00a0\u202f]+")
#: A time of day never holds a comma, so the first one ends it. Arabic has its own comma.
_TIME_END = re.compile(r"[,،]\s")
_CLOCK = re.compile(r"(\d{1,2})\s?(?:[:.\u066b]|h)\s?(\d{2})(?!\d)")
_NUMBER = re.compile(r"\d+")
_SEPARATOR = re.compile(r"\d\s*([^\d\s])")
_PREFIX = re.compile(r"\[([^\]]+)\]\s?(.*)", re.DOTALL)

_HALF_DAY = 12
_LAST_HOUR = 24
_MINUTES = 60
_FULL_YEAR = 4
_DATE_PARTS = 3
_CENTURY = 2000
_FIRST_YEAR = 2009  #: WhatsApp's first; an earlier year is another calendar or a misreading.
_LAST_YEAR = 2100
_MAX_MONTH = 12
#: Hours of the words that stand for more than one half of the day, as moment.js counts them.
_NOON_FROM = 10
_NIGHT_UNTIL = 4


class DateOrder(StrEnum):
    """In which order day and month are written. A year in front settles it by itself."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


@dataclass(frozen=True, slots=True)
class DateWords:
    """The words of dates and times, in every language of the pack, casefolded."""

    day_parts: Mapping[str, str] = field(default_factory=dict)  #: word -> "am", "pm", "noon", "night".
    days_ago: Mapping[str, int] = field(default_factory=dict)  #: "today" -> 0, "yesterday" -> 1.
    weekdays: Mapping[str, int] = field(default_factory=dict)  #: "monday" -> 0 … "sunday" -> 6.
    patterns: Mapping[str, str] = field(default_factory=dict)  #: locale -> "m/d/y", "d.m.y", …

    @classmethod
    def of(cls, table: Mapping[str, object]) -> DateWords:
        """Read the pack's `[dates]` table; see selectors/README.md for its form."""
        days = _table(table, "words")
        return cls(
            day_parts={plain(w): part for part, words in _table(table, "day_parts").items() for w in words},
            days_ago={
                plain(word): ago
                for ago, name in enumerate(("today", "yesterday"))
                for word in days.get(name, ())
            },
            weekdays={
                plain(word): index
                for name, words in days.items()
                if name.startswith("weekdays_")
                for index, word in enumerate(words)
            },
            patterns={
                locale.casefold(): pattern
                for pattern, locales in _table(table, "patterns").items()
                for locale in locales
            },
        )


def plain(text: str) -> str:
    """Return text casefolded, with plain digits and single spaces and without direction marks."""
    if not text.isascii():
        text = _BIDI.sub("", text)
        text = "".join(_plain_digit(character) for character in text)
    return _SPACES.sub(" ", text).strip().casefold()


def split_prefix(prefix: str) -> tuple[str, str] | None:
    """Split the head of a copied message, "[14:05, 23/08/2026] Ana: ", into time text and sender."""
    match = _PREFIX.match(prefix)
    return (match[1], match[2].rstrip().removesuffix(":").strip()) if match else None


def date_part(text: str) -> str:
    """Return the date of "14:05, 23/08/2026"; the whole text when there is no time before it."""
    parts = _TIME_END.split(text, maxsplit=1)
    return parts[-1]


def parse_sent_at(text: str, *, order: DateOrder, words: DateWords, zone: ZoneInfo) -> datetime:
    """Turn the time and date of a message's head into an instant.

    Args:
        text: Time first, then the date, e.g. "8:19 PM, 6/13/2026" or "20:19, 2026年6月13日".
        order: Day or month first; from `detect_date_order`.
        words: The pack's words.
        zone: Zone that the browser was given. The text itself names none.

    Returns:
        Aware UTC datetime with minute precision; seconds are always 0.

    Raises:
        MessageParseError: No known pattern matches.
    """
    parts = _TIME_END.split(text, maxsplit=1)
    if len(parts) == 1:
        raise MessageParseError("A message's time has no date behind it.")
    return at_zone(parse_date(parts[1], order), parse_clock(parts[0], words), zone)


def at_zone(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the instant of a local time; see the module for times that occur twice or never.

    Raises:
        MessageParseError: The instant lies outside the calendar.
    """
    try:
        return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        raise MessageParseError("A date lies outside the calendar.") from error


def parse_clock(text: str, words: DateWords) -> time:
    """Read a time of day with 12 or 24 hours, the part-of-day word before or behind it.

    "24:05" is five past midnight of the same date: older browsers write it so.

    Raises:
        MessageParseError: It is no time of day.
    """
    bare = plain(text)
    match = _CLOCK.search(bare)
    if match is None:
        raise MessageParseError("A text is no time of day.")
    hour, minute = int(match[1]), int(match[2])
    word = _SPACES.sub(" ", f"{bare[: match.start()]} {bare[match.end() :]}").strip()
    if word:
        part = words.day_parts.get(word)
        if part is None or hour > _HALF_DAY:
            raise MessageParseError("A time of day stands beside a word that is unknown.")
        hour = _full_hour(hour % _HALF_DAY, part)
    elif hour == _LAST_HOUR:
        hour = 0
    if hour >= _LAST_HOUR or minute >= _MINUTES:
        raise MessageParseError("A time of day has too many hours or minutes.")
    return time(hour, minute)


def is_clock(text: str, words: DateWords) -> bool:
    """Whether a text is a time of day and nothing else."""
    try:
        parse_clock(text, words)
    except MessageParseError:
        return False
    return True


def parse_date(text: str, order: DateOrder) -> date:
    """Read a date of three numbers, whatever stands between them.

    Raises:
        MessageParseError: It is no date, or no date of WhatsApp's time.
    """
    numbers = _NUMBER.findall(plain(text))
    if len(numbers) != _DATE_PARTS:
        raise MessageParseError("A text is no date of three numbers.")
    values = [int(number) for number in numbers]
    if len(numbers[0]) == _FULL_YEAR:
        year, month, day = values
    else:
        first, second, year = values
        day, month = (first, second) if order is DateOrder.DAY_FIRST else (second, first)
        year += _CENTURY if len(numbers[2]) <= len("99") else 0
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise MessageParseError("A date's year is not one of WhatsApp's.")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise MessageParseError("A date's day or month does not exist.") from error


def parse_marker(text: str, *, order: DateOrder, words: DateWords, today: date) -> date:
    """Read a date marker: "Today", "Yesterday", a weekday of the past week, or a date.

    Args:
        text: As shown between the messages.
        order: Day or month first.
        words: The pack's words.
        today: The local date when the page was seen.

    Raises:
        MessageParseError: It is none of these.
    """
    word = plain(text)
    if (ago := words.days_ago.get(word)) is not None:
        return today - timedelta(days=ago)
    if (weekday := words.weekdays.get(word)) is not None:
        return today - timedelta(days=(today.weekday() - weekday) % 7 or 7)
    return parse_date(text, order)


def is_marker(text: str, words: DateWords) -> bool:
    """Whether a line between messages is a date marker: a known word, or exactly three numbers."""
    word = plain(text)
    return (
        word in words.days_ago
        or word in words.weekdays
        or (len(_NUMBER.findall(word)) == _DATE_PARTS and _SEPARATOR.search(word) is not None)
    )


def detect_date_order(
    samples: Iterable[str], *, locale: str, words: DateWords, today: date | None = None
) -> DateOrder:
    """Decide day or month first for a whole page, never for one message.

    A number above 12 decides. Then: dates in the future, or dates that run backwards, speak against an
    order. Then the locale, if the page writes dates the way that locale does (an interface that was
    not translated keeps the English form). Last, the form: "2/3/2026" is American, others are not.

    Args:
        samples: Dates as shown, oldest first; other texts are ignored.
        locale: Language of the interface, e.g. "en-GB".
        words: The pack's words.
        today: The local date when the page was seen; None when unknown.
    """
    dates = [found for sample in dict.fromkeys(samples) if (found := _ShortDate.of(sample)) is not None]
    votes = sum((each.first > _MAX_MONTH) - (each.second > _MAX_MONTH) for each in dates)
    if votes == 0:
        votes = _faults(dates, DateOrder.MONTH_FIRST, today) - _faults(dates, DateOrder.DAY_FIRST, today)
    if votes:
        return DateOrder.DAY_FIRST if votes > 0 else DateOrder.MONTH_FIRST
    return _order_by_form(dates, words.patterns.get(locale.casefold()) or _of_language(locale, words))


@dataclass(frozen=True, slots=True)
class _ShortDate:
    """A date whose year comes last, so that day and month can be mistaken."""

    first: int
    second: int
    year: int
    separator: str
    is_padded: bool

    @classmethod
    def of(cls, text: str) -> _ShortDate | None:
        bare = plain(text)
        numbers = _NUMBER.findall(bare)
        separator = _SEPARATOR.search(bare)
        if len(numbers) != _DATE_PARTS or len(numbers[0]) > len("31") or separator is None:
            return None
        first, second, year = map(int, numbers)
        return cls(first, second, year, separator[1], is_padded=numbers[0][0] == "0" or numbers[1][0] == "0")


def _faults(dates: Sequence[_ShortDate], order: DateOrder, today: date | None) -> int:
    """Count what speaks against an order: dates in the future, dates before the one above."""
    faults, before = 0, None
    for each in dates:
        day, month = (each.first, each.second) if order is DateOrder.DAY_FIRST else (each.second, each.first)
        key = (each.year, month, day)
        faults += (before is not None and key < before) + (
            today is not None and key > (today.year, today.month, today.day)
        )
        before = key
    return faults


def _order_by_form(dates: Sequence[_ShortDate], pattern: str | None) -> DateOrder:
    if pattern and pattern[0] in "dm" and all(each.separator == pattern[1] for each in dates):
        return DateOrder.DAY_FIRST if pattern[0] == "d" else DateOrder.MONTH_FIRST
    is_american = all(each.separator == "/" and not each.is_padded for each in dates)
    return DateOrder.MONTH_FIRST if is_american else DateOrder.DAY_FIRST


def _of_language(locale: str, words: DateWords) -> str | None:
    return words.patterns.get(locale.replace("_", "-").partition("-")[0].casefold())


def _full_hour(hour: int, part: str) -> int:
    """Return the hour of the day for an hour 0 to 11 and the part of the day that it stands in."""
    if part == "am" or (part == "noon" and hour >= _NOON_FROM) or (part == "night" and hour < _NIGHT_UNTIL):
        return hour
    return hour + _HALF_DAY


def _plain_digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _table(table: Mapping[str, object], name: str) -> Mapping[str, Sequence[str]]:
    found = table.get(name)
    return found if isinstance(found, Mapping) else {}
