from dataclasses import replace
from datetime import timedelta

import pytest

from tests.transform_values import (
    GROUP,
    NOW,
    OTHER,
    all_known,
    batch,
    chat,
    context,
    diff,
    facts,
    group_context,
    ids,
    missing_reasons,
    plan,
    raw,
    row,
)
from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import (
    CapturedFile,
    ChatDiff,
    Checkpoint,
    DisagreementFact,
    MessageKey,
    MessageType,
    MissingReason,
    Reject,
    RejectReason,
    StopReason,
)
from whatsapp_etl.transform.missing import NOT_A_TRY, wait_after
from whatsapp_etl.transform.plan import coverage_unvisited, plan_load, unopened

LATER = NOW + timedelta(minutes=10)
FILE = CapturedFile("ab" * 32, "image/jpeg", 1234, "ab/ab/x.jpg")


def test_rows_and_metadata_become_messages_oldest_first():
    made = plan([row("B", minute=2), row("A")], [facts("A"), facts("B", minute=2)])

    assert ids(made.messages) == ["A", "B"]
    assert made.missing == ()
    assert (made.coverage.expected, made.coverage.stored) == (2, 2)
    assert made.coverage.complete_until == context().since
    assert made.checkpoint == Checkpoint(f"false_{OTHER}_B", facts(minute=2).sent_at)
    assert (made.thread.external_id, made.thread.title) == (OTHER, "Mira Vogel")


def test_the_same_visit_again_writes_nothing():
    rows, listed = [row("A"), row("B", minute=1)], [facts("A"), facts("B", minute=1)]
    known = all_known(plan(rows, listed).messages)

    again = plan(rows, listed, known, observed_at=LATER)

    assert (again.messages, again.versions, again.unchanged) == ((), (), 2)


def test_an_edit_is_counted_with_its_version():
    known = all_known(plan([row()], [facts()]).messages)
    edited = facts(source_revision="chat||k|", latest_edit_key="k")

    made = plan([row(text="better")], [edited], known, observed_at=LATER)

    assert len(made.versions) == 1
    assert ids(made.messages) == ["3EB0A1"]


def test_a_disagreement_is_counted_and_not_written():
    known = all_known(plan([row()], [facts()]).messages)

    made = plan([row(text="other")], [facts()], known, observed_at=LATER)

    assert (made.messages, made.unchanged) == ((), 1)
    assert [each.fact for each in made.disagreements] == [DisagreementFact.TEXT]


def test_kinds_without_a_body_are_loaded_from_metadata_alone():
    made = plan([], [facts(type=MessageType.DELETED)], stop_reason=StopReason.NOTHING_TO_READ)

    assert [message.message_type for message in made.messages] == [MessageType.DELETED]
    assert made.missing == ()


def test_what_is_stored_in_this_revision_is_not_made_again_from_metadata():
    listed = [facts(type=MessageType.DELETED)]
    known = all_known(plan([], listed).messages)

    assert plan([], listed, known, observed_at=LATER).messages == ()
    changed = [replace(listed[0], source_revision="new")]
    assert ids(plan([], changed, known, observed_at=LATER).messages) == ["3EB0A1"]


def test_a_kind_without_a_body_whose_sender_is_unproven_is_missing():
    listed = facts(key=MessageKey(False, GROUP, "A"), type=MessageType.VOICE, sender_id=None)

    made = plan([], [listed], where=group_context())

    assert made.messages == ()
    assert [each.reason for each in made.missing] == [MissingReason.NOT_REACHED]


def test_an_id_that_reading_passed_was_not_shown():
    made = plan([row("A")], [facts("A"), facts("B", minute=1)])

    assert missing_reasons(made) == [MissingReason.NOT_SHOWN]
    assert made.coverage.missing == {MissingReason.NOT_SHOWN: 1}
    assert made.coverage.complete_until is None


def test_the_newest_gap_bounds_what_is_complete():
    made = plan([row("A"), row("C", minute=2)], [facts("A"), facts("B", minute=1), facts("C", minute=2)])

    assert made.coverage.complete_until == facts(minute=2).sent_at


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (StopReason.TIME_BUDGET, MissingReason.NOT_REACHED),
        (StopReason.NEEDS_PHONE, MissingReason.NEEDS_PHONE),
        (StopReason.PHONE_FAILED, MissingReason.NEEDS_PHONE),
        (StopReason.SHIELDED, MissingReason.SKIPPED_BY_RULE),
        (StopReason.CHAT_NOT_FOUND, MissingReason.CHAT_NOT_OPENED),
    ],
)
def test_an_older_id_is_missing_for_the_reason_that_reading_stopped(stop, reason):
    made = plan([row("B", minute=1)], [facts("A"), facts("B", minute=1)], stop_reason=stop)

    assert missing_reasons(made) == [reason]
    assert made.checkpoint is None


def test_an_empty_row_is_named_as_such():
    made = plan([], [facts("A")], empty_ids=("A",))

    assert missing_reasons(made) == [MissingReason.EMPTY_ROW]


def test_a_row_that_was_not_understood_is_named_as_such():
    reject = Reject(OTHER, hash_id("A"), RejectReason.NO_CONTENT, "2026-08", "", NOW)

    visit = batch("A")
    made = plan_load(visit, [], [facts("A")], {}, context(), NOW, rejects=[reject])

    assert missing_reasons(made) == [MissingReason.UNREADABLE]
    assert made.rejects == (reject,)


def test_a_text_cut_short_is_a_reject_and_read_again_later():
    made = plan([row(is_truncated=True)], [facts()])

    assert made.messages == ()
    assert [each.reason for each in made.rejects] == [RejectReason.NO_CONTENT]
    assert missing_reasons(made) == [MissingReason.UNREADABLE]


def test_only_wanted_ids_are_counted_as_tried():
    where = context(diff=diff(f"false_{OTHER}_A", deferred={MissingReason.NOT_SHOWN: 1}))

    made = plan([row("A")], [facts("A"), facts("B", minute=1)], where=where)

    assert made.missing == ()
    assert (made.coverage.expected, made.coverage.stored) == (3, 2)
    assert made.coverage.missing == {MissingReason.NOT_SHOWN: 1}
    assert made.coverage.complete_until is None


def test_a_wanted_id_that_its_chat_does_not_list_is_missing():
    where = context(diff=diff(f"false_{OTHER}_A", f"false_{OTHER}_B"))

    made = plan([row("A")], [facts("A")], where=where)

    assert [each.external_id for each in made.missing] == [f"false_{OTHER}_B"]
    assert missing_reasons(made) == [MissingReason.NOT_SHOWN]
    assert (made.coverage.complete_until, made.checkpoint) == (None, None)


def test_a_changed_message_that_was_not_read_is_tried_again():
    known = all_known(plan([row()], [facts()]).messages)

    made = plan([], [facts(source_revision="new")], known)
    unchanged = plan([], [facts()], known)

    assert len(made.missing) == 1
    assert unchanged.missing == ()


def test_tries_are_counted_and_wait_longer():
    where = context(attempts={f"false_{OTHER}_A": 2})

    made = plan([], [facts("A")], where=where)

    assert made.missing[0].attempts == 3
    assert made.missing[0].next_try_at == NOW + timedelta(minutes=40)


def test_waiting_grows_from_ten_minutes_to_a_day_and_then_a_week():
    waits = [wait_after(attempts) for attempts in range(1, 12)]

    assert waits[0] == wait_after(0) == timedelta(minutes=10)
    assert waits[7] == timedelta(minutes=1280)
    assert waits[8] == timedelta(days=1)
    assert waits[9] == waits[10] == timedelta(weeks=1)


def test_messages_outside_the_look_back_are_left_alone():
    old = facts("A", sent_at=context().since - timedelta(seconds=1))

    made = plan([row("A", sent_at=old.sent_at)], [old])

    assert (made.messages, made.missing, made.rejects, made.coverage.expected) == ((), (), (), 0)


def test_the_picture_of_a_message_that_was_only_passed_is_not_kept():
    passed, wanted = (CapturedFile(each, "image/jpeg", 9, f"{each}.jpg") for each in ("aa", "bb"))
    kept = facts("3EB0A1", type=MessageType.IMAGE, file_sha256="bb")

    made = plan(
        [
            row("3EB0A1", type=MessageType.IMAGE, text=None),
            row("3EB0A2", minute=-60 * 24 * 31, type=MessageType.IMAGE),
        ],
        [kept],
        files={"3EB0A1": (wanted,), "3EB0A2": (passed,)},
    )

    assert [each.attachments[0].file_path for each in made.messages] == ["bb.jpg"]
    assert made.unused_files == ("aa.jpg",)


def test_an_album_in_the_metadata_is_no_message():
    assert plan([], [facts(type=MessageType.ALBUM)]).coverage.expected == 0


def test_a_row_that_the_storage_does_not_list_is_a_reject():
    made = plan([row("A"), row("X")], [facts("A")])

    assert ids(made.messages) == ["A"]
    assert [each.reason for each in made.rejects] == [RejectReason.NOT_IN_METADATA]
    assert made.rejects[0].shown_id_hash == hash_id("X")


def test_an_unlisted_row_with_a_packed_id_is_a_message():
    made = plan([row("X", key=MessageKey(False, OTHER, "X"))], [])

    assert ids(made.messages) == ["X"]


def test_unlisted_notices_and_stored_messages_are_no_loss():
    known = all_known(plan([row("S")], [facts("S")]).messages)
    notice = row("N", type=MessageType.SYSTEM)

    made = plan([notice, row("S")], [], {**known, "no key": known[f"false_{OTHER}_S"]})

    assert (made.messages, made.rejects) == ((), ())


def test_an_album_is_what_stands_together_in_the_chat_whatever_was_sent_meanwhile():
    listed = [
        facts(name, minute=minute, type=MessageType.IMAGE)
        for name, minute in zip("ACXB", (0, 4, 2, 6), strict=True)
    ]
    shown = [
        row("album-A-C-2", type=MessageType.ALBUM, text=None),
        row("X", type=MessageType.IMAGE, minute=2),
    ]

    made = plan([*shown, row("B", type=MessageType.IMAGE, minute=6)], listed)

    assert sorted(ids(made.messages)) == ["A", "B", "C", "X"]
    assert {each.stanza_id for each in made.messages if each.album_id} == {"A", "C"}


def test_an_albums_files_belong_to_the_messages_whose_checksums_they_have():
    sums = {"A": "ab" * 32, "B": "ee" * 32, "C": "cd" * 32}
    listed = [
        facts(name, minute=minute, type=MessageType.IMAGE, file_sha256=sums[name])
        for minute, name in enumerate("ABC")
    ]
    shown = row("album-A-C-3", type=MessageType.ALBUM, text=None)
    files = {"album-A-C-3": (FILE, replace(FILE, sha256="cd" * 32))}

    made = plan([shown], listed, files=files)

    assert [each.attachments[0].checksum for each in made.messages] == ["ab" * 32, None, "cd" * 32]


def test_without_metadata_packed_rows_are_loaded_and_bare_ones_are_rejects():
    packed = row("A", key=MessageKey(False, OTHER, "A"))
    album = row("album-A-B-2", type=MessageType.ALBUM)

    made = plan([packed, row("B"), album], None, stop_reason=StopReason.EDGE_REACHED)

    assert ids(made.messages) == ["A"]
    assert [each.reason for each in made.rejects] == [
        RejectReason.CHAT_UNPROVEN,
        RejectReason.NOT_IN_METADATA,
    ]
    assert (made.coverage.expected, made.coverage.stored) == (None, 1)
    assert made.coverage.missing == {MissingReason.UNREADABLE: 2}
    assert made.coverage.complete_until == context().since


def test_without_metadata_a_row_that_stayed_empty_holds_the_checkpoint():
    packed = row("A", key=MessageKey(False, OTHER, "A"))

    made = plan([packed], None, stop_reason=StopReason.EDGE_REACHED, empty_ids=("B",))

    assert made.checkpoint is None
    assert made.coverage.missing == {MissingReason.EMPTY_ROW: 1}


def test_without_metadata_completeness_reaches_as_far_as_reading_did():
    mark = Checkpoint("x", NOW - timedelta(days=2))
    at_checkpoint = plan([], None, where=context(checkpoint=mark), stop_reason=StopReason.CHECKPOINT_REACHED)
    without = plan([], None, stop_reason=StopReason.CHECKPOINT_REACHED)
    cut = plan([], None, stop_reason=StopReason.TIME_BUDGET)

    assert at_checkpoint.coverage.complete_until == mark.sent_at
    assert without.coverage.complete_until == context().since
    assert cut.coverage.complete_until is None


def test_evidence_of_a_reject_shows_no_words():
    visit = batch("X", rows=(raw("X", "<p>secret</p>"),))

    made = plan_load(visit, [row("X")], [], {}, context(), NOW)

    assert made.rejects[0].evidence == "<p>xxxxxx</p>"


def test_who_takes_part_is_left_to_the_list_of_groups():
    assert plan([], [], where=group_context()).thread.participant_ids == ()


def test_rows_without_a_time_do_not_say_how_far_reading_came():
    made = plan([row("X", sent_at=None)], [facts("A")])

    assert missing_reasons(made) == [MissingReason.NOT_REACHED]


def test_a_listed_message_is_made_once_whoever_tells_it():
    made = plan([row("A", type=MessageType.VOICE, text=None)], [facts("A", type=MessageType.VOICE)])

    assert ids(made.messages) == ["A"]


@pytest.mark.parametrize("reason", sorted(NOT_A_TRY))
def test_a_visit_that_was_held_back_or_cut_off_is_no_try(reason):
    made = plan_load(unopened(OTHER, reason, "2026-08", NOW), (), (facts("A"),), {}, context(), NOW)

    assert [(each.attempts, each.next_try_at) for each in made.missing] == [(0, NOW)]


def test_a_picture_that_did_not_load_is_looked_for_again_though_its_message_is_stored():
    shown, listed = row("A", type=MessageType.IMAGE), facts("A", type=MessageType.IMAGE)

    first = plan_load(batch(), (shown,), (listed,), {}, context(), NOW)

    assert [each.reason for each in first.missing] == [MissingReason.PICTURE_NOT_LOADED]
    assert len(first.messages) == 1
    assert first.coverage.stored == first.coverage.expected == 1


def test_what_the_storage_no_longer_lists_counts_beside_what_is_missing():
    diff = ChatDiff(OTHER, 2, 1, (), lost={MissingReason.NO_LONGER_LISTED: 4})
    since = context().since

    stored = coverage_unvisited(chat(), diff, since, NOW)
    unstored = coverage_unvisited(chat(), replace(diff, lost_unstored=1), since, NOW)
    read = plan([row()], [facts()], where=context(diff=replace(diff, wanted=(f"false_{OTHER}_3EB0A1",))))

    assert stored.missing == read.coverage.missing == {MissingReason.NO_LONGER_LISTED: 4}
    assert (stored.complete_until, unstored.complete_until) == (since, None)


def test_a_gap_keeps_when_its_message_disappears():
    leaves_at = NOW + timedelta(days=1)

    (gap,) = plan([], [facts(expires_at=leaves_at)]).missing

    assert gap.expires_at == leaves_at
