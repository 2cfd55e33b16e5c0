"""What must hold after every fault: one clean cycle later nothing of it can be seen.

What the fault left on the machine is asked after each test of this folder; see `footprint`.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from tests.fixtures.cycle import Account, assert_in_step, stored_messages, truth_of
from tests.fixtures.program import Program
from whatsapp_etl.load.database import Database
from whatsapp_etl.model import RunReport, RunStatus
from whatsapp_etl.simulator.serve import RunningSimulator

#: What is told of a fault: the class of one error, and what it says.
_ONE_CAUSE = re.compile(r"[A-Z]\w*Error: (?:(?!Error\b).)*", re.DOTALL)
_LONG_AGO = 7200
_OPEN_RUNS = "SELECT id FROM sync_runs WHERE status = 'running'"
_DOUBLED_KEYS = "SELECT platform, external_id FROM messages GROUP BY 1, 2 HAVING count(*) > 1"
_DOUBLED_MESSAGES = (
    "SELECT thread_external_id, is_outgoing, stanza_id, sender_id FROM messages"
    " WHERE stanza_id IS NOT NULL GROUP BY 1, 2, 3, 4 HAVING count(*) > 1"
)
#: Of a run that was killed the next one says so.
_ERRORS = "SELECT error FROM sync_runs WHERE status <> 'interrupted'"
_IMAGES = "SELECT file_path FROM attachments WHERE state = 'stored'"


def assert_recovered(it: Account) -> RunReport:
    """Run one clean cycle and assert that database and disk are what they would be without the fault."""
    # A gap's next try is minutes away, and the clock of these tests stands still.
    it.query("UPDATE missing_messages SET next_try_at = '2000-01-01' RETURNING 1")
    report = it.sync()
    assert report.status is RunStatus.SUCCESS, report.error
    assert_in_step(it)
    assert_nothing_is_left(it)
    for each in it.reports:
        assert_names_one_cause(each.error)
    return report


def assert_program_recovered(it: Program, simulator: RunningSimulator, database: Database) -> None:
    """Do the same with a program of its own that was killed."""
    for folder in ("attachments", "spool"):
        for path in (it.folder / folder).glob(".part-*"):
            # What is younger than an hour may be another program's.
            os.utime(path, (time.time() - _LONG_AGO,) * 2)

    assert it.sync()["status"] == "success"

    assert it.browsers() == []
    stored, truth = stored_messages(database), truth_of(simulator)
    assert {key: row for key, row in stored.items() if row != truth.get(key)} == {}
    assert truth.keys() - stored.keys() == set()
    with database.connect() as connection:
        for sql in (_DOUBLED_KEYS, _DOUBLED_MESSAGES, _OPEN_RUNS):
            assert connection.execute(sql).fetchall() == []
        images = connection.execute(_IMAGES).fetchall()
        errors = connection.execute(_ERRORS).fetchall()
    assert images
    assert files_in(it.folder / "attachments") == {path for (path,) in images}
    assert waiting_in(it.folder / "spool") == set()
    assert simulator.ledger()["receipts"] == 0
    for (error,) in errors:
        assert_names_one_cause(error)


def assert_names_one_cause(error: str | None) -> None:
    """Assert that a cycle's error, where there is one, is one error and no chain of them."""
    assert error is None or _ONE_CAUSE.fullmatch(error), error


def assert_told_as_unreachable(report: RunReport) -> None:
    """Assert that the cycle names the one cause."""
    assert report.status is RunStatus.FAILED
    assert report.error is not None
    assert report.error.startswith("DatabaseUnreachableError: "), report.error
    assert_names_one_cause(report.error)


def assert_nothing_is_left(it: Account) -> None:
    """Assert that no run is open, no row is there twice, and the disk holds exactly what the rows name."""
    for sql in (_DOUBLED_KEYS, _DOUBLED_MESSAGES, _OPEN_RUNS):
        assert it.query(sql) == []
    named = {path for (path,) in it.query(_IMAGES)}
    assert files_in(it.settings.attachments_dir) == named
    assert waiting_in(it.settings.spool_dir) == set()
    assert it.simulator.ledger()["receipts"] == 0


def files_in(folder: Path) -> set[str]:
    """Return every file below a folder, temporary ones too."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def waiting_in(spool: Path) -> set[str]:
    """Return what waits for Postgres, and whatever else lies there but what is settled."""
    return files_in(spool) - {"settled.memory"}
