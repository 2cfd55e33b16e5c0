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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from whatsapp_etl.errors import MessageParseError
from whatsapp_etl.transform.calendars import SOLAR_YEARS, solar_hijri

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
_BUDDHIST = 543  #: So many years later than ours.
_HOUR_WORD = "hour"
#: Hours of the words that stand for more than one half of the day, as moment.js counts them.
_NOON_FROM = 10
_NIGHT_UNTIL = 4


class OtherCalendarError(MessageParseError):
    """A date's year belongs to a calendar that the page's language does not name."""


class DateOrder(StrEnum):
    """In which order day and month are written. A year in front settles it by itself."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


@dataclass(frozen=True, slots=True)
class DatePattern:
    """How a language writes dates whose year comes last."""

    order: DateOrder
    separator: str
    pads: bool  #: Whether single digits have a zero before them.

    @classmethod
    def of(cls, text: str) -> DatePattern | None:
        """Read "m/d/y" or "dd/mm/y"; None where the year comes first."""
        order = {"d": DateOrder.DAY_FIRST, "m": DateOrder.MONTH_FIRST}.get(text[:1])
        bare = text.replace("dd", "d").replace("mm", "m")
        return cls(order, bare[1], pads=bare != text) if order else None


@dataclass(frozen=True, slots=True)
class ShortDate:
    """A date whose year comes last, so that day and month can be mistaken."""

    first: int
    second: int
    year: int
    separator: str
    pads: bool | None  #: None: both numbers have two digits of their own.

    @classmethod
    def of(cls, text: str) -> ShortDate | None:
        bare = plain(text)
        numbers = _NUMBER.findall(bare)
        separator = _SEPARATOR.search(bare)
        if len(numbers) != _DATE_PARTS or len(numbers[0]) > len("31") or separator is None:
            return None
        first, second, year = map(int, numbers)
        if any(number[0] == "0" for number in numbers[:2]):
            pads: bool | None = True
        else:
            pads = False if any(len(number) == 1 for number in numbers[:2]) else None
        return cls(first, second, year, separator[1], pads)

    @property
    def form(self) -> tuple[str, bool | None]:
        return self.separator, self.pads

    def day_and_month(self, order: DateOrder) -> tuple[int, int]:
        return (self.first, self.second) if order is DateOrder.DAY_FIRST else (self.second, self.first)

    def order_on(self, day: date) -> DateOrder | None:
        """Return the order in which this is the given day; None for both orders or none."""
        found = [order for order in DateOrder if self.day_and_month(order) == (day.day, day.month)]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class DateWords:
    """The words of dates and times, in every language of the pack, casefolded."""

    #: word -> "am", "pm", "noon", "night", or "hour" for a word that only says "o'clock".
    day_parts: Mapping[str, str] = field(default_factory=dict)
    days_ago: Mapping[str, int] = field(default_factory=dict)  #: "today" -> 0, "yesterday" -> 1.
    weekdays: Mapping[str, int] = field(default_factory=dict)  #: "monday" -> 0 … "sunday" -> 6.
    #: By locale; one whose year comes first is None. A language may have several.
    patterns: Mapping[str, Sequence[DatePattern | None]] = field(default_factory=dict)
    solar_hijri: frozenset[str] = frozenset()  #: Languages that count the years so.
    zones: Mapping[str, str] = field(default_factory=dict)  #: A browser's zone -> the one the page takes.

    @classmethod
    def of(cls, table: Mapping[str, object]) -> DateWords:
        """Read the pack's `[dates]` table; see selectors/README.md for its form."""
        days, patterns = _table(table, "words"), _table(table, "patterns")
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
                locale.casefold(): [
                    DatePattern.of(pattern) for pattern, writers in patterns.items() if locale in writers
                ]
                for locales in patterns.values()
                for locale in locales
            },
            solar_hijri=frozenset(_table(table, "calendars").get("solar_hijri", ())),
            zones={name: str(taken) for name, taken in _table(table, "zones").items()},
        )

    def patterns_of(self, locale: str) -> Sequence[DatePattern | None]:
        """Return how a language writes dates, None for year first; empty where that is unknown."""
        name = locale.replace("_", "-").casefold()
        return self.patterns.get(name) or self.patterns.get(_language(name), ())

    def zone(self, zone: ZoneInfo) -> ZoneInfo:
        """Return the zone in which the page writes times where the browser is in `zone`."""
        taken = self.zones.get(zone.key)
        return ZoneInfo(taken) if taken else zone

    def counts_solar(self, locale: str) -> bool:
        """Whether a language counts years from the Hijra, by the sun."""
        return _language(locale.replace("_", "-").casefold()) in self.solar_hijri


def plain(text: str) -> str:
    """Return text casefolded, with plain digits and single spaces and without direction marks."""
    if not text.isascii():
        text = _BIDI.sub("", text).replace("\u2019", "'")
        text = "".join(_plain_digit(character) for character in text)
    return _SPACES.sub(" ", text).strip().casefold()


def split_prefix(prefix: str) -> tuple[str, str] | None:
    """Split the head of a copied message, "[14:05, 23/08/2026] Ana: ", into time text and sender."""
    match = _PREFIX.match(prefix)
    return (match[1], match[2].rstrip().removesuffix(":").strip()) if match else None


def split_time(text: str) -> tuple[str, str]:
    """Split "14:05, 23/08/2026" into time and date; the time is empty when there is none."""
    match = _TIME_END.search(text)
    return (text[: match.start()], text[match.end() :]) if match else ("", text)


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
        if part is None or (hour > _HALF_DAY and part != _HOUR_WORD):
            raise MessageParseError("A time of day stands beside a word that is unknown.")
        hour = hour if part == _HOUR_WORD else _full_hour(hour % _HALF_DAY, part)
    if hour == _LAST_HOUR:
        hour = 0
    if hour >= _LAST_HOUR or minute >= _MINUTES:
        raise MessageParseError("A time of day has too many hours or minutes.")
    return time(hour, minute)


def clock_habit(text: str, words: DateWords) -> bool | None:
    """Return whether a time has a word for the part of the day; None when it could do without either way."""
    bare = plain(text)
    match = _CLOCK.search(bare)
    if match is None:
        return None
    word = _SPACES.sub(" ", f"{bare[: match.start()]} {bare[match.end() :]}").strip()
    if word and words.day_parts.get(word) != _HOUR_WORD:
        return True
    is_of_day = match[1][0] == "0" or int(match[1]) > _HALF_DAY
    return False if is_of_day else None


def is_clock(text: str, words: DateWords) -> bool:
    """Whether a text is a time of day and nothing else."""
    try:
        parse_clock(text, words)
    except MessageParseError:
        return False
    return True


def parse_date(text: str, order: DateOrder, *, is_solar: bool = False) -> date:
    """Read a date of three numbers, whatever stands between them.

    Args:
        text: As shown.
        order: Day or month first; a year in front settles it by itself.
        is_solar: Whether years are counted from the Hijra, by the sun. Buddhist years tell themselves.

    Raises:
        MessageParseError: It is no date, or no date of WhatsApp's time.
        OtherCalendarError: The year is one of another calendar.
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
    if _FIRST_YEAR <= year - _BUDDHIST <= _LAST_YEAR:
        year -= _BUDDHIST
    try:
        if is_solar and SOLAR_YEARS[0] <= year <= SOLAR_YEARS[-1]:
            return solar_hijri(year, month, day)
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            raise OtherCalendarError("A date's year is not one of WhatsApp's.")
        return date(year, month, day)
    except ValueError as error:
        raise MessageParseError("A date's day or month does not exist.") from error


def near_day(marker: str, words: DateWords, today: date) -> date | None:
    """Read "Today", "Yesterday" or a weekday of the past week; None for other texts.

    Args:
        marker: As shown between the messages.
        words: The pack's words.
        today: The local date when the page was seen.
    """
    word = plain(marker)
    if (ago := words.days_ago.get(word)) is not None:
        return today - timedelta(days=ago)
    if (weekday := words.weekdays.get(word)) is not None:
        return today - timedelta(days=(today.weekday() - weekday) % 7 or 7)
    return None


def is_marker(text: str, words: DateWords) -> bool:
    """Whether a line between messages is a date marker: a known word, or exactly three numbers."""
    word = plain(text)
    return (
        word in words.days_ago
        or word in words.weekdays
        or (len(_NUMBER.findall(word)) == _DATE_PARTS and _SEPARATOR.search(word) is not None)
    )


def _full_hour(hour: int, part: str) -> int:
    """Return the hour of the day for an hour 0 to 11 and the part of the day that it stands in."""
    if part == "am" or (part == "noon" and hour >= _NOON_FROM) or (part == "night" and hour < _NIGHT_UNTIL):
        return hour
    return hour + _HALF_DAY


def _language(locale: str) -> str:
    return locale.partition("-")[0]


def _plain_digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _table(table: Mapping[str, object], name: str) -> Mapping[str, Sequence[str]]:
    found = table.get(name)
    return found if isinstance(found, Mapping) else {}
