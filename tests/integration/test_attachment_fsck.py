"""`whatsapp-etl attachments fsck`, `prune` and `mirror`, on a real disk, database and object store."""

import json
import os
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from tests.fixtures.captured import make_captured
from tests.fixtures.load import ACCOUNT, NOW, make_image, make_message, make_plan, rows
from whatsapp_etl.attachments.files import save
from whatsapp_etl.cli import app
from whatsapp_etl.downloads import NO_PICTURE, Download, DownloadState
from whatsapp_etl.errors import AttachmentStoreError, ConfigurationError, WriterBusyError
from whatsapp_etl.load.store import Store
from whatsapp_etl.spool.folder import Spool


@pytest.fixture
def root(tmp_path):
    return tmp_path / "attachments"


@pytest.fixture
def run(database, root, tmp_path, monkeypatch):
    """Run a command of `attachments`; return exit code and lines. The store must not be writing."""
    monkeypatch.chdir(tmp_path)  # no `.env` of the developer's
    monkeypatch.setenv("PG_URL", database.url)
    monkeypatch.setenv("ATTACHMENTS_DIR", str(root))
    monkeypatch.setenv("SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("WHATSAPP_ETL_NOW", NOW.isoformat())

    def run_(*arguments):
        done = CliRunner().invoke(app, ["attachments", *arguments], catch_exceptions=False)
        return done.exit_code, done.stdout.splitlines()

    return run_


@pytest.fixture
def pictures(store, root):
    """Store five pictures; the first two are the same file."""
    store.pin_account(ACCOUNT, NOW)
    messages = []
    for number, content in enumerate((1, 1, 2, 3, 4), start=1):
        file = save(b"\xff\xd8\xff picture " + str(content).encode(), root)
        message = make_image(number)
        attachment = replace(
            message.attachments[0],
            file_path=file.relative_path,
            checksum=file.sha256,
            size_bytes=file.size_bytes,
        )
        messages.append(replace(message, attachments=(attachment,)))
    entries = tuple(Download(each.external_id, DownloadState.STORED, way="page") for each in messages)
    store.apply(make_plan(*messages, downloads=entries), run_id=1)
    store.close()
    return messages


def path_of(root, message):
    return root / message.attachments[0].file_path


def files(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def make_old(*paths):
    for path in paths:
        os.utime(path, (0, 0))


def found(lines):
    return sorted((each["fault"], each["remedy"]) for each in map(json.loads, lines))


def test_nothing_wrong_is_told_and_nothing_touched(run, pictures, root):
    before = files(root)

    assert run("fsck") == (0, ["Nothing is wrong."])
    assert run("fsck", "--repair") == (0, ["Nothing is wrong."])
    assert files(root) == before


def test_every_kind_of_damage_is_told_and_put_right(run, pictures, root, database):
    intact = files(root)
    twice, _, changed, gone, moved = pictures
    path_of(root, twice).write_bytes(b"\xff\xd8\xff")  # cut
    path_of(root, changed).write_bytes(path_of(root, changed).read_bytes()[:-1] + b"?")
    path_of(root, gone).unlink()
    astray = root / "00" / "astray.jpg"
    astray.parent.mkdir()
    path_of(root, moved).rename(astray)
    left = root / save(b"no row's", root).relative_path
    foreign = root / "notes.txt"
    foreign.write_text("a person's")
    make_old(astray, left, foreign)

    told = run("fsck", "--json")
    assert told[0] == 1
    assert found(told[1]) == [
        ("checksum", "none"),
        ("foreign", "none"),
        ("misnamed", "none"),
        ("missing", "none"),
        ("missing", "none"),
        ("orphan", "none"),
        ("size", "none"),
    ]
    repaired = run("fsck", "--json", "--repair")

    assert found(repaired[1]) == [
        ("checksum", "queued"),
        ("foreign", "none"),
        ("misnamed", "renamed"),
        ("missing", "queued"),
        ("missing", "renamed"),
        ("orphan", "removed"),
        ("size", "queued"),
    ]
    right = moved.attachments[0].file_path
    assert files(root) == {right: intact[right], "notes.txt": b"a person's"}
    lacking = [each.external_id for each in pictures[:4]]
    assert rows(
        database,
        "SELECT external_id FROM messages WHERE source_revision LIKE %s ORDER BY 1",
        f"%{NO_PICTURE}",
    ) == [(key,) for key in sorted(lacking)]
    assert rows(database, "SELECT state, count(*) FROM attachment_downloads GROUP BY 1 ORDER BY 1") == [
        ("queued", 4),
        ("stored", 1),
    ]
    assert [json.loads(line)["fault"] for line in run("fsck", "--json")[1]] == ["foreign"]


def test_a_file_under_a_wrong_name_of_its_row_gets_the_right_one(run, pictures, root, database):
    right = pictures[0].attachments[0].file_path
    wrong = right.replace(".jpg", ".bin")
    (root / right).rename(root / wrong)
    rows(database, "UPDATE attachments SET file_path = %s WHERE file_path = %s RETURNING 1", wrong, right)
    before = rows(database, "SELECT max(change_seq) FROM messages")

    assert run("fsck", "--repair") == (0, [f"misnamed    {wrong}: renamed", "1 is wrong, 0 left."])

    assert right in files(root)
    assert wrong not in files(root)
    assert rows(database, "SELECT count(*) FROM attachments WHERE file_path = %s", right) == [(2,)]
    assert rows(database, "SELECT max(change_seq) FROM messages") == [(before[0][0] + 2,)]


def test_what_was_copied_is_restored_from_the_second_store(run, pictures, root, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTACHMENTS_STORE_URL", (tmp_path / "copies").as_uri())
    intact = files(root)
    assert run("mirror") == (0, ["4 files are copied."])
    assert run("mirror") == (0, ["0 files are copied."])
    assert files(tmp_path / "copies") == intact

    shutil.rmtree(root)
    assert run("fsck", "--json")[0] == 1
    damaged = next((tmp_path / "copies").rglob("*.jpg"))
    damaged.write_bytes(b"damaged too")
    name = damaged.relative_to(tmp_path / "copies").as_posix()
    exit_code, lines = run("fsck", "--repair", "--json")

    assert exit_code == 0
    assert found(lines) == [("missing", "queued"), *[("missing", "restored")] * 3]
    assert files(root) == {path: data for path, data in intact.items() if path != name}


def test_a_store_that_refuses_is_named(run, pictures, monkeypatch, tmp_path):
    with pytest.raises(ConfigurationError, match="ATTACHMENTS_STORE_URL is empty"):
        run("mirror")
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, no folder")
    monkeypatch.setenv("ATTACHMENTS_STORE_URL", (blocked / "copies").as_uri())
    with pytest.raises(AttachmentStoreError, match="attachments' store"):
        run("mirror")


@pytest.mark.usefixtures("store")
def test_copies_go_to_s3_and_leave_it_with_their_message(run, pictures, s3_url, monkeypatch, root):
    monkeypatch.setenv("ATTACHMENTS_STORE_URL", s3_url)
    kept = pictures[4].attachments[0].file_path
    assert run("mirror") == (0, ["4 files are copied."])

    for each in pictures[:4]:
        done = CliRunner().invoke(
            app, ["forget", "--yes", "--message", each.external_id], catch_exceptions=False
        )
        assert done.exit_code == 0
    assert set(files(root)) == {kept}
    shutil.rmtree(root)

    assert found(run("fsck", "--repair", "--json")[1]) == [("missing", "restored")]
    assert run("mirror", "--again") == (0, ["1 file is copied."])


def test_what_the_disk_changed_is_not_copied_and_stops_no_other(run, pictures, root, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTACHMENTS_STORE_URL", (tmp_path / "copies").as_uri())
    changed, gone = path_of(root, pictures[2]), path_of(root, pictures[3])
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    gone.unlink()

    assert run("mirror")[1][-1] == "2 files are copied."

    assert len(files(tmp_path / "copies")) == 2
    assert files(tmp_path / "copies").items() <= files(root).items()


@pytest.fixture
def copied(s3_url, monkeypatch):
    monkeypatch.setenv("ATTACHMENTS_STORE_URL", s3_url)


@pytest.mark.usefixtures("copied")
def test_a_store_that_answers_with_errors_is_asked_a_few_times_and_again_later(run, pictures, faulty, root):
    assert run("mirror") == (0, ["4 files are copied."])
    faulty.arm("500", lambda method, _path: method in {"DELETE", "POST"})
    chat = pictures[0].thread_external_id
    CliRunner().invoke(app, ["forget", "--yes", "--chat", chat], catch_exceptions=False)

    assert len(files(root)) == 4  # what has a copy is left here, too, until that is gone
    struck = faulty.struck
    assert run("prune") == (8, ["0 files without a message are removed, 4 could not be."])
    assert faulty.struck == 2 * struck  # three files, and each some times

    faulty.arm(None)
    assert run("prune")[0] == 0
    assert files(root) == {}


def test_prune_removes_what_no_message_has_and_nothing_else(run, pictures, root, tmp_path):
    intact = files(root)
    waiting = save(b"its chat waits for Postgres", root)
    Spool(tmp_path / "spool", 10**6).put(make_captured(1, picture=waiting.relative_path))
    left = save(b"no row's", root)
    young = save(b"its row comes", root)
    (root / ".part-left").touch()
    (root / "notes.txt").write_text("a person's")
    make_old(*(path for path in root.rglob("*") if path.is_file()))
    os.utime(root / young.relative_path)

    assert run("prune") == (
        0,
        ["notes.txt is no file of this program and stays.", "2 files without a message are removed."],
    )
    assert files(root).keys() == {*intact, waiting.relative_path, young.relative_path, "notes.txt"}
    assert left.relative_path not in files(root)


@pytest.mark.usefixtures("pictures")
def test_nothing_is_removed_while_a_cycle_may_take_it_up(run, root, store, monkeypatch):
    left = root / save(b"no row's", root).relative_path
    make_old(left)
    store.begin_run(NOW)  # takes the lock
    monkeypatch.setitem(Store.__init__.__kwdefaults__, "patience", timedelta(milliseconds=50))

    for command in (("prune",), ("fsck", "--repair")):
        with pytest.raises(WriterBusyError):
            run(*command)
    assert left.exists()


def test_a_message_without_a_file_is_no_concern(run, store, root):
    store.pin_account(ACCOUNT, NOW)
    store.apply(make_plan(make_message(1)), run_id=1)
    store.close()

    assert run("fsck") == (0, ["Nothing is wrong."])
    assert run("prune") == (0, ["0 files without a message are removed."])
