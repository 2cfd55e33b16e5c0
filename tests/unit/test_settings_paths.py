"""Folders and files of the settings: "~" is the person's home, whoever uses them."""

from pathlib import Path

import pytest

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.settings import read_settings


@pytest.fixture(autouse=True)
def at_home(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # no `.env` of the developer's
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    "variable",
    [
        "ATTACHMENTS_DIR", "SPOOL_DIR", "PG_DATA_DIR", "WHATSAPP_PROFILE_DIR", "BROWSER_EXECUTABLE",
        "SESSION_STORE_KEY_FILE",
    ],
)  # fmt: skip
def test_a_path_may_begin_with_the_home_sign(monkeypatch, tmp_path, variable):
    monkeypatch.setenv(variable, "~/here")

    assert getattr(read_settings(), variable.lower()) == tmp_path / "home/here"


def test_a_path_is_taken_as_it_is_otherwise(monkeypatch):
    monkeypatch.setenv("ATTACHMENTS_DIR", "pictures/~")

    assert read_settings().attachments_dir == Path("pictures/~")


def test_the_home_of_nobody_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("ATTACHMENTS_DIR", "~nobody-of-that-name/here")

    with pytest.raises(ConfigurationError, match="ATTACHMENTS_DIR"):
        read_settings()
