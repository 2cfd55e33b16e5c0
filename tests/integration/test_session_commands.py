"""`whatsapp-etl session`, as a person runs it, and what the doctor says of the store."""

import base64
import io
import json
import os
import shutil
import sys

import pytest

from tests.fixtures.program import answered_at_terminal
from tests.fixtures.vault import KEY, fill, word_in
from whatsapp_etl import session_commands
from whatsapp_etl.doctor.findings import Outcome
from whatsapp_etl.doctor.session import store
from whatsapp_etl.errors import ConfigurationError, NoGenerationError
from whatsapp_etl.settings import read_settings


@pytest.fixture(autouse=True)
def kept(machine, tmp_path, monkeypatch):
    """A machine whose session is kept twice, and settings that lead another profile to the same store."""
    it = machine("a", filled="first")
    it.keeper.backup()
    fill(it.folder, word="second")
    it.keeper.backup()
    it.keeper.close()
    monkeypatch.chdir(tmp_path)  # no `.env` of the developer's
    monkeypatch.setenv("WHATSAPP_PROFILE_DIR", str(tmp_path / "b"))
    monkeypatch.setenv("WHATSAPP_TIMEZONE", "UTC")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    monkeypatch.setenv("SESSION_STORE_URL", it.url)
    monkeypatch.setenv("SESSION_STORE_KEY", base64.b64encode(bytes(range(32))).decode())
    return it


def test_the_list_names_generations_newest_first_and_what_is_wrong_with_them(kept, tmp_path, capsys):
    shutil.rmtree(tmp_path / "store/generations/000000000001")
    (tmp_path / "store/generations/000000000001").mkdir()
    (tmp_path / "store/generations/000000000001/part-0000").write_bytes(b"x")

    session_commands.list_generations(as_json=True)

    newest, oldest = map(json.loads, capsys.readouterr().out.splitlines())
    assert (newest["kept"]["number"], newest["is_current"], newest["problem"]) == (2, True, None)
    assert newest["manifest"]["account_hash"] == KEY.account_hash("alma")
    assert oldest["manifest"] is None
    assert "cut off" in oldest["problem"]
    session_commands.list_generations(as_json=False)
    shown = capsys.readouterr().out
    assert "current" in shown
    assert "2026-03-15" in shown


def test_the_newest_generation_or_a_named_one_is_restored(tmp_path, capsys):
    session_commands.restore(None)
    assert word_in(tmp_path / "b") == "second"

    session_commands.restore(1)

    assert word_in(tmp_path / "b") == "first"
    assert "Restored generation 1: of 2026-03-15 12:00 UTC" in capsys.readouterr().out


def test_clearing_asks_first(kept):
    refused = answered_at_terminal("n", "session", "clear")
    assert refused.returncode == 1, refused.stderr
    assert "Remove all 2 generations" in refused.stdout
    assert len(kept.keeper.listed()) == 2

    agreed = answered_at_terminal("y", "session", "clear")

    assert agreed.returncode == 0, agreed.stderr
    assert kept.keeper.listed() == ()


def test_without_a_terminal_nothing_is_cleared(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(ConfigurationError, match="no terminal"):
        session_commands.clear(is_agreed=False)


def test_an_empty_store_and_none_are_told(monkeypatch, capsys, kept):
    kept.keeper.clear()
    kept.keeper.close()
    session_commands.list_generations(as_json=False)
    assert "empty" in capsys.readouterr().out
    with pytest.raises(NoGenerationError, match="empty"):
        session_commands.verify(None)

    monkeypatch.setenv("SESSION_STORE_URL", "")
    with pytest.raises(ConfigurationError, match="SESSION_STORE_URL"):
        session_commands.backup()


def test_the_doctor_says_what_counts_and_who_uses_the_session(kept, tmp_path, monkeypatch):
    (found,) = store(read_settings())
    assert (found.outcome, found.told) == (
        Outcome.OK,
        f"generation 2, of 2026-03-15 12:00 UTC on {os.uname().nodename}; used by nobody",
    )

    kept.begin()
    kept.keeper.before_start()
    assert "used by process 1 on a" in next(store(read_settings())).told

    (tmp_path / "store/generations/000000000002/manifest").unlink()
    (found,) = store(read_settings())
    assert (found.outcome, found.exit_code) == (Outcome.WRONG, 9)

    kept.keeper.clear()
    assert "nothing is kept yet" in next(store(read_settings())).told
    monkeypatch.setenv("SESSION_STORE_URL", "")
    assert next(store(read_settings())).outcome is Outcome.OK
