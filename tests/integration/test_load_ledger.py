"""What the database tells of one cycle and of one message, and the views for operators."""

from dataclasses import replace
from datetime import date, timedelta

from tests.fixtures.load import (
    ACCOUNT,
    ANA,
    ANA_LID,
    BEN,
    NOW,
    make_coverage,
    make_entry,
    make_image,
    make_message,
    make_plan,
    make_report,
    make_thread,
    rows,
)
from whatsapp_etl.forgotten import Wish
from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import (
    ContactFacts,
    DisagreementFact,
    MessageType,
    MessageVersion,
    MissingMessage,
    MissingReason,
    Reject,
    RejectReason,
    RunStatus,
    StopReason,
)
from whatsapp_etl.retention import parse_retention

LOOKBACK = timedelta(days=30)


def cycle(store, *plans, at=NOW, lookback=LOOKBACK, **changes):
    """Run a cycle that applies these plans; return its number."""
    run_id = store.begin_run(at, at - lookback)
    for plan in plans:
        store.apply(plan, run_id)
    changes = {"started_at": at, "finished_at": at + timedelta(seconds=4), **changes}
    store.finish_run(make_report(run_id, **changes))
    return run_id


def gap(number, **changes):
    return replace(
        MissingMessage(
            make_message(number).external_id, MissingReason.NOT_SHOWN, 1, NOW + timedelta(minutes=10)
        ),
        **changes,
    )


def reject_of(shown_id, **changes):
    return replace(
        Reject(ANA, hash_id(shown_id), RejectReason.NO_TIME, "2026-08", "<div>xxx</div>", NOW), **changes
    )


def asked(store, message, *, with_text=False, other_keys=()):
    keys = (message.external_id, *other_keys)
    hashes = {hash_id(message.external_id), hash_id(message.stanza_id)}
    return store.whereabouts(keys, message.thread_external_id, hashes, with_text=with_text)


# --- cycles ----------------------------------------------------------------------------------


def test_the_last_cycles_are_told_newest_first_with_the_one_that_runs(store):
    cycle(store)
    cycle(store, status=RunStatus.FAILED, error="SelectorDriftError: gone")
    store.begin_run(NOW, NOW - LOOKBACK)

    runs = store.last_runs(2)

    assert [(run.run_id, run.status, run.seconds) for run in runs] == [
        (3, "running", None),
        (2, "failed", 4.0),
    ]
    assert store.kept_runs() == (1, 3)


def test_a_cycle_is_told_as_its_report_said_and_how_far_it_looked(store):
    report = make_report(
        store.begin_run(NOW, NOW - LOOKBACK),
        disagreed={DisagreementFact.TEXT: 2},
        rows_compared=9,
        lost_facts=("forwarded",),
        metadata_unreadable=("contacts: missing_store",),
        read_by="chat_list",
        selector_hits={
            ("row_direction", "alignment"): 4,
            ("row_direction", "tail"): 1,
            ("message_row", "x"): 5,
        },
    )
    store.finish_run(report)

    run = store.run_details(report.run_id).run

    assert (run.stages, run.applied) == (report.stages, report.applied)
    assert (run.lookback_begin, run.read_by) == (NOW - LOOKBACK, "chat_list")
    assert (run.disagreements, run.disagreed, run.rows_compared) == (2, {"text": 2}, 9)
    assert (run.lost_facts, run.metadata_unreadable) == (report.lost_facts, report.metadata_unreadable)
    assert (run.stop_reasons, run.stage_seconds) == ({"all_found": 1}, {"read": 1.5})
    assert run.signs == {"direction": {"alignment": 4, "tail": 1}}


def test_a_cycle_names_the_chats_it_changed_and_what_it_looked_for(store):
    ben = make_message(7, thread_external_id=BEN)
    cycle(store, make_plan(make_message(1), make_message(2)), make_plan(ben))
    edited = make_message(1, content_snippet="Tea is ready", is_edited=True, source_revision="chat|e|")
    coverage = make_coverage(stored=2, missing={MissingReason.NOT_SHOWN: 1}, stop_reason=StopReason.STALLED)
    second = cycle(
        store,
        make_plan(edited, make_message(3), missing=(gap(4),), rejects=(reject_of("row"),), coverage=coverage),
    )

    details = store.run_details(second)

    (chat,) = details.chats
    assert (chat.thread_external_id, chat.inserted, chat.changed) == (ANA, 1, 1)
    assert (chat.coverage_changed, chat.expected, chat.stored, chat.missing, chat.stop_reason) == (
        True,
        3,
        2,
        {"not_shown": 1},
        "stalled",
    )
    assert details.looked_for == {"not_shown": 1}
    assert details.rejected == {"no_time": 1}


def test_coverage_that_a_later_cycle_replaced_is_still_told_of_the_earlier_one(store):
    first = store.begin_run(NOW, NOW - LOOKBACK)
    store.record_coverage([make_coverage(missing={MissingReason.NOT_SHOWN: 2}, stored=1)], first)
    later = store.begin_run(NOW, NOW - LOOKBACK)
    store.record_coverage([make_coverage()], later)

    (chat,) = store.run_details(first).chats

    assert (chat.inserted, chat.changed, chat.stored, chat.missing) == (0, 0, 1, {"not_shown": 2})


def test_a_cycle_with_nothing_new_changed_no_chat(store):
    plan = make_plan(make_message(1))
    cycle(store, plan)

    assert store.run_details(cycle(store, plan)).chats == ()


def test_an_unknown_cycle_is_none(store):
    assert store.run_details(1) is None
    assert store.kept_runs() is None


# --- messages --------------------------------------------------------------------------------


def test_a_stored_message_is_told_with_its_cycles_and_without_its_text(store):
    first = cycle(store, make_plan(make_image(1)))
    second = cycle(store, make_plan(make_message(2)), pack_id="2026-12")

    found = asked(store, make_image(1))

    assert (found.stored.first_run_id, found.stored.last_run_id) == (first, first)
    assert list(found.runs) == [first]
    assert found.runs[first].pack_id == "2026-08"
    assert found.stored.is_listed
    assert [(each.position, each.state) for each in found.stored.attachments] == [(0, "stored")]
    assert (found.missing, found.removed, found.rejects) == (None, None, ())
    assert asked(store, make_message(2)).runs[second].pack_id == "2026-12"
    assert asked(store, make_message(2)).stored.text is None
    assert asked(store, make_message(2), with_text=True).stored.text == make_message(2).content_snippet


def test_a_message_that_only_the_page_showed_says_so(store):
    cycle(store, make_plan(make_message(1, source_revision="")))

    assert not asked(store, make_message(1)).stored.is_listed


def test_earlier_versions_say_what_replaced_them_and_keep_their_text_to_themselves(store):
    first = make_message(1)
    cycle(store, make_plan(first))
    edited = replace(first, content_snippet="Tea is ready", is_edited=True, source_revision="chat|e|")
    version = MessageVersion(first.external_id, first.message_type, first.content_snippet, NOW)
    edit = cycle(store, make_plan(edited, versions=(version,)))
    gone = replace(
        edited, message_type=MessageType.DELETED, content_snippet=None, source_revision="revoked||"
    )
    seen_at = NOW + timedelta(minutes=5)
    version = MessageVersion(first.external_id, first.message_type, edited.content_snippet, seen_at)
    deletion = cycle(store, make_plan(gone, versions=(version,)))

    versions = asked(store, first).stored.versions

    assert [(each.replaced_by, each.run_id, each.text) for each in versions] == [
        ("edit", edit, None),
        ("deletion", deletion, None),
    ]
    shown = asked(store, first, with_text=True).stored.versions
    assert [each.text for each in shown] == [first.content_snippet, "Tea is ready"]


def test_an_alias_counts_as_the_message(store):
    store.pin_account(ACCOUNT, NOW)
    store.apply_directory((), [ContactFacts(ANA_LID, None, "Ana", ANA)], (), (), run_id=1, now=NOW)
    cycle(store, make_plan(make_message(1)))
    under_lid = make_message(1, thread_external_id=ANA_LID)
    store.diff([[make_entry(under_lid)]], NOW - LOOKBACK, NOW, 1)

    found = asked(store, under_lid)

    assert found.stored.external_id == make_message(1).external_id
    assert found.stored.aliases == (under_lid.external_id,)
    assert found.asked == under_lid.external_id


def test_a_missing_message_is_told_with_its_tries(store):
    run_id = cycle(store, make_plan(make_message(1), missing=(gap(2, attempts=3),)))

    found = asked(store, make_message(2))

    assert found.stored is None
    assert (found.missing.reason, found.missing.attempts, found.missing.run_id) == (
        MissingReason.NOT_SHOWN,
        3,
        run_id,
    )
    assert found.missing.next_try_at == NOW + timedelta(minutes=10)
    assert found.chat.thread_external_id == ANA


def test_a_removed_message_is_told_with_when_and_why(store):
    cycle(store, make_plan(make_message(1, expires_at=NOW)))
    store.expire_messages(NOW)

    found = asked(store, make_message(1))

    assert (found.stored, found.removed.reason, found.removed.removed_at) == (None, "expired", NOW)


def test_a_forgotten_message_is_told_by_the_hash_of_its_key(store):
    cycle(store, make_plan(make_message(1), make_message(2)))
    store.erase(Wish("message", make_message(1).external_id), NOW)

    found = asked(store, make_message(1))

    assert (found.stored, found.removed.reason, found.is_forgotten) == (None, "forgotten", True)
    assert not asked(store, make_message(2)).is_forgotten


def test_a_message_that_was_never_stored_of_a_forgotten_chat_is_left_out(store):
    cycle(store, make_plan(make_message(1)))
    store.erase(Wish("chat", ANA), NOW)

    found = asked(store, make_message(2))

    assert (found.removed, found.is_forgotten, found.chat) == (None, True, None)


def test_a_rejected_row_is_found_by_its_packed_and_by_its_bare_id(store):
    packed, bare = make_message(1), make_message(2)
    plan = make_plan(rejects=(reject_of(packed.external_id), reject_of(bare.stanza_id)))
    cycle(store, plan)

    for message in (packed, bare):
        (found,) = asked(store, message).rejects
        assert (found.reason, found.pack_id, found.times_seen) == ("no_time", "2026-08", 1)


def test_a_row_of_another_chat_with_the_same_bare_id_is_another_message(store):
    stranger = make_message(1, thread_external_id=BEN)
    cycle(store, make_plan(rejects=(reject_of(stranger.stanza_id, thread_external_id=BEN),)))

    assert asked(store, make_message(1)).rejects == ()
    assert len(asked(store, stranger).rejects) == 1


def test_a_message_that_nobody_has_seen_is_unknown(store):
    found = asked(store, make_message(1))

    assert (found.stored, found.missing, found.removed, found.rejects, found.chat) == (
        None,
        None,
        None,
        (),
        None,
    )


def test_a_message_outlives_the_record_of_its_cycle(store):
    cycle(store, make_plan(make_message(1)))
    cycle(store, at=NOW + timedelta(days=1))
    store.retain(parse_retention("90"), NOW + timedelta(days=91))

    found = asked(store, make_message(1))

    assert (found.stored.first_run_id, found.runs) == (1, {})


# --- views -----------------------------------------------------------------------------------


def test_gaps_are_listed_with_their_chat_and_whether_an_older_state_is_stored(database, store):
    plan = make_plan(make_message(1), missing=(gap(2), gap(1, reason=MissingReason.PICTURE_NOT_LOADED)))
    cycle(store, plan)

    found = rows(
        database,
        "SELECT title, reason, attempts, age = now() - %s, next_try_at, is_stored FROM coverage_gaps"
        " ORDER BY external_id",
        NOW,
    )

    due = NOW + timedelta(minutes=10)
    assert found == [
        ("Ana", "picture_not_loaded", 1, True, due, True),
        ("Ana", "not_shown", 1, True, due, False),
    ]


def short_chats(database):
    query = "SELECT thread_external_id, title, lookback_begin, stop_reason FROM chats_short_of_lookback"
    return rows(database, f"{query} ORDER BY thread_external_id")


def test_chats_that_do_not_reach_the_begin_of_the_lookback_are_listed(database, store):
    begin = NOW - LOOKBACK
    whole = make_plan(make_message(1), coverage=make_coverage(complete_until=begin))
    later = make_coverage(BEN, complete_until=begin + timedelta(days=1), stop_reason=StopReason.NEEDS_PHONE)
    unknown = make_coverage(ANA_LID, complete_until=None, stop_reason=StopReason.DRIFT)
    ben = make_message(2, thread_external_id=BEN)
    cycle(store, whole, make_plan(ben, thread=make_thread(BEN, title="Ben"), coverage=later))
    store.record_coverage([unknown], 1)

    assert short_chats(database) == [
        (BEN, "Ben", begin, "needs_phone"),
        (ANA_LID, None, begin, "drift"),
    ]


def test_a_chat_that_the_running_cycle_has_read_is_not_short_of_the_last_one(database, store):
    cycle(store, make_plan(make_message(1), coverage=make_coverage(complete_until=NOW - LOOKBACK)))
    later = NOW + timedelta(minutes=10)
    running = store.begin_run(later, later - LOOKBACK)
    store.record_coverage([make_coverage(complete_until=later - LOOKBACK)], running)

    assert short_chats(database) == []


def test_a_longer_lookback_makes_chats_short_until_they_are_read_again(database, store):
    cycle(store, make_plan(make_message(1), coverage=make_coverage(complete_until=NOW - LOOKBACK)))
    cycle(store, lookback=2 * LOOKBACK)

    assert [chat for chat, *_ in short_chats(database)] == [ANA]


def test_the_trend_shows_the_last_cycle_of_each_day_that_knew_how_many_there_are(database, store):
    for hours, changes in (
        (0, {"expected": 9, "missing": 3}),
        (1, {"expected": 10, "missing": 1}),
        (2, {"read_by": "chat_list", "status": RunStatus.PARTIAL, "expected": 0, "missing": 0}),
        (3, {"status": RunStatus.FAILED, "expected": 0, "missing": 0}),
        (24, {"read_by": "chat_list", "status": RunStatus.PARTIAL, "expected": 0, "missing": 0}),
    ):
        cycle(store, at=NOW + timedelta(hours=hours), **changes)

    assert rows(
        database, "SELECT day, runs, run_id, expected, stored, missing FROM coverage_trend ORDER BY day"
    ) == [
        (date(2026, 8, 23), 4, 2, 10, 9, 1),
        (date(2026, 8, 24), 1, None, None, None, None),
    ]
