"""The metadata's list against the database, and what is known of stored messages."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.load import (
    ANA,
    ANA_LID,
    BEN,
    CLUB,
    NOW,
    OWN,
    make_coverage,
    make_entry,
    make_image,
    make_message,
    make_plan,
    row_versions,
    rows,
)
from whatsapp_etl.model import ContactFacts, MessageType, MissingMessage, MissingReason
from whatsapp_etl.transform.missing import wait_after

SINCE = NOW - timedelta(days=30)


def entries(*messages):
    return [[make_entry(message)] for message in messages]


def test_what_is_not_stored_is_wanted_newest_first(store):
    store.apply(make_plan(make_message(2)), 1)

    diff = store.diff(entries(*map(make_message, range(1, 5))), SINCE, NOW, 2)

    assert (diff[ANA].expected, diff[ANA].stored) == (4, 1)
    assert diff[ANA].wanted == tuple(make_message(n).external_id for n in (4, 3, 1))
    assert diff[ANA].newest_at == max(make_message(n).ts for n in range(1, 5))


def test_the_oldest_and_the_newest_listed_message_inside_the_lookback_are_told(store):
    old = make_entry(make_message(9), sent_at=SINCE - timedelta(seconds=1))
    pair = [make_entry(make_message(n), sent_at=NOW - timedelta(hours=1)) for n in (6, 5)]

    diff = store.diff([[make_entry(make_message(2)), old], pair], SINCE, NOW, 2)[ANA]

    assert (diff.first_id, diff.last_id) == (make_message(2).external_id, make_message(6).external_id)


def test_nothing_is_wanted_when_all_is_stored_and_no_row_is_touched(database, store):
    store.apply(make_plan(make_message(1), make_message(2)), 1)
    before = row_versions(database)

    diff = store.diff([[make_entry(make_message(1)), make_entry(make_message(2))]], SINCE, NOW, 2)

    assert (diff[ANA].expected, diff[ANA].stored, diff[ANA].wanted) == (2, 2, ())
    assert row_versions(database) == before


def test_a_changed_revision_is_wanted_and_counts_as_stored(store):
    store.apply(make_plan(make_message(1)), 1)

    diff = store.diff([[make_entry(make_message(1), source_revision="chat||edit-7|")]], SINCE, NOW, 2)

    assert (diff[ANA].stored, diff[ANA].wanted) == (1, (make_message(1).external_id,))


def test_chats_are_told_apart_and_an_empty_list_has_none(store):
    other = make_message(1, thread_external_id=BEN, sender_id=BEN)
    store.apply(make_plan(make_message(1)), 1)

    assert store.diff([], SINCE, NOW, 2) == {}
    diff = store.diff(entries(make_message(1), other), SINCE, NOW, 2)
    assert {chat: len(each.wanted) for chat, each in diff.items()} == {ANA: 0, BEN: 1}


def test_a_known_gap_is_wanted_again_only_when_it_is_due(store):
    key = make_message(1).external_id
    gap = MissingMessage(key, MissingReason.NEEDS_PHONE, 1, NOW + timedelta(minutes=10))
    store.apply(make_plan(missing=(gap,)), 1)

    early = store.diff(entries(make_message(1)), SINCE, NOW, 2)[ANA]
    due = store.diff(entries(make_message(1)), SINCE, NOW + timedelta(minutes=10), 2)[ANA]

    assert (early.wanted, early.deferred, early.stored) == ((), {MissingReason.NEEDS_PHONE: 1}, 0)
    assert (due.wanted, due.deferred) == ((key,), {})


def test_a_gap_that_is_no_longer_listed_is_forgotten(store):
    gap = MissingMessage(make_message(1).external_id, MissingReason.NOT_SHOWN, 1, NOW)
    store.apply(make_plan(missing=(gap,)), 1)

    store.diff(entries(make_message(2)), SINCE, NOW, 2)

    assert store.known_missing([gap.external_id]) == {}


def test_what_lies_before_the_edge_or_has_disappeared_is_not_expected(store):
    old = make_entry(make_message(1), sent_at=SINCE - timedelta(seconds=1))
    edge = make_entry(make_message(2), sent_at=SINCE)
    gone = make_entry(make_message(3), expires_at=NOW)
    staying = make_entry(make_message(4), expires_at=NOW + timedelta(seconds=1))

    diff = store.diff([[old, edge], [gone, staying]], SINCE, NOW, 2)

    assert diff[ANA].expected == 2


def test_a_message_listed_under_another_key_is_stored(store):
    store.apply_directory([], [ContactFacts(ANA_LID, None, "Ana", ANA)], [], [], run_id=1, now=NOW)
    store.apply(make_plan(make_message(1)), 1)
    other = make_message(1, thread_external_id=ANA_LID, sender_id=ANA_LID)
    store.apply(make_plan(other), 1)

    diff = store.diff(entries(other), SINCE, NOW, 2)

    assert (diff[ANA_LID].stored, diff[ANA_LID].wanted) == (1, ())


def test_an_error_while_reading_the_list_is_passed_on_and_changes_nothing(store):
    gap = MissingMessage(make_message(1).external_id, MissingReason.NOT_SHOWN, 1, NOW)
    store.apply(make_plan(missing=(gap,)), 1)

    def broken():
        yield [make_entry(make_message(2))]
        raise KeyError("the browser went away")

    with pytest.raises(KeyError, match="went away"):
        store.diff(broken(), SINCE, NOW, 2)

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


# --- a chat whose id changes ------------------------------------------------------------------

CHANGED = ContactFacts(ANA_LID, None, "Ana", ANA)


def lid_form(message, **changes):
    """Return a message as it is listed after its chat got the LID as id."""
    return replace(
        message,
        external_id=message.external_id.replace(ANA, ANA_LID),
        thread_external_id=ANA_LID,
        sender_id=message.sender_id and message.sender_id.replace(ANA, ANA_LID),
        **changes,
    )


def test_a_chat_whose_id_changed_is_not_read_again(database, store):
    notice = make_message(4, sender_id=None, message_type=MessageType.SYSTEM)
    before = [make_message(1), make_message(2, is_outgoing=True), make_image(3), notice]
    store.apply(make_plan(*before), 1)
    store.apply_directory([], [CHANGED], [], [], run_id=2, now=NOW)

    diff = store.diff([[make_entry(lid_form(each)) for each in before]], SINCE, NOW, 2)

    assert (diff[ANA_LID].expected, diff[ANA_LID].stored, diff[ANA_LID].wanted) == (4, 4, ())
    assert dict(
        rows(
            database,
            "SELECT a.external_id, m.external_id"
            " FROM message_aliases a JOIN messages m ON m.id = a.message_id",
        )
    ) == {lid_form(each).external_id: each.external_id for each in before}


def test_what_is_new_after_the_change_is_wanted_alone(store):
    store.apply(make_plan(make_message(1)), 1)
    store.apply_directory([], [CHANGED], [], [], run_id=2, now=NOW)
    new = lid_form(make_message(2))

    diff = store.diff([[make_entry(lid_form(make_message(1))), make_entry(new)]], SINCE, NOW, 2)

    assert diff[ANA_LID].wanted == (new.external_id,)


def test_an_unknown_lid_with_the_same_stanza_ids_is_another_chat(database, store):
    store.apply(make_plan(make_message(1)), 1)
    other = lid_form(make_message(1))

    diff = store.diff([[make_entry(other)]], SINCE, NOW, 2)

    assert diff[ANA_LID].wanted == (other.external_id,)
    assert rows(database, "SELECT count(*) FROM message_aliases") == [(0,)]


@pytest.mark.parametrize("key", [f"false_{CLUB}_3EB0AA_{ANA_LID}", f"false_{CLUB}_3EB0AA_{BEN}"])
def test_in_a_group_only_the_same_authors_message_is_known_by_another_key(store, key):
    club = {"thread_external_id": CLUB, "stanza_id": "3EB0AA"}
    stored = make_message(1, **club, external_id=f"false_{CLUB}_3EB0AA_{ANA}")
    store.apply(make_plan(stored), 1)
    store.apply_directory([], [CHANGED], [], [], run_id=2, now=NOW)

    diff = store.diff([[replace(make_entry(stored), external_id=key)]], SINCE, NOW, 2)

    assert diff[CLUB].wanted == (() if ANA_LID in key else (key,))


def test_an_own_message_of_a_group_is_known_under_either_own_id(store):
    club = {"thread_external_id": CLUB, "stanza_id": "3EB0AA", "is_outgoing": True}
    stored = make_message(1, **club, external_id=f"true_{CLUB}_3EB0AA_{OWN}")
    store.apply(make_plan(stored), 1)

    entry = replace(make_entry(stored), external_id=f"true_{CLUB}_3EB0AA_{ANA_LID}")

    assert store.diff([[entry]], SINCE, NOW, 2)[CLUB].wanted == ()


def test_an_edit_after_the_change_is_read_once_and_reaches_the_row(database, store):
    store.apply(make_plan(make_message(1)), 1)
    store.apply_directory([], [CHANGED], [], [], run_id=2, now=NOW)
    edited = lid_form(make_message(1), content_snippet="Edited", source_revision="chat||edit-7|")

    assert store.diff([[make_entry(edited)]], SINCE, NOW, 2)[ANA_LID].wanted == (edited.external_id,)
    store.apply(make_plan(edited), 2)

    assert store.diff([[make_entry(edited)]], SINCE, NOW, 3)[ANA_LID].wanted == ()
    assert rows(
        database, "SELECT external_id, thread_external_id, sender_id, content_snippet FROM messages"
    ) == [(make_message(1).external_id, ANA, ANA, "Edited")]


def test_an_answer_names_the_answered_message_by_its_stored_key(database, store):
    store.apply(make_plan(make_message(1)), 1)
    store.apply_directory([], [CHANGED], [], [], run_id=2, now=NOW)
    old, answer = lid_form(make_message(1)), lid_form(make_message(2))
    store.diff([[make_entry(old), make_entry(answer)]], SINCE, NOW, 2)

    store.apply(make_plan(replace(answer, reply_to_external_id=old.external_id)), 2)

    assert rows(database, "SELECT reply_to_external_id FROM messages WHERE reply_to_external_id <> ''") == [
        (make_message(1).external_id,)
    ]


def test_a_chat_of_which_nothing_is_listed_any_more_keeps_no_gap(database, store):
    store.apply(make_plan(make_message(1)), 1)
    gaps = {MissingReason.NOT_SHOWN: 2}
    store.record_coverage([make_coverage(ANA), make_coverage(BEN, missing=gaps, stored=1)], 1)
    coverage = "SELECT expected, stored, missing FROM sync_coverage WHERE thread_external_id = '%s'"

    store.diff([], SINCE, NOW, 2)  # a list without any entry says nothing
    assert rows(database, coverage % BEN) == [(3, 1, {"not_shown": 2})]

    store.diff(entries(make_message(1)), SINCE, NOW, 3)
    assert rows(database, coverage % BEN) == [(0, 0, {})]
    assert rows(database, coverage % ANA) == [(3, 3, {})]
    history = "SELECT run_id, missing FROM sync_coverage_history WHERE thread_external_id = '%s' ORDER BY id"
    assert rows(database, history % BEN) == [(1, {"not_shown": 2}), (3, {})]


@pytest.mark.parametrize("attempts", range(13))
def test_no_gap_waits_longer_than_its_tries_say(database, store, attempts):
    message = make_message(1)
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO missing_messages (external_id, thread_external_id, reason, attempts,"
            " first_missed_at, next_try_at, run_id) VALUES (%s, %s, 'not_shown', %s, %s, %s, 1)",
            (message.external_id, ANA, attempts, NOW, NOW + wait_after(attempts)),
        )

    def wanted(now):
        return store.diff([[make_entry(message)]], NOW - timedelta(days=30), now, 1)[ANA].wanted

    assert wanted(NOW) == ()
    # The clock was set back by a second since: it was put off by one that was ahead.
    assert wanted(NOW - timedelta(seconds=1)) == (message.external_id,)
