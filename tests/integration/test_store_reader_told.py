"""Why the page's message store was left is told wherever somebody may look."""

from tests.fixtures.doctor import only
from tests.fixtures.load import NOW, make_report
from tests.fixtures.service import FixedClock
from tests.fixtures.service import make_report as make_cycle
from whatsapp_etl.doctor import database
from whatsapp_etl.doctor.findings import Outcome
from whatsapp_etl.service.health import assess
from whatsapp_etl.service.metrics import create_registry, exposition
from whatsapp_etl.service.payload import status_json
from whatsapp_etl.service.state import ServiceState
from whatsapp_etl.service.thresholds import Thresholds
from whatsapp_etl.store_records import StoreUnavailable
from whatsapp_etl.stored_health import report_of

LEFT = {
    "rows_by_store": 3,
    "store_unavailable": StoreUnavailable.MEMBER_MISSING,
    "store_detail": "WAWebSchemaMessage.getMessageTable",
}


def test_a_cycle_keeps_how_much_the_store_told_and_why_it_was_left(store):
    store.finish_run(make_report(store.begin_run(NOW), **LEFT))

    (run,) = store.last_runs(1)

    assert (run.rows_by_store, run.store_unavailable, run.store_detail) == tuple(LEFT.values())
    assert report_of(run).store_unavailable is StoreUnavailable.MEMBER_MISSING


def test_the_doctor_names_the_reason_of_the_last_cycle_and_calls_nothing_wrong(store, installation):
    wanted = installation.model_copy(update={"whatsapp_reader": "auto"})
    assert only(database.store_reader, installation).told == "not wanted: WHATSAPP_READER is dom"
    assert only(database.store_reader, wanted).told == "not tried yet"
    store.finish_run(make_report(store.begin_run(NOW), rows_by_store=12))
    assert only(database.store_reader, wanted).told == "told 12 messages of the last cycle"
    store.finish_run(make_report(store.begin_run(NOW), **LEFT))

    finding = only(database.store_reader, wanted)

    assert (finding.outcome, finding.exit_code) == (Outcome.NOTICE, 0)
    assert "member_missing (WAWebSchemaMessage.getMessageTable), WhatsApp Web 2.3000.1" in finding.told


def test_status_and_metrics_tell_it_and_health_stays_as_it_is():
    clock, limits = FixedClock(), Thresholds()
    state = ServiceState(clock)
    state.cycle_finished(make_cycle())
    before = assess(state.snapshot.health_facts, clock(), limits)
    state.cycle_finished(make_cycle(**LEFT))
    health = assess(state.snapshot.health_facts, clock(), limits)

    status = status_json(state.snapshot, health, version="1", interval=limits.coverage_grace)
    lines = exposition(create_registry(state, clock, limits)).decode().splitlines()

    assert status["last_run"]["store_reader"] == {
        "rows": 3,
        "unavailable": "member_missing",
        "detail": "WAWebSchemaMessage.getMessageTable",
    }
    assert 'whatsapp_store_reader_unavailable{reason="member_missing"} 1.0' in lines
    assert 'whatsapp_store_reader_unavailable{reason="key_late"} 0.0' in lines
    assert "whatsapp_store_reader_rows 3.0" in lines
    assert health.reasons == before.reasons
