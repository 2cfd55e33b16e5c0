"""Running the stand-in: for a person at the keyboard, or inside a test or the demonstration."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import uvicorn

from whatsapp_etl.simulator.app import create_app
from whatsapp_etl.simulator.client import ControlClient
from whatsapp_etl.simulator.options import SimulatorOptions
from whatsapp_etl.simulator.page import open_server

__all__ = ["RunningSimulator", "SimulatorOptions", "serve"]

_START_SECONDS = 30
_STOP_SECONDS = 15


def serve(options: SimulatorOptions, on_ready: Callable[[str], None] = lambda url: None) -> None:  # noqa: ARG005
    """Serve until interrupted; for the command line.

    Args:
        options: The world and its address.
        on_ready: Called with the page's address just before the first request can be answered.
    """
    listener = _listen(options)
    web = _web_server(options)
    on_ready(_address(listener))
    with suppress(KeyboardInterrupt):  # how a person ends it
        web.run(sockets=[listener])


class RunningSimulator(ControlClient):
    """The stand-in on a thread of its own, with the calls of its control API as methods.

    Use it as a context manager; `url` is the page's address.
    """

    def __init__(self, options: SimulatorOptions | None = None) -> None:
        self.options = options or SimulatorOptions()
        self._listener = _listen(self.options)
        self._web = _web_server(self.options)
        self._thread = threading.Thread(
            target=self._web.run, kwargs={"sockets": [self._listener]}, name="simulator", daemon=True
        )
        super().__init__(_address(self._listener))

    def start(self) -> Self:
        self._thread.start()
        if not self._web.is_serving.wait(_START_SECONDS):
            raise TimeoutError("The simulator did not start in time.")
        return self

    def stop(self) -> None:
        """End the server and wait for its thread; safe to call twice."""
        self.close()
        self._web.should_exit = True
        self._thread.join(_STOP_SECONDS)
        self._listener.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _WebServer(uvicorn.Server):
    """uvicorn, telling when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_serving = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_serving.set()


def _listen(options: SimulatorOptions) -> socket.socket:
    """Take the port before anything else, so that the address is known and surely ours."""
    listener = socket.create_server((options.host, options.port), backlog=128)
    # Accepted connections inherit it. asyncio leaves it off for sockets made this way, and then every
    # answer waits some 40 ms for the other side's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _web_server(options: SimulatorOptions) -> _WebServer:
    return _WebServer(
        uvicorn.Config(
            create_app(open_server(options)),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",  # the other implementation warns about its own age
            timeout_graceful_shutdown=2,
        )
    )
