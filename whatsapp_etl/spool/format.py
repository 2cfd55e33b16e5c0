"""One captured chat as the bytes of a file: a line that says what it is, then compressed JSON."""

from __future__ import annotations

import gzip
import hashlib
import json

from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.errors import SpoolDamagedError
from whatsapp_etl.plain_json import plain, valued

#: Raised whenever a file of the version before could not be read as one of this.
VERSION = 1

_MARK = b"whatsapp-etl-spool"


def packed(captured: CapturedChat) -> bytes:
    """Return the file's bytes: mark, version and sha256 of the rest in the first line."""
    # Half a surrogate pair, which a page may show, survives as an escape.
    text = json.dumps(plain(captured), ensure_ascii=True, separators=(",", ":"))
    return framed(gzip.compress(text.encode("ascii"), mtime=0), _MARK, VERSION)


def unpacked(data: bytes) -> CapturedChat:
    """Return the chat that `packed` made this of.

    Raises:
        SpoolDamagedError: It is cut short, changed, or of another version; the message says which.
    """
    body = unframed(data, _MARK, VERSION)
    try:
        captured: CapturedChat = valued(CapturedChat, json.loads(gzip.decompress(body)))
    except (ValueError, TypeError, KeyError) as error:
        # Whole, and yet not what this version writes. What the error quotes may be a person's.
        raise SpoolDamagedError(f"Its content is not understood ({type(error).__name__}).") from None
    return captured


def framed(body: bytes, mark: bytes, version: int) -> bytes:
    """Return a file's bytes: mark, version and sha256 of the rest in the first line."""
    return b"%s %d %s\n%s" % (mark, version, _sha256(body), body)


def unframed(data: bytes, mark: bytes, version: int) -> bytes:
    """Return the body that `framed` was given.

    Raises:
        SpoolDamagedError: It is cut short, changed, or of another version; the message says which.
    """
    head, _, body = data.partition(b"\n")
    found, *rest = head.split(b" ")
    if found != mark or len(rest) != 2:  # noqa: PLR2004 - version and checksum
        raise SpoolDamagedError("It does not begin as a file of the spool does.")
    if rest[0] != b"%d" % version:
        raise SpoolDamagedError(f"It is of version {rest[0].decode('ascii', 'replace')}, not {version}.")
    if rest[1] != _sha256(body):
        raise SpoolDamagedError("Its checksum is wrong: it is cut short or was changed.")
    return body


def _sha256(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode("ascii")
