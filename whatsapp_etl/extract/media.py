"""The pictures of a conversation: their bytes, from where the page itself keeps them.

Only what the page shows is read: nothing is downloaded by a click, and a view-once picture, which
the page never shows, is never held.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from whatsapp_etl.extract.page_script import PageScripts
from whatsapp_etl.model import CapturedFile

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

    def save(self, shown_ids: Sequence[str]) -> Mapping[str, tuple[CapturedFile, ...]]:
        """Save the pictures of rows that are on the page now, by row id.

        A row whose picture was not loaded, has expired or is too large is not in the answer.
        """
        if not shown_ids:
            return {}
        answer = self._scripts.run("images", self._patience, ids=list(shown_ids), most_inline=_PIECE)
        files: dict[str, tuple[CapturedFile, ...]] = {}
        for shown_id, images in answer["images"].items():
            held = [data for image in images if (data := self._bytes(image)) is not None]
            # A row may show one picture twice, blurred behind itself.
            saved = {file.sha256: file for file in map(self._save, held)}
            if saved:
                files[shown_id] = tuple(saved.values())
        return files

    def _bytes(self, image: Mapping[str, str]) -> bytes | None:
        return base64.b64decode(image["data"]) if "data" in image else self._read(image["url"])

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
