"""Runs, the account, session events, retention, removal, and the facts that the service shows."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.fixtures.load import (
    ACCOUNT,
    BEN,
    NOW,
    OWN,
    make_coverage,
    make_image,
    make_message,
    make_plan,
    make_report,
    row_versions,
    rows,
)
from whatsapp_etl.forgotten import Wish
from whatsapp_etl.model import (
    Account,
    DayCount,
    RunStatus,
    SessionState,
)
from whatsapp_etl.retention import parse_retention
from whatsapp_etl.transitions import SessionCause, Transition


def test_a_run_is_kept_with_its_report(database, store):
    store.pin_account(ACCOUNT, NOW)
    run_id = store.begin_run(NOW)

    store.finish_run(make_report(run_id))

    assert rows(
        database,
        "SELECT account_id, status, wa_version, pack_id, inserted, updated, missing, stop_reasons,"
        " selector_hits, stage_seconds, seconds FROM sync_runs",
    ) == [
        (OWN, "success", "2.3000.1", "2026-08", 3, 1, 1, {"all_found": 1}, {"message_row": {"[data-id]": 5}},
         {"read": 1.5}, 4.0)
    ]  # fmt: skip
    (summary,) = store.recent_runs(5)
    assert (summary.run_id, summary.status, summary.written, summary.seconds) == (
        run_id,
        RunStatus.SUCCESS,
        4,
        4.0,
    )


def test_a_run_left_open_by_a_killed_process_becomes_interrupted(database, store):
    store.begin_run(NOW)

    store.begin_run(NOW + timedelta(minutes=10))

    assert rows(database, "SELECT status FROM sync_runs ORDER BY id") == [("interrupted",), ("running",)]
    assert [run.status for run in store.recent_runs(5)] == [RunStatus.INTERRUPTED]


def test_only_a_success_moves_the_last_success(store):
    store.pin_account(ACCOUNT, NOW)
    store.finish_run(make_report(store.begin_run(NOW)))
    later = NOW + timedelta(minutes=10)
    failed = make_report(
        store.begin_run(later),
        status=RunStatus.FAILED,
        started_at=later,
        finished_at=later,
        error="DriftError",
    )

    store.finish_run(failed)

    assert store.health_facts(NOW).last_success_at == NOW + timedelta(seconds=4)
    assert store.recent_runs(1)[0].error == "DriftError"


def test_last_seen_is_the_newest_stored_time_and_never_falls(store):
    store.pin_account(ACCOUNT, NOW)
    store.apply(make_plan(make_message(5)), 1)
    store.apply(make_plan(make_message(2)), 1)
    store.apply(make_plan(make_message(3, ts=NOW + timedelta(days=400), ts_precision="clamped")), 1)

    facts = store.health_facts(NOW)

    assert facts.last_seen == make_message(5).ts
    assert (facts.messages, facts.threads, facts.attachments_stored) == (3, 1, 0)


def test_facts_of_an_empty_database_are_none_and_zero(store):
    facts = store.health_facts(NOW)

    assert (facts.last_success_at, facts.last_seen, facts.messages) == (None, None, 0)
    assert store.coverage_summary(NOW).expected is None
    assert store.session_state() is None
    assert store.account() is None


# --- account and session ---------------------------------------------------------------------


def test_the_first_account_is_pinned_and_another_one_is_told(store):
    assert store.pin_account(ACCOUNT, NOW)
    assert store.pin_account(Account(OWN, lid="99000000000001@lid"), NOW)
    assert not store.pin_account(Account(BEN), NOW)

    assert store.account() == Account(OWN, lid="99000000000001@lid")


def test_a_replaced_account_keeps_its_row_and_can_come_back(database, store):
    store.pin_account(ACCOUNT, NOW)
    store.replace_account(Account(BEN), NOW)
    assert store.pin_account(Account(BEN), NOW)

    store.replace_account(ACCOUNT, NOW)

    assert rows(database, "SELECT account_id, is_active FROM sync_state ORDER BY id") == [(OWN, 1), (BEN, 0)]


def change(state, seconds=0, cause=SessionCause.SHOWN, **more):
    return Transition(state, cause, NOW + timedelta(seconds=seconds), **more)


def test_a_change_of_the_session_is_stored_with_its_cause_and_read_back(store):
    crash = change(
        SessionState.CRASHED, 3, SessionCause.HUNG, previous=SessionState.READY, error="BrowserHungError"
    )
    odd = change(SessionState.QR, 5, previous=SessionState.CRASHED, is_expected=False)

    for each in (change(SessionState.STARTING, cause=SessionCause.OPENED), crash, odd):
        assert store.record_transition(each)

    newest, before, first = store.last_transitions(5)
    assert (newest, before) == (odd, crash)
    assert (first.state, first.previous) == (SessionState.STARTING, None)
    assert store.last_transitions(1) == (odd,)


def test_the_first_change_of_a_program_goes_on_from_where_the_one_before_it_stood(store):
    store.record_transition(change(SessionState.READY))

    store.record_transition(change(SessionState.STARTING, 1, SessionCause.OPENED))

    (newest, _) = store.last_transitions(2)
    assert newest.previous is SessionState.READY


def test_another_error_in_the_same_state_is_a_change_of_its_own(store):
    starting = change(SessionState.STARTING, cause=SessionCause.OPENED)
    assert store.record_transition(starting)
    assert store.record_transition(replace(starting, error="ProfileLockedError"))
    assert not store.record_transition(replace(starting, error="ProfileLockedError"))
    assert not store.record_transition(starting)


def test_a_session_event_is_noted_once_for_each_change_of_state(database, store):
    store.pin_account(ACCOUNT, NOW)

    assert store.record_transition(change(SessionState.QR))
    assert not store.record_transition(change(SessionState.QR, seconds=20))
    assert store.record_transition(change(SessionState.READY, seconds=40))

    assert rows(database, "SELECT state, needs_person FROM session_events ORDER BY id") == [
        ("qr", 1),
        ("ready", 0),
    ]
    assert store.session_state() == (SessionState.READY, NOW + timedelta(seconds=40))
    assert rows(database, "SELECT session_status FROM sync_state") == [("ready",)]


def test_the_shields_alarm_stands_until_it_is_acknowledged(store):
    store.pin_account(ACCOUNT, NOW)
    assert not store.has_shield_alarm()

    store.raise_shield_alarm(NOW)
    assert store.has_shield_alarm()
    assert store.acknowledge_shield_alarm(NOW)

    assert not store.has_shield_alarm()
    assert not store.acknowledge_shield_alarm(NOW)
    store.raise_shield_alarm(NOW)
    assert store.has_shield_alarm()


# --- what is kept and what is removed --------------------------------------------------------


def test_retention_deletes_what_is_old_and_keeps_the_last_success(database, store):
    for _ in range(2):
        store.finish_run(make_report(store.begin_run(NOW)))
    store.finish_run(make_report(store.begin_run(NOW), status=RunStatus.FAILED))
    store.record_transition(change(SessionState.QR))
    store.record_transition(change(SessionState.READY))
    store.record_coverage([make_coverage()], 1)

    deleted = store.retain(parse_retention("90"), NOW + timedelta(days=100))

    assert deleted == {"sync_runs": 2, "session_events": 1, "sync_coverage_history": 1}
    assert rows(database, "SELECT id FROM sync_runs") == [(2,)]
    assert store.session_state() == (SessionState.READY, NOW)
    assert rows(database, "SELECT count(*) FROM sync_coverage") == [(1,)]


def test_a_disappeared_message_leaves_a_tombstone_and_its_unused_file(database, store):
    gone = make_image(1, expires_at=NOW)
    store.apply(make_plan(gone, make_message(2, expires_at=NOW + timedelta(seconds=1)), make_message(3)), 1)

    assert store.expire_messages(NOW) == 1

    assert store.unused_files() == (gone.attachments[0].file_path,)
    assert rows(database, "SELECT change_seq, external_id, reason FROM tombstones") == [
        (4, gone.external_id, "expired")
    ]
    assert rows(database, "SELECT count(*) FROM messages") == [(2,)]
    assert rows(database, "SELECT count(*) FROM attachments") == [(0,)]


def test_a_file_that_another_message_shows_is_kept(store):
    one = make_image(1)
    store.apply(
        make_plan(one, make_message(2, message_type=one.message_type, attachments=one.attachments)), 1
    )

    store.erase(Wish("message", one.external_id), NOW)
    assert store.unused_files() == ()
    store.erase(Wish("message", make_message(2).external_id), NOW)
    assert store.unused_files() == (one.attachments[0].file_path,)


def test_expiring_nothing_changes_nothing(database, store):
    store.apply(make_plan(make_message(1)), 1)
    before = row_versions(database)

    assert store.expire_messages(NOW) == 0

    assert row_versions(database) == before


# --- counts for people -----------------------------------------------------------------------


@pytest.mark.parametrize(("zone", "expected"), [("UTC", [1, 1, 0]), ("Asia/Tokyo", [0, 2, 0])])
def test_messages_are_counted_by_day_in_a_zone(store, zone, expected):
    late = NOW.replace(hour=23) - timedelta(days=2)
    store.apply(make_plan(make_message(1, ts=late), make_message(2, ts=late + timedelta(hours=2))), 1)

    counts = store.messages_per_day(3, ZoneInfo(zone), NOW)

    assert [day.messages for day in counts] == expected
    assert counts[-1] == DayCount(NOW.date(), expected[-1])


def test_tables_are_counted(store):
    store.apply(make_plan(make_image(1), make_message(2)), 1)

    counts = store.table_counts()

    assert (counts["messages"], counts["threads"], counts["attachments"]) == (2, 1, 1)
