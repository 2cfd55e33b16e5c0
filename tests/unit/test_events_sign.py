"""The signature, checked by the published example and by another way to compute it."""

import base64
import hashlib
import json
from datetime import UTC, datetime

import pytest

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.events.sign import key_of, signed_headers

SENT_AT = datetime.fromtimestamp(1614265330, UTC)


def hmac_by_hand(key: bytes, text: bytes) -> str:
    """RFC 2104, without the library that the program uses."""
    block = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + text).digest()
    return base64.b64encode(hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).digest()).decode()


def test_the_published_example_of_standard_webhooks_comes_out():
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    headers = signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', SENT_AT)

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("secret", ["a plain secret", "ä" * 80])
def test_any_text_is_a_secret(secret):
    body = json.dumps({"a": 1}).encode()

    headers = signed_headers(key_of(secret), "id", body, SENT_AT)

    assert headers["webhook-signature"] == "v1," + hmac_by_hand(secret.encode(), b"id.1614265330." + body)


def test_another_time_is_another_signature():
    later = datetime.fromtimestamp(1614265331, UTC)

    assert signed_headers(b"k", "id", b"", SENT_AT) != signed_headers(b"k", "id", b"", later)


def test_without_a_secret_nothing_is_signed():
    assert set(signed_headers(key_of(""), "id", b"", SENT_AT)) == {"webhook-id", "webhook-timestamp"}


def test_a_secret_that_is_no_base64_is_refused_without_being_quoted():
    with pytest.raises(ConfigurationError, match="EVENTS_SECRET") as refused:
        key_of("whsec_hidden!")
    assert "hidden" not in str(refused.value)
