"""A QR code drawn for a phone's camera: as a picture, and as text that fills a terminal. Pure."""

from __future__ import annotations

import io
import threading
from enum import StrEnum
from functools import lru_cache

import segno

#: The least that the standard asks for; without it some phones do not find the code.
_QUIET_ZONE_MODULES = 4
_MODULE_PIXELS = 8
_drawing = threading.Lock()

#: Two rows of modules a line. The keys: whether the upper and the lower half are in the text's colour.
_GLYPHS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
#: Black on white of the 256-colour palette's fixed part: the 16 named colours belong to the theme.
_BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m"
_RESET = "\x1b[0m"


class Ink(StrEnum):
    """How dark and light modules are told apart in a terminal."""

    COLOURS = "colours"  #: Black on white, whatever the terminal's own colours are.
    LIGHT_TEXT = "dark"  #: The terminal's own: light text on a dark ground.
    DARK_TEXT = "light"  #: The terminal's own: dark text on a light ground.


def qr_png(payload: str) -> bytes:
    """Draw the code in black on white, whatever the page around it looks like.

    One draws at a time: of many who ask for a new code, the first draws it and the others find it drawn.
    """
    with _drawing:
        return _drawn(payload)


@lru_cache(maxsize=1)
def _drawn(payload: str) -> bytes:
    image = io.BytesIO()
    segno.make_qr(payload, error="m").save(
        image, kind="png", scale=_MODULE_PIXELS, border=_QUIET_ZONE_MODULES
    )
    return image.getvalue()


def qr_text(payload: str, ink: Ink = Ink.COLOURS) -> str:
    """Return the code as lines of half blocks, dark on light, its quiet zone around it."""
    # The lowest level makes the fewest modules, and a terminal has no dirt to correct.
    matrix = segno.make_qr(payload, error="l").matrix_iter(border=_QUIET_ZONE_MODULES)
    rows = [[bool(module) for module in row] for row in matrix]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    if ink is Ink.LIGHT_TEXT:
        rows = [[not is_dark for is_dark in row] for row in rows]
    before, after = (_BLACK_ON_WHITE, _RESET) if ink is Ink.COLOURS else ("", "")
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "".join(
        f"{before}{''.join(_GLYPHS[halves] for halves in zip(upper, lower, strict=True))}{after}\n"
        for upper, lower in pairs
    )
