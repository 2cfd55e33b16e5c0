"""Delivery with a real Postgres and real receivers: down, wrong, slow and flapping; and with kills."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest

from tests.fixtures.events import NOW, always, make_happening, running_receiver
from tests.fixtures.load import rows
from tests.fixtures.postgres import end_sessions
from tests.fixtures.service import FixedClock
from tests.unit.test_events_sign import hmac_by_hand
from whatsapp_etl.errors import DatabaseUnreachableError
from whatsapp_etl.events.deliver import Deliverer
from whatsapp_etl.events.formats import Context, write
from whatsapp_etl.events.retry import Policy
from whatsapp_etl.events.targets import parse_targets
from whatsapp_etl.events.wire import Wire
from whatsapp_etl.happenings import EventType
from whatsapp_etl.load.deliveries import EventOutbox
from whatsapp_etl.load.store import Store

KEY = b"a secret that nobody knows"
PATIENCE = timedelta(seconds=1.5)  # a busy machine answers late, and what comes late comes again
TYPES = (
    EventType.SYNC_FAILED,
    EventType.SESSION_QR_REQUIRED,
    EventType.SYNC_RECOVERED,
    EventType.SESSION_READY,
)


@pytest.fixture
def receiver():
    with running_receiver() as receiver:
        yield receiver


def target_of(url):
    (target,) = parse_targets(url, allows_private=True)
    return target


def tell(database, target, count=4, now=NOW):
    """Write events about two subjects in turn; return their ids."""
    with Store(database, targets=[target.name]) as store:
        for _, type_ in zip(range(count), cycle(TYPES), strict=False):
            store.tell(always(make_happening(type_)), now)
    return [str(event_id) for (event_id,) in rows(database, "SELECT id FROM events ORDER BY seq")]


@pytest.fixture
def make_deliverer(database):
    opened = ExitStack()

    def make(target, clock, **options):
        stop = options.pop("stop", None) or threading.Event()
        return Deliverer(
            target,
            opened.enter_context(EventOutbox(database, [target.name])),
            write=lambda event, target: write(
                event, target, Context("/whatsapp-etl/public", "https://status.example/")
            ),
            send=Wire(stop, allows_private=True, patience=PATIENCE).send,
            key=KEY,
            clock=clock,
            jitter=lambda: 0.5,
            **options,
        )

    with opened:
        yield make


def states(database):
    return Counter(state for (state,) in rows(database, "SELECT state FROM event_deliveries"))


def by_subject(receiver):
    """Return the sequences that were taken, by subject, in the order of their coming."""
    found = {}
    for each in receiver.received:
        if each.status == 200:
            found.setdefault(each.event["subject"], []).append(each.event["sequence"])
    return found


def run_until_settled(deliverer, database, clock, hours=24):
    """Deliver again and again while time goes by."""
    for _ in range(hours * 60):
        deliverer.deliver_due()
        if not states(database)["pending"]:
            return
        clock.advance(timedelta(minutes=1))


TROUBLES = {
    "wrong": [500] * 3,
    "refusing": [400, 403, 404, 410, 422],
    "busy": [429, 503],
    "no web server": ["garbage", "cut", "endless"],
    "slow": ["silence", "silence"],
    "flapping": [500, 200, "cut", 200, 503, "silence", 200, 502],
    "elsewhere": [302, 307],
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
def test_every_event_arrives_once_the_receiver_works_in_order_and_under_one_id(
    database, receiver, make_deliverer, trouble
):
    clock = FixedClock(NOW)
    target = target_of(receiver.url)
    ids = tell(database, target)
    receiver.answers = list(trouble)
    receiver.headers = {"location": "http://127.0.0.1:9/elsewhere"}

    run_until_settled(make_deliverer(target, clock), database, clock)

    assert Counter(receiver.delivered) == Counter(ids), "each once"
    assert {each.headers["webhook-id"] for each in receiver.received} == set(ids)
    assert all(taken == sorted(taken) for taken in by_subject(receiver).values())
    assert states(database) == {"delivered": 4}


def test_a_receiver_that_is_down_gets_everything_when_it_is_up(database, make_deliverer):
    clock = FixedClock(NOW)
    with running_receiver() as gone:
        target = target_of(gone.url)
    ids = tell(database, target)
    deliverer = make_deliverer(target, clock)

    assert deliverer.deliver_due() == 2, "the first of each subject; the others wait for it"
    assert set(rows(database, "SELECT last_error FROM event_deliveries")) == {("connection_failed",), (None,)}

    with running_receiver(port=gone.port) as receiver:
        run_until_settled(deliverer, database, clock)
    assert Counter(receiver.delivered) == Counter(ids)
    assert all(taken == sorted(taken) for taken in by_subject(receiver).values())


def test_a_receiver_that_asks_for_time_is_left_alone_for_so_long(database, receiver, make_deliverer):
    clock = FixedClock(NOW)
    target = target_of(receiver.url)
    tell(database, target, count=1)
    receiver.answers = [429]
    receiver.headers = {"retry-after": "600"}
    deliverer = make_deliverer(target, clock)
    deliverer.deliver_due()

    clock.advance(timedelta(seconds=590))
    assert deliverer.deliver_due() == 0
    clock.advance(timedelta(seconds=20))
    assert deliverer.deliver_due() == 1


def test_what_fails_too_often_is_given_up_and_the_next_one_goes_on(database, receiver, make_deliverer):
    clock = FixedClock(NOW)
    target = target_of(receiver.url)
    first, second = tell(database, target, count=1), None
    second = tell(database, target, count=1)[1]
    receiver.answers = [500, 500, 500]
    deliverer = make_deliverer(target, clock, policy=Policy(most_attempts=3))

    run_until_settled(deliverer, database, clock)

    assert receiver.delivered == [second]
    assert states(database) == {"dead": 1, "delivered": 1}
    with EventOutbox(database, [target.name]) as outbox:
        assert outbox.facts().dead == 1
        assert outbox.replay_dead(clock()) == 1
    deliverer.deliver_due()
    assert receiver.delivered == [second, *first]


def test_a_receiver_can_check_who_sent_it_and_when(database, receiver, make_deliverer):
    target = target_of(receiver.url)
    (event_id,) = tell(database, target, count=1)

    make_deliverer(target, FixedClock(NOW)).deliver_due()

    (got,) = receiver.received
    assert got.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    signed = f"{event_id}.{got.headers['webhook-timestamp']}.".encode() + got.body
    assert got.headers["webhook-signature"] == "v1," + hmac_by_hand(KEY, signed)
    assert got.event["id"] == event_id
    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"


def test_each_try_carries_its_own_time_and_the_same_id(database, receiver, make_deliverer):
    clock = FixedClock(NOW)
    target = target_of(receiver.url)
    tell(database, target, count=1)
    receiver.answers = [500]

    run_until_settled(make_deliverer(target, clock), database, clock)

    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_a_stop_leaves_the_delivery_as_it_was(database, receiver, make_deliverer):
    target = target_of(receiver.url)
    tell(database, target, count=1)
    stop = threading.Event()
    receiver.answers = ["silence"]
    receiver.on_request = stop.set

    make_deliverer(target, FixedClock(NOW), stop=stop).deliver_due()

    assert rows(database, "SELECT state, attempts, last_error FROM event_deliveries") == [
        ("pending", 0, None)
    ]


def test_a_connection_lost_before_the_mark_delivers_again_under_the_same_id(
    database, receiver, make_deliverer
):
    target = target_of(receiver.url)
    (event_id,) = tell(database, target, count=1)
    deliverer = make_deliverer(target, FixedClock(NOW))
    receiver.on_request = lambda: end_sessions(database)

    with pytest.raises(DatabaseUnreachableError):
        deliverer.deliver_due()

    receiver.on_request = lambda: None
    assert deliverer.deliver_due() == 1
    assert receiver.delivered == [event_id, event_id]
    assert states(database) == {"delivered": 1}


# --- kills -----------------------------------------------------------------------------------

PROGRAM = """
import sys, threading
from datetime import UTC, datetime
from pathlib import Path
from whatsapp_etl.events.deliver import Deliverer
from whatsapp_etl.events.formats import Context, write
from whatsapp_etl.events.targets import parse_targets
from whatsapp_etl.events.wire import Wire
from whatsapp_etl.load.database import open_database
from whatsapp_etl.load.deliveries import EventOutbox

(target,) = parse_targets(sys.argv[2], allows_private=True)
with open_database(sys.argv[1], "public", Path("/nonexistent")) as database:
    Deliverer(
        target, EventOutbox(database, [target.name]), send=Wire(threading.Event(), allows_private=True).send,
        write=lambda event, target: write(event, target, Context("/whatsapp-etl/public")), key=b"",
        clock=lambda: datetime.now(UTC), jitter=lambda: 0.5,
    ).deliver_due()
"""


def start_program(database, receiver):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, database.url, receiver.url], cwd=Path(__file__).parents[2]
    )


def is_connected(database, process):
    asked = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE %s"
    return bool(rows(database, asked, f"whatsapp-etl/{process.pid}@%"))


def wait_until_gone(database, process):
    """Wait until the server has noticed that a program was killed, and has freed what it had locked."""
    process.wait(10)
    never = threading.Event()
    for _ in range(400):
        if not is_connected(database, process):
            return
        never.wait(0.05)
    pytest.fail("the server never noticed")


def test_a_kill_between_the_answer_and_the_mark_delivers_again_under_the_same_id(database, receiver):
    """The receiver says 200 and the program, about to write the mark, is killed."""
    target = target_of(receiver.url)
    (event_id,) = tell(database, target, count=1)
    with database.connect(autocommit=False) as blocker, database.connect() as look:
        # Reading a row for delivery goes on under this lock; writing the mark waits.
        receiver.on_request = lambda: blocker.execute("LOCK TABLE event_deliveries IN SHARE MODE")
        process = start_program(database, receiver)
        never = threading.Event()
        waiting = "SELECT 1 FROM pg_locks WHERE relation = 'event_deliveries'::regclass AND NOT granted"
        for _ in range(600):
            if look.execute(waiting).fetchone():
                break
            never.wait(0.05)
        else:
            pytest.fail("the program never came to its mark")
        os.kill(process.pid, signal.SIGKILL)
        blocker.rollback()
    wait_until_gone(database, process)

    assert receiver.delivered == [event_id]
    assert states(database) == {"pending": 1}
    receiver.on_request = lambda: None
    assert start_program(database, receiver).wait(30) == 0
    assert receiver.delivered == [event_id, event_id]
    assert states(database) == {"delivered": 1}


def test_a_kill_before_the_answer_delivers_again_under_the_same_id(database, receiver):
    target = target_of(receiver.url)
    (event_id,) = tell(database, target, count=1)
    has_come = threading.Event()
    receiver.answers = ["silence"]
    receiver.on_request = has_come.set
    process = start_program(database, receiver)

    assert has_come.wait(30)
    os.kill(process.pid, signal.SIGKILL)
    wait_until_gone(database, process)

    assert states(database) == {"pending": 1}
    assert start_program(database, receiver).wait(30) == 0
    assert receiver.delivered == [event_id]


def test_two_programs_deliver_at_once_and_when_one_is_killed_the_other_goes_on(database, receiver):
    """Only what the killed one was sending may come twice, under its id."""
    target = target_of(receiver.url)
    ids = tell(database, target, count=40)
    both = [start_program(database, receiver) for _ in range(2)]
    killed, never = [], threading.Event()

    def on_request():
        if len(receiver.received) == 1:
            while not all(is_connected(database, process) for process in both):
                never.wait(0.05)
        if len(receiver.received) == 10:
            killed.append(next(process for process in both if process.poll() is None))
            os.kill(killed[0].pid, signal.SIGKILL)

    receiver.on_request = on_request
    codes = {process.wait(60) for process in both}
    wait_until_gone(database, *killed)
    assert start_program(database, receiver).wait(30) == 0

    assert codes == {0, -signal.SIGKILL}
    assert states(database) == {"delivered": 40}
    assert set(receiver.delivered) == set(ids)
    assert len(receiver.delivered) <= len(ids) + 1
    assert in_order(receiver)


@pytest.mark.matrix
def test_kills_at_any_moment_lose_nothing_and_keep_the_order(database, receiver):
    """A receiver that leaves out ids it has seen gets each event once and in order."""
    target = target_of(receiver.url)
    ids = tell(database, target, count=40)
    moments = random.Random(20260823)
    never = threading.Event()
    for _ in range(12):
        process = start_program(database, receiver)
        begun = len(receiver.received)
        for _ in range(400):
            if len(receiver.received) > begun or process.poll() is not None:
                break
            never.wait(0.01)
        never.wait(moments.uniform(0, 0.03))
        os.kill(process.pid, signal.SIGKILL)
        wait_until_gone(database, process)

    assert start_program(database, receiver).wait(30) == 0

    assert states(database) == {"delivered": 40}
    assert set(receiver.delivered) == set(ids)
    assert in_order(receiver)


def in_order(receiver):
    """Whether each subject's events were seen in their order, by who leaves out what was seen before."""
    first_seen = dict.fromkeys((each.event["subject"], each.event["sequence"]) for each in receiver.received)
    by_subject = {}
    for subject, sequence in first_seen:
        by_subject.setdefault(subject, []).append(sequence)
    return all(taken == sorted(taken) for taken in by_subject.values())
