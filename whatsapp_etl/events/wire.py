"""One request to one receiver: to the very address that was checked, within a deadline, and stoppable.

The name is resolved here and the connection goes to an address that this gave, so that a name which
says another thing when it is asked again (DNS rebinding) leads nowhere else. Redirects are not
followed. Of the answer only status and headers are read.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
import time
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar

import httpcore
import httpx

from whatsapp_etl.events.formats import Post
from whatsapp_etl.events.retry import Outcome, retry_after
from whatsapp_etl.events.targets import is_public

#: From the look-up of the name to the last header of the answer.
PATIENCE = timedelta(seconds=10)
#: How soon a request ends when the program is asked to.
_LOOK_SECONDS = 0.2
_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)

_T = TypeVar("_T")


class Stopped(Exception):  # noqa: N818 - no error: the program ends
    """The program was asked to stop; whether the receiver has the event is not known."""


class _TimeOut(Exception):  # noqa: N818
    pass


class _Refused(Exception):  # noqa: N818
    """The name leads to an address that is not to be connected to."""


#: The narrower kinds first.
_CODES: Mapping[type[Exception], str] = {
    _TimeOut: "timeout",
    _Refused: "address_refused",
    socket.gaierror: "name_unknown",
    ssl.SSLError: "tls_failed",
    httpcore.ProtocolError: "protocol_error",
    httpx.InvalidURL: "url_invalid",
    OSError: "connection_failed",
}


#: As `socket.getaddrinfo` answers.
Resolve = Callable[[str, int], list[typing.Any]]


def _ask_machine(host: str, port: int) -> list[typing.Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Wire:
    """Makes requests, each on a connection of its own."""

    def __init__(
        self,
        stop: threading.Event,
        *,
        allows_private: bool = False,
        patience: timedelta = PATIENCE,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = _ask_machine,
    ) -> None:
        """Prepare.

        Args:
            stop: Ends a request that is being made.
            allows_private: Whether addresses that are not of the open internet will do.
            patience: For a whole request.
            tls: How receivers prove who they are; by default by a certificate for their name.
            resolve: Tells a name's addresses.
        """
        self._stop = stop
        self._allows_private = allows_private
        self._patience = patience
        self._tls = tls or httpx.create_ssl_context()
        self._resolve = resolve

    def send(self, post: Post, headers: Mapping[str, str]) -> Outcome:
        """Make one request. What went wrong is in the outcome, in a word that holds nothing of the answer.

        Raises:
            Stopped: The program was asked to stop meanwhile.
        """
        attempt = _Attempt(time.monotonic() + self._patience.total_seconds(), self._stop)
        backend = _Backend(attempt, self._resolve, allows_private=self._allows_private)
        transport = _Transport(httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend))
        try:
            with (
                httpx.Client(transport=transport, follow_redirects=False, trust_env=False) as client,
                client.stream(
                    "POST",
                    post.url,
                    content=post.body,
                    headers={
                        "user-agent": "whatsapp-etl",
                        **post.headers,
                        "content-type": post.content_type,
                        **headers,
                    },
                ) as answer,
            ):
                return _outcome(answer)
        except tuple(_CODES) as error:
            return Outcome(next(code for kind, code in _CODES.items() if isinstance(error, kind)))


def _outcome(answer: httpx.Response) -> Outcome:
    status = answer.status_code
    if status in _SUCCESS:
        return Outcome(None)
    kind = "redirect" if status in _REDIRECT else "http"
    return Outcome(f"{kind}_{status}", retry_after(answer.headers.get("retry-after"), datetime.now(UTC)))


class _Attempt:
    """The end of one request: its deadline, or the program's."""

    def __init__(self, ends_at: float, stop: threading.Event) -> None:
        self._ends_at = ends_at
        self._stop = stop

    def slice(self) -> float:
        """Return how many seconds to wait before looking again.

        Raises:
            Stopped: The program was asked to stop.
            _TimeOut: The time is up.
        """
        if self._stop.is_set():
            raise Stopped
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise _TimeOut
        return min(left, _LOOK_SECONDS)

    def wait_for(self, connection: socket.socket, event: int) -> None:
        """Wait until a socket can be read or written."""
        with selectors.DefaultSelector() as selector:
            selector.register(connection, event)
            while not selector.select(self.slice()):
                pass

    def repeat(self, connection: socket.socket, step: Callable[[], _T], event: int) -> _T:
        """Do something with a socket that does not block, as often as it takes."""
        while True:
            self.slice()
            try:
                return step()
            except ssl.SSLWantReadError:
                self.wait_for(connection, selectors.EVENT_READ)
            except ssl.SSLWantWriteError:
                self.wait_for(connection, selectors.EVENT_WRITE)
            except BlockingIOError:
                self.wait_for(connection, event)


class _Backend(httpcore.NetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, attempt: _Attempt, resolve: Resolve, *, allows_private: bool) -> None:
        self._attempt = attempt
        self._ask = resolve
        self._allows_private = allows_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the whole request has one
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[typing.Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        addresses = self._resolve(host, port)
        # One that is not allowed among others is no mistake that a receiver makes.
        if not self._allows_private and not all(is_public(str(place[0])) for _, place in addresses):
            raise _Refused
        failure: OSError | None = None
        for family, place in addresses:
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                self._connect(connection, place)
            except OSError as error:
                connection.close()
                failure = error
            except (Stopped, _TimeOut):
                connection.close()
                raise
            else:
                return _Stream(connection, self._attempt)
        raise failure or ConnectionError

    def _connect(self, connection: socket.socket, place: tuple[str | int, ...]) -> None:
        connection.setblocking(False)  # noqa: FBT003
        with suppress(BlockingIOError):
            connection.connect(place)
        self._attempt.wait_for(connection, selectors.EVENT_WRITE)
        if code := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, "the connection was refused")

    def _resolve(self, host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str | int, ...]]]:
        """Ask the resolver, which knows no time-out, in a thread that nobody waits for at the end."""
        answers: SimpleQueue[list[typing.Any] | OSError | UnicodeError] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._ask(host, port))
            except (OSError, UnicodeError) as error:
                answers.put(error)

        threading.Thread(target=ask, name="resolver", daemon=True).start()
        while True:
            try:
                answer = answers.get(timeout=self._attempt.slice())
            except Empty:
                continue
            if isinstance(answer, UnicodeError):
                raise socket.gaierror from answer
            if isinstance(answer, OSError):
                raise answer
            return [(family, place) for family, _, _, _, place in answer]


class _Stream(httpcore.NetworkStream):
    """A connection that ends with its request."""

    def __init__(self, connection: socket.socket, attempt: _Attempt) -> None:
        self._connection = connection
        self._attempt = attempt

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._attempt.repeat(
            self._connection, lambda: self._connection.recv(max_bytes), selectors.EVENT_READ
        )

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        left = memoryview(buffer)
        while left:
            send = partial(self._connection.send, left)
            left = left[self._attempt.repeat(self._connection, send, selectors.EVENT_WRITE) :]

    def close(self) -> None:
        self._connection.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        try:
            secured = ssl_context.wrap_socket(
                self._connection, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            self._connection = secured
            self._attempt.repeat(secured, secured.do_handshake, selectors.EVENT_READ)
        except (OSError, Stopped, _TimeOut):
            self._connection.close()
            raise
        return _Stream(secured, self._attempt)

    def get_extra_info(self, info: str) -> object:
        if info == "ssl_object":
            return self._connection if isinstance(self._connection, ssl.SSLSocket) else None
        return self._connection if info == "socket" else None


class _Transport(httpx.BaseTransport):
    """httpx over a pool whose connections are ours."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """The answer's body, which nobody reads."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        self._answer.close()
