"""The program is killed at every step of a picture's way, in one account with pictures of every sort.

Afterwards every picture is held once, byte for byte, copied, and read; what was held is not fetched again.
"""

import hashlib
import os
import signal
from collections import Counter

import pytest

from tests.fault.recovery import assert_program_recovered, files_in
from tests.fixtures.pictures import ENGINES, ROOT
from tests.fixtures.sent_pictures import MOST, send_pictures
from whatsapp_etl.downloads import DownloadWay
from whatsapp_etl.steps import ReadingStep, Step

SAVING = (Step.PICTURE_WRITTEN, Step.PICTURE_SAVED, Step.CHAT_READ)
STORING = (Step.MESSAGES_WRITTEN, Step.CHAT_WRITTEN, Step.CHAT_STORED)
FETCHING = (Step.DOWNLOAD_BEGUN, Step.DOWNLOAD_STORED)
COPYING = (Step.FILE_COPIED, Step.FILES_COPIED, Step.RUN_STORED)
STORED = (
    "SELECT m.external_id, a.checksum, a.file_path FROM attachments a JOIN messages m ON m.id = a.message_id"
    " WHERE a.state = 'stored'"
)

UNSEEN = (
    "UPDATE missing_messages SET next_try_at = '2000-01-01' WHERE reason <> 'picture_not_loaded' RETURNING 1"
)


class World:
    """One account, its program, and what was sent to it."""

    def __init__(self, program, database, folder):
        self.copies = folder / "copies"
        self.it, self.simulator = program(
            world={"chats": 4, "messages": 12},
            ATTACHMENTS_WAYS=",".join(DownloadWay),
            ATTACHMENTS_MAX_FILE_BYTES=f"image={MOST}",
            ATTACHMENTS_STORE_URL=self.copies.as_uri(),
            IMAGE_PROCESSING_ENABLED="true",
            EXTRACTION_ENGINE=f"qr:1,{folder / 'read'}",
            PYTHONPATH=os.pathsep.join(map(str, (ROOT, ENGINES))),
        )
        self.read_log = folder / "read"
        self.database = database
        self.held = {}
        self._seed = 0

    def query(self, sql, *values):
        with self.database.connect() as connection:
            return connection.execute(sql, values).fetchall()

    def send(self, count):
        self._seed += 1
        self.held |= send_pictures(self.simulator, count, self._seed).held

    def stored(self):
        return {key: checksum for key, checksum, _ in self.query(STORED)}

    def fetched_by(self, run):
        """Run, and assert that nothing was fetched of which every message was stored before.

        What the page loads to show it again is the page's own.
        """
        before, reads = self.stored(), self.fetched()
        done = run()
        senders = {}
        for key, data in self.held.items():
            senders.setdefault(hashlib.sha256(data).hexdigest(), set()).add(key)
        needless = {each for each in self.fetched() - reads if senders.get(each, {None}) <= before.keys()}
        assert needless == set()
        return done

    def fetched(self):
        """Return how often each file was asked of the server, by its checksum."""
        return Counter(self.simulator.ledger()["sealed_files"])

    def kill_at(self, step, times=1):
        done = self.fetched_by(lambda: self.it.run(step, f"{times}", module="tests.fault.stepping"))
        assert done.returncode == -signal.SIGKILL, f"{step} was never announced. {done.stderr}"

    def assert_all_held(self):
        """Assert that files, rows, copies and the truth are the same."""
        rows = self.query(STORED)
        assert {key: checksum for key, checksum, _ in rows if key in self.held} == {
            key: hashlib.sha256(data).hexdigest() for key, data in self.held.items()
        }
        root = self.it.folder / "attachments"
        for key, checksum, path in rows:
            data = (root / path).read_bytes()
            assert hashlib.sha256(data).hexdigest() == checksum
            assert self.held.get(key, data) == data
            assert (self.copies / path).read_bytes() == data
        assert files_in(root) == files_in(self.copies) == {path for *_, path in rows}
        assert len({path for *_, path in rows}) == len({checksum for _, checksum, _ in rows})
        assert (
            self.query("SELECT attachment_id FROM attachment_downloads GROUP BY 1 HAVING count(*) > 1") == []
        )

    def assert_all_read(self):
        """Assert that each picture was read once, and has its text once for each message."""
        self.query("UPDATE extraction_jobs SET leased_until = now() WHERE state = 'running' RETURNING 1")
        done = self.it.run("extract", "--once")
        assert done.returncode in {0, 8}, done.stderr
        assert (
            self.query("SELECT DISTINCT state FROM extraction_jobs WHERE state NOT IN ('done', 'dead')") == []
        )
        images = "SELECT id FROM attachments WHERE state = 'stored' AND media_type LIKE 'image/%%'"
        assert self.query(f"{images} EXCEPT SELECT attachment_id FROM extraction_jobs") == []
        assert (
            self.query(
                "SELECT j.attachment_id FROM extraction_jobs j LEFT JOIN extractions e USING (attachment_id)"
                " GROUP BY j.attachment_id, j.state HAVING count(e.id) <> (j.state = 'done')::int"
            )
            == []
        )


def rounds(world, steps, count):
    for step in steps:
        world.send(count)
        world.kill_at(step)


def recovered(world):
    # What a cycle did not see of a long chat is a known gap, which the next look closes, some minutes later.
    while world.query(UNSEEN):
        assert world.fetched_by(world.it.sync)["applied"]["inserted"] > 0
    world.fetched_by(lambda: assert_program_recovered(world.it, world.simulator, world.database))
    world.assert_all_held()
    reads = [world.simulator.ledger()[name] for name in ("media_reads", "sealed_reads")]
    assert world.it.sync()["chats_opened"] == 0
    assert [world.simulator.ledger()[name] for name in ("media_reads", "sealed_reads")] == reads


@pytest.mark.matrix
@pytest.mark.timeout(900)
def test_a_program_killed_at_every_step_leaves_neither_orphans_nor_half_files(program, database, tmp_path):
    world = World(program, database, tmp_path)

    rounds(world, (*SAVING, *STORING, *FETCHING, *COPYING), 12)
    recovered(world)
    for step in ReadingStep:
        world.kill_at(step)
        world.query("UPDATE extraction_jobs SET leased_until = now() WHERE state = 'running' RETURNING 1")

    world.assert_all_read()


@pytest.mark.matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize("times", [2, 9])
def test_so_does_one_with_two_hundred_pictures_killed_in_the_middle_of_them(
    program, database, tmp_path, times
):
    world = World(program, database, tmp_path)
    world.send(200)

    for step in (*SAVING, *STORING, *FETCHING, Step.FILE_COPIED):
        world.kill_at(step, times if step in {*SAVING[:2], *FETCHING, Step.FILE_COPIED} else 1)

    recovered(world)
    world.assert_all_read()
