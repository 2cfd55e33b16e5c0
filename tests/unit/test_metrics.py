"""The names and numbers in /metrics."""

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fixtures.service import (
    NOW,
    FixedClock,
    healthy_state,
    make_coverage,
    make_days,
    make_report,
    make_store,
)
from whatsapp_etl.extracted import JobState, UnreadReason
from whatsapp_etl.happenings import OutboxFacts
from whatsapp_etl.model import ApplyResult, MissingReason, RunStatus, SessionState, SpoolFacts
from whatsapp_etl.service.metrics import create_registry, exposition
from whatsapp_etl.service.state import ServiceState
from whatsapp_etl.service.thresholds import Thresholds
from whatsapp_etl.service.totals import OTHER_SELECTOR, Totals, add_run

CONTRACT = (
    "whatsapp_sync_messages_fetched",
    "whatsapp_sync_upserts",
    "whatsapp_attachments_saved",
    "whatsapp_extraction_jobs_enqueued",
    "whatsapp_sync_errors",
    "whatsapp_sync_cycle_seconds",
)


def text_of(state: ServiceState) -> str:
    return exposition(create_registry(state, FixedClock(), Thresholds())).decode()


def samples(state: ServiceState) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text_of(state))
        for sample in family.samples
    }


def value(state: ServiceState, name: str, **labels: str) -> float:
    return samples(state)[name, frozenset(labels.items())]


@pytest.mark.parametrize("name", CONTRACT)
def test_the_six_names_stand_in_the_text_exactly_so_from_the_start(name: str):
    lines = text_of(ServiceState(FixedClock())).splitlines()

    assert f"{name} 0.0" in lines
    assert not any(line.startswith(f"{name}_total") for line in lines)


@pytest.mark.parametrize(
    ("name", "expected"), list(zip(CONTRACT, (240.0, 18.0, 4.0, 4.0, 1.0, 15.0), strict=True))
)
def test_the_six_numbers_add_up_over_cycles(name: str, expected: float):
    state = ServiceState(FixedClock())
    state.cycle_finished(make_report())
    state.cycle_finished(
        make_report(seconds=15, status=RunStatus.FAILED, error="PageTimeoutError: chat list")
    )

    assert value(state, name) == expected


def test_rows_are_counted_by_stage():
    state = healthy_state()

    assert value(state, "whatsapp_sync_rows", stage="seen") == 120
    assert value(state, "whatsapp_sync_rows", stage="matched") == 118
    assert value(state, "whatsapp_sync_rows", stage="written") == 9


def test_pictures_are_counted_by_how_reading_them_stands():
    state = healthy_state()

    told = samples(state)
    jobs = {name: told["whatsapp_extraction_jobs", frozenset({("state", name)})] for name in JobState}
    assert jobs == {"queued": 5, "running": 0, "done": 0, "dead": 1}
    dead = {
        name: told["whatsapp_extraction_jobs_dead", frozenset({("reason", name)})] for name in UnreadReason
    }
    assert dead == {reason: float(reason == "truncated") for reason in UnreadReason}
    assert told["whatsapp_extraction_idle_seconds", frozenset()] == 0


def test_selector_hits_are_counted_by_selector_and_candidate():
    state = healthy_state()

    assert value(state, "whatsapp_selector_hits", selector="message_row", candidate="[data-id]") == 120


def test_selectors_beyond_the_bound_share_one_label():
    totals = Totals()
    for number in range(600):
        totals = add_run(totals, make_report(selector_hits={(f"selector_{number}", "a"): 1}))

    assert len(totals.selector_hits) == 501
    assert totals.selector_hits[OTHER_SELECTOR] == 100


def test_durations_are_a_histogram_under_another_name():
    state = healthy_state()

    assert value(state, "whatsapp_sync_cycle_duration_seconds_count") == 1
    assert value(state, "whatsapp_sync_cycle_duration_seconds_sum") == 12
    assert value(state, "whatsapp_sync_cycle_duration_seconds_bucket", le="10.0") == 0
    assert value(state, "whatsapp_sync_cycle_duration_seconds_bucket", le="20.0") == 1
    assert value(state, "whatsapp_sync_cycle_duration_seconds_bucket", le="+Inf") == 1


def test_a_storage_that_cannot_be_read_in_part_is_a_metric():
    state = healthy_state()
    assert value(state, "whatsapp_sync_metadata_readable") == 1

    state.cycle_finished(make_report(metadata_unreadable=("contacts: missing_store",)))

    assert value(state, "whatsapp_sync_metadata_readable") == 0


def test_what_waits_on_disk_is_counted():
    state = healthy_state()
    assert value(state, "whatsapp_spool_batches") == 0
    assert "whatsapp_spool_oldest" not in text_of(state)

    state.cycle_finished(make_report(spool=SpoolFacts(batches=2, bytes=900, oldest_at=NOW, set_aside=1)))

    assert value(state, "whatsapp_spool_batches") == 2
    assert value(state, "whatsapp_spool_bytes") == 900
    assert value(state, "whatsapp_spool_set_aside") == 1
    assert value(state, "whatsapp_spool_oldest_timestamp_seconds") == NOW.timestamp()


def test_exactly_one_session_state_is_one():
    state = healthy_state()
    ones = [
        dict(labels)["state"]
        for (name, labels), number in samples(state).items()
        if name == "whatsapp_session_state" and number == 1
    ]

    assert ones == ["logged_in"]


def test_health_and_its_reasons_are_metrics_too():
    state = healthy_state()
    assert value(state, "whatsapp_healthy") == 1

    state.show_store_down()

    assert value(state, "whatsapp_healthy") == 0
    assert value(state, "whatsapp_health_reason", code="postgres_down") == 1
    assert value(state, "whatsapp_health_reason", code="drift") == 0


def test_missing_messages_are_counted_by_reason():
    state = healthy_state()
    state.show_store(make_store(), make_coverage({MissingReason.NEEDS_PHONE: 3}), make_days())

    assert value(state, "whatsapp_coverage_missing", reason="needs_phone") == 3
    assert value(state, "whatsapp_coverage_missing", reason="not_shown") == 0


def test_the_newest_message_has_an_age():
    assert value(healthy_state(), "whatsapp_newest_message_age_seconds") == 240


def test_receipts_observed_stay_visible():
    state = healthy_state()
    assert value(state, "whatsapp_sync_receipts_observed") == 0

    state.cycle_finished(make_report(receipts_observed=1))

    assert value(state, "whatsapp_sync_receipts_observed") == 1


def test_an_interrupted_cycle_is_no_error():
    totals = add_run(Totals(), make_report(status=RunStatus.INTERRUPTED, error="StopRequestedError: asked"))

    assert totals.errors == 0


def test_a_partial_cycle_that_names_an_error_counts_as_one():
    totals = add_run(Totals(), make_report(status=RunStatus.PARTIAL, error="SelectorDriftError: chat_list"))

    assert totals.errors == 1


def test_adding_a_run_leaves_the_earlier_totals_alone():
    before = Totals()

    add_run(before, make_report(applied=ApplyResult(inserted=5)))

    assert before == Totals()


def test_the_last_success_survives_a_failure():
    state = healthy_state()
    state.cycle_finished(
        make_report(minutes_ago=0, status=RunStatus.FAILED, session_state=SessionState.CRASHED)
    )

    stamp = value(state, "whatsapp_sync_last_success_timestamp_seconds")
    assert stamp == (NOW - timedelta(minutes=1)).timestamp()
    assert value(state, "whatsapp_sync_failures_in_a_row") == 1


def test_events_on_their_way_are_counted():
    state = healthy_state()
    assert "whatsapp_events" not in text_of(state)

    state.show_outbox(
        OutboxFacts(targets=2, pending=3, delivered=4, dead=1, oldest_pending_at=NOW - timedelta(seconds=90))
    )

    assert value(state, "whatsapp_events_pending") == 3
    assert value(state, "whatsapp_events_delivered") == 4
    assert value(state, "whatsapp_events_dead") == 1
    assert value(state, "whatsapp_events_oldest_pending_age_seconds") == 90
    state.show_outbox(OutboxFacts(targets=2))
    assert value(state, "whatsapp_events_oldest_pending_age_seconds") == 0
