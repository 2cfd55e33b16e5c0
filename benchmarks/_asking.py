"""Fifty clients in a process of their own: `python -m benchmarks._asking HOST PORT`; ends with its input."""

from __future__ import annotations

import asyncio
import json
import sys
from random import Random
from time import perf_counter

CLIENTS = 50
PATHS = ("/empty", "/qr", "/health")
#: Each client asks four times a second: monitors and open pages, not a flood.
_PAUSE_SECONDS = 0.25


async def ask(host: str, port: int, number: int, end: asyncio.Event, took: dict[str, list[float]]) -> None:
    """Ask for one path or the other on one connection, until `end`."""
    random = Random(number)
    reader, writer = await asyncio.open_connection(host, port)
    while not end.is_set():
        path = random.choice(PATHS)
        begun = perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length: ")[2].split("\r\n")[0]))
        took[path].append(perf_counter() - begun)
        try:
            await asyncio.wait_for(end.wait(), _PAUSE_SECONDS)
        except TimeoutError:
            continue
    writer.close()
    await writer.wait_closed()


async def main(host: str, port: int) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {path: [] for path in PATHS}
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, end.set)  # closed by whoever started this
    await asyncio.gather(*(ask(host, port, number, end, took) for number in range(CLIENTS)))
    return took


if __name__ == "__main__":
    json.dump(asyncio.run(main(sys.argv[1], int(sys.argv[2]))), sys.stdout)
