"""What is read when the browser's storage cannot be: which chats, how far back, and what of them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.transform_values import GROUP, NOW, OTHER, OWN, OWN_LID, account, batch, row
from whatsapp_etl.model import ChatKind, Checkpoint, ListedChat, MessageType, Reach, StopReason
from whatsapp_etl.transform.listing import (
    LastRead,
    after_reading,
    chat_of,
    chats_to_open,
    glances,
    inside,
    is_shielded,
    is_titled_out,
    reach,
    refusal,
)
from whatsapp_etl.transform.visits import Rules

SINCE = NOW - timedelta(days=30)
HOUR = timedelta(hours=1)
READ = LastRead("look", NOW - HOUR)


def listed(**changes):
    values = {
        "title": "Mira Vogel",
        "index": 0,
        "chat_id": OTHER,
        "is_archived": False,
        "unread_count": 0,
        "last_activity": NOW - HOUR,
        "look": "look",
    }
    return ListedChat(**{**values, **changes})


# --- which chats are opened ---------------------------------------------------------------------


def opens(*rows, last=None, first=frozenset()):
    return chats_to_open(rows, last or {}, SINCE, NOW, first=first)


def test_a_chat_is_opened_until_its_row_looks_as_when_it_was_read():
    assert opens(listed()) == (listed(),)
    assert opens(listed(), last={OTHER: READ}) == ()
    assert opens(listed(look="another"), last={OTHER: READ}) == (listed(look="another"),)


def test_the_whole_look_back_is_due_once_a_day_whatever_the_row_says():
    day_old = LastRead("look", NOW - timedelta(days=1))
    assert opens(listed(), last={OTHER: day_old}) == (listed(),)
    assert opens(listed(), last={OTHER: LastRead("look", None)}) == (listed(),)


def test_a_chat_that_left_something_for_later_is_opened_again():
    assert opens(listed(), last={OTHER: LastRead(None, NOW - HOUR)}) == (listed(),)


def test_a_chat_without_activity_in_the_look_back_stays_closed_and_one_of_unknown_activity_does_not():
    assert opens(listed(last_activity=SINCE - HOUR)) == ()
    assert len(opens(listed(last_activity=None))) == 1


def test_rows_that_name_no_chat_are_left_out_only_as_often_as_their_look_was_read():
    twins = [listed(chat_id=None, index=index) for index in range(2)]
    assert len(opens(*twins, last={OTHER: READ})) == 1
    assert opens(*twins, last={OTHER: READ, GROUP: READ}) == ()


def test_chats_that_ran_out_of_time_come_first_and_the_archive_last():
    archived, plain, slow = listed(chat_id="a", is_archived=True), listed(chat_id="b"), listed(chat_id="c")
    assert opens(archived, plain, slow, first=frozenset({"c"})) == (slow, plain, archived)
    unnamed = listed(chat_id=None, title="Rowing Club")
    assert opens(plain, unnamed, first=frozenset({"Rowing Club"})) == (unnamed, plain)


# --- how far back -------------------------------------------------------------------------------


def test_two_days_behind_the_checkpoint_are_read_again():
    checkpoint = Checkpoint("key", NOW - HOUR)
    assert reach(checkpoint, READ, SINCE, NOW) == Reach(
        checkpoint.sent_at - timedelta(hours=48), StopReason.CHECKPOINT_REACHED
    )


@pytest.mark.parametrize(
    ("checkpoint", "before"),
    [
        (None, READ),
        (Checkpoint("key", NOW - HOUR), None),
        (Checkpoint("key", NOW - HOUR), LastRead("look", NOW - timedelta(days=1))),
        (Checkpoint("key", SINCE + HOUR), READ),
    ],
    ids=["no checkpoint", "not read by this process", "a day ago", "checkpoint at the edge"],
)
def test_else_the_whole_look_back_is_read(checkpoint, before):
    assert reach(checkpoint, before, SINCE, NOW) == Reach(SINCE, StopReason.EDGE_REACHED)


@pytest.mark.parametrize(
    ("stop", "is_settled", "was_whole"),
    [
        (StopReason.EDGE_REACHED, True, True),
        (StopReason.BEGINNING_REACHED, True, True),
        (StopReason.CHECKPOINT_REACHED, True, False),
        (StopReason.NEEDS_PHONE, True, True),
        (StopReason.TIME_BUDGET, False, False),
        (StopReason.STALLED, False, False),
        (StopReason.CHAT_UNIDENTIFIED, False, False),
    ],
)
def test_only_what_was_read_to_an_end_is_remembered_as_read(stop, is_settled, was_whole):
    after = after_reading("new look", stop, READ, NOW)
    assert after.look == ("new look" if is_settled else None)
    assert after.whole_at == (NOW if was_whole else READ.whole_at)


# --- what may be read ---------------------------------------------------------------------------


@pytest.mark.parametrize("chat_id", ["120363@newsletter", "status@broadcast", "1@bot", "1@unknown"])
def test_what_is_out_of_scope_is_refused_by_its_id(chat_id):
    assert refusal(chat_id, "Title", account(), Rules()) is StopReason.EXCLUDED
    assert is_titled_out(listed(chat_id=chat_id), account(), Rules())


def test_an_excluded_chat_is_refused_by_title_before_and_by_id_after_it_was_opened():
    by_title, by_id = Rules(exclude=("mira vogel",)), Rules(exclude=(OTHER,))
    assert is_titled_out(listed(chat_id=None), account(), by_title)
    assert not is_titled_out(listed(chat_id=None), account(), by_id)
    assert refusal(OTHER, "Mira Vogel", account(), by_id) is StopReason.EXCLUDED
    assert refusal(OTHER, "Mira Vogel", account(), Rules(exclude=("Somebody",))) is None


def test_a_lid_that_may_be_an_excluded_number_counts_as_excluded():
    rules = Rules(exclude=("+49 1555 0001",), knows_phone_ids=False)
    assert refusal("777@lid", "Mira Vogel", account(), rules) is StopReason.EXCLUDED
    assert refusal("777@lid", "Mira Vogel", account(), replace(rules, exclude=("Somebody",))) is None
    told = replace(rules, phone_ids={"777@lid": "49155509@c.us"})
    assert refusal("777@lid", "Mira Vogel", account(), told) is None


def test_a_chat_that_is_or_may_be_unread_stays_closed_under_an_alarm():
    alarmed = Rules(is_shield_alarmed=True)
    assert [is_shielded(listed(unread_count=count), alarmed) for count in (0, 2, -1, None)] == [
        False,
        True,
        True,
        True,
    ]
    assert not is_shielded(listed(unread_count=2), Rules())


def test_the_page_tells_what_a_chat_is_by_its_id():
    assert chat_of(listed(), OTHER, account()).kind is ChatKind.PERSON
    assert chat_of(listed(), GROUP, account()).kind is ChatKind.GROUP
    for own in (OWN, OWN_LID):
        assert chat_of(listed(), own, account()).kind is ChatKind.SELF


# --- rows ---------------------------------------------------------------------------------------


def test_only_a_time_that_a_message_tells_itself_can_stop_reading():
    rows = [
        row("A"),
        row("B", type=MessageType.SYSTEM),
        row("C", type=MessageType.IMAGE, signals={"time": "neighbour"}),
    ]
    seen = glances(rows)
    assert seen["A"].sent_at == rows[0].sent_at
    assert (seen["B"].sent_at, seen["C"].sent_at) == (None, None)
    assert [seen[key].is_picture for key in "ABC"] == [False, False, True]


def test_what_is_older_than_the_look_back_is_left_out_and_a_minute_counts_whole():
    edge = NOW.replace(second=30)
    exact = {"time": "model"}
    rows = [
        row("older", sent_at=edge - timedelta(minutes=1)),
        row("same minute", sent_at=NOW),
        row("before", sent_at=NOW + timedelta(seconds=29), signals=exact),
        row("after", sent_at=edge, signals=exact),
        row("timeless", sent_at=None),
    ]
    _, kept = inside(batch(), rows, edge)
    assert [each.shown_id for each in kept] == ["same minute", "after", "timeless"]
