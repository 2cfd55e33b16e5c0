"""The key of the session store as a person writes it: 32 random bytes, in base64 or hexadecimal."""

from __future__ import annotations

import base64
import binascii

KEY_BYTES = 32

HOW_TO_MAKE = "make one with `openssl rand -base64 32`"


def parse_key(text: str) -> bytes:
    """Return the key's bytes.

    Raises:
        ValueError: The text is neither 32 bytes in base64 nor in hexadecimal. It is not repeated in
            the message.
    """
    compact = "".join(text.split())
    try:
        if len(compact) == 2 * KEY_BYTES:
            key = bytes.fromhex(compact)
        else:
            padded = compact.rstrip("=") + "=" * (-len(compact.rstrip("=")) % 4)
            key = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        msg = f"is not {KEY_BYTES} bytes in base64 or hexadecimal; {HOW_TO_MAKE}"
        raise ValueError(msg)
    return key
