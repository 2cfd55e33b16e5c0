"""The published scheme by which files lie on WhatsApp's server: HKDF-SHA256, AES-256-CBC, a cut HMAC."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

from whatsapp_etl.downloads import MediaKind

_INFO: Mapping[MediaKind, bytes] = {
    MediaKind.IMAGE: b"WhatsApp Image Keys",
    MediaKind.STICKER: b"WhatsApp Image Keys",
    MediaKind.VIDEO: b"WhatsApp Video Keys",
    MediaKind.AUDIO: b"WhatsApp Audio Keys",
    MediaKind.DOCUMENT: b"WhatsApp Document Keys",
}
_KEY_BYTES = 32
_EXPANDED_BYTES = 112
_MAC_BYTES = 10
_BLOCK_BYTES = 16

#: What encryption adds at most: padding and the cut HMAC.
OVERHEAD_BYTES = _BLOCK_BYTES + _MAC_BYTES


class _Keys(NamedTuple):
    iv: bytes
    cipher: bytes
    mac: bytes


def opened(sealed: bytes, media_key: bytes, kind: MediaKind) -> bytes | None:
    """Return the plain bytes of a file; None when they are not what the key's owner sealed.

    Nothing is decrypted before the signature over all of it was found right.
    """
    body, signature = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
    if len(media_key) != _KEY_BYTES or not body or len(body) % _BLOCK_BYTES:
        return None
    keys = _keys(media_key, kind)
    right = hmac.new(keys.mac, keys.iv + body, hashlib.sha256).digest()[:_MAC_BYTES]
    if not hmac.compare_digest(right, signature):
        return None
    decryptor = Cipher(AES(keys.cipher), CBC(keys.iv)).decryptor()
    padded = decryptor.update(body) + decryptor.finalize()
    unpadder = PKCS7(_BLOCK_BYTES * 8).unpadder()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:  # signed, and yet not padded as it must be
        return None


def _keys(media_key: bytes, kind: MediaKind) -> _Keys:
    expanded = HKDF(SHA256(), _EXPANDED_BYTES, salt=None, info=_INFO[kind]).derive(media_key)
    return _Keys(expanded[:16], expanded[16:48], expanded[48:80])
