"""Runs, the account, session events, retention, removal, and the facts that the service shows."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.fixtures.load import (
    ACCOUNT,
    ANA,
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
    Checkpoint,
    DayCount,
    Disagreement,
    DisagreementFact,
    MissingMessage,
    MissingReason,
    Reject,
    RejectReason,
    RunStatus,
    SessionState,
    SkipRule,
    StopReason,
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


# --- checkpoint, coverage, gaps, rejects -----------------------------------------------------


def test_a_checkpoint_moves_forward_only(store):
    newest = Checkpoint(make_message(5).external_id, make_message(5).ts)
    older = Checkpoint(make_message(1).external_id, make_message(1).ts)

    store.apply(make_plan(make_message(5), checkpoint=newest), 1)
    store.apply(make_plan(make_message(1), checkpoint=older), 2)
    store.apply(make_plan(make_message(2)), 3)

    assert store.checkpoints() == {ANA: newest}


def test_coverage_history_gets_a_row_only_when_gaps_or_stop_reason_change(database, store):
    first = make_coverage(missing={MissingReason.NOT_SHOWN: 2}, stored=1)
    store.record_coverage([first], 1)
    store.record_coverage([replace(first, observed_at=NOW + timedelta(minutes=1))], 2)
    store.record_coverage([replace(first, expected=2, stored=0)], 3)
    store.record_coverage([make_coverage(missing={}, stop_reason=StopReason.EDGE_REACHED)], 4)

    assert rows(database, "SELECT run_id FROM sync_coverage_history ORDER BY id") == [(1,), (4,)]
    assert rows(database, "SELECT run_id, expected, missing FROM sync_coverage") == [(4, 3, {})]


def test_coverage_keeps_the_first_and_last_message_and_tells_when_the_phone_has_less_to_give(database, store):
    ends = {"first_external_id": "false_a_1", "last_external_id": "false_a_9"}
    store.record_coverage([make_coverage(history_type=2, **ends)], 1)
    store.record_coverage([make_coverage(history_type=2, **{**ends, "last_external_id": "false_a_10"})], 2)
    store.record_coverage([make_coverage(history_type=1, **ends)], 3)

    columns = "run_id, history_type, first_external_id, last_external_id"
    assert rows(database, f"SELECT {columns} FROM sync_coverage") == [(3, 1, "false_a_1", "false_a_9")]
    assert rows(database, f"SELECT {columns} FROM sync_coverage_history ORDER BY id") == [
        (1, 2, "false_a_1", "false_a_9"),
        (3, 1, "false_a_1", "false_a_9"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sync_coverage SET stop_reason = 'tired'",
        "UPDATE sync_coverage SET missing = '{\"lost\": 1}'",
        "UPDATE sync_coverage_history SET stop_reason = 'tired'",
        "INSERT INTO missing_messages VALUES ('false_a_1', 'a', 'lost', 1, now(), now(), 1)",
        "UPDATE sync_runs SET chats_skipped = '{\"boring\": 1}'",
    ],
)
def test_reasons_that_nobody_defined_are_refused(database, store, statement):
    store.record_coverage([make_coverage()], store.begin_run(NOW))

    with database.connect() as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(statement)


def test_a_run_keeps_what_it_saw_listed_and_how_many_chats_it_left_alone(store):
    store.finish_run(
        make_report(
            store.begin_run(NOW),
            newest_listed_at=NOW,
            chats_skipped={SkipRule.EXCLUDED: 2},
            is_rewound=True,
        )
    )
    later = store.begin_run(NOW + timedelta(minutes=10))
    store.finish_run(make_report(later, status=RunStatus.FAILED))

    failed, run = store.last_runs(2)

    assert (run.newest_listed_at, run.chats_skipped, run.is_rewound) == (NOW, {"excluded": 2}, 1)
    assert (failed.newest_listed_at, failed.chats_skipped, failed.is_rewound) == (None, {}, 0)
    assert store.health_facts(NOW).newest_listed_at == NOW


def test_coverage_is_summed_over_chats_without_naming_any(store):
    gaps = {MissingReason.NEEDS_PHONE: 2}
    store.record_coverage(
        [
            make_coverage(ANA),
            make_coverage(
                BEN, expected=5, missing=gaps, stop_reason=StopReason.NEEDS_PHONE, complete_until=NOW
            ),
        ],
        1,
    )

    summary = store.coverage_summary(NOW)

    assert (summary.chats, summary.chats_complete, summary.expected, summary.stored) == (2, 1, 8, 6)
    assert summary.missing == gaps
    assert summary.stop_reasons == {StopReason.ALL_FOUND: 1, StopReason.NEEDS_PHONE: 1}
    assert summary.complete_until == NOW  # since then in both


def gap(number, **changes):
    entry = MissingMessage(
        make_message(number).external_id, MissingReason.NOT_SHOWN, 1, NOW + timedelta(minutes=10)
    )
    return replace(entry, **changes)


def test_a_gap_keeps_its_attempts_and_ends_when_the_message_is_stored(store):
    store.apply(make_plan(missing=(gap(1), gap(2))), 1)
    store.apply(make_plan(missing=(gap(1, attempts=2),)), 2)
    assert store.known_missing([gap(1).external_id, gap(2).external_id]) == {
        gap(1).external_id: gap(1, attempts=2),
        gap(2).external_id: gap(2),
    }

    store.apply(make_plan(make_message(1)), 3)

    assert list(store.known_missing([gap(1).external_id, gap(2).external_id])) == [gap(2).external_id]


def test_gaps_count_for_health_only_after_their_grace(store):
    store.apply(make_plan(missing=(gap(1),)), 1)

    grace = timedelta(hours=1)
    assert store.coverage_summary(NOW + timedelta(minutes=59), grace).recent == {MissingReason.NOT_SHOWN: 1}
    assert store.coverage_summary(NOW + timedelta(minutes=61), grace).recent == {}


def test_a_reject_is_one_row_and_counted_once_in_a_run(database, store):
    store.begin_run(NOW)
    reject = Reject(ANA, "0123456789abcdef", RejectReason.NO_TIME, "2026-08", "<div>xxx</div>", NOW)
    plan = make_plan(rejects=(reject,))

    assert store.apply(plan, 1).rejects == 1
    assert store.apply(plan, 1).rejects == 0
    assert store.rejects_of_last_run() == 1
    store.begin_run(NOW)
    assert store.rejects_of_last_run() == 0
    assert store.apply(plan, 2).rejects == 1

    assert rows(database, "SELECT times_seen, first_run_id, last_run_id FROM rejects") == [(2, 1, 2)]


def test_a_disagreement_is_one_row_for_each_message_and_fact_and_counted_once_in_a_run(database, store):
    time = Disagreement(ANA, DisagreementFact.TIME, "12:00", "11:00", NOW, external_id="false_a_1")
    strange = Disagreement(
        ANA, DisagreementFact.ID, "not listed", "shown", NOW, shown_id_hash="0123456789abcdef"
    )
    count = Disagreement(ANA, DisagreementFact.COUNT, "7", "8", NOW)
    later = NOW + timedelta(hours=2)
    for run, at, shown in ((1, NOW, "11:00"), (1, NOW, "11:00"), (2, later, "10:00")):
        plan = make_plan(disagreements=(replace(time, shown=shown, observed_at=at), strange, count))
        store.apply(plan, run)
    store.apply(make_plan(disagreements=(replace(time, external_id="false_a_2"),)), 2)

    assert rows(
        database,
        "SELECT fact, external_id, shown, times_seen, last_seen_at, first_run_id, last_run_id"
        " FROM disagreements ORDER BY id",
    ) == [
        ("time", "false_a_1", "10:00", 2, later, 1, 2),
        ("id", None, "shown", 2, NOW, 1, 2),
        ("count", None, "8", 2, NOW, 1, 2),
        ("time", "false_a_2", "11:00", 1, NOW, 2, 2),
    ]


def test_a_visit_in_which_everything_disagrees_keeps_a_part_of_it(database, store):
    many = [
        Disagreement(ANA, DisagreementFact.TIME, "12:00", "11:00", NOW, external_id=f"false_a_{number}")
        for number in range(400)
    ]

    store.apply(make_plan(disagreements=tuple(many)), 1)

    assert rows(database, "SELECT count(*) FROM disagreements") == [(50,)]


def test_disagreements_and_rows_compared_count_for_a_day_and_go_with_the_retention(database, store):
    time = Disagreement(ANA, DisagreementFact.TIME, "12:00", "11:00", NOW, external_id="false_a_1")
    run = store.begin_run(NOW)
    store.apply(make_plan(disagreements=(time,)), run)
    store.finish_run(make_report(run, rows_compared=40))

    for hours, expected in ((23, (1, 40)), (25, (0, 0))):
        facts = store.health_facts(NOW + timedelta(hours=hours))
        assert (facts.disagreements, facts.rows_compared) == expected
    store.retain(parse_retention("2"), NOW + timedelta(days=3))
    assert rows(database, "SELECT count(*) FROM disagreements") == [(0,)]


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
