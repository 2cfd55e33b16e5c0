"""The signature by which a receiver knows that an event comes from here, and when it was sent. Pure.

It follows Standard Webhooks (https://www.standardwebhooks.com), whose libraries check it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from whatsapp_etl.errors import ConfigurationError

_PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """Return the key that EVENTS_SECRET stands for: base64 after "whsec_", else the text itself.

    Raises:
        ConfigurationError: What follows "whsec_" is no base64.
    """
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(
            "EVENTS_SECRET: what follows whsec_ is no base64.", "Any other text will do as well."
        ) from None


def signed_headers(key: bytes, event_id: str, body: bytes, sent_at: datetime) -> Mapping[str, str]:
    """Return the headers of one delivery; without a key those that need none.

    Args:
        key: From `key_of`; empty: nothing is signed.
        event_id: The same in every delivery of the event.
        body: The bytes sent.
        sent_at: When this delivery is sent: a receiver refuses what is too old.
    """
    timestamp = str(int(sent_at.timestamp()))
    headers = {"webhook-id": event_id, "webhook-timestamp": timestamp}
    if key:
        digest = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers
