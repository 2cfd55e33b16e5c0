"""The clock of one page: its language, zone, date order and what "Today" meant there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from whatsapp_etl.errors import MessageParseError
from whatsapp_etl.transform.timestamps import (
    DateWords,
    at_zone,
    date_part,
    detect_date_order,
    is_clock,
    parse_clock,
    parse_marker,
    parse_sent_at,
)


class PageClock:
    """Reads the times of one page. The same text is read once."""

    def __init__(
        self, words: DateWords, *, zone: ZoneInfo, locale: str, today: date, samples: Iterable[str] = ()
    ) -> None:
        self._words = words
        self._zone = zone
        self._today = today
        self.order = detect_date_order(samples, locale=locale, words=words, today=today)
        self._instants: dict[str, datetime | None] = {}
        self._clocks: dict[str, bool] = {}

    @staticmethod
    def date_text(text: str) -> str:
        """Return the date in "14:05, 23/08/2026", as a sample for the date order."""
        return date_part(text)

    def at(self, text: str) -> datetime | None:
        """Return the instant of "8:19 PM, 6/13/2026"; None when it is not understood."""
        if text not in self._instants:
            try:
                instant = parse_sent_at(text, order=self.order, words=self._words, zone=self._zone)
            except MessageParseError:
                instant = None
            self._instants[text] = instant
        return self._instants[text]

    def at_marker(self, clock_text: str, marker: str) -> datetime | None:
        """Return the instant of a clock under a date marker; None when one is not understood."""
        try:
            day = parse_marker(marker, order=self.order, words=self._words, today=self._today)
            return at_zone(day, parse_clock(clock_text, self._words), self._zone)
        except MessageParseError:
            return None

    def day_begin(self, marker: str) -> datetime | None:
        """Return the first instant of a date marker's day; None when it is not understood."""
        try:
            day = parse_marker(marker, order=self.order, words=self._words, today=self._today)
            return at_zone(day, time(0), self._zone)
        except MessageParseError:
            return None

    def is_clock(self, text: str) -> bool:
        """Whether a text is a time of day and nothing else."""
        if text not in self._clocks:
            self._clocks[text] = is_clock(text, self._words)
        return self._clocks[text]

    @staticmethod
    def from_seconds(seconds: int) -> datetime | None:
        """Return the instant of unix seconds; None when they are out of the calendar."""
        try:
            return datetime.fromtimestamp(seconds, tz=UTC)
        except (OverflowError, OSError, ValueError):
            return None
