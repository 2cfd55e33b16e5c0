"""The clock of one page: its language, zone, date order and what "Today" meant there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from whatsapp_etl.errors import MessageParseError
from whatsapp_etl.model import RejectReason
from whatsapp_etl.transform.date_order import DateHabit, OrderSign, PageLanguage, decide_order
from whatsapp_etl.transform.timestamps import (
    DateOrder,
    DateWords,
    OtherCalendarError,
    at_zone,
    clock_habit,
    is_clock,
    near_day,
    parse_clock,
    parse_date,
    split_time,
)


class UnclearTimeError(MessageParseError):
    """A date or time could be two different ones."""


class PageClock:
    """Reads the times of one page. The same text is read once.

    Args:
        words: The pack's words.
        zone: Zone that the browser was given.
        language: Of the page.
        today: The local date when the page was seen.
        heads: Times with dates as the page shows them before messages, oldest first, each with the
            date marker above it; either may be missing.
        habit: How the account's page was proven to write dates before.
    """

    def __init__(
        self,
        words: DateWords,
        *,
        zone: ZoneInfo,
        language: PageLanguage,
        today: date,
        heads: Iterable[tuple[str | None, str | None]] = (),
        habit: DateHabit | None = None,
    ) -> None:
        self._words = words
        self._zone = words.zone(zone)
        self._today = today
        self._is_solar = words.counts_solar(language.name)
        known = list(dict.fromkeys(heads))
        samples = [
            sample
            for head, marker in known
            for sample in ((split_time(head or "")[1], marker), (marker or "", None))
        ]
        self._decision = decide_order(samples, language=language, words=words, today=today, habit=habit)
        self._is_bare_unclear = _mixes_hours(
            [clock_habit(split_time(head)[0], words) for head, _ in known if head],
            habit.has_day_parts if habit and habit.language == language.name else None,
        )
        self._instants: dict[str, datetime | RejectReason] = {}
        self._clocks: dict[str, bool] = {}

    @property
    def order(self) -> DateOrder | None:
        return self._decision.order

    @property
    def order_sign(self) -> OrderSign:
        return self._decision.sign

    def at(self, text: str) -> datetime | RejectReason:
        """Return the instant of "8:19 PM, 6/13/2026", or why it is not read."""
        if text not in self._instants:
            self._instants[text] = _told(lambda: self._instant(*split_time(text)))
        return self._instants[text]

    def at_marker(self, clock_text: str, marker: str) -> datetime | RejectReason:
        """Return the instant of a clock under a date marker, or why it is not read."""
        return _told(lambda: at_zone(self._marker(marker), self._clock(clock_text), self._zone))

    def day_begin(self, marker: str) -> datetime | None:
        """Return the first instant of a date marker's day; None when it is not read."""
        begin = _told(lambda: at_zone(self._marker(marker), time(0), self._zone))
        return begin if isinstance(begin, datetime) else None

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

    def _instant(self, clock_text: str, day_text: str) -> datetime:
        return at_zone(self._day(day_text), self._clock(clock_text), self._zone)

    def _marker(self, marker: str) -> date:
        return near_day(marker, self._words, self._today) or self._day(marker)

    def _clock(self, text: str) -> time:
        if self._is_bare_unclear and clock_habit(text, self._words) is None and self.is_clock(text):
            raise UnclearTimeError("A time of day could be before or after noon.")
        return parse_clock(text, self._words)

    def _day(self, text: str) -> date:
        if self.order is not None:
            return parse_date(text, self.order, is_solar=self._is_solar)
        first, second = (_date_or_none(text, order, is_solar=self._is_solar) for order in DateOrder)
        if first is None or first != second:
            raise UnclearTimeError("A date could be two different days.")
        return first


def _mixes_hours(seen: list[bool | None], before: bool | None) -> bool:  # noqa: FBT001 - one of the values seen
    """Whether a bare "8:19" could be either half of the day: beside it the page writes "8:19 PM".

    A page that has always written so is believed to still do it until a time like "20:19" is seen.
    """
    return True in seen or (before is True and False not in seen)


def _date_or_none(text: str, order: DateOrder, *, is_solar: bool) -> date | None:
    try:
        return parse_date(text, order, is_solar=is_solar)
    except OtherCalendarError:
        raise
    except MessageParseError:
        return None


def _told(read: Callable[[], datetime]) -> datetime | RejectReason:
    try:
        return read()
    except UnclearTimeError:
        return RejectReason.DATE_UNCLEAR
    except OtherCalendarError:
        return RejectReason.OTHER_CALENDAR
    except MessageParseError:
        return RejectReason.NO_TIME
