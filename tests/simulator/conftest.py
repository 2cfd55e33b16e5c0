"""A page without a browser: it says hello, listens, and pulls, as the page's script would."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from whatsapp_etl.simulator.serve import RunningSimulator

_DEADLINE_SECONDS = 20


class TalkingPage:
    """The page's side of the socket and of the sync feed."""

    def __init__(self, simulator: RunningSimulator, socket: ClientConnection, token: str | None) -> None:
        self._url = simulator.url
        self._socket = socket
        self.token = token
        self.me: dict[str, Any] | None = None
        self.cursor = 0
        self.say(op="hello", token=token, has_focus=True, visible=True)
        self.config: dict[str, Any] = self.hear("config")["config"]

    def say(self, **frame: object) -> None:
        self._socket.send(json.dumps(frame))

    def hear(self, op: str) -> dict[str, Any]:
        """Return the next frame, which must be of this kind."""
        frame: dict[str, Any] = json.loads(self._socket.recv(timeout=_DEADLINE_SECONDS))
        assert frame["op"] == op
        return frame

    def hear_linked(self) -> None:
        frame = self.hear("linked")
        self.token, self.me = frame["token"], frame["me"]

    def pull(self, limit: int = 5000) -> list[dict[str, Any]]:
        """Return everything that changed since the last pull."""
        changes: list[dict[str, Any]] = []
        is_done = False
        while not is_done:
            page = self.ask(after=self.cursor, limit=limit).raise_for_status().json()
            changes += page["changes"]
            self.cursor, is_done = page["next"], page["done"]
        return changes

    def ask(self, **params: object) -> httpx.Response:
        query = {
            name: str(value) for name, value in {"token": self.token, **params}.items() if value is not None
        }
        return httpx.get(f"{self._url}/page/sync", params=query, trust_env=False)


@pytest.fixture
def open_page() -> Iterator[Callable[..., TalkingPage]]:
    """Open pages of a simulator; all close with the test."""
    with ExitStack() as sockets:

        def opened(simulator: RunningSimulator, token: str | None = None) -> TalkingPage:
            address = simulator.url.replace("http", "ws", 1) + "/page/socket"
            return TalkingPage(simulator, sockets.enter_context(connect(address, proxy=None)), token)

        yield opened
