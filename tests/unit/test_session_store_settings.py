"""The settings of the session store: what is wrong is told at the start, and the key never."""

import pytest
from pydantic import SecretStr, ValidationError

from whatsapp_etl.bootstrap import browser_options_of, clock_of
from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.session_keeping import keeper_of
from whatsapp_etl.settings import Settings

KEY = "ab" * 32


def settings(**values):
    return Settings(_env_file=None, **values)


def keeper(given):
    return keeper_of(given, browser_options_of(given, is_headless=True), clock_of(given))


@pytest.mark.parametrize("url", ["s3://bucket/a/b", "gs://bucket", "az://container/x", "file:///mnt/backup"])
def test_the_stores_that_are_known_are_accepted(url):
    assert settings(session_store_url=url, session_store_key=KEY).session_store_url == url


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://host/x", "is none of"),
        ("s3:///prefix", "is none of"),
        ("file://", "is none of"),
        ("bucket/prefix", "is none of"),
        ("s3://name:word@bucket/x", "no credentials"),
        ("az://container/x?sig=word", "no credentials"),
    ],
)
def test_other_addresses_are_refused_without_being_repeated(url, told):
    with pytest.raises(ValidationError, match=told) as raised:
        settings(session_store_url=url, session_store_key=KEY)
    assert "word" not in str(raised.value)


@pytest.mark.parametrize("keys", [{}, {"session_store_key": KEY, "session_store_key_file": "/key"}])
def test_a_store_needs_one_key(keys):
    with pytest.raises(ValidationError, match="needs either SESSION_STORE_KEY or SESSION_STORE_KEY_FILE"):
        settings(session_store_url="s3://bucket", **keys)


def test_a_short_key_is_refused_without_being_repeated():
    with pytest.raises(ValidationError, match="is not 32 bytes") as raised:
        settings(session_store_url="s3://bucket", session_store_key=SecretStr("secretword"))
    assert "secretword" not in str(raised.value)


def test_a_key_from_a_file_is_checked_when_it_is_used(tmp_path):
    file = tmp_path / "key"
    given = settings(
        session_store_url=f"file://{tmp_path}/store",
        session_store_key_file=file,
        whatsapp_profile_dir=tmp_path / "profile",
        whatsapp_timezone="UTC",
    )
    with pytest.raises(ConfigurationError, match=r"SESSION_STORE_KEY_FILE: .* cannot be read"):
        keeper(given)
    file.write_text("secretword")
    with pytest.raises(ConfigurationError, match="is not 32 bytes") as raised:
        keeper(given)
    assert "secretword" not in str(raised.value)
    file.write_text(KEY + "\n")
    assert keeper(given) is not None
    # Nothing is asked of the store, nor made in the profile, before it is needed.
    assert not (tmp_path / "profile").exists()


def test_without_a_store_nobody_keeps_the_session():
    assert keeper(settings(whatsapp_timezone="UTC")) is None
