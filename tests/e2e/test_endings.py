"""How the program ends at signals: the real commands, in processes of their own."""

import signal
import socket
import subprocess
import time
from functools import partial

import pytest

from tests.fixtures.cycle import stored_messages, truth_of
from tests.fixtures.program import any_message, suspend, wait_for

SLOWLY = {"WHATSAPP_CHATS_PER_MINUTE": "60"}
#: Ten seconds, and what a busy machine takes to end a process that has nothing left to do.
ENDS_WITHIN = 12


def end(process, *numbers):
    """Send signals; return the seconds until the end, and what was said."""
    begun = time.monotonic()
    for number in numbers:
        process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return time.monotonic() - begun, out + err


@pytest.mark.matrix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_sync_that_is_ended_keeps_whole_chats_and_closes_its_browser(program, database, number, code):
    it, simulator = program(**SLOWLY)
    process = it.start("sync")
    wait_for(partial(any_message, database), process)

    seconds, said = end(process, number)

    assert process.returncode == code, said
    assert seconds < ENDS_WITHIN
    assert it.browsers() == []
    stored, truth = stored_messages(database), truth_of(simulator)
    assert {key: row for key, row in stored.items() if truth.get(key) != row} == {}
    with database.connect() as connection:
        assert connection.execute("SELECT status FROM sync_runs").fetchall() == [("interrupted",)]


@pytest.mark.matrix
def test_a_page_that_loads_for_ever_does_not_hold_the_end(program):
    it, simulator = program()
    simulator.behave("loading_hangs")
    process = it.start("sync")
    assert it.wait_for_browser(process) is not None
    wait_for(lambda: simulator.ledger()["mode"] in {"SYNCING", "MAIN"}, process)

    seconds, said = end(process, signal.SIGTERM)

    assert process.returncode == 143, said
    assert seconds < ENDS_WITHIN
    assert it.browsers() == []


def test_login_that_waits_for_a_scan_ends_at_a_signal_and_says_so_by_its_code(program):
    it, _ = program(world={"linked": False, "chats": 1, "messages": 3})
    process = it.start("login", "--terminal")
    assert it.wait_for_browser(process) is not None
    assert process.stdout.readline()  # the first line of the code

    seconds, said = end(process, signal.SIGTERM)

    assert process.returncode == 143, said
    assert seconds < ENDS_WITHIN
    assert it.browsers() == []


@pytest.mark.parametrize("command", ["sync", pytest.param("run", marks=pytest.mark.matrix)])
def test_a_second_signal_ends_at_once_and_leaves_no_browser(program, database, command):
    it, _ = program(PORT="0", **SLOWLY)
    process = it.start(command)
    wait_for(partial(any_message, database), process)
    suspend(it.browsers()[:1])

    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    seconds, _ = end(process, signal.SIGTERM)

    assert process.returncode == 143
    assert seconds < 6
    assert it.browsers() == []


@pytest.mark.matrix
@pytest.mark.parametrize("command", ["sync", "run", "backfill --days 40"])
def test_a_browser_that_hangs_does_not_hold_the_end(program, database, command):
    it, _ = program(PORT="0", **SLOWLY)
    process = it.start(*command.split())
    wait_for(partial(any_message, database), process)
    suspend(it.browsers()[:1])

    seconds, _ = end(process, signal.SIGTERM)

    assert process.returncode != 0
    assert seconds < ENDS_WITHIN
    assert it.browsers() == []


@pytest.mark.matrix
def test_a_browser_that_hangs_while_a_scan_is_awaited_does_not_hold_the_end(program):
    it, _ = program(world={"linked": False, "chats": 1, "messages": 3})
    process = it.start("login", "--terminal")
    assert it.wait_for_browser(process) is not None
    assert process.stdout.readline()
    suspend(it.browsers()[:1])

    seconds, said = end(process, signal.SIGTERM)

    assert process.returncode != 0, said
    assert seconds < ENDS_WITHIN
    assert it.browsers() == []


@pytest.mark.matrix
@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", ["sync", "backfill --days 40"])
def test_a_page_that_never_answers_ends_at_its_deadline_which_is_named(program, database, command):
    it, _ = program(**SLOWLY)
    process = it.start(*command.split())
    wait_for(partial(any_message, database), process)
    suspend(it.browsers()[:1])
    begun = time.monotonic()

    out, err = process.communicate(timeout=200)

    assert time.monotonic() - begun < 120, out + err
    assert process.returncode == 7, out + err
    assert "no end within" in err
    assert it.browsers() == []
    with database.connect() as connection:
        ((status, error),) = connection.execute("SELECT status, error FROM sync_runs").fetchall()
    assert status == "failed"
    assert error.startswith("BrowserHungError: ")


def test_a_service_manager_hears_of_the_beginning_and_the_end(program, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        it, _ = program(world={"chats": 1, "messages": 3}, PORT="0")
        process = it.start("run", NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="2000000")
        heard = manager.recv(4096).decode().splitlines()
        assert heard[0] == "READY=1"
        while not any("session: ready" in line.lower() and "success" in line for line in heard):
            heard += manager.recv(4096).decode().splitlines()

        _, said = end(process, signal.SIGTERM)
        manager.settimeout(1)
        while "STOPPING=1" not in heard:
            heard += manager.recv(4096).decode().splitlines()

    assert process.returncode == 0, said
    assert "WATCHDOG=1" in heard
