"""Geometry of the status page's charts: values in, rectangles out. Pure.

The template draws what stands here; there is no script on the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from whatsapp_etl.model import DayCount, RunSummary

WIDTH = 640.0
HEIGHT = 132.0
_GAP_SHARE = 0.28  #: Of a column.
_STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_LEAST_HEIGHT = 3.0  #: So that something small is still seen; zero is drawn as nothing.


@dataclass(frozen=True, slots=True)
class Bar:
    """One column: where it stands, what it is, and the words for a pointer or a screen reader."""

    x: float
    y: float
    width: float
    height: float
    kind: str  #: CSS class: a run's status, or "day".
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars from left (oldest) to right, in a box of WIDTH by HEIGHT."""

    bars: tuple[Bar, ...]
    top: str  #: What the upper edge stands for.
    first: str  #: Words under the left edge.
    last: str  #: Words under the right edge.
    width: float = WIDTH
    height: float = HEIGHT


def runs_chart(runs: Sequence[RunSummary], *, columns: int = 48) -> Chart | None:
    """Draw the duration of each cycle, oldest first; None without cycles."""
    shown = list(runs)[-columns:]
    if not shown:
        return None
    top = _round_up(max(run.seconds for run in shown))
    bars = _bars(
        [run.seconds for run in shown],
        [run.status.value for run in shown],
        [
            f"{run.started_at:%d %b %H:%M} UTC: {run.status.value}, {seconds_text(run.seconds)}, "
            f"{run.written:,} written"
            for run in shown
        ],
        top,
        columns=max(len(shown), 12),
    )
    first = f"{shown[0].started_at:%d %b %H:%M}"
    return Chart(bars, seconds_text(top), first, f"{shown[-1].started_at:%d %b %H:%M}")


def days_chart(days: Sequence[DayCount], today: date, *, columns: int = 30) -> Chart | None:
    """Draw the stored messages of the last `columns` days up to `today`; None when there are none."""
    counts = {day.day: day.messages for day in days}
    shown = [today - timedelta(days=back) for back in range(columns - 1, -1, -1)]
    values = [counts.get(day, 0) for day in shown]
    if not any(values):
        return None
    top = _round_up(max(values))
    labels = [f"{day:%a %d %b}: {count:,} messages" for day, count in zip(shown, values, strict=True)]
    bars = _bars(values, ["day"] * columns, labels, top, columns=columns)
    return Chart(bars, f"{top:,.0f}", f"{shown[0]:%d %b}", f"{shown[-1]:%d %b}")


def seconds_text(seconds: float) -> str:
    """Write a duration shortly: "0.4 s", "38 s", "2 min 5 s"."""
    if seconds < 10:  # noqa: PLR2004  # below ten seconds tenths are worth reading
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _bars(
    values: Sequence[float], kinds: Sequence[str], labels: Sequence[str], top: float, *, columns: int
) -> tuple[Bar, ...]:
    column = WIDTH / columns
    left = WIDTH - column * len(values)  # few values stand at the right, where now is
    bars = []
    for index, (value, kind, label) in enumerate(zip(values, kinds, labels, strict=True)):
        height = max(value / top * HEIGHT, _LEAST_HEIGHT) if value > 0 else 0.0
        x = left + index * column + column * _GAP_SHARE / 2
        bars.append(
            Bar(
                round(x, 2),
                round(HEIGHT - height, 2),
                round(column * (1 - _GAP_SHARE), 2),
                round(height, 2),
                kind,
                label,
            )
        )
    return tuple(bars)


def _round_up(value: float) -> float:
    """Return the next round number (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, …) that is not below `value`."""
    if value <= 1:
        return 1.0
    magnitude = 10.0 ** math.floor(math.log10(value))
    return next(step * magnitude for step in _STEPS if step * magnitude >= value)
