"""What a service manager hears, on a real datagram socket."""

import os
import socket
import uuid

import pytest

from whatsapp_etl.service_manager import ServiceManager


@pytest.fixture(params=["file", "abstract"])
def heard(request, tmp_path):
    """Listen as systemd does; `heard()` returns the lines of the next datagram."""
    name = f"@whatsapp-etl-{uuid.uuid4()}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0", 1))
        listener.setblocking(False)

        def hear() -> list[str]:
            return listener.recv(4096).decode().splitlines()

        hear.address = name
        yield hear


def test_it_is_told_once_that_the_program_is_ready_and_each_time_how_it_stands_anew(heard):
    manager = ServiceManager({"NOTIFY_SOCKET": heard.address})

    manager.serving("Session: starting.")
    manager.serving("Session: starting.")
    manager.serving("Session: ready.")
    manager.stopping()

    assert heard() == ["READY=1", "STATUS=Session: starting."]
    assert heard() == ["STATUS=Session: ready."]
    assert heard()[0] == "STOPPING=1"
    with pytest.raises(BlockingIOError):
        heard()


def test_it_hears_twice_within_its_patience_that_the_program_is_alive(heard):
    seconds = iter((100.0, 100.1, 104.9, 105.0))
    environment = {
        "NOTIFY_SOCKET": heard.address,
        "WATCHDOG_USEC": "10000000",
        "WATCHDOG_PID": f"{os.getpid()}",
    }
    manager = ServiceManager(environment, lambda: next(seconds))

    for _ in range(4):
        manager.serving("Session: ready.")

    assert heard() == ["READY=1", "STATUS=Session: ready.", "WATCHDOG=1"]
    assert heard() == ["WATCHDOG=1"]
    with pytest.raises(BlockingIOError):
        heard()


@pytest.mark.parametrize(
    "watchdog", [{}, {"WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "x"}]
)
def test_it_hears_of_life_only_where_it_asked_this_process(heard, watchdog):
    manager = ServiceManager({"NOTIFY_SOCKET": heard.address, **watchdog})

    manager.serving("Session: ready.")

    assert heard() == ["READY=1", "STATUS=Session: ready."]


def test_a_manager_that_is_not_there_or_gone_hinders_nothing(tmp_path):
    ServiceManager({}).serving("Session: ready.")

    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).serving("Session: ready.")
