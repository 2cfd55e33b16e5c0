"""Two programs on one database or one profile: one works, the other says who does."""

import json
import os
import signal
import socket

import httpx
import pytest

from tests.fixtures.cycle import stored_messages, truth_of
from whatsapp_etl.extract.processes import find_browsers
from whatsapp_etl.load.store import Store


def read_until(process, event):
    """Return the first log line of a name; the program must not end before."""
    return next(line for line in map(json.loads, process.stderr) if line["event"] == event)


def ended_cleanly(process):
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    return True


@pytest.mark.matrix
def test_a_program_whose_database_another_one_writes_names_it_and_changes_nothing(program, database):
    it, simulator = program(world={"chats": 2, "messages": 20})
    with Store(database) as other:
        run_id = other.begin_run(simulator.options.clock())

        refused = it.run("sync", "--json")

        assert refused.returncode == 4
        assert f"process {os.getpid()}@{socket.gethostname()}" in refused.stderr
        with database.connect() as connection:
            # The other's run is neither closed nor called interrupted.
            runs = connection.execute("SELECT id, status FROM sync_runs").fetchall()
        assert runs == [(run_id, "running")]
        assert stored_messages(database) == {}

    assert it.sync()["status"] == "success"
    assert stored_messages(database) == truth_of(simulator)


@pytest.mark.matrix
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("apart", "error", "code"),
    [
        ({}, "ProfileLockedError", "profile_locked"),
        ({"WHATSAPP_PROFILE_DIR": "other-profile"}, "WriterBusyError", "writer_busy"),
    ],
    ids=["one profile", "one database"],
)
def test_a_second_service_names_the_first_waits_and_takes_over(program, database, apart, error, code):
    it, simulator = program(world={"chats": 2, "messages": 20}, PORT="0", LOG_LEVEL="INFO")
    first = it.start("run")
    assert read_until(first, "cycle_finished")["status"] == "success"
    second = it.start("run", **apart)
    url = read_until(second, "serving")["url"]

    told = read_until(second, "cycle_failed")

    assert told["kind"] == error
    assert str(first.pid) in told["error"]
    assert socket.gethostname() in told["error"]
    read_until(second, "cycle_finished")
    health = httpx.get(f"{url}health")
    assert health.status_code == 503
    assert code in {reason["code"] for reason in health.json()["reasons"]}

    fresh = simulator.add_message(next(iter(truth_of(simulator).values()))["thread_external_id"], "Kettle")
    assert ended_cleanly(first)
    while read_until(second, "cycle_finished")["status"] != "success":
        pass
    assert fresh in stored_messages(database)
    assert ended_cleanly(second)
    assert stored_messages(database) == truth_of(simulator)
    assert find_browsers(it.folder / "other-profile") == ()
