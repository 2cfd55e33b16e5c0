"""The stand-in behind TLS, under the name that other clients expect: a relay in front of its plain server."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

HOST = "web.whatsapp.com"
_CHUNK = 65_536
_START_SECONDS = 20


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that nobody else trusts, good for a day; return its file and its key's."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-days", "1", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


class TlsRelay:
    """Speaks TLS on a port of its own and passes everything on to a plain server. A context manager."""

    def __init__(self, url: str, certificate: Path, key: Path) -> None:
        self._upstream = urlsplit(url)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tls-relay", daemon=True)
        self._server: asyncio.Server | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context), self._loop
        )
        self._server = starting.result(_START_SECONDS)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_START_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)
        self._loop.close()

    def browser_arguments(self) -> list[str]:
        """Return Chromium's arguments: the one name leads here, every other one nowhere."""
        return [
            f"--host-resolver-rules=MAP {HOST}:443 127.0.0.1:{self.port}, MAP * ~NOTFOUND",
            "--ignore-certificate-errors",
            "--no-sandbox",
            "--no-proxy-server",
        ]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        try:
            await asyncio.gather(_pass_on(reader, upstream[1]), _pass_on(upstream[0], writer))
        finally:
            upstream[1].close()
            writer.close()

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        open_ = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in open_:
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError, ssl.SSLError, OSError):
        writer.close()
