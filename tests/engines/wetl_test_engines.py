"""Real engines of a package of its own, found by its entry points: one reads QR codes, others never answer.

On the path only where a test wants them.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

import zxingcpp
from PIL import Image

from whatsapp_etl.extracted import Block, EngineId, Reading


class QrReader:
    """Reads QR codes: each is a block."""

    def __init__(self, version: str, log: str) -> None:
        self.id = EngineId("qr", version, {"symbology": "qr"})
        self._log = Path(log) if log else None

    def load(self) -> None:
        pass

    def read(self, picture: Image.Image) -> Reading:
        found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
        blocks = tuple(Block(code.text, 1.0, _corners(code.position)) for code in found)
        if self._log:
            # One write, appended: whole lines, however many processes write.
            with self._log.open("ab", buffering=0) as log:
                log.write(f"{os.getpid()} {Reading(blocks).text}\n".encode())
        if any(block.text == "poison" for block in blocks):
            os.kill(os.getpid(), 9)
        if any(block.text == "greedy" for block in blocks):
            bytes(2**62)  # more than any machine has
        if any(block.text == "hoard" for block in blocks):
            _ = [bytes(16 * 1024 * 1024) for _ in range(128)]  # 2 GB, more and more, none of it touched
        if any(block.text == "trouble" for block in blocks):
            raise RuntimeError("the engine quotes the picture: trouble")
        return Reading(blocks)


class Stuck(QrReader):
    """Never comes back, as native code may."""

    def read(self, picture: Image.Image) -> Reading:
        threading.Event().wait()
        return super().read(picture)


class Frozen(QrReader):
    """Never comes back, and lets no other thread run meanwhile, as native code that keeps the lock."""

    def read(self, picture: Image.Image) -> Reading:
        ctypes.PyDLL(None).pause()
        return super().read(picture)


def make_qr(options: str) -> QrReader:
    """Return the reader of QR codes; "qr:2,/tmp/log" pretends another version, and logs what is read."""
    version, _, log = options.partition(",")
    return QrReader(version or "1", log)


def make_stuck(_options: str) -> Stuck:
    return Stuck("1", "")


def make_frozen(_options: str) -> Frozen:
    return Frozen("1", "")


def make_lacking(_options: str) -> QrReader:
    import a_module_that_nobody_has  # type: ignore[import-not-found]  # noqa: F401

    raise AssertionError


def _corners(position: zxingcpp.Position) -> tuple[tuple[float, float], ...]:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return tuple((float(corner.x), float(corner.y)) for corner in corners)
