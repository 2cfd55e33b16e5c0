"""The jobs of the running program that deliver events and see that the sync is stale; and the commands."""

import json
import threading
from datetime import UTC, datetime, timedelta
from queue import Queue

import pytest
from typer.testing import CliRunner

from tests.fixtures.events import NOW, always, make_happening, running_receiver
from tests.fixtures.load import rows
from tests.fixtures.service import FixedClock
from whatsapp_etl import bootstrap
from whatsapp_etl.cli import app
from whatsapp_etl.events.retry import Policy
from whatsapp_etl.happenings import EventType, OutboxFacts
from whatsapp_etl.service.thresholds import Thresholds
from whatsapp_etl.settings import Settings
from whatsapp_etl.telling import Telling

PATIENCE = 20.0
SOON = timedelta(seconds=0.05)
QR = "2@invented,code"


@pytest.fixture
def receiver():
    with running_receiver() as receiver:
        yield receiver


def settings_for(database, *urls, **changes):
    return Settings(
        _env_file=None,
        pg_url=database.url,
        events_webhooks=" ".join(urls),
        events_secret="a secret",
        events_allow_private=True,
        public_url="https://status.example/",
        **changes,
    )


@pytest.fixture
def start(database):
    """Start the jobs: `start(settings, clock)`; they end with the test."""
    running = []

    def start(settings, up_for=timedelta(0), **options):
        opened = bootstrap.open_store(settings)
        store = opened.__enter__()
        clock = FixedClock(NOW - up_for)
        telling = Telling(settings, store, clock, thresholds=Thresholds(), deliver_every=SOON, **options)
        running.append((telling, opened))
        clock.advance(up_for)
        telling.start()
        return store, telling

    yield start
    for telling, opened in running:
        assert telling.stop(timedelta(seconds=PATIENCE))
        opened.__exit__(None, None, None)


def test_what_happens_reaches_every_target_in_its_format(database, receiver, start):
    came = threading.Semaphore(0)
    receiver.on_request = came.release
    store, _ = start(settings_for(database, receiver.url, f"slack+{receiver.url}"))

    store.tell(always(make_happening()), NOW)

    assert came.acquire(timeout=PATIENCE)
    assert came.acquire(timeout=PATIENCE)
    bodies = [json.loads(each.body) for each in receiver.received]
    assert {body.get("type", "slack") for body in bodies} == {"sync.failed", "slack"}


@pytest.mark.parametrize(("sends", "expected"), [(False, None), (True, QR)])
def test_the_code_is_sent_only_if_the_setting_says_so(database, receiver, start, sends, expected):
    came = threading.Event()
    receiver.on_request = came.set
    settings = settings_for(database, receiver.url, events_send_qr=sends)
    store, _ = start(settings, shown_qr=lambda: QR)

    store.tell(always(make_happening(EventType.SESSION_QR_REQUIRED)), NOW)

    assert came.wait(PATIENCE)
    assert receiver.received[0].event["data"].get("qr") == expected
    assert QR not in str(rows(database, "SELECT data FROM events"))


def test_a_slow_target_does_not_hold_up_another(database, receiver, start):
    came = threading.Event()
    receiver.on_request = came.set
    with running_receiver(answers=["silence"]) as slow:
        store, telling = start(settings_for(database, slow.url, receiver.url))
        store.tell(always(make_happening()), NOW)
        assert came.wait(PATIENCE)
        telling.request_stop()


def test_stopping_breaks_off_what_waits_for_a_receiver(database, receiver, start):
    came = threading.Event()
    receiver.answers = ["silence"]
    receiver.on_request = came.set
    store, telling = start(settings_for(database, receiver.url))
    store.tell(always(make_happening()), NOW)
    assert came.wait(PATIENCE)

    assert telling.stop(timedelta(seconds=5))

    assert rows(database, "SELECT state, attempts FROM event_deliveries") == [("pending", 0)]


def test_a_sync_that_has_gone_stale_is_told_without_any_cycle(database, receiver, start):
    """A browser that hangs ends no cycle, and that is when it must be told."""
    came = threading.Event()
    receiver.on_request = came.set
    settings = settings_for(database, receiver.url)
    with bootstrap.open_store(settings) as store:
        store.begin_run(NOW - timedelta(hours=1))

    start(settings, up_for=timedelta(hours=1))

    assert came.wait(PATIENCE)
    assert receiver.received[0].event["type"] == "sync.stale"


def test_how_delivery_stands_is_published(database, receiver, start):
    shown: Queue[OutboxFacts] = Queue()
    settings = settings_for(database, receiver.url)
    with bootstrap.open_store(settings) as store:
        store.tell(always(make_happening()), NOW)
    receiver.answers = [500]

    start(settings, show=lambda events, _agent: shown.put(events), policy=Policy(most_attempts=1))

    facts = shown.get(timeout=PATIENCE)
    assert (facts.targets, facts.pending + facts.dead) == (1, 1)


def test_delivery_goes_on_when_the_machines_clock_was_set_back(database, receiver, start):
    came = threading.Event()
    receiver.on_request = came.set
    store, telling = start(settings_for(database, receiver.url))
    # What a clock set back by an hour comes to: the time of day that is waited for is an hour further away.
    for job in telling._scheduler.get_jobs():
        telling._scheduler.modify_job(job.id, next_run_time=datetime.now(UTC) + timedelta(hours=1))

    store.tell(always(make_happening()), NOW)

    assert came.wait(PATIENCE)


# --- commands --------------------------------------------------------------------------------


@pytest.fixture
def run(database, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PG_URL", database.url)
    monkeypatch.setenv("EVENTS_WEBHOOKS", "https://receiver.example/token")
    monkeypatch.setenv("WHATSAPP_ETL_NOW", NOW.isoformat())

    def run(*arguments, code=0):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == code, done.output
        return done.output

    return run


@pytest.fixture
def told(run, database):
    """Two events, of which the first was given up."""
    with bootstrap.open_store(Settings(_env_file=None)) as store:
        store.tell(always(make_happening(), make_happening(EventType.SYNC_STALE)), NOW)
    with database.connect() as connection:
        connection.execute(
            "UPDATE event_deliveries SET state = 'dead', attempts = 20, last_error = 'http_500'"
            " WHERE event_id = (SELECT id FROM events ORDER BY seq LIMIT 1)"
        )
    return [str(row[0]) for row in rows(database, "SELECT id FROM events ORDER BY seq")]


def test_events_are_listed_with_their_deliveries_and_without_a_secret(run, told):
    output = run("events", "list")

    assert output.index("sync.stale") < output.index("sync.failed")
    assert "dead, attempts 20, http_500" in output
    assert "receiver.example#" in output
    assert "token" not in output


def test_the_list_is_narrowed_and_readable_by_machines(run, told):
    (line,) = run("events", "list", "--dead", "--json").splitlines()

    event = json.loads(line)
    assert (event["id"], event["deliveries"][0]["last_error"]) == (told[0], "http_500")
    assert told[1] in run("events", "list", "--pending")
    assert told[0] not in run("events", "list", "--pending")


@pytest.mark.parametrize(
    ("arguments", "count"),
    [(["--dead"], 1), (["--since", "2026-08-23T11:59:00Z"], 2), (["--since", "2026-08-24T00:00:00Z"], 0)],
)
def test_replaying_makes_deliveries_pending_again(run, told, arguments, count):
    assert run("events", "replay", *arguments).startswith(f"{count} deliver")


def test_one_event_is_replayed_by_its_id(run, told, database):
    run("events", "replay", told[0])

    assert rows(database, "SELECT DISTINCT state FROM event_deliveries") == [("pending",)]


@pytest.mark.parametrize(
    ("arguments", "told_why"),
    [
        ([], "One of them"),
        (["--dead", "--since", "2026-08-23T11:59:00Z"], "One of them"),
        (["00000000-0000-0000-0000-000000000000"], "no event"),
    ],
)
def test_what_cannot_be_replayed_is_said(run, told, arguments, told_why):
    done = CliRunner().invoke(app, ["events", "replay", *arguments])

    assert told_why in str(done.exception)


def test_replaying_to_nobody_is_said(run, told, monkeypatch):
    monkeypatch.setenv("EVENTS_WEBHOOKS", "")

    assert "EVENTS_WEBHOOKS is empty" in str(
        CliRunner().invoke(app, ["events", "replay", "--dead"]).exception
    )


def test_config_masks_webhooks_and_secret(run, monkeypatch):
    monkeypatch.setenv("EVENTS_SECRET", "hidden")

    output = run("config")

    assert "EVENTS_WEBHOOKS=***" in output
    assert "EVENTS_SECRET=***" in output
    assert "token" not in output.replace("HTTP_TOKEN", "")
