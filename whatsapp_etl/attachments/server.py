"""Fetches files from WhatsApp's server and opens them here; off unless it is switched on."""

from __future__ import annotations

import hashlib
import re
import time
from datetime import timedelta
from typing import Self

import httpx

from whatsapp_etl.attachments.cipher import OVERHEAD_BYTES, opened
from whatsapp_etl.downloads import DownloadReason, MediaFacts, MediaKind

#: A path on the server itself: what a stranger's client wrote must not lead anywhere else.
_PATH = re.compile(r"/[A-Za-z0-9._~%!$&'()*+,;=:@/?-]{1,2000}")
_GONE = frozenset({404, 410})
_OK = 200


class MediaServer:
    """The server behind one address.

    Args:
        url: Its address; nothing else is ever asked, redirects are not followed.
        within: How long one file may take; a server that sends a byte now and then holds nothing up.
    """

    def __init__(self, url: str, within: timedelta = timedelta(minutes=2)) -> None:
        self._url = url.rstrip("/")
        self._within = within
        self._client = httpx.Client(
            timeout=httpx.Timeout(20, connect=10),
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def fetch(self, facts: MediaFacts, kind: MediaKind, most_bytes: int) -> bytes | DownloadReason:
        """Return a file's plain bytes, proven to be those that were sent, or why there are none."""
        if not _PATH.fullmatch(facts.direct_path) or facts.direct_path.startswith("//"):
            return DownloadReason.NO_KEY
        sealed = self._sealed(facts.direct_path, most_bytes + OVERHEAD_BYTES)
        if isinstance(sealed, DownloadReason):
            return sealed
        if facts.encrypted_sha256 and hashlib.sha256(sealed).hexdigest() != facts.encrypted_sha256:
            return DownloadReason.DAMAGED
        data = opened(sealed, facts.media_key, kind)
        if data is None or (facts.file_sha256 and hashlib.sha256(data).hexdigest() != facts.file_sha256):
            return DownloadReason.DAMAGED
        if not data:
            return DownloadReason.DAMAGED  # nobody sends nothing
        return data if len(data) <= most_bytes else DownloadReason.FILE_SIZE

    def _sealed(self, path: str, most_bytes: int) -> bytes | DownloadReason:
        """Return what the server holds, as long as it is no more than wanted and comes in time."""
        end = time.monotonic() + self._within.total_seconds()
        held = bytearray()
        try:
            with self._client.stream("GET", self._url + path) as answer:
                if answer.status_code in _GONE:
                    return DownloadReason.GONE
                if answer.status_code != _OK:
                    return DownloadReason.UNREACHABLE
                # Raw: a packed answer would be unpacked without a limit.
                for piece in answer.iter_raw():
                    held += piece
                    if len(held) > most_bytes:
                        return DownloadReason.FILE_SIZE
                    if time.monotonic() > end:
                        return DownloadReason.UNREACHABLE
        except (httpx.HTTPError, httpx.InvalidURL):
            return DownloadReason.UNREACHABLE
        return bytes(held)
