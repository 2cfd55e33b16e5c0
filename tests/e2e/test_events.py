"""The running program tells that a person is needed, and that all is well, as it happens."""

import json
import signal
import threading
from queue import Queue

import httpx
import pytest

from tests.fixtures.events import running_receiver
from whatsapp_etl.happenings import EventType

PATIENCE = 60


@pytest.mark.matrix
def test_run_tells_of_the_code_and_of_the_link_once_each(program):
    came: Queue[None] = Queue()
    with running_receiver(on_request=lambda: came.put(None)) as receiver:
        it, simulator = program(
            world={"chats": 2, "messages": 20, "linked": False},
            PORT="0",
            EVENTS_WEBHOOKS=receiver.url,
            EVENTS_ALLOW_PRIVATE="true",
            PUBLIC_URL="https://status.example/",
        )
        process = it.start("run", LOG_LEVEL="INFO")
        url = next(json.loads(line)["url"] for line in process.stderr if '"serving"' in line)

        came.get(timeout=PATIENCE)
        never = threading.Event()
        # Between two looks at the page there may be none that shows a code.
        while httpx.post(f"{simulator.url}/__sim/scan", json={}).status_code == 400:
            never.wait(0.1)
        came.get(timeout=PATIENCE)
        health = httpx.get(f"{url}health").json()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)

    assert process.returncode == 0, err
    assert [each.event["type"] for each in receiver.received] == [
        EventType.SESSION_QR_REQUIRED,
        EventType.SESSION_READY,
    ]
    assert {each.event["data"]["status_url"] for each in receiver.received} == {"https://status.example/"}
    assert "qr" not in receiver.received[0].event["data"]
    assert health["events"]["targets"] == 1
    assert receiver.url not in err
