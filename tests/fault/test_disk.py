"""A disk that is full, or that may only be read: no message is lost, and nothing half-written stays."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fault.recovery import assert_nothing_is_left, assert_recovered, files_in
from tests.fixtures.cycle import assert_in_step, stored_messages, truth_of
from tests.fixtures.postgres import folder_for_postgres
from whatsapp_etl.model import RunStatus, StopReason

#: With two pictures, of one page of memory each.
WORLD = {"chats": 4, "messages": 60}
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
#: What the page's release calls otherwise: a conversation is not understood any more.
RENAMED = [
    {
        "select": '[data-testid="conversation-panel-messages"]',
        "values": {"data-testid": "message-scroll"},
        "remove": ["data-scrolltracepolicy"],
    }
]


@dataclass
class SmallDisk:
    """A file system in memory, mounted where the program keeps something."""

    folder: Path

    @property
    def ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, *, all_but: int) -> None:
        """Leave room for so many small files."""
        with suppress(OSError), self.ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(_PAGE_BYTES))
        os.truncate(self.ballast, self.ballast.stat().st_size - all_but * _PAGE_BYTES)

    def free(self) -> None:
        self.ballast.unlink()

    def set_read_only(self, *, is_read_only: bool) -> None:
        mode = "ro" if is_read_only else "rw"
        subprocess.run(["mount", "-o", f"remount,{mode}", self.folder], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """Mount small disks: `small_disk("attachments")`, in the test's own folder."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    with ExitStack() as stack:

        def mounted(name, options="size=256k", parent=tmp_path):
            folder = parent / name
            folder.mkdir(mode=0o700)
            command = ["mount", "-t", "tmpfs", "-o", f"{options},mode=700", "tmpfs", folder]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"this machine lets nobody mount: {done.stderr.strip()}")
            stack.callback(subprocess.run, ["umount", folder], check=True)
            return SmallDisk(folder)

        yield mounted


def waiting_pictures(it):
    ((count,),) = it.query("SELECT count(*) FROM missing_messages WHERE reason = 'picture_not_loaded'")
    return count


def assert_messages_without_pictures(it, stored=0):
    assert it.sync().status is RunStatus.SUCCESS
    assert_in_step(it)
    assert it.query("SELECT count(*) FROM attachments WHERE state = 'stored'") == [(stored,)]
    assert waiting_pictures(it) > 0


@pytest.mark.parametrize(
    "room", [pytest.param(0, marks=pytest.mark.matrix), 1], ids=["for nothing", "for one picture"]
)
def test_a_full_disk_costs_pictures_no_message_and_they_come_when_there_is_room(account, small_disk, room):
    disk = small_disk("attachments")
    disk.fill(all_but=room)
    it = account(world=WORLD)

    assert_messages_without_pictures(it, stored=room)
    waiting = waiting_pictures(it)
    disk.free()

    assert_nothing_is_left(it)
    assert assert_recovered(it).applied.attachments_saved == waiting
    assert waiting_pictures(it) == 0


@pytest.mark.matrix
def test_a_disk_without_a_free_inode_is_a_full_disk(account, small_disk):
    disk = small_disk("attachments", "nr_inodes=4")
    it = account(world=WORLD)

    assert_messages_without_pictures(it, stored=1)  # the folder, two in it, and one picture

    subprocess.run(["mount", "-o", "remount,nr_inodes=1000", disk.folder], check=True)
    assert_recovered(it)


@pytest.mark.matrix
def test_a_folder_that_became_read_only_costs_no_message(account, small_disk):
    disk = small_disk("attachments")
    it = account(world=WORLD)
    disk.set_read_only(is_read_only=True)

    assert_messages_without_pictures(it)
    assert files_in(disk.folder) == set()

    disk.set_read_only(is_read_only=False)
    assert_recovered(it)


@pytest.mark.matrix
@pytest.mark.usefixtures("impatience")
def test_a_full_disk_for_snapshots_hides_no_drift_and_keeps_no_half_of_one(account, small_disk):
    disk = small_disk("snapshots")
    disk.fill(all_but=1)
    it = account(world={"chats": 1, "messages": 60})
    it.simulator.set_config(mutations=RENAMED)

    report = it.sync()

    assert report.stop_reasons[StopReason.DRIFT] == 1
    assert report.status is RunStatus.PARTIAL, report.error
    assert files_in(disk.folder) == {"ballast"}
    it.simulator.set_config(mutations=[])
    it.source.close()
    assert_recovered(it)


@pytest.fixture
def small_disk_of_postgres(small_disk, database):
    """Yield a small disk on which the table of messages lies."""
    with folder_for_postgres() as folder:
        with database.connect() as connection:
            data = Path(connection.execute("SHOW data_directory").fetchone()[0])
            if not data.is_dir():
                pytest.skip("the server runs on another machine")
        disk = small_disk("table", "size=2m", folder)
        os.chown(disk.folder, data.stat().st_uid, data.stat().st_gid)
        with database.connect() as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{disk.folder}'")
            connection.execute("ALTER TABLE messages SET TABLESPACE small")
        try:
            yield disk
        finally:
            with database.connect() as connection:
                connection.execute("ALTER TABLE messages SET TABLESPACE pg_default")
                connection.execute("DROP TABLESPACE small")


def test_a_full_disk_of_postgres_is_one_cause_and_the_chats_are_kept(account, small_disk_of_postgres):
    small_disk_of_postgres.fill(all_but=0)
    it = account(world=WORLD)

    report = it.sync()

    assert report.status is RunStatus.FAILED
    assert report.error.startswith("DatabaseUnwritableError: Postgres takes no writes: its disk is full")
    assert report.spool.batches == report.chats_opened > 0
    small_disk_of_postgres.free()
    after = assert_recovered(it)
    assert (after.chats_opened, after.unspooled) == (0, report.spool.batches)


@pytest.mark.matrix
@pytest.mark.timeout(400)
def test_a_full_disk_under_the_profile_is_one_cause_and_costs_nothing(program, database, small_disk):
    disk = small_disk("profile", "size=200m")
    it, simulator = program(world=WORLD)
    assert it.sync()["status"] == "success"
    chat = max(row["thread_external_id"] for row in truth_of(simulator).values())
    simulator.add_message(chat, "The lamp is on the porch")
    disk.fill(all_but=0)

    done = it.run("sync", "--json")

    report = json.loads(done.stdout)
    assert (done.returncode, report["status"], report["chats_opened"]) == (7, "failed", 0)
    assert report["error"].startswith("ProfileUnwritableError: ")
    assert "(ENOSPC)" in report["error"]
    assert it.browsers() == []
    disk.free()
    assert it.sync()["status"] == "success"
    assert stored_messages(database) == truth_of(simulator)
