"""What a cycle counts."""

from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_etl.errors import StopRequestedError
from whatsapp_etl.model import ChatBatch, ChatDiff, RunStatus, SessionSnapshot, StopReason
from whatsapp_etl.tally import Tally

NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)
CHAT = "491555000001@c.us"


def tally(**hits):
    return Tally(started_at=NOW, hits_before={(name, "css"): count for name, count in hits.items()})


def batch(reason=StopReason.ALL_FOUND, before=None, after=None):
    return ChatBatch(CHAT, "2026-08", (), reason, NOW, unread_before=before, unread_after=after)


def report(it, hits=None):
    return it.report(
        finished_at=NOW,
        status=RunStatus.SUCCESS,
        session=SessionSnapshot(),
        pack_id=None,
        hits=hits or {},
        error=None,
    )


@pytest.mark.parametrize(("before", "after"), [(3, 0), (3, 2), (-1, 0)])
def test_an_unread_count_that_fell_while_the_chat_was_open_is_a_receipt(before, after):
    it = tally()
    assert it.opened(batch(before=before, after=after))
    assert report(it).receipts_observed == 1


@pytest.mark.parametrize(
    ("before", "after"), [(3, 3), (3, 5), (0, 0), (0, 2), (-1, -1), (None, 0), (2, None)]
)
def test_an_unread_count_that_stayed_or_rose_is_none(before, after):
    it = tally()
    assert not it.opened(batch(before=before, after=after))
    assert report(it).receipts_observed == 0


def test_a_chat_that_was_not_found_was_not_opened():
    it = tally()
    it.opened(batch(StopReason.CHAT_NOT_FOUND))
    it.opened(batch())
    assert report(it).chats_opened == 1


def test_what_the_storage_holds_unreadable_is_missing():
    it = tally()
    it.compared({CHAT: ChatDiff(CHAT, expected=5, stored=4, wanted=())}, unreadable=2)
    assert (report(it).expected, report(it).missing) == (5, 3)


def test_the_newest_listed_message_is_reported_whatever_chat_it_is_in():
    it = tally()
    assert report(it).newest_listed_at is None
    diffs = [ChatDiff(CHAT, 1, 1, (), newest_at=at) for at in (NOW - timedelta(days=1), NOW, None)]
    it.compared({str(number): diff for number, diff in enumerate(diffs)}, unreadable=0)
    assert report(it).newest_listed_at == NOW


def test_only_hits_of_this_cycle_are_reported_also_after_the_browser_was_renewed():
    assert report(tally(row=10), {("row", "css"): 14}).selector_hits == {("row", "css"): 4}
    assert report(tally(row=10), {("row", "css"): 3}).selector_hits == {("row", "css"): 3}
    assert report(tally(row=10), {("row", "css"): 10}).selector_hits == {}


def test_an_interrupted_chat_ends_the_cycle():
    with pytest.raises(StopRequestedError):
        tally().stop_if_interrupted(batch(StopReason.INTERRUPTED))
    tally().stop_if_interrupted(batch())
