"""Whether what came since is enough, or the whole list must be compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_etl.cursors import FeedCursors, FeedEnds, FeedRow, ListedBy
from whatsapp_etl.transform.increments import listed_by, recent_since

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
HI = FeedRow(1_000_000_007, "aa")
CURSORS = FeedCursors(HI, 999_999_000, NOW - timedelta(minutes=10), NOW - timedelta(hours=3), "scope")
ENDS = FeedEnds(FeedRow(1_000_000_009, "bb"), FeedRow(999_998_000, "cc"), HI, 4)


def test_the_same_feed_is_read_from_where_it_was_left():
    assert listed_by(CURSORS, ENDS, "scope", NOW) is ListedBy.INCREMENT
    assert listed_by(CURSORS, replace(ENDS, newest=HI), "scope", NOW) is ListedBy.INCREMENT


@pytest.mark.parametrize(
    ("ends", "why"),
    [
        (FeedEnds(None, None, None, 0), ListedBy.FIRST),
        (replace(ENDS, newest=FeedRow(999_999_999, "bb"), at_hi=None), ListedBy.REWOUND),
        (replace(ENDS, at_hi=None), ListedBy.REWOUND),
        (replace(ENDS, at_hi=replace(HI, mark="dd")), ListedBy.REWOUND),
    ],
)
def test_another_feed_is_read_whole(ends: FeedEnds, why: ListedBy):
    assert listed_by(CURSORS, ends, "scope", NOW) is why


def test_what_is_not_known_or_not_wanted_any_more_is_compared_whole():
    assert listed_by(None, ENDS, "scope", NOW) is ListedBy.FIRST
    assert listed_by(CURSORS, ENDS, "other", NOW) is ListedBy.SCOPE_CHANGED


@pytest.mark.parametrize("past", [timedelta(days=1), timedelta(hours=-1)])
def test_once_a_day_the_whole_list_is_compared_whatever_clock_wrote_when(past: timedelta):
    assert listed_by(replace(CURSORS, listed_at=NOW - past), ENDS, "scope", NOW) is ListedBy.DUE


def test_three_days_before_the_last_complete_cycle_are_recent_inside_the_look_back():
    assert recent_since(CURSORS, NOW - timedelta(days=30)) == CURSORS.complete_at - timedelta(days=3)
    assert recent_since(CURSORS, NOW - timedelta(days=1)) == NOW - timedelta(days=1)
