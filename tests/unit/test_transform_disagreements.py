"""What the storage's list, Postgres and the page say differently of a chat."""

from datetime import timedelta

import pytest

from tests.transform_values import (
    NOW,
    OTHER,
    account,
    all_known,
    batch,
    chat,
    context,
    facts,
    row,
)
from whatsapp_etl.forgotten import Forgotten, digest
from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import ChatDiff, DisagreementFact, MessageKey, MessageType, StopReason, TimeDissent
from whatsapp_etl.transform.plan import plan_load, unopened
from whatsapp_etl.transform.visits import Rules, plan_visit

IMAGE = {"type": MessageType.IMAGE, "wa_type": "image"}


def told(shown, listed, *, where=None, known=None, rows=(), dissents=(), **captured):
    """Return what a visit tells, as (fact, stanza id or hash, known, shown)."""
    visit = batch(*(each.shown_id for each in rows), shown_ids=tuple(shown), **captured)
    made = plan_load(visit, rows, listed, known or {}, where or context(), NOW, dissents=dissents)
    return [
        (each.fact.value, _subject(each), each.known, each.shown)
        for each in made.disagreements
        if each.thread_external_id == OTHER
    ]


def _subject(each):
    return each.external_id.split("_")[2] if each.external_id else each.shown_id_hash


def in_a_row(ids, **changes):
    """Return listed messages, a minute apart; what changes is told by id."""
    return [facts(each, minute=minute, **changes.get(each, {})) for minute, each in enumerate(ids)]


# --- ids and numbers -----------------------------------------------------------------------------


def test_a_page_that_shows_what_is_listed_disagrees_in_nothing():
    assert told("BCD", in_a_row("ABCDE")) == []


def test_what_is_listed_between_the_rows_and_not_shown_is_told_with_the_number():
    assert told("ACE", in_a_row("ABCDE")) == [
        ("id", "B", "listed", "not shown"),
        ("id", "D", "listed", "not shown"),
        ("count", None, "5", "3"),
    ]


def test_a_row_that_no_list_has_is_told_by_its_hash():
    shown = ["A", "3EB0STRANGE", "B"]

    assert told(shown, in_a_row("AB"), unlisted_ids=("3EB0STRANGE",)) == [
        ("id", hash_id("3EB0STRANGE"), "not listed", "shown"),
        ("count", None, "2", "3"),
    ]


def test_one_lacking_and_one_beside_are_two_ids_and_no_other_number():
    assert [each[0] for each in told("AXC", in_a_row("ABC"), unlisted_ids=("X",))] == ["id", "id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"type": MessageType.SYSTEM, "sender_id": None},
        {"type": MessageType.UNSUPPORTED},
        {"type": MessageType.STICKER},
        {**IMAGE, "parent_stanza_id": "P"},
        {"sent_at": NOW - timedelta(days=1)},
        {"sent_at": facts(minute=0).sent_at},
    ],
    ids=["notice", "unknown kind", "sticker", "in an album", "wrong time", "same second"],
)
def test_what_may_have_no_row_there_is_not_missed(changes):
    assert told("AC", in_a_row("ABC", B=changes)) == []


def test_a_picture_alone_is_missed_and_one_that_may_share_a_row_is_not():
    assert told("AC", in_a_row("ABC", B=IMAGE))[0] == ("id", "B", "listed", "not shown")
    assert told("AD", in_a_row("ABCD", B=IMAGE, C=IMAGE)) == []
    others = {**IMAGE, "sender_id": "4915550009@c.us"}
    assert len(told("AD", in_a_row("ABCD", B=IMAGE, C=others))) == 3


def test_an_album_names_its_first_and_last_picture():
    listed = in_a_row("ABCD", **dict.fromkeys("BCD", IMAGE))

    assert told(["A", "album-B-D-3"], listed) == []


def test_of_a_chat_that_was_not_opened_nothing_is_compared():
    visit = unopened(OTHER, StopReason.SHIELDED, "2026-08", NOW)

    assert plan_load(visit, [], in_a_row("ABC"), {}, context(), NOW).disagreements == ()
    assert plan_load(visit, [], None, {}, context(), NOW).disagreements == ()


# --- times and texts -----------------------------------------------------------------------------


def test_another_minute_is_told_with_both():
    (listed,) = in_a_row("A")
    dissent = TimeDissent("A", listed.sent_at, listed.sent_at + timedelta(hours=1))

    assert told("A", [listed], dissents=[dissent]) == [
        ("time", "A", "2026-03-04 10:00 UTC", "2026-03-04 11:00 UTC")
    ]


def test_another_text_is_told_by_length_and_hash_under_the_stored_key():
    visit = batch("A")
    stored = all_known(plan_load(visit, [row("A")], in_a_row("A"), {}, context(), NOW).messages)

    found = told("A", in_a_row("A"), rows=[row("A", text="hullo, who is this?")], known=stored)

    assert found == [
        (
            "text",
            "A",
            f"5 characters, sha256 {hash_id('hello')}",
            f"19 characters, sha256 {hash_id('hullo, who is this?')}",
        )
    ]


# --- what was erased -----------------------------------------------------------------------------


def test_of_what_was_erased_on_request_nothing_is_told():
    gone = f"false_{OTHER}_B"
    key = b"k" * 32
    forgotten = Forgotten(key, frozenset({digest(key, "message", gone), digest(key, "stanza", "B")}))
    listed = in_a_row("ABC")
    dissents = [TimeDissent("B", listed[1].sent_at, NOW)]

    assert told(["A", gone, "C"], listed, where=context(forgotten=forgotten), dissents=dissents) == []
    for shown_id in (gone, "B"):
        assert told("AC", listed, where=context(forgotten=forgotten), unlisted_ids=(shown_id,)) == []
    by_person = Forgotten(key, frozenset({digest(key, "contact", OTHER)}))
    assert told("A", [], where=context(forgotten=by_person), unlisted_ids=(gone,)) == []


# --- what is compared of what is stored -------------------------------------------------------------


def checked(listed, wanted, turn=0):
    diff = ChatDiff(OTHER, len(listed), 0, tuple(f"false_{OTHER}_{each}" for each in wanted))
    planned = plan_visit(chat(), diff, listed, Rules(), account(), list_position=0, turn=turn)
    return [each.key.stanza_id for each in planned.visit.checked]


def test_a_few_stored_texts_are_compared_and_others_with_each_run():
    listed = in_a_row("ABCDEFGHIJKL", C=IMAGE, D={"expires_at": NOW})

    assert checked(listed, "L") == list("KJIHG")
    assert checked(listed, "L", turn=1) == list("FEBAK")
    assert {each for turn in range(9) for each in checked(listed, "L", turn)} == set("ABEFGHIJK")


def test_nothing_is_compared_that_is_not_shown_on_the_way():
    listed = [facts(f"S{number}", minute=number - 100) for number in range(100)]

    assert set(checked(listed, ["S99"], turn=11)) <= {f"S{number}" for number in range(60, 99)}
    assert checked(listed, ["S30"], turn=13) == ["S34", "S33", "S32", "S31", "S99"]
    assert checked(in_a_row("A"), "A") == []


def test_a_fact_is_one_of_a_closed_set():
    of_messages, of_the_list = (
        ["id", "count", "time", "text"],
        ["order", "title", "unread", "preview", "last_time"],
    )
    assert [fact.value for fact in DisagreementFact] == of_messages + of_the_list
    assert str(MessageKey(False, OTHER, "A")) == f"false_{OTHER}_A"
