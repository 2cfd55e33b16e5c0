"""`whatsapp-etl forget`, as a person runs it: it shows, asks, and only then removes."""

from dataclasses import replace

import pytest

from tests.fixtures.captured import key, make_captured, stanza
from tests.fixtures.load import ACCOUNT, ANA, NOW, OWN, make_image, make_message, make_plan, rows
from tests.fixtures.program import answered_at_terminal
from whatsapp_etl.errors import EXIT_PARTIAL, ConfigurationError
from whatsapp_etl.forget_command import forget
from whatsapp_etl.spool.folder import Spool


@pytest.fixture(autouse=True)
def chat_of_ana(database, store, tmp_path, monkeypatch):
    """A database that holds Ana's chat, and the settings that lead to it."""
    store.pin_account(ACCOUNT, NOW)
    store.apply(make_plan(make_message(1), make_image(2)), 1)
    store.close()
    monkeypatch.chdir(tmp_path)  # no `.env` of the developer's
    monkeypatch.setenv("PG_URL", database.url)
    monkeypatch.setenv("ATTACHMENTS_DIR", str(tmp_path / "files"))
    monkeypatch.setenv("SPOOL_DIR", str(tmp_path / "spool"))


def wish(**named):
    return {"message": None, "chat": None, "contact": None, **named}


def test_it_shows_what_goes_and_asks_first(database):
    refused = answered_at_terminal("n", "forget", "--chat", ANA)

    assert refused.returncode == 1, refused.stderr
    assert "messages" in refused.stdout
    assert "Remove this for good? [y/N]" in refused.stdout
    assert rows(database, "SELECT count(*) FROM messages") == [(2,)]

    agreed = answered_at_terminal("y", "forget", "--chat", ANA)

    assert (agreed.returncode, agreed.stderr) == (0, "")
    assert rows(database, "SELECT count(*) FROM messages") == [(0,)]


def test_the_picture_goes_with_its_message_and_the_same_wish_again_is_no_error(database, tmp_path, capsys):
    picture = tmp_path / "files" / make_image(2).attachments[0].file_path
    picture.mkdir(parents=True)  # in the way: a folder cannot be removed as a file

    assert forget(**wish(message=make_image(2).external_id), is_agreed=True) == EXIT_PARTIAL
    assert "cannot be removed" in capsys.readouterr().err
    assert rows(database, "SELECT external_id FROM messages") == [(make_message(1).external_id,)]

    picture.rmdir()
    picture.write_bytes(b"picture")
    assert forget(**wish(message=make_image(2).external_id), is_agreed=True) == 0
    assert capsys.readouterr().out.count("\n") == 1
    assert not picture.exists()


def test_what_only_waits_in_the_spool_is_forgotten_too(store, tmp_path, capsys):
    spool = Spool(tmp_path / "spool", 1_000_000)
    picture = tmp_path / "files" / "ab" / "cd" / "abcd.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"picture")
    ben, ben_row = "491555000002@c.us", stanza(7)
    captured = make_captured(7, 8, picture="ab/cd/abcd.jpg")
    spool.put(replace(captured, chat=replace(captured.chat, id=ben)))
    kept = spool.put(captured)
    damaged = tmp_path / "spool" / spool.put(captured)
    damaged.write_bytes(damaged.read_bytes()[:100])

    assert forget(**wish(message=key(7)), is_agreed=True) == 0

    assert "messages that wait in the spool" in capsys.readouterr().out
    assert ben_row not in str(spool.read(kept))
    assert spool.read(kept).parsed[0].stanza_id == stanza(8)
    assert not damaged.exists()  # nobody can tell what it holds
    assert not picture.exists()
    assert forget(**wish(chat=ben), is_agreed=True) == 0
    assert spool.names() == (kept,)
    assert store.forgotten().has_key(key(7))
    assert store.forgotten().has_chat(ben)
    assert forget(**wish(chat=ben), is_agreed=True) == 0
    assert "forgotten before" in capsys.readouterr().out


def test_what_a_killed_program_was_writing_goes_unread_since_nobody_can_tell_what_it_holds(tmp_path):
    unfinished = [tmp_path / folder / ".part-ab12" for folder in ("spool", "files")]
    for file in unfinished:
        file.parent.mkdir()
        file.write_bytes(b"half of a chat")

    assert forget(**wish(chat=ANA), is_agreed=True) == 0

    assert not any(file.exists() for file in unfinished)


def test_a_spool_that_cannot_be_cleaned_says_so_and_the_command_can_be_run_again(tmp_path, capsys):
    spool = Spool(tmp_path / "spool", 1_000_000)
    name = spool.put(make_captured(7))
    stuck = tmp_path / "spool" / spool.put(make_captured(8))
    stuck.unlink()
    stuck.mkdir()  # what no program can remove as a file
    stuck.joinpath("x").touch()

    with pytest.raises(ConfigurationError, match=r"SPOOL_DIR.*again"):
        forget(**wish(chat=ANA), is_agreed=True)

    assert name not in spool.names()
    stuck.joinpath("x").unlink()
    stuck.rmdir()
    assert forget(**wish(chat=ANA), is_agreed=True) == 0
    assert "forgotten before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("named", "is_agreed", "told"),
    [
        ({"contact": ANA}, False, "--yes"),
        ({"chat": "49123@c.us"}, True, "Nothing is stored"),
        ({"message": "no key at all"}, True, "Nothing is stored"),
        ({"contact": OWN}, True, "the account itself"),
        ({"chat": ANA, "contact": ANA}, True, "Exactly one"),
        ({}, True, "Exactly one"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(database, named, is_agreed, told):
    with pytest.raises(ConfigurationError, match=told) as refused:
        forget(**wish(**named), is_agreed=is_agreed)

    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)
    assert rows(database, "SELECT count(*) FROM messages") == [(2,)]
