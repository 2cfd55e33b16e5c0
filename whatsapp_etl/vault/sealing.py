"""Encryption of what leaves the machine: AES-256-GCM in chunks, each authenticated.

A sealed stream is a header (format, key id, salt) and chunks of 64 KiB. Each stream has a key of its
own, derived from the vault's key and the salt. A chunk's nonce is its number and whether it is the last,
so chunks cannot be left out, repeated, put into another order or cut off at the end; the header is
authenticated with each of them. It is the construction that age and Tink use (STREAM).

`cryptography` rather than `pyrage`: it is kept by the Python Cryptographic Authority with several
releases a year, is audited by its many users, has wheels for every platform, and streams; pyrage has one
keeper and no stream of its own kind, and its file format's recipients are of no use here (2026-11-28).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterator
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from whatsapp_etl.errors import GenerationDamagedError, VaultKeyError

_MAGIC = b"whatsapp-etl vault 1\n"
_SALT_BYTES = 32
_KEY_ID_BYTES = 8
_TAG_BYTES = 16
_HEADER_BYTES = len(_MAGIC) + _KEY_ID_BYTES + _SALT_BYTES

#: Plain bytes in a chunk; only the last one has fewer.
CHUNK_BYTES = 64 * 1024


class VaultKey:
    """The key, and what is derived from it."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.id = _derived(
            secret, b"key id", length=_KEY_ID_BYTES
        ).hex()  #: Tells keys apart, tells nothing else.
        self._mac_key = _derived(secret, b"manifest")
        self._name_key = _derived(secret, b"account")

    def stream_key(self, salt: bytes) -> AESGCM:
        return AESGCM(_derived(self._secret, b"stream", salt=salt))

    def mac(self, data: bytes) -> str:
        """Return the authentication of a text that is stored readable."""
        return hmac.new(self._mac_key, data, sha256).hexdigest()

    def is_mac(self, mac: str, data: bytes) -> bool:
        return hmac.compare_digest(mac.encode(), self.mac(data).encode())

    def account_hash(self, account_id: str) -> str:
        """Return the account as the store may know it: nobody can try numbers without the key."""
        return hmac.new(self._name_key, account_id.encode(), sha256).hexdigest()[:32]


class SealWriter:
    """Takes plain bytes and hands on sealed ones. Nothing can be read back before `close`."""

    def __init__(self, key: VaultKey, sink: Callable[[bytes], None]) -> None:
        self._header = _MAGIC + bytes.fromhex(key.id) + os.urandom(_SALT_BYTES)
        self._cipher = key.stream_key(self._header[-_SALT_BYTES:])
        self._sink = sink
        self._held = bytearray()
        self._number = 0
        sink(self._header)

    def write(self, data: bytes) -> int:
        self._held += data
        while len(self._held) > CHUNK_BYTES:  # a full one may be the last, so it is held back
            self._seal(bytes(self._held[:CHUNK_BYTES]), is_last=False)
            del self._held[:CHUNK_BYTES]
        return len(data)

    def close(self) -> None:
        self._seal(bytes(self._held), is_last=True)
        self._held.clear()

    def _seal(self, plain: bytes, *, is_last: bool) -> None:
        self._sink(self._cipher.encrypt(_nonce(self._number, is_last=is_last), plain, self._header))
        self._number += 1


class SealReader:
    """Reads what `SealWriter` wrote; hands on no byte that was not authenticated."""

    def __init__(self, key: VaultKey, pieces: Iterator[bytes]) -> None:
        """Begin.

        Raises:
            VaultKeyError: It was sealed with another key.
            GenerationDamagedError: It is no sealed stream.
        """
        self._pieces = pieces
        self._sealed = bytearray()
        self._plain = bytearray()
        self._number = 0
        self._has_ended = False
        self._fill(_HEADER_BYTES)
        self._header = bytes(self._sealed[:_HEADER_BYTES])
        del self._sealed[:_HEADER_BYTES]
        if len(self._header) != _HEADER_BYTES or not self._header.startswith(_MAGIC):
            raise GenerationDamagedError("The archive does not begin as one of this program.")
        if self._header[len(_MAGIC) : -_SALT_BYTES].hex() != key.id:
            raise VaultKeyError("The archive was sealed with another key.", KEY_REMEDY)
        self._cipher = key.stream_key(self._header[-_SALT_BYTES:])

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` plain bytes; empty only after the authenticated end.

        Raises:
            GenerationDamagedError: A chunk was changed, or the end is missing.
        """
        while not self._has_ended and (size < 0 or len(self._plain) < size):
            self._open_next()
        taken = bytes(self._plain) if size < 0 else bytes(self._plain[:size])
        del self._plain[: len(taken)]
        return taken

    def _open_next(self) -> None:
        length = CHUNK_BYTES + _TAG_BYTES
        self._fill(length + 1)  # one byte more tells whether another chunk follows
        is_last = len(self._sealed) <= length
        sealed = bytes(self._sealed[:length])
        del self._sealed[:length]
        try:
            self._plain += self._cipher.decrypt(_nonce(self._number, is_last=is_last), sealed, self._header)
        except InvalidTag as error:
            raise GenerationDamagedError("The archive was changed or cut off.") from error
        self._number += 1
        self._has_ended = is_last

    def _fill(self, wanted: int) -> None:
        while len(self._sealed) < wanted and (piece := next(self._pieces, b"")):
            self._sealed += piece


KEY_REMEDY = "Set SESSION_STORE_KEY (or SESSION_STORE_KEY_FILE) to the key that it was sealed with."


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")


def _derived(secret: bytes, purpose: bytes, *, salt: bytes | None = None, length: int = 32) -> bytes:
    return HKDF(SHA256(), length, salt, b"whatsapp-etl vault " + purpose).derive(secret)
