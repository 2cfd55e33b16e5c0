"""Files as the server holds them: sealed with the published scheme."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

_INFO = {
    "image": b"WhatsApp Image Keys",
    "video": b"WhatsApp Video Keys",
    "audio": b"WhatsApp Audio Keys",
}
_BLOCK = 16
_MAC = 10
_EXPANDED = 112


def media_key(sha256: str) -> bytes:
    """Return the key of a file: the same file has the same one, in every run."""
    return hashlib.sha256(b"key" + bytes.fromhex(sha256)).digest()


def info_of(mimetype: str) -> bytes:
    """Return what a kind's keys are told apart by."""
    return _INFO.get(mimetype.partition("/")[0], b"WhatsApp Document Keys")


def seal(data: bytes, key: bytes, info: bytes) -> bytes:
    """Return ciphertext and cut signature."""
    expanded = _expanded(key, info)
    iv, cipher, mac = expanded[:16], expanded[16:48], expanded[48:80]
    missing = _BLOCK - len(data) % _BLOCK
    encryptor = Cipher(AES(cipher), CBC(iv)).encryptor()
    body = encryptor.update(data + bytes([missing]) * missing) + encryptor.finalize()
    return body + hmac.new(mac, iv + body, hashlib.sha256).digest()[:_MAC]


def _expanded(key: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 without salt, written out: the reader's is a library's."""
    secret = hmac.new(bytes(32), key, hashlib.sha256).digest()
    blocks, last = b"", b""
    number = 1
    while len(blocks) < _EXPANDED:
        last = hmac.new(secret, last + info + bytes([number]), hashlib.sha256).digest()
        blocks += last
        number += 1
    return blocks[:_EXPANDED]
