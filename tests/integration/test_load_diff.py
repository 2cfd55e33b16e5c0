"""The metadata's list against the database, and what is known of stored messages."""

from datetime import timedelta

import pytest

from tests.fixtures.load import (
    ANA,
    ANA_LID,
    BEN,
    NOW,
    make_entry,
    make_image,
    make_message,
    make_plan,
    row_versions,
    rows,
)
from whatsapp_etl.model import ContactFacts, MissingMessage, MissingReason

SINCE = NOW - timedelta(days=30)


def entries(*messages):
    return [[make_entry(message)] for message in messages]


def test_what_is_not_stored_is_wanted_newest_first(store):
    store.apply(make_plan(make_message(2)), 1)

    diff = store.diff(entries(*map(make_message, range(1, 5))), SINCE, NOW)

    assert (diff[ANA].expected, diff[ANA].stored) == (4, 1)
    assert diff[ANA].wanted == tuple(make_message(n).external_id for n in (4, 3, 1))


def test_nothing_is_wanted_when_all_is_stored_and_no_row_is_touched(database, store):
    store.apply(make_plan(make_message(1), make_message(2)), 1)
    before = row_versions(database)

    diff = store.diff([[make_entry(make_message(1)), make_entry(make_message(2))]], SINCE, NOW)

    assert (diff[ANA].expected, diff[ANA].stored, diff[ANA].wanted) == (2, 2, ())
    assert row_versions(database) == before


def test_a_changed_revision_is_wanted_and_counts_as_stored(store):
    store.apply(make_plan(make_message(1)), 1)

    diff = store.diff([[make_entry(make_message(1), source_revision="chat||edit-7|")]], SINCE, NOW)

    assert (diff[ANA].stored, diff[ANA].wanted) == (1, (make_message(1).external_id,))


def test_chats_are_told_apart_and_an_empty_list_has_none(store):
    other = make_message(1, thread_external_id=BEN, sender_id=BEN)
    store.apply(make_plan(make_message(1)), 1)

    assert store.diff([], SINCE, NOW) == {}
    diff = store.diff(entries(make_message(1), other), SINCE, NOW)
    assert {chat: len(each.wanted) for chat, each in diff.items()} == {ANA: 0, BEN: 1}


def test_a_known_gap_is_wanted_again_only_when_it_is_due(store):
    key = make_message(1).external_id
    gap = MissingMessage(key, MissingReason.NEEDS_PHONE, 1, NOW + timedelta(minutes=10))
    store.apply(make_plan(missing=(gap,)), 1)

    early = store.diff(entries(make_message(1)), SINCE, NOW)[ANA]
    due = store.diff(entries(make_message(1)), SINCE, NOW + timedelta(minutes=10))[ANA]

    assert (early.wanted, early.deferred, early.stored) == ((), {MissingReason.NEEDS_PHONE: 1}, 0)
    assert (due.wanted, due.deferred) == ((key,), {})


def test_a_gap_that_is_no_longer_listed_is_forgotten(store):
    gap = MissingMessage(make_message(1).external_id, MissingReason.NOT_SHOWN, 1, NOW)
    store.apply(make_plan(missing=(gap,)), 1)

    store.diff(entries(make_message(2)), SINCE, NOW)

    assert store.known_missing([gap.external_id]) == {}


def test_what_lies_before_the_edge_or_has_disappeared_is_not_expected(store):
    old = make_entry(make_message(1), sent_at=SINCE - timedelta(seconds=1))
    edge = make_entry(make_message(2), sent_at=SINCE)
    gone = make_entry(make_message(3), expires_at=NOW)
    staying = make_entry(make_message(4), expires_at=NOW + timedelta(seconds=1))

    diff = store.diff([[old, edge], [gone, staying]], SINCE, NOW)

    assert diff[ANA].expected == 2


def test_a_message_listed_under_another_key_is_stored(store):
    store.apply_directory([], [ContactFacts(ANA_LID, None, "Ana", ANA)], [], [], run_id=1, now=NOW)
    store.apply(make_plan(make_message(1)), 1)
    other = make_message(1, thread_external_id=ANA_LID, sender_id=ANA_LID)
    store.apply(make_plan(other), 1)

    diff = store.diff(entries(other), SINCE, NOW)

    assert (diff[ANA_LID].stored, diff[ANA_LID].wanted) == (1, ())


def test_an_error_while_reading_the_list_is_passed_on_and_changes_nothing(store):
    gap = MissingMessage(make_message(1).external_id, MissingReason.NOT_SHOWN, 1, NOW)
    store.apply(make_plan(missing=(gap,)), 1)

    def broken():
        yield [make_entry(make_message(2))]
        raise KeyError("the browser went away")

    with pytest.raises(KeyError, match="went away"):
        store.diff(broken(), SINCE, NOW)

    assert list(store.known_missing([gap.external_id])) == [gap.external_id]


# --- what is known ---------------------------------------------------------------------------


def test_known_messages_come_with_what_planning_merges(store):
    picture = make_image(1, content_snippet="Our tent", is_forwarded=True)
    store.apply(make_plan(picture, make_message(2)), 1)

    known = store.known([picture.external_id, "false_nobody_0"])

    (found,) = known.values()
    assert known.keys() == {picture.external_id}
    assert (found.content_snippet, found.recipient_ids, found.is_forwarded) == (
        "Our tent",
        picture.recipient_ids,
        True,
    )
    assert found.attachments == picture.attachments
    assert (found.ts, found.observed_at) == (picture.ts, NOW)


def test_a_known_message_is_found_by_another_key(database, store):
    store.apply(make_plan(make_message(1, aliases=("false_other_3EB0",))), 1)

    known = store.known(["false_other_3EB0"])

    assert known["false_other_3EB0"].external_id == make_message(1).external_id
    assert rows(database, "SELECT count(*) FROM message_aliases") == [(1,)]
