"""What back-fill reads next, what it calls complete, and which chat a person means."""

from datetime import timedelta

import pytest

from tests.fixtures.load import make_coverage, make_message, make_plan, make_progress
from tests.transform_values import GROUP, NOW, OTHER, account, batch, chat, facts
from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.errors import ChatChoiceError
from whatsapp_etl.model import ChatDiff, ChatKind, Checkpoint, MissingMessage, MissingReason, StopReason
from whatsapp_etl.transform.backfill import (
    as_backfill,
    chosen_chats,
    is_complete,
    needs_reading,
    phone_has_more,
    settled,
    unread_digest,
)
from whatsapp_etl.transform.messages import external_id
from whatsapp_etl.transform.visits import Rules

SINCE = NOW - timedelta(days=365)
EDGE = NOW - timedelta(days=30)

ANA = chat(title="Ana")
CLUB = chat(id=GROUP, kind=ChatKind.GROUP, title="Chess")
NAMESAKE = chat(id="491555000099@c.us", title="ana")


@pytest.mark.parametrize("name", ["Chess", " chess ", GROUP])
def test_a_chat_is_named_by_its_id_or_title(name):
    assert chosen_chats([ANA, CLUB], [name], Rules()) == (CLUB,)


def test_a_chat_is_named_by_its_number_and_chosen_once():
    number = "+" + OTHER.partition("@")[0]
    assert chosen_chats([ANA, CLUB], [number, OTHER], Rules()) == (ANA,)
    assert chosen_chats([ANA, CLUB], [], Rules()) == (ANA, CLUB)


def test_a_title_of_several_chats_is_refused_with_their_ids_beside_the_message():
    with pytest.raises(ChatChoiceError, match="number 2 names 2 chats") as refused:
        chosen_chats([ANA, CLUB, NAMESAKE], ["Chess", "ANA"], Rules())
    assert refused.value.candidates == (ANA.id, NAMESAKE.id)
    assert refused.value.exit_code == 2
    assert not any(told in str(refused.value) for told in ("Ana", "ANA", "4915"))


def test_a_name_that_fits_no_chat_is_refused_without_repeating_it():
    with pytest.raises(ChatChoiceError, match="number 1 names none of the 2 chats in scope") as refused:
        chosen_chats([ANA, CLUB], ["Rowing"], Rules())
    assert refused.value.candidates == ()
    assert "Rowing" not in str(refused.value)


def diff(*wanted, expected=10, stored=9, **changes):
    return ChatDiff(OTHER, expected, stored, wanted, **changes)


def test_a_chat_is_read_until_its_walk_came_to_the_end_and_again_when_other_ids_are_listed():
    finished = make_progress(unread_digest=unread_digest(["old"]))
    going_on = make_progress(is_finished=False, unread_digest=unread_digest(["old"]))

    assert needs_reading(diff("old"), ["old"], None)
    assert needs_reading(diff("old"), ["old"], going_on)
    assert not needs_reading(diff("old"), ["old"], finished)
    assert needs_reading(diff("old", "older"), ["old", "older"], finished)
    assert needs_reading(diff("new", "old"), ["old"], finished)
    assert not needs_reading(diff(), [], going_on)
    assert not needs_reading(None, [], None)


def slice_of(stop_reason, **changes):
    """Return the plan of a slice that misses one recent and one old message."""
    recent, old = facts("NEW", sent_at=NOW), facts("OLD", sent_at=EDGE - timedelta(days=1))
    missing = tuple(
        MissingMessage(external_id(each.key, account()), MissingReason.NOT_SHOWN, 1, NOW)
        for each in (recent, old)
    )
    captured = CapturedChat(
        chat=ANA,
        account=account(),
        since=SINCE,
        diff=diff(),
        facts=(old, recent),
        batch=batch(),
        parsed=(),
        rejects=(),
    )
    plan = make_plan(
        make_message(),
        missing=missing,
        checkpoint=Checkpoint("key", NOW),
        coverage=make_coverage(stop_reason=stop_reason, missing={MissingReason.NOT_SHOWN: 2}),
    )
    made = as_backfill(plan, captured, edge=EDGE, asked_at=None, **{"before": None, **changes})
    return made, missing


def test_a_slice_moves_no_checkpoint_and_keeps_only_gaps_of_the_look_back():
    made, (recent, old) = slice_of(StopReason.EDGE_REACHED)

    assert made.checkpoint is None
    assert made.missing == (recent,)
    assert made.backfill.unread_digest == unread_digest([old.external_id])
    assert made.backfill.missing == {MissingReason.NOT_SHOWN: 2}
    assert (made.backfill.is_finished, made.backfill.slices) == (True, 0)


@pytest.mark.parametrize(
    ("stop_reason", "is_finished", "slices"),
    [
        (StopReason.ALL_FOUND, True, 0),
        (StopReason.NEEDS_PHONE, True, 0),
        (StopReason.TIME_BUDGET, False, 3),
        (StopReason.INTERRUPTED, False, 0),
        (StopReason.CHAT_NOT_FOUND, False, 0),
        (StopReason.STALLED, False, 0),
    ],
)
def test_the_end_of_a_slice_decides_whether_the_next_one_goes_on(stop_reason, is_finished, slices):
    made, _ = slice_of(stop_reason, before=make_progress(slices=2))
    assert (made.backfill.is_finished, made.backfill.slices) == (is_finished, slices)


def test_a_chat_is_complete_when_all_of_it_is_stored_and_the_phone_has_no_more():
    held = chat(history_type=0, oldest_at=SINCE - timedelta(days=1))
    short = chat(history_type=0, oldest_at=SINCE + timedelta(days=1))
    unknown = chat(history_type=2, oldest_at=None)
    whole = make_progress()

    assert [phone_has_more(each, SINCE) for each in (ANA, held, short, unknown)] == [False, False, True, True]
    assert [is_complete(whole, each, SINCE) for each in (ANA, held, short)] == [True, True, False]
    assert is_complete(make_progress(missing={MissingReason.PICTURE_NOT_LOADED: 1}), ANA, SINCE)
    assert not is_complete(make_progress(stored=2), ANA, SINCE)
    assert not is_complete(make_progress(missing={MissingReason.UNREADABLE: 1}), ANA, SINCE)
    assert not is_complete(make_progress(is_finished=False), ANA, SINCE)
    assert not is_complete(None, ANA, SINCE)


def test_what_was_missing_is_told_as_long_as_it_is():
    before = make_progress(missing={MissingReason.UNREADABLE: 1}, stop_reason=StopReason.EDGE_REACHED)
    facts_of = {"since": SINCE, "now": NOW, "before": before}

    still = settled(ANA, diff("old"), ["old"], **facts_of)
    assert (still.missing, still.stop_reason) == ({MissingReason.UNREADABLE: 1}, StopReason.EDGE_REACHED)
    assert settled(ANA, diff(stored=10), [], **facts_of).missing == {}
    assert settled(ANA, None, [], since=SINCE, now=NOW, before=None).expected == 0
