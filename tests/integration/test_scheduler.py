"""When cycles run, in which thread, and how the program ends; with real threads, signals and sockets."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue

import httpx
import pytest

from tests.fixtures.service import make_report
from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.model import RunReport, RunStatus, SessionState
from whatsapp_etl.scheduler import FIRST_RETRY, Scheduler, Upkeep, address_of, listen, next_delay

PATIENCE = 20.0
HOUR = timedelta(hours=1)
TEN_MINUTES = timedelta(minutes=10)

MakeScheduler = Callable[..., Scheduler]


@pytest.fixture
def make_scheduler() -> Iterator[MakeScheduler]:
    made: list[Scheduler] = []

    def make(run_cycle: Callable[[threading.Event], RunReport], **options: object) -> Scheduler:
        scheduler = Scheduler(run_cycle, **{"interval": HOUR, **options})
        made.append(scheduler)
        return scheduler

    yield make
    for scheduler in made:
        assert scheduler.stop(timedelta(seconds=PATIENCE))


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 600), (1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 600), (7, 600), (10_000, 600)],
)
def test_the_pause_after_failures_doubles_up_to_the_interval(failures: int, seconds: int):
    assert next_delay(failures, TEN_MINUTES) == timedelta(seconds=seconds)


def test_no_retry_waits_longer_than_a_short_interval():
    assert next_delay(1, timedelta(seconds=10)) == timedelta(seconds=10)


@pytest.mark.parametrize("state", [SessionState.QR, SessionState.LOGGED_OUT])
def test_a_page_that_waits_for_a_scan_is_looked_at_again_at_once(state: SessionState):
    assert next_delay(9, TEN_MINUTES, state) == timedelta(seconds=5)


def test_the_first_cycle_runs_at_once(make_scheduler: MakeScheduler):
    has_run = threading.Event()

    def run_cycle(_stop: threading.Event) -> RunReport:
        has_run.set()
        return make_report()

    make_scheduler(run_cycle).start()

    assert has_run.wait(PATIENCE)


def test_the_first_cycle_can_wait_for_the_interval(make_scheduler: MakeScheduler):
    planned: Queue[timedelta | None] = Queue()
    scheduler = make_scheduler(lambda _stop: make_report(), on_planned=planned.put, first_cycle=False)

    scheduler.start()

    assert planned.get(timeout=PATIENCE) == HOUR


def test_a_cycle_that_somebody_asks_for_does_not_wait_for_the_interval(make_scheduler: MakeScheduler):
    has_run = threading.Event()
    planned: Queue[timedelta | None] = Queue()

    def run_cycle(_stop: threading.Event) -> RunReport:
        has_run.set()
        return make_report()

    scheduler = make_scheduler(run_cycle, on_planned=planned.put, first_cycle=False)
    scheduler.start()
    scheduler.run_soon()

    assert has_run.wait(PATIENCE)
    assert [planned.get(timeout=PATIENCE) for _ in range(2)] == [HOUR, timedelta(0)]


def test_a_session_that_rests_is_not_looked_at_sooner_than_the_interval():
    assert next_delay(3, HOUR, SessionState.LINK_RESTING) == HOUR


def test_cycles_run_one_at_a_time_in_one_thread(make_scheduler: MakeScheduler):
    running = threading.Semaphore(1)
    threads: set[int] = set()
    overlaps: list[int] = []
    third = threading.Event()
    runs = iter(range(1, 1000))

    def run_cycle(_stop: threading.Event) -> RunReport:
        if not running.acquire(blocking=False):
            overlaps.append(1)
        threads.add(threading.get_ident())
        if next(runs) == 3:
            third.set()
        running.release()
        return make_report()

    make_scheduler(run_cycle, interval=timedelta(seconds=0.05)).start()

    assert third.wait(PATIENCE)
    assert overlaps == []
    assert len(threads) == 1


def test_upkeep_runs_again_and_again_in_the_thread_of_the_cycles(make_scheduler: MakeScheduler):
    threads: Queue[int] = Queue()

    def note_thread() -> None:
        threads.put(threading.get_ident())

    def run_cycle(_stop: threading.Event) -> RunReport:
        note_thread()
        return make_report()

    upkeep = Upkeep("look", timedelta(seconds=0.05), note_thread)
    make_scheduler(run_cycle, upkeep=(upkeep,)).start()

    assert len({threads.get(timeout=PATIENCE) for _ in range(4)}) == 1


def test_upkeep_is_left_out_while_a_cycle_runs_and_goes_on_after_it(make_scheduler: MakeScheduler):
    happened: Queue[str] = Queue()
    due_twice = timedelta(seconds=0.5)

    def run_cycle(stop: threading.Event) -> RunReport:
        happened.put("begin")
        stop.wait(due_twice.total_seconds())
        happened.put("end")
        return make_report()

    upkeep = Upkeep("look", due_twice / 5, lambda: happened.put("look"))
    make_scheduler(run_cycle, upkeep=(upkeep,), interval=timedelta(seconds=1)).start()

    seen = [happened.get(timeout=PATIENCE)]
    while seen.count("end") < 2:
        seen.append(happened.get(timeout=PATIENCE))
    first, second = seen.index("end"), len(seen) - 1 - seen[::-1].index("end")
    between = seen[first + 1 : second]
    assert seen[:first].count("look") == 0
    # What came due during the cycle does not queue behind it; what comes due after it runs.
    assert 1 <= between.count("look") <= 6
    assert between[between.index("begin") :] == ["begin"]


def test_upkeep_that_fails_neither_ends_the_cycles_nor_itself(make_scheduler: MakeScheduler):
    looks: Queue[int] = Queue()
    cycles: Queue[int] = Queue()

    def fail() -> None:
        looks.put(1)
        raise OSError

    def run_cycle(_stop: threading.Event) -> RunReport:
        cycles.put(1)
        return make_report()

    upkeep = Upkeep("look", timedelta(seconds=0.05), fail)
    make_scheduler(run_cycle, upkeep=(upkeep,), interval=timedelta(seconds=0.3)).start()

    for queue in (looks, cycles, looks, cycles):
        queue.get(timeout=PATIENCE)


def test_the_next_cycle_is_planned_an_interval_after_the_start(make_scheduler: MakeScheduler):
    planned: Queue[timedelta | None] = Queue()
    make_scheduler(lambda _stop: make_report(), on_planned=planned.put).start()

    assert planned.get(timeout=PATIENCE) == timedelta(0)
    wait = planned.get(timeout=PATIENCE)
    assert wait is not None
    assert HOUR - timedelta(seconds=PATIENCE) < wait <= HOUR


def test_cycles_go_on_when_the_machines_clock_was_set_back(make_scheduler: MakeScheduler):
    begun: Queue[int] = Queue()

    def cycle(_stop: threading.Event) -> RunReport:
        begun.put(1)
        return make_report()

    planned: Queue[timedelta | None] = Queue()
    scheduler = make_scheduler(cycle, interval=timedelta(seconds=3), on_planned=planned.put)
    scheduler.start()
    begun.get(timeout=PATIENCE)
    planned.get(timeout=PATIENCE)
    planned.get(timeout=PATIENCE)
    # What a clock set back by an hour comes to: the time of day that is waited for is an hour further away.
    scheduler._scheduler.modify_job("cycle", next_run_time=datetime.now(UTC) + HOUR)

    begun.get(timeout=PATIENCE)
    assert planned.get(timeout=PATIENCE) is not None


def test_a_failed_cycle_is_tried_again_sooner(make_scheduler: MakeScheduler):
    planned: Queue[timedelta | None] = Queue()
    make_scheduler(lambda _stop: make_report(status=RunStatus.FAILED), on_planned=planned.put).start()

    planned.get(timeout=PATIENCE)
    assert planned.get(timeout=PATIENCE) == FIRST_RETRY


def test_failures_in_a_row_lengthen_the_pause_and_a_good_cycle_ends_that(make_scheduler: MakeScheduler):
    planned: Queue[timedelta | None] = Queue()
    results = iter([RunStatus.FAILED, RunStatus.FAILED, RunStatus.PARTIAL])
    interval = timedelta(seconds=0.2)
    finished = threading.Semaphore(0)

    scheduler = make_scheduler(
        lambda _stop: make_report(status=next(results, RunStatus.SUCCESS)),
        interval=interval,
        on_planned=planned.put,
        on_finished=lambda _report: finished.release(),
    )
    scheduler.start()

    for _ in range(4):
        assert finished.acquire(timeout=PATIENCE)
    assert planned.get(timeout=PATIENCE) == timedelta(0)
    assert planned.get(timeout=PATIENCE) == interval  # the first retry, bounded by the interval


def test_a_cycle_that_raises_is_reported_as_none_and_tried_again(make_scheduler: MakeScheduler):
    planned: Queue[timedelta | None] = Queue()
    finished: Queue[RunReport | None] = Queue()

    def run_cycle(_stop: threading.Event) -> RunReport:
        raise ConfigurationError("invented")

    make_scheduler(run_cycle, on_planned=planned.put, on_finished=finished.put).start()

    assert finished.get(timeout=PATIENCE) is None
    planned.get(timeout=PATIENCE)
    assert planned.get(timeout=PATIENCE) == FIRST_RETRY


def test_stopping_asks_the_running_cycle_to_end_and_closes_the_browser_in_its_thread(
    make_scheduler: MakeScheduler,
):
    is_running = threading.Event()
    events: list[tuple[str, int]] = []

    def run_cycle(stop: threading.Event) -> RunReport:
        is_running.set()
        assert stop.wait(PATIENCE)
        events.append(("cycle ended", threading.get_ident()))
        return make_report(status=RunStatus.INTERRUPTED)

    scheduler = make_scheduler(run_cycle, close=lambda: events.append(("closed", threading.get_ident())))
    scheduler.start()
    assert is_running.wait(PATIENCE)

    assert scheduler.stop(timedelta(seconds=PATIENCE))

    assert [name for name, _ in events] == ["cycle ended", "closed"]
    assert len({thread for _, thread in events}) == 1
    assert threading.get_ident() not in {thread for _, thread in events}


def test_stopping_says_when_a_cycle_does_not_end_in_time(make_scheduler: MakeScheduler):
    is_running, let_go = threading.Event(), threading.Event()

    def run_cycle(_stop: threading.Event) -> RunReport:
        is_running.set()
        assert let_go.wait(PATIENCE)
        return make_report()

    scheduler = make_scheduler(run_cycle)
    scheduler.start()
    assert is_running.wait(PATIENCE)

    assert not scheduler.stop(timedelta(seconds=0.05))
    let_go.set()
    assert scheduler.stop(timedelta(seconds=PATIENCE))


def test_the_browser_is_closed_once_even_if_no_cycle_ever_ran(make_scheduler: MakeScheduler):
    closed: list[int] = []
    scheduler = make_scheduler(lambda _stop: make_report(), close=lambda: closed.append(1))

    assert scheduler.stop()
    assert scheduler.stop()

    assert closed == [1]


def test_a_taken_port_is_one_clear_error():
    with listen("127.0.0.1", 0) as listener, pytest.raises(ConfigurationError, match=r"^PORT: cannot listen"):
        listen("127.0.0.1", listener.getsockname()[1])


def test_the_address_to_open_names_this_machine_also_when_bound_to_all():
    with listen("0.0.0.0", 0) as listener:
        assert address_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/"


PROGRAM = """
import os, sys, threading
from datetime import UTC, datetime, timedelta
from tests.fixtures.service import make_report
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.model import RunStatus
from whatsapp_etl.scheduler import Scheduler, Upkeep, address_of, listen, serve
from whatsapp_etl.service.app import ServiceOptions, create_app
from whatsapp_etl.service.state import ServiceState

configure_logs()
heeds_stop = sys.argv[1] == "heeds"
deadline = timedelta(seconds=float(sys.argv[2]))
clock = lambda: datetime.now(UTC)
state = ServiceState(clock)

def say(text):
    print(text, flush=True)

def run_cycle(stop):
    say("cycle running")
    stop.wait(60)
    say("stop seen")
    if not heeds_stop:
        threading.Event().wait(60)
    return make_report(status=RunStatus.INTERRUPTED)

listener = listen("127.0.0.1", 0)
say(address_of(listener))
scheduler = Scheduler(
    run_cycle, interval=timedelta(minutes=10), close=lambda: say("closed"), on_started=state.cycle_started,
    on_finished=state.cycle_finished,
    on_planned=state.cycle_planned,
)
code = serve(
    create_app(state, ServiceOptions(), clock), scheduler, listener, on_stopping=state.stopping,
    abandon=lambda: say("abandoned"), deadline=deadline,
)
say("ended")
os._exit(code)
"""


@pytest.fixture
def start_program() -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*, heeds_stop: bool, deadline_seconds: float = 9) -> tuple[subprocess.Popen[str], str]:
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "heeds" if heeds_stop else "ignores", str(deadline_seconds)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path.cwd(),
        )
        started.append(program)
        assert program.stdout is not None
        url = program.stdout.readline().strip()
        assert program.stdout.readline().strip() == "cycle running"
        return program, url

    yield start
    for program in started:
        program.kill()
        program.communicate()


def wait_until_served(url: str) -> None:
    # The socket listens before the program says its address, so the request waits for the server.
    assert httpx.get(f"{url}healthz", timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_program_cleanly_while_a_cycle_runs(start_program, number: signal.Signals):
    program, url = start_program(heeds_stop=True)
    wait_until_served(url)

    program.send_signal(number)
    rest, _ = program.communicate(timeout=10)

    assert rest.splitlines() == ["stop seen", "closed", "ended"]
    assert program.returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}healthz")


def test_a_cycle_that_does_not_end_is_abandoned_at_the_deadline(start_program):
    program, url = start_program(heeds_stop=False, deadline_seconds=0.5)
    wait_until_served(url)

    program.send_signal(signal.SIGTERM)
    rest, _ = program.communicate(timeout=10)

    assert rest.splitlines() == ["stop seen", "abandoned", "ended"]
    assert program.returncode == 1


def test_a_second_signal_ends_the_program_at_once(start_program):
    program, url = start_program(heeds_stop=False, deadline_seconds=60)
    wait_until_served(url)

    program.send_signal(signal.SIGTERM)
    assert program.stdout.readline().strip() == "stop seen"
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=10)

    assert program.returncode == 128 + signal.SIGTERM
