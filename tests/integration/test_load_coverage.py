"""What is known of each chat: checkpoint, coverage, gaps, rejects and disagreements."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from tests.fixtures.load import (
    ANA,
    BEN,
    NOW,
    make_coverage,
    make_message,
    make_plan,
    make_report,
    rows,
)
from whatsapp_etl.model import (
    Checkpoint,
    Disagreement,
    DisagreementFact,
    MissingMessage,
    MissingReason,
    Reject,
    RejectReason,
    RunStatus,
    SkipRule,
    StopReason,
)
from whatsapp_etl.retention import parse_retention


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
