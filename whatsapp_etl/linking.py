"""What a person who links the account is shown: in the terminal, and as a picture beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TextIO

from whatsapp_etl.qr_code import Ink, qr_png, qr_text
from whatsapp_etl.whole_files import write_whole

#: Leaves the last line to the cursor.
_LINES_BELOW_CODE = 1


def ink_of(theme: str, *, is_terminal: bool, environment: Mapping[str, str]) -> Ink:
    """Return how to draw in a terminal.

    Args:
        theme: "auto", "dark" or "light", as the person says that the terminal is.
        is_terminal: Whether it is one, or a file or pipe that shows no colours.
        environment: Says whether the terminal knows colours.
    """
    if theme != "auto":
        return Ink(theme)
    has_colours = is_terminal and environment.get("TERM") != "dumb" and not environment.get("NO_COLOR")
    return Ink.COLOURS if has_colours else Ink.LIGHT_TEXT


class TerminalQr:
    """Draws the code into a terminal, each new one in the place of the one before, with the time left."""

    def __init__(self, out: TextIO, ink: Ink = Ink.COLOURS) -> None:
        self._out = out
        self._ink = ink
        self._drawn_lines = 0
        self._left: str | None = None

    def draw(self, payload: str) -> None:
        text = qr_text(payload, self._ink)
        self.clear()
        lines = text.count("\n")
        if self._out.isatty():
            room = os.get_terminal_size(self._out.fileno()).lines
            if 0 < room < lines + _LINES_BELOW_CODE:
                self._out.write(
                    f"The code needs {lines + _LINES_BELOW_CODE} lines; this window has {room}.\n"
                )
            self._drawn_lines = lines
        self._out.write(text)
        self._out.flush()

    def tell_time(self, expires_at: datetime | None, now: datetime) -> None:
        """Write how long the code can be scanned, below it; where nothing can be redrawn, nothing."""
        told = left_text(expires_at, now)
        if not self._out.isatty() or not self._drawn_lines or told == self._left:
            return
        self._out.write(f"\r\x1b[K{told}")
        self._out.flush()
        self._left = told

    def clear(self) -> None:
        """Take the code away that was drawn, with what stands below it."""
        if self._drawn_lines:
            self._out.write(f"\r\x1b[{self._drawn_lines}A\x1b[J")
            self._out.flush()
        self._drawn_lines = 0
        self._left = None


class QrFile:
    """The code as a PNG file that only its owner can read; it is gone when it is not needed any more."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def draw(self, payload: str) -> None:
        """Write the file, or put the new code in its place.

        Raises:
            OSError: The folder is not there or cannot be written.
        """
        write_whole(qr_png(payload), self.place, self.place.parent)

    def clear(self) -> None:
        self.place.unlink(missing_ok=True)


class LinkScreen:
    """Where a person sees the code, and what is said about it.

    Args:
        tell: Prints a line for the person.
        terminal: Where the code is drawn; None where the browser's window or a file shows it.
        file: The picture beside it, if one is asked for.
    """

    def __init__(
        self, *, tell: Callable[[str], None], terminal: TerminalQr | None = None, file: QrFile | None = None
    ) -> None:
        self._tell = tell
        self._terminal = terminal
        self._file = file
        self._shown: str | None = None
        self._is_asked = False
        self._loaded: int | None = None  #: The last step told; None before it was linked.

    def show_loading(self, percent: int | None) -> None:
        """Tell that the account is linked and how far its history has come, in steps of ten percent."""
        if self._loaded is None:
            self.clear()
            self._tell("Linked. WhatsApp Web loads the chats; do not end this.")
            self._loaded = 0
        step = (percent or 0) // 10 * 10
        if step > self._loaded:
            self._loaded = step
            self._tell(f"Loading the chats: {step} %")

    def show_pairing(self, code: str, expires_at: datetime | None) -> None:
        """Tell the code that is typed on the phone, once."""
        if code == self._shown:
            return
        self._shown = code
        until = f", until {expires_at.astimezone():%H:%M:%S}" if expires_at else ""
        self._tell(
            "On the phone: Settings → Linked devices → Link a device → Link with phone number instead, "
            f"then type this code{until}:"
        )
        self._tell(f"{code[:4]}-{code[4:]}")

    def show(self, payload: str | None, expires_at: datetime | None, now: datetime) -> None:
        """Show the code as it is at one look; None where the page shows none.

        Raises:
            OSError: The picture cannot be written.
        """
        if payload is None:
            self.clear()
            return
        if not self._is_asked:
            self._is_asked = True
            way = "Settings → Linked devices → Link a device"
            self._tell(f"On the phone: {way}, then scan the code {self._where()}.")
        if payload != self._shown:
            self._shown = payload
            if self._file:
                self._file.draw(payload)
            if self._terminal:
                self._terminal.draw(payload)
        if self._terminal:
            self._terminal.tell_time(expires_at, now)

    def clear(self) -> None:
        """Take away what cannot be scanned any more."""
        self._shown = None
        if self._terminal:
            self._terminal.clear()
        if self._file:
            self._file.clear()

    def begin_anew(self) -> None:
        """Take everything away, and tell all of it once more if there is another code."""
        self.clear()
        self._is_asked, self._loaded = False, None

    def _where(self) -> str:
        places = (["below"] if self._terminal else []) + ([f"in {self._file.place}"] if self._file else [])
        return " or ".join(places) or "in the window"


def left_text(expires_at: datetime | None, now: datetime) -> str:
    """Return how long a code is still good, in words."""
    if expires_at is None:
        return ""
    seconds = round((expires_at - now).total_seconds())
    return (
        f"The next code comes in about {seconds} s." if seconds > 0 else "The next code comes at any moment."
    )
