"""The pictures of a conversation: their bytes, from where the page itself keeps them.

Only what the page shows is read, or offers to download where that is switched on. A view-once picture,
which the page never shows, is never held.
"""

from __future__ import annotations

import base64
import errno
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from whatsapp_etl.extract.limits import Pace
from whatsapp_etl.extract.page_script import PageScripts
from whatsapp_etl.model import CapturedFile

log = structlog.get_logger(__name__)

#: Bytes in one evaluate; base64 makes a third more of it.
_PIECE = 4 * 1024 * 1024

_ONE_PIECE = timedelta(seconds=30)

#: An album shows so many places at most, each with a button of its own.
_PLACES = 4
_ONE_CLICK = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Looked:
    """What rows show of their pictures."""

    urls: Mapping[str, Sequence[str]]  #: blob: URLs by row; none of what was not loaded or has expired.
    unseen: Sequence[str]  #: Rows that show neither a picture nor why there is none.
    refused: Sequence[str]  #: Rows that say that it cannot be downloaded.


@dataclass(frozen=True, slots=True)
class PictureOptions:
    """How pictures are got."""

    is_pressed: bool = False  #: Whether the page's own download buttons are pressed.
    most_bytes: int = 32 * 1024 * 1024  #: One beyond this is left: one row must not fill memory or disk.
    patience: timedelta = timedelta(seconds=10)  #: How long the page may take to show a row's picture.


class Pictures:
    """Saves the pictures that rows show.

    Args:
        scripts: The page.
        save: Keeps bytes and says where.
        pace: How fast download buttons are pressed.
        options: How pictures are got.
    """

    def __init__(
        self,
        scripts: PageScripts,
        save: Callable[[bytes], CapturedFile],
        pace: Pace,
        options: PictureOptions,
    ) -> None:
        self._scripts = scripts
        self._save = save
        self._pace = pace
        self._options = options
        self._has_room = True
        self.left: set[str] = set()  #: Rows whose files found no room, since it was last emptied.

    def wait(
        self, shown_ids: Sequence[str], too_large: Collection[str] = (), deadline: float = math.inf
    ) -> Looked:
        """Look at rows on the page, bringing each near for that; press the buttons of those that have one.

        Args:
            shown_ids: The rows.
            too_large: Those of them whose files are not wanted.
            deadline: No button is pressed after that, by the monotonic clock.

        Raises:
            StopRequestedError: The program was asked to stop.
        """
        if not shown_ids:
            return Looked({}, (), ())
        answer = self._scripts.run("images", self._options.patience, ids=list(shown_ids))
        offered = [row for row in answer["offered"] if row not in too_large]
        pressed = [row for row in offered if self._options.is_pressed and self._press(row, deadline)]
        if not pressed:
            return Looked(answer["urls"], answer["unseen"], answer["refused"])
        again = self._scripts.run("images", self._options.patience, ids=pressed)
        return Looked(
            {**answer["urls"], **again["urls"]},
            [*answer["unseen"], *again["unseen"]],
            [*answer["refused"], *again["refused"]],
        )

    def _press(self, shown_id: str, deadline: float) -> bool:
        """Press the download buttons of one row with the mouse; whether there was one."""
        pressed = 0
        while pressed < _PLACES and time.monotonic() < deadline:
            handle = self._scripts.find("download_button", timedelta(0), id=shown_id)
            try:
                if handle.as_element() is None:
                    break
                self._pace.wait()
                if not self._scripts.click(handle, _ONE_CLICK, "downloading a picture"):
                    break
            finally:
                handle.dispose()
            pressed += 1
        return pressed > 0

    def save(self, urls: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[CapturedFile, ...]]:
        """Save what blob: URLs hold, by row id; without what is too large, gone or not savable.

        Rows whose files found no room are added to `left`.
        """
        flat = [url for row in urls.values() for url in row]
        if not flat:
            return {}
        answer = self._scripts.run("blobs", _ONE_PIECE, urls=flat, most_inline=_PIECE)
        held = dict(zip(flat, map(self._bytes, answer["blobs"]), strict=True))
        files: dict[str, tuple[CapturedFile, ...]] = {}
        for shown_id, row in urls.items():
            # A row may show one picture twice, blurred behind itself.
            self._has_room = True
            saved = {file.sha256: file for url in row if (data := held[url]) and (file := self._saved(data))}
            if not self._has_room:
                self.left.add(shown_id)
            if saved:
                files[shown_id] = tuple(saved.values())
        return files

    def _saved(self, data: bytes) -> CapturedFile | None:
        """Save bytes; on a full disk the message goes on without them, and is asked for them again."""
        try:
            return self._save(data)
        except OSError as error:
            self._has_room = self._has_room and error.errno != errno.EDQUOT
            log.warning("picture_not_saved", reason=errno.errorcode.get(error.errno or 0, "unknown"))
            return None

    def _bytes(self, blob: Mapping[str, str] | None) -> bytes | None:
        if blob is None:
            return None
        if "data" not in blob:
            return self._read(blob["url"])
        data = base64.b64decode(blob["data"])
        return data if len(data) <= self._options.most_bytes else None

    def _read(self, url: str) -> bytes | None:
        """Return what a blob: URL holds; None when the page let go of it or it is too large."""
        pieces: list[bytes] = []
        size = 0
        while True:
            answer = self._scripts.run("bytes", _ONE_PIECE, url=url, offset=size, length=_PIECE)
            if not answer["size"] or answer["size"] > self._options.most_bytes:
                return None
            piece = base64.b64decode(answer["data"])
            pieces.append(piece)
            size += len(piece)
            if size >= answer["size"]:
                return b"".join(pieces)
            if not piece:
                return None
