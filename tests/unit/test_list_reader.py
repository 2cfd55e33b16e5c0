"""Reading without metadata: whose rows are shown, and when the walk is at its end."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_etl.extract.capture import PAGE_ROWS, Shown, Step, chats_named
from whatsapp_etl.extract.chat_list import ChatRow
from whatsapp_etl.extract.list_reader import Everything, _ListedWalk, _proven, _reason_to_stop
from whatsapp_etl.extract.reader import Walk
from whatsapp_etl.model import RawRow, Reach, RowModel, StopReason

EDGE = datetime(2026, 3, 1, tzinfo=UTC)
MIRA, TOMO = "4915550001@c.us", "4915550002@c.us"


def row(shown_id, key=None):
    model = None if key is None else RowModel(key, None, None, None)
    return RawRow(shown_id, "<div></div>", None, None, 0, model=model)


def step(*rows):
    return Step(
        title=None,
        rows=tuple(Shown(each, is_cut=False) for each in rows),
        shown_ids=tuple(each.shown_id for each in rows),
        empty_ids=(),
        top="quiet",
        loads=0,
        is_quiet=False,
    )


def test_rows_name_their_chat_by_packed_id_or_model_and_cards_need_not():
    rows = [row(f"false_{MIRA}_A"), row("B", f"true_{MIRA}_B"), row("1234567")]
    assert chats_named(rows) == {MIRA}
    assert _proven(step(*rows), set()) == MIRA


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row("A")],
        [row(f"false_{MIRA}_A"), row("B")],
        [row(f"false_{MIRA}_A"), row(f"false_{TOMO}_B")],
        [row("1234567")],
    ],
    ids=["no rows", "a bare row", "one bare row among them", "two chats", "only cards"],
)
def test_rows_that_do_not_all_name_one_chat_prove_none(rows):
    assert _proven(step(*rows), set()) is None


def test_rows_of_another_chat_than_the_list_named_prove_none():
    rows = step(row(f"false_{MIRA}_A"))
    assert _proven(rows, {TOMO}) is None
    assert _proven(rows, {MIRA}) == MIRA


def walk(*, older=0, newer=1, top="quiet", quiet=0, asks_phone=False, seconds=60.0):
    """A walk that has shown so many messages on either side of the edge."""
    capture = Everything()
    old = [row(f"old-{n}") for n in range(older)]
    new = [row(f"new-{n}") for n in range(newer)]
    capture.add(step(*old, *new))
    state = Walk(
        capture=capture,
        chat_ids={MIRA},
        edge=EDGE,
        deadline=time.monotonic() + seconds,
        asks_phone=asks_phone,
        times={},
        top=top,
        quiet=quiet,
    )
    times = {each.shown_id: EDGE - timedelta(seconds=1) for each in old}
    times |= {each.shown_id: EDGE for each in new}
    reach = Reach(EDGE, StopReason.CHECKPOINT_REACHED)
    return _ListedWalk(state, capture, ChatRow("Mira", 0, None), MIRA, reach, times)


def test_reading_stops_only_when_a_whole_page_is_strictly_older():
    assert _reason_to_stop(walk(older=PAGE_ROWS - 1)) is None
    assert _reason_to_stop(walk(newer=PAGE_ROWS)) is None
    assert _reason_to_stop(walk(older=PAGE_ROWS)) is StopReason.CHECKPOINT_REACHED


@pytest.mark.parametrize(
    ("top", "quiet", "reason"),
    [
        ("quiet", 2, None),
        ("quiet", 3, StopReason.BEGINNING_REACHED),
        ("loading", 3, StopReason.STALLED),
        ("button", 0, None),
        ("button", 1, StopReason.NEEDS_PHONE),
        ("use_phone", 1, StopReason.NEEDS_PHONE),
        ("failed", 1, StopReason.PHONE_FAILED),
    ],
)
def test_what_stands_above_the_oldest_row_says_why_reading_ends(top, quiet, reason):
    assert _reason_to_stop(walk(top=top, quiet=quiet)) is reason


def test_the_phone_is_asked_before_its_messages_are_given_up_and_time_ends_everything():
    assert _reason_to_stop(walk(top="button", quiet=1, asks_phone=True)) is None
    assert _reason_to_stop(walk(seconds=-1)) is StopReason.TIME_BUDGET
