"""Messages of a plan in the database: inserted once, updated when they differ, untouched otherwise."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.load import (
    ANA,
    ANA_LID,
    BEN,
    CLUB,
    NOW,
    OWN,
    make_image,
    make_message,
    make_plan,
    make_thread,
    row_versions,
    rows,
)
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import (
    Attachment,
    ChatKind,
    ContactFacts,
    MessageType,
    MessageVersion,
)


def content(database):
    return dict(rows(database, "SELECT external_id, content_snippet FROM messages"))


def test_a_message_is_stored_in_the_contracts_columns(database, store):
    message = make_message(1, content_snippet="Two\nlines,\ta tab, a back\\slash, 🌧 and \\N")

    result = store.apply(make_plan(message), 7)

    assert result.inserted == 1
    assert rows(
        database,
        "SELECT platform, external_id, thread_external_id, sender_id, recipient_ids, content_snippet, ts,"
        " is_outgoing, source_app, is_agent_channel, exclude_from_automation, has_attachments, first_run_id,"
        " last_run_id, change_seq FROM messages",
    ) == [
        (
            "whatsapp",
            message.external_id,
            ANA,
            ANA,
            [OWN],
            message.content_snippet,
            message.ts,
            0,
            "WhatsApp Web",
            0,
            0,
            0,
            7,
            7,
            1,
        )
    ]


def test_the_same_plan_again_touches_no_row(database, store):
    plan = make_plan(make_message(1), make_image(2), make_image(3, stored=False))
    store.apply(plan, 1)
    before = row_versions(database)

    result = store.apply(plan, 2)

    assert (result.inserted, result.updated, result.unchanged) == (0, 0, 3)
    assert row_versions(database) == before


def test_only_the_rows_that_differ_are_touched(database, store):
    store.apply(make_plan(*map(make_message, range(1, 6))), 1)
    edited = make_message(3, content_snippet="The kettle is quiet", is_edited=True, edited_seen_at=NOW)

    result = store.apply(make_plan(*map(make_message, (1, 2)), edited, *map(make_message, (4, 5))), 2)

    assert (result.inserted, result.updated, result.unchanged) == (0, 1, 4)
    assert rows(
        database, "SELECT external_id, is_edited, change_seq FROM messages WHERE last_run_id = 2"
    ) == [(edited.external_id, 1, 6)]


def test_a_message_given_twice_in_one_plan_is_one_row(database, store):
    store.apply(make_plan(make_message(1), make_message(1)), 1)

    assert rows(database, "SELECT count(*) FROM messages") == [(1,)]


def test_what_is_fixed_at_first_insert_stays(database, store):
    store.apply(make_plan(make_message(1)), 1)
    before = rows(
        database, "SELECT id, external_id, thread_external_id, created_at, first_run_id FROM messages"
    )

    store.apply(make_plan(make_message(1, content_snippet="Changed")), 2)

    after = rows(
        database, "SELECT id, external_id, thread_external_id, created_at, first_run_id FROM messages"
    )
    assert after == before
    assert content(database) == {make_message(1).external_id: "Changed"}


def test_an_older_observation_never_overwrites_a_newer_one(database, store):
    store.apply(make_plan(make_message(1, content_snippet="New")), 1)

    result = store.apply(
        make_plan(make_message(1, content_snippet="Old", observed_at=NOW - timedelta(hours=1))), 2
    )

    assert result.updated == 0
    assert list(content(database).values()) == ["New"]


def test_a_minute_never_overwrites_a_second(database, store):
    exact = make_message(1)
    store.apply(make_plan(exact), 1)

    rough = replace(exact, ts=exact.ts + timedelta(seconds=9), ts_precision="minute", content_snippet="New")
    store.apply(make_plan(rough), 2)

    assert rows(database, "SELECT ts, ts_precision, content_snippet FROM messages") == [
        (exact.ts, "second", "New")
    ]


def test_an_empty_body_never_overwrites_a_text(database, store):
    store.apply(make_plan(make_message(1)), 1)
    before = row_versions(database)

    store.apply(make_plan(make_message(1, content_snippet=None)), 2)

    assert row_versions(database) == before


def test_waiting_never_overwrites_a_message_that_was_read(database, store):
    store.apply(make_plan(make_message(1)), 1)
    before = row_versions(database)

    store.apply(make_plan(make_message(1, message_type=MessageType.WAITING, content_snippet=None)), 2)

    assert row_versions(database) == before


def test_a_waiting_message_is_replaced_by_the_message_it_was(database, store):
    store.apply(make_plan(make_message(1, message_type=MessageType.WAITING, content_snippet=None)), 1)

    store.apply(make_plan(make_message(1)), 2)

    assert rows(database, "SELECT message_type, content_snippet FROM messages") == [
        ("text", make_message(1).content_snippet)
    ]


def test_fewer_recipients_never_replace_more_and_a_list_is_completed(database, store):
    store.apply(make_plan(make_message(1, recipient_ids=(BEN, OWN))), 1)

    store.apply(make_plan(make_message(1, recipient_ids=(OWN,))), 2)
    assert rows(database, "SELECT recipient_ids FROM messages") == [([BEN, OWN],)]

    store.apply(make_plan(make_message(1, recipient_ids=(BEN, "491555000003@c.us", OWN))), 3)
    assert rows(database, "SELECT recipient_ids FROM messages") == [([BEN, "491555000003@c.us", OWN],)]


def test_a_deletion_empties_the_row_and_keeps_the_text_as_a_version(database, store):
    first = make_image(1, content_snippet="Our tent")
    store.apply(make_plan(first), 1)
    deleted = make_message(
        1,
        message_type=MessageType.DELETED,
        content_snippet=None,
        deleted_seen_at=NOW,
        deleted_at=NOW - timedelta(minutes=2),
        deleted_by="admin",
        deleted_by_id=BEN,
        source_revision="revoked|||",
    )
    version = MessageVersion(first.external_id, MessageType.IMAGE, "Our tent", NOW)
    plan = make_plan(deleted, versions=(version,))

    store.apply(plan, 2)
    before = row_versions(database)
    store.apply(plan, 3)

    assert rows(
        database, "SELECT message_type, content_snippet, has_attachments, deleted_seen_at FROM messages"
    ) == [("deleted", None, 0, NOW)]
    assert rows(database, "SELECT message_type, content_snippet FROM message_versions") == [
        ("image", "Our tent")
    ]
    assert rows(database, "SELECT state FROM attachments") == [("stored",)]
    assert row_versions(database) == before
    known = store.known([first.external_id])[first.external_id]
    assert (known.deleted_at, known.deleted_by, known.deleted_by_id) == (
        deleted.deleted_at,
        "admin",
        BEN,
    )


def test_a_stored_image_gets_one_extraction_job_and_nothing_else_does(database, store):
    video = Attachment(0, "video/mp4", "seen", size_bytes=9)
    store.apply(
        make_plan(
            make_image(1),
            make_image(2, stored=False),
            make_message(3, message_type=MessageType.VIDEO, has_attachments=True, attachments=(video,)),
        ),
        1,
    )
    assert rows(database, "SELECT state, count(*) FROM attachments GROUP BY 1 ORDER BY 1") == [
        ("seen", 2),
        ("stored", 1),
    ]
    assert rows(database, "SELECT count(*) FROM extraction_jobs") == [(1,)]

    result = store.apply(make_plan(make_image(2)), 2)

    assert (result.updated, result.attachments_saved, result.jobs_enqueued) == (1, 1, 1)
    assert rows(database, "SELECT count(*), count(DISTINCT attachment_id) FROM extraction_jobs") == [(2, 2)]


def test_bytes_that_are_held_are_never_given_up(database, store):
    store.apply(make_plan(make_image(1)), 1)
    before = rows(database, "SELECT state, file_path, checksum FROM attachments")

    store.apply(make_plan(make_image(1, stored=False)), 2)

    assert rows(database, "SELECT state, file_path, checksum FROM attachments") == before


def test_a_text_with_nul_or_half_a_surrogate_pair_is_stored_without(database, store):
    store.apply(
        make_plan(make_message(1, content_snippet="a\0b"), make_message(2, content_snippet="c\ud83dd")), 1
    )

    assert set(content(database).values()) == {"ab", "c\ufffdd"}


# --- identity --------------------------------------------------------------------------------


@pytest.fixture
def ana_is_one_person(store):
    store.apply_directory([], [ContactFacts(ANA_LID, None, "Ana", ANA)], [], [], run_id=1, now=NOW)


def lid_form(number, **changes):
    return make_message(number, thread_external_id=ANA_LID, sender_id=ANA_LID, **changes)


@pytest.mark.usefixtures("ana_is_one_person")
def test_the_same_message_under_phone_id_and_lid_is_one_row(database, store):
    store.apply(make_plan(make_message(1)), 1)

    result = store.apply(make_plan(lid_form(1)), 2)

    assert (result.inserted, result.updated) == (0, 0)
    assert rows(database, "SELECT external_id, sender_id FROM messages") == [
        (make_message(1).external_id, ANA)
    ]
    assert rows(database, "SELECT external_id FROM message_aliases") == [(lid_form(1).external_id,)]


@pytest.mark.usefixtures("ana_is_one_person")
def test_an_edit_seen_under_another_key_reaches_the_row(database, store):
    store.apply(make_plan(make_message(1)), 1)
    store.apply(make_plan(lid_form(1)), 2)

    result = store.apply(make_plan(lid_form(1, content_snippet="Edited")), 3)

    assert (result.inserted, result.updated) == (0, 1)
    assert content(database) == {make_message(1).external_id: "Edited"}


@pytest.mark.usefixtures("ana_is_one_person")
def test_both_keys_in_one_batch_are_one_row(database, store):
    plan = make_plan(make_message(1), lid_form(1), make_message(2))

    store.apply(plan, 1)
    before = row_versions(database)
    store.apply(plan, 2)

    assert rows(database, "SELECT count(*) FROM messages") == [(2,)]
    assert rows(database, "SELECT external_id FROM message_aliases") == [(lid_form(1).external_id,)]
    assert row_versions(database) == before


def test_a_stranger_who_reuses_a_stanza_id_creates_another_message(database, store):
    club = {"thread_external_id": CLUB, "stanza_id": "3EB0AA"}
    one = make_message(1, **club, external_id=f"false_{CLUB}_3EB0AA_{ANA}")
    other = make_message(2, **club, external_id=f"false_{CLUB}_3EB0AA_{BEN}", sender_id=BEN)

    store.apply(make_plan(one), 1)
    store.apply(make_plan(other), 2)

    assert content(database) == {
        one.external_id: one.content_snippet,
        other.external_id: other.content_snippet,
    }


def test_a_bare_and_a_packed_key_of_one_sender_are_one_row(database, store):
    packed = make_message(
        1, thread_external_id=CLUB, external_id=f"false_{CLUB}_3EB0AA_{ANA}", stanza_id="3EB0AA"
    )
    store.apply(make_plan(packed), 1)

    store.apply(make_plan(replace(packed, external_id=f"false_{CLUB}_3EB0AA")), 2)

    assert list(content(database)) == [packed.external_id]


def test_system_rows_are_told_apart_by_their_keys_alone(database, store):
    notices = [
        make_message(n, sender_id=None, message_type=MessageType.SYSTEM, stanza_id="17555",
                     external_id=f"false_{CLUB}_17555_{who}", thread_external_id=CLUB)
        for n, who in enumerate((ANA, BEN))
    ]  # fmt: skip

    store.apply(make_plan(*notices), 1)

    assert rows(database, "SELECT count(*) FROM messages") == [(2,)]


def test_other_keys_that_the_plan_names_are_kept_as_aliases(database, store):
    plan = make_plan(make_message(1, aliases=("false_other_3EB0",)))
    store.apply(plan, 1)
    before = row_versions(database)

    store.apply(plan, 2)

    assert rows(database, "SELECT external_id FROM message_aliases") == [("false_other_3EB0",)]
    assert row_versions(database) == before


# --- the change feed -------------------------------------------------------------------------


def test_change_numbers_rise_and_are_unique_over_transactions(database, store):
    store.apply(make_plan(make_message(1), make_message(2)), 1)
    store.apply(make_plan(make_message(3), make_message(1, content_snippet="Edited")), 2)

    assert rows(database, "SELECT external_id, change_seq FROM messages ORDER BY change_seq") == [
        (make_message(2).external_id, 2),
        (make_message(3).external_id, 3),
        (make_message(1).external_id, 4),
    ]
    assert rows(database, "SELECT value FROM change_counter") == [(4,)]


# --- any plan --------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MESSAGES = st.builds(
    make_message,
    st.integers(1, 6),
    content_snippet=st.none() | TEXTS,
    is_forwarded=st.booleans(),
    quoted_text=st.none() | TEXTS,
    recipient_ids=st.sampled_from([(OWN,), (BEN, OWN)]),
    ts_raw=st.none() | TEXTS,
    is_edited=st.booleans(),
    source_revision=TEXTS,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(MESSAGES, max_size=6), max_size=3))
def test_any_plan_applied_again_changes_nothing(database, batches):
    with Store(database) as store:
        for run_id, batch in enumerate(batches, start=1):
            plan = make_plan(*batch, thread=make_thread(kind=ChatKind.PERSON))
            store.apply(plan, run_id)
            before = row_versions(database)

            again = store.apply(plan, run_id + 100)

            assert (again.inserted, again.updated) == (0, 0)
            assert row_versions(database) == before
