"""Events are written with their cause, in order, once, and are handed out one subject in its order."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.events import NOW, always, make_happening
from tests.fixtures.load import make_report, rows
from whatsapp_etl.announcing import store_end
from whatsapp_etl.errors import DatabaseRefusedError
from whatsapp_etl.happenings import DeliveryState, EventType
from whatsapp_etl.load import boxes, outbox
from whatsapp_etl.load.outbox import EVENTS
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import Account, RunStatus, SessionState
from whatsapp_etl.retention import parse_retention
from whatsapp_etl.transitions import SessionCause, Transition, TransitionLog

OWN = Account("491555000000@c.us")
TARGETS = ("here", "there")
FAILED, STALE, QR = EventType.SYNC_FAILED, EventType.SYNC_STALE, EventType.SESSION_QR_REQUIRED


@pytest.fixture
def telling(database):
    with Store(database, targets=TARGETS) as store:
        yield store


def told(database):
    return [row[0] for row in rows(database, "SELECT type FROM events ORDER BY seq")]


def run_cycle(store, minute=0, **changes):
    """Do what the end of a cycle does."""
    at = NOW + timedelta(minutes=minute)
    run_id = store.begin_run(at)
    report = make_report(run_id, started_at=at, finished_at=at + timedelta(seconds=9), **changes)
    transitions = TransitionLog()
    transitions.note(report.session_state, SessionCause.SHOWN, report.finished_at)
    store_end(store, report, transitions)


def failing(error="PageTimeoutError: It did not appear.", **changes):
    return {"status": RunStatus.FAILED, "error": error, **changes}


def test_a_whole_story_is_told_once(telling, database):
    telling.pin_account(OWN, NOW)
    no_account = failing("SessionNeedsPersonError: No account.", session_state=SessionState.QR)
    run_cycle(telling, 0, **no_account)
    run_cycle(telling, 1, **no_account)
    run_cycle(telling, 2)
    run_cycle(telling, 3)
    run_cycle(telling, 4, **failing())
    run_cycle(telling, 5, **failing())
    run_cycle(telling, 6, **failing("SelectorDriftError: Pack 2026-08 lacks chat_list."))
    run_cycle(telling, 7, **failing("SelectorDriftError: Pack 2026-08 lacks chat_list."))
    run_cycle(telling, 8)
    run_cycle(telling, 9, **failing("SelectorDriftError: Pack 2026-08 lacks chat_list."))

    assert told(database) == [
        "session.qr_required",
        "session.ready",
        "sync.failed",
        "drift.detected",
        "sync.failed",
        "sync.recovered",
        "drift.detected",
        "sync.failed",
    ]


def test_drift_that_had_ended_is_told_again_although_the_clock_was_set_back(telling, database):
    run_cycle(telling, 60, lost_facts=("edited",))
    run_cycle(telling, 0)
    run_cycle(telling, 1, lost_facts=("edited",))

    assert told(database).count("drift.detected") == 2


def test_every_target_gets_a_delivery_of_every_event(telling, database):
    telling.tell(always(make_happening(), make_happening(STALE)), NOW)

    assert sorted(rows(database, "SELECT target, state FROM event_deliveries")) == [
        ("here", "pending"),
        ("here", "pending"),
        ("there", "pending"),
        ("there", "pending"),
    ]


def test_without_targets_events_are_kept_and_nothing_waits(store, database):
    store.tell(always(make_happening()), NOW)

    assert told(database) == ["sync.failed"]
    assert rows(database, "SELECT * FROM event_deliveries") == []


def test_an_event_is_not_stored_without_its_cause(telling, database):
    """The run cannot be closed, so nothing is told of it."""
    run_id = telling.begin_run(NOW)
    impossible = replace(make_report(run_id), wa_version="2.3000\x00")

    with pytest.raises(DatabaseRefusedError):
        telling.finish_run(impossible, always(make_happening()))

    assert told(database) == []


def test_a_cause_is_not_stored_without_its_event(telling, database):
    unstorable = make_happening(reason="nul\x00")

    with pytest.raises(DatabaseRefusedError):
        telling.record_transition(Transition(SessionState.QR, SessionCause.SHOWN, NOW), always(unstorable))

    assert rows(database, "SELECT * FROM session_events") == []


def test_processes_that_see_the_same_thing_tell_it_once(database):
    """Each decides only when the other's event is there to be seen."""

    def once(before):
        return () if before.outage else (make_happening(STALE),)

    def tell_once(_number):
        with database.connect() as connection, connection.transaction(), connection.cursor() as cursor:
            return outbox.tell(cursor, once, TARGETS, NOW)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(tell_once, range(4))) == [0, 0, 0, 1]


def test_what_was_told_outlives_retention(telling, database):
    telling.tell(always(make_happening(), make_happening(STALE), make_happening(QR)), NOW)

    telling.retain(parse_retention("90"), NOW + timedelta(days=100))

    assert told(database) == ["sync.stale", "session.qr_required"]
    assert len(rows(database, "SELECT * FROM event_deliveries")) == 4


# --- handing out -----------------------------------------------------------------------------


@pytest.fixture
def cursors(database):
    """Two processes: each a cursor in a transaction of its own."""
    with database.connect() as one, database.connect() as other, one.transaction(), other.transaction():
        yield one.cursor(), other.cursor()


def next_type(cursor, target="here", minutes=0):
    found = boxes.next_delivery(cursor, EVENTS, target, NOW + timedelta(minutes=minutes))
    return found and found.event.type.value


def test_two_processes_are_never_handed_the_same_delivery(telling, cursors):
    telling.tell(always(make_happening(), make_happening(STALE), make_happening(QR)), NOW)
    one, other = cursors

    assert next_type(one) == "sync.failed"
    assert next_type(other) == "session.qr_required", "the other subject, not the next event of the same"


def test_targets_do_not_wait_for_each_other(telling, cursors):
    telling.tell(always(make_happening()), NOW)
    one, other = cursors

    assert next_type(one, "here") == "sync.failed"
    assert next_type(other, "there") == "sync.failed"


def test_a_later_event_waits_for_the_retry_of_an_earlier_one_of_its_subject(telling, cursors):
    telling.tell(always(make_happening(), make_happening(STALE)), NOW)
    cursor, _ = cursors
    first = boxes.next_delivery(cursor, EVENTS, "here", NOW)
    boxes.settle(cursor, EVENTS, replace(first, attempts=1, next_try_at=NOW + timedelta(minutes=5)))

    assert next_type(cursor) is None
    assert next_type(cursor, minutes=5) == "sync.failed"


def test_a_delivery_that_a_clock_ahead_has_put_off_is_due(telling, cursors):
    telling.tell(always(make_happening()), NOW + timedelta(days=400))
    cursor, _ = cursors

    assert next_type(cursor) == "sync.failed"


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.DEAD])
def test_a_later_event_goes_on_once_the_earlier_one_is_settled(telling, cursors, state):
    telling.tell(always(make_happening(), make_happening(STALE)), NOW)
    cursor, _ = cursors
    first = boxes.next_delivery(cursor, EVENTS, "here", NOW)
    boxes.settle(cursor, EVENTS, replace(first, state=state, settled_at=NOW))

    assert next_type(cursor) == "sync.stale"


def test_facts_count_the_configured_targets_only(telling, database):
    telling.tell(always(make_happening(), make_happening(STALE)), NOW)
    later = NOW + timedelta(minutes=2)
    with database.connect() as connection, connection.transaction(), connection.cursor() as cursor:
        first = boxes.next_delivery(cursor, EVENTS, "here", NOW)
        boxes.settle(cursor, EVENTS, replace(first, state=DeliveryState.DEAD, settled_at=later))

        facts = boxes.facts(cursor, EVENTS, ["here"])

    assert (facts.targets, facts.pending, facts.delivered, facts.dead) == (1, 1, 0, 1)
    assert (facts.oldest_pending_at, facts.last_dead_at) == (NOW, later)
    assert telling.outbox_facts().pending == 3


def test_what_was_given_up_is_handed_out_again_on_request(telling, database, cursors):
    telling.tell(always(make_happening()), NOW)
    cursor, _ = cursors
    first = boxes.next_delivery(cursor, EVENTS, "here", NOW)
    boxes.settle(cursor, EVENTS, replace(first, state=DeliveryState.DEAD, attempts=20, settled_at=NOW))
    assert next_type(cursor) is None

    assert boxes.replay_dead(cursor, EVENTS, TARGETS, NOW) == 1

    again = boxes.next_delivery(cursor, EVENTS, "here", NOW)
    assert (again.event, again.attempts, again.settled_at) == (first.event, 0, None)


def test_replaying_reaches_a_target_that_was_added_later(telling, cursors):
    telling.tell(always(make_happening()), NOW)
    telling.tell(always(make_happening(STALE)), NOW + timedelta(minutes=1))
    cursor, _ = cursors
    event = boxes.last(cursor, EVENTS, 2)[1].event

    assert boxes.replay(cursor, EVENTS, event.id, ["new"], NOW) == 1
    assert boxes.next_delivery(cursor, EVENTS, "new", NOW).event == event
    assert boxes.replay_since(cursor, EVENTS, NOW + timedelta(minutes=1), ["newer"], NOW) == 1
    assert next_type(cursor, "newer") == "sync.stale"


def test_events_are_listed_newest_first_with_their_deliveries(telling, cursors):
    telling.tell(always(make_happening(), make_happening(QR)), NOW)
    cursor, _ = cursors
    first = boxes.next_delivery(cursor, EVENTS, "there", NOW)
    boxes.settle(
        cursor, EVENTS, replace(first, state=DeliveryState.DEAD, last_error="http_500", settled_at=NOW)
    )

    listed = boxes.last(cursor, EVENTS, 10)

    assert [each.event.type for each in listed] == [QR, FAILED]
    assert [(each.target, each.state, each.last_error) for each in listed[1].deliveries] == [
        ("here", "pending", None),
        ("there", "dead", "http_500"),
    ]
    assert [each.event.type for each in boxes.last(cursor, EVENTS, 10, DeliveryState.DEAD)] == [FAILED]
