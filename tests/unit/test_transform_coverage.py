"""How far a chat is complete: its checkpoint, its gaps and what its device holds."""

from datetime import timedelta

import pytest

from tests.transform_values import (
    NOW,
    OTHER,
    batch,
    chat,
    context,
    diff,
    facts,
    missing_reasons,
    plan,
    row,
)
from whatsapp_etl.model import (
    Checkpoint,
    MissingReason,
    StopReason,
)
from whatsapp_etl.transform.plan import coverage_unvisited, next_checkpoint, plan_load, unopened


def test_a_time_in_the_future_is_its_neighbours_and_moves_no_checkpoint():
    future = facts("F", sent_at=NOW + timedelta(days=400))

    made = plan([row("A"), row("F")], [facts("A"), future])

    by_id = {each.stanza_id: each for each in made.messages}
    assert (by_id["F"].ts, by_id["F"].ts_precision) == (by_id["A"].ts, "clamped")
    assert by_id["F"].ts_raw == "10:00 AM, 3/4/2026"
    assert made.checkpoint == Checkpoint(f"false_{OTHER}_A", facts("A").sent_at)


def test_a_time_in_the_future_without_a_neighbour_is_now():
    made = plan([row("F", ts_raw=None)], [facts("F", sent_at=NOW + timedelta(days=2))])

    assert made.messages[0].ts == NOW
    assert made.messages[0].ts_raw == (NOW + timedelta(days=2)).isoformat()
    assert made.checkpoint is None


def test_the_checkpoint_stays_when_history_is_cut_short():
    current = Checkpoint("x", NOW - timedelta(days=3))
    message = plan([row()], [facts()]).messages[0]

    assert next_checkpoint([message], current, is_complete=False) == current
    assert next_checkpoint([message], current, is_complete=True) == Checkpoint(
        message.external_id, message.ts
    )


def test_the_checkpoint_never_falls():
    current = Checkpoint("x", NOW)
    message = plan([row()], [facts()]).messages[0]

    assert next_checkpoint([message], current, is_complete=True) == current
    assert next_checkpoint([], current, is_complete=True) == current


def test_a_chat_that_was_not_opened_has_its_reason_in_the_coverage():
    where = context(chat=chat(history_type=2))
    visit = unopened(OTHER, StopReason.SHIELDED, "2026-08", NOW)

    made = plan_load(visit, [], [facts()], {}, where, NOW)

    assert made.coverage.stop_reason is StopReason.SHIELDED
    assert made.coverage.history_type == 2
    assert missing_reasons(made) == [MissingReason.SKIPPED_BY_RULE]


def test_a_chat_with_nothing_new_is_covered_without_a_visit():
    complete = coverage_unvisited(chat(), diff(stored=3), context().since, NOW)
    gap = coverage_unvisited(chat(), diff(deferred={MissingReason.NOT_SHOWN: 2}), context().since, NOW)

    assert (complete.expected, complete.stored, complete.complete_until) == (3, 3, context().since)
    assert complete.stop_reason is StopReason.NOTHING_TO_READ
    assert (gap.missing, gap.complete_until) == ({MissingReason.NOT_SHOWN: 2}, None)


@pytest.mark.parametrize(
    ("history_type", "oldest_at", "until"),
    [
        (None, None, context().since),
        (1, None, context().since),
        (2, NOW - timedelta(days=3), NOW - timedelta(days=3)),
        (0, NOW - timedelta(days=400), context().since),
        (2, None, None),
    ],
)
def test_a_chat_is_complete_only_since_its_device_holds_it(history_type, oldest_at, until):
    held = chat(history_type=history_type, oldest_at=oldest_at)

    quiet = coverage_unvisited(held, diff(stored=3), context().since, NOW)
    read = plan_load(batch("A"), [row("A")], [facts("A")], {}, context(chat=held), NOW)

    assert quiet.complete_until == until
    assert read.coverage.complete_until == until


@pytest.mark.parametrize(
    ("stop_reason", "until"),
    [(StopReason.EDGE_REACHED, context().since), (StopReason.BEGINNING_REACHED, NOW)],
)
def test_only_rows_beyond_the_edge_prove_what_the_phone_may_have_more_of(stop_reason, until):
    held = chat(history_type=2, oldest_at=NOW)
    walked = batch("A", stop_reason=stop_reason)

    made = plan_load(walked, [row("A")], [facts("A")], {}, context(chat=held), NOW)

    assert made.coverage.complete_until == until


def test_a_gap_in_what_the_device_holds_is_no_older_than_that():
    held = chat(history_type=2, oldest_at=facts(minute=1).sent_at)
    listed = [facts("A", minute=0), facts("B", minute=1), facts("C", minute=2)]
    walked = batch("C", stop_reason=StopReason.STALLED)

    made = plan_load(walked, [row("C")], listed, {}, context(chat=held), NOW)

    assert made.coverage.complete_until == facts(minute=2).sent_at
