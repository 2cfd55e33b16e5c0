"""The pictures of a conversation: their bytes, from where the page itself keeps them.

Only what the page shows is read: nothing is downloaded by a click, and a view-once picture, which
the page never shows, is never held.
"""

from __future__ import annotations

import base64
import errno
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import structlog

from whatsapp_etl.extract.page_script import PageScripts
from whatsapp_etl.model import CapturedFile

log = structlog.get_logger(__name__)

#: A picture beyond this is left where it is: one row must not fill memory or disk.
MOST_BYTES = 32 * 1024 * 1024

#: Bytes in one evaluate; base64 makes a third more of it.
_PIECE = 4 * 1024 * 1024

_ONE_PIECE = timedelta(seconds=30)


class Pictures:
    """Saves the pictures that rows show.

    Args:
        scripts: The page.
        save: Keeps bytes and says where.
        patience: How long the page may take to show a row's picture.
    """

    def __init__(
        self, scripts: PageScripts, save: Callable[[bytes], CapturedFile], patience: timedelta
    ) -> None:
        self._scripts = scripts
        self._save = save
        self._patience = patience

    def wait(self, shown_ids: Sequence[str]) -> tuple[Mapping[str, Sequence[str]], Sequence[str]]:
        """Return the blob: URLs that rows on the page show, by row id, bringing each row near for that.

        A row whose picture was not loaded or has expired has none. The rows that show neither a
        picture nor why there is none come second.
        """
        if not shown_ids:
            return {}, ()
        answer = self._scripts.run("images", self._patience, ids=list(shown_ids))
        return answer["urls"], answer["unseen"]

    def save(self, urls: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[CapturedFile, ...]]:
        """Save what blob: URLs hold, by row id; without what is too large, gone or not savable."""
        flat = [url for row in urls.values() for url in row]
        if not flat:
            return {}
        answer = self._scripts.run("blobs", _ONE_PIECE, urls=flat, most_inline=_PIECE)
        held = dict(zip(flat, map(self._bytes, answer["blobs"]), strict=True))
        files: dict[str, tuple[CapturedFile, ...]] = {}
        for shown_id, row in urls.items():
            # A row may show one picture twice, blurred behind itself.
            saved = {file.sha256: file for url in row if (data := held[url]) and (file := self._saved(data))}
            if saved:
                files[shown_id] = tuple(saved.values())
        return files

    def _saved(self, data: bytes) -> CapturedFile | None:
        """Save bytes; on a full disk the message goes on without them, and is asked for them again."""
        try:
            return self._save(data)
        except OSError as error:
            log.warning("picture_not_saved", reason=errno.errorcode.get(error.errno or 0, "unknown"))
            return None

    def _bytes(self, blob: Mapping[str, str] | None) -> bytes | None:
        if blob is None:
            return None
        return base64.b64decode(blob["data"]) if "data" in blob else self._read(blob["url"])

    def _read(self, url: str) -> bytes | None:
        """Return what a blob: URL holds; None when the page let go of it or it is too large."""
        pieces: list[bytes] = []
        size = 0
        while True:
            answer = self._scripts.run("bytes", _ONE_PIECE, url=url, offset=size, length=_PIECE)
            if not answer["size"] or answer["size"] > MOST_BYTES:
                return None
            piece = base64.b64decode(answer["data"])
            pieces.append(piece)
            size += len(piece)
            if size >= answer["size"]:
                return b"".join(pieces)
            if not piece:
                return None
