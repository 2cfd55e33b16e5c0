"""What must hold after every fault: one clean cycle later nothing of it can be seen."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.fixtures.cycle import Account, assert_in_step
from whatsapp_etl.model import RunReport, RunStatus

_MEMORY_VARIES = 24 * 1024 * 1024


def assert_recovered(it: Account) -> RunReport:
    """Run one clean cycle and assert that database and disk are what they would be without the fault."""
    # A gap's next try is minutes away, and the clock of these tests stands still.
    it.query("UPDATE missing_messages SET next_try_at = '2000-01-01' RETURNING 1")
    report = it.sync()
    assert report.status is RunStatus.SUCCESS, report.error
    assert_in_step(it)
    assert_nothing_is_left(it)
    return report


def assert_told_as_unreachable(report: RunReport) -> None:
    """Assert that the cycle names the one cause."""
    assert report.status is RunStatus.FAILED
    assert report.error is not None
    assert report.error.startswith("DatabaseUnreachableError: "), report.error
    assert report.error.count("Error") == 1


def assert_nothing_is_left(it: Account) -> None:
    """Assert that no run is open, no row is there twice, and the disk holds exactly what the rows name."""
    assert it.query("SELECT count(*) FROM sync_runs WHERE status = 'running'") == [(0,)]
    assert (
        it.query(
            "SELECT platform, external_id FROM messages GROUP BY platform, external_id HAVING count(*) > 1"
        )
        == []
    )
    assert (
        it.query(
            "SELECT thread_external_id, is_outgoing, stanza_id, sender_id FROM messages"
            " WHERE stanza_id IS NOT NULL GROUP BY 1, 2, 3, 4 HAVING count(*) > 1"
        )
        == []
    )
    named = {path for (path,) in it.query("SELECT file_path FROM attachments WHERE state = 'stored'")}
    assert files_in(it.settings.attachments_dir) == named
    assert files_in(it.settings.spool_dir) == set()
    assert it.simulator.ledger()["receipts"] == 0


@dataclass(frozen=True)
class Footprint:
    """What this process holds of the machine."""

    open_files: int  #: Sockets and pipes too.
    children: int  #: Of all generations, without the tests' own Postgres.
    resident_bytes: int

    @classmethod
    def now(cls) -> Footprint:
        gc.collect()
        process = psutil.Process()
        children = [each for each in process.children(recursive=True) if each.name() != "postgres"]
        return cls(process.num_fds(), len(children), process.memory_info().rss)

    def assert_not_outgrown(self) -> None:
        """Assert that no more is held now; memory may vary a little."""
        now = Footprint.now()
        assert now.open_files <= self.open_files, (now, self)
        assert now.children <= self.children, (now, self)
        assert now.resident_bytes - self.resident_bytes < _MEMORY_VARIES


def files_in(folder: Path) -> set[str]:
    """Return every file below a folder, temporary ones too."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
