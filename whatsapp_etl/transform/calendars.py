"""The calendar of Iran and Afghanistan, in which the page writes dates in Persian."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import accumulate

#: In these years of a cycle of 33 the last month has 30 days. Holds from 1244 to 1502 (1865 to 2124).
_LEAP = frozenset({1, 5, 9, 13, 17, 22, 26, 30})
_CYCLE = 33
_LONG_MONTHS = 6  #: The first six have 31 days, the others 30.
_MONTHS = 12
_LAST_DAYS = {True: 30, False: 29}

#: Years that WhatsApp's messages can have.
SOLAR_YEARS = range(1388, 1480)
_FIRST_DAY = date(2009, 3, 21)  #: Of the first of these years.
_BEGINS = dict(
    zip(
        SOLAR_YEARS,
        accumulate((365 + (year % _CYCLE in _LEAP) for year in SOLAR_YEARS), initial=0),
        strict=False,
    )
)


def solar_hijri(year: int, month: int, day: int) -> date:
    """Return our date of a date of the solar Hijri calendar.

    Args:
        year: One of `SOLAR_YEARS`.
        month: 1 to 12.
        day: 1 to 31.

    Raises:
        ValueError: There is no such day.
    """
    if not 1 <= month <= _MONTHS or not 1 <= day <= _days(year, month):
        raise ValueError("A month or day does not exist.")
    before = (month - 1) * 30 + min(month - 1, _LONG_MONTHS)
    return _FIRST_DAY + timedelta(days=_BEGINS[year] + before + day - 1)


def _days(year: int, month: int) -> int:
    if month == _MONTHS:
        return _LAST_DAYS[year % _CYCLE in _LEAP]
    return 31 if month <= _LONG_MONTHS else 30
