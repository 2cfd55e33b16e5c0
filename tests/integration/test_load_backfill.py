"""Back-fill's progress in Postgres: stored with its rows, and beside everything that cycles keep."""

from datetime import timedelta

import pytest

from tests.fixtures.load import (
    ACCOUNT,
    ANA,
    BEN,
    NOW,
    make_coverage,
    make_entry,
    make_message,
    make_plan,
    make_progress,
    make_report,
    rows,
)
from whatsapp_etl.errors import DatabaseRefusedError
from whatsapp_etl.model import MissingMessage, MissingReason, StopReason

SINCE = NOW - timedelta(days=365)
EDGE = NOW - timedelta(days=30)
OLD = make_message(1, ts=NOW - timedelta(days=200))


def test_progress_is_stored_with_its_rows_and_the_coverage_stays(database, store):
    coverage = make_coverage(stored=2)
    store.apply(make_plan(make_message(2), coverage=coverage), store.begin_run(NOW))
    before = rows(database, "SELECT * FROM sync_coverage")
    progress = make_progress(
        is_finished=False,
        slices=2,
        stop_reason=StopReason.TIME_BUDGET,
        missing={MissingReason.NOT_REACHED: 4},
    )

    run = store.begin_run(NOW, SINCE, "backfill")
    store.apply(make_plan(OLD, coverage=make_coverage(expected=900), backfill=progress), run)

    assert store.backfill_progress() == {ANA: progress}
    assert rows(database, "SELECT * FROM sync_coverage") == before
    assert store.oldest_stored([ANA, BEN]) == {ANA: OLD.ts}
    xmin = rows(database, "SELECT xmin::text FROM backfill_progress")
    assert store.record_backfill([progress], run + 1) == 0
    assert rows(database, "SELECT xmin::text FROM backfill_progress") == xmin


def test_progress_does_not_outlive_rows_that_were_refused(database, store):
    run = store.begin_run(NOW, SINCE, "backfill")
    with database.connect() as connection:
        connection.execute("ALTER TABLE backfill_progress ADD CONSTRAINT none_today CHECK (slices < 2)")
    try:
        with pytest.raises(DatabaseRefusedError):
            store.apply(make_plan(OLD, backfill=make_progress(slices=2)), run)
    finally:
        with database.connect() as connection:
            connection.execute("ALTER TABLE backfill_progress DROP CONSTRAINT none_today")
    assert rows(database, "SELECT count(*) FROM messages") == [(0,)]
    assert store.backfill_progress() == {}


def test_comparing_further_back_leaves_gaps_and_coverage_of_all_chats_alone(database, store):
    gap = MissingMessage(make_message(7).external_id, MissingReason.NOT_SHOWN, 3, NOW + timedelta(hours=1))
    bens = make_message(8, thread_external_id=BEN)
    run = store.begin_run(NOW)
    store.apply(make_plan(make_message(2), missing=(gap,)), run)
    store.apply(make_plan(bens), run)
    state = "SELECT * FROM sync_coverage ORDER BY 1", "SELECT * FROM missing_messages"
    before = [rows(database, query) for query in state]
    recent = make_message(9)

    diffs, unread = store.diff_before(
        [[make_entry(OLD), make_entry(recent), make_entry(make_message(2))]],
        SINCE,
        edge=EDGE,
        now=NOW,
        run_id=run,
    )

    assert diffs.keys() == {ANA}
    assert (diffs[ANA].expected, diffs[ANA].stored) == (3, 1)
    assert set(diffs[ANA].wanted) == {OLD.external_id, recent.external_id}
    assert unread == {ANA: [OLD.external_id]}
    assert [rows(database, query) for query in state] == before


def test_a_run_of_back_fill_says_nothing_of_freshness(database, store):
    store.pin_account(ACCOUNT, NOW)
    cycle = store.begin_run(NOW)
    store.finish_run(make_report(cycle))
    later = NOW + timedelta(hours=5)
    run = store.begin_run(later, SINCE, "backfill")
    store.finish_run(make_report(run, started_at=later, finished_at=later, newest_listed_at=later))

    assert store.health_facts(later).last_success_at == NOW + timedelta(seconds=4)
    assert store.health_facts(later).newest_listed_at is None
    assert store.last_cycle().run_id == cycle
    assert [each.run_id for each in store.recent_runs(9)] == [cycle]
    assert [(each.run_id, each.kind) for each in store.last_runs(9)] == [(run, "backfill"), (cycle, "sync")]
    assert rows(database, "SELECT run_id FROM coverage_trend") == [(cycle,)]
