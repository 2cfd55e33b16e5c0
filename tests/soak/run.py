"""Hundreds of cycles on a fast clock while the account changes and things go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from statistics import linear_regression
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from tests.fixtures.comparison import Comparison
from tests.fixtures.cycle import compare_with_truth
from tests.fixtures.program import end_hard
from tests.fixtures.proxy import Proxy
from tests.soak.faults import FAULTS, OnStep, Scene, nothing
from tests.soak.people import People
from whatsapp_etl.extract.processes import find_browsers
from whatsapp_etl.load.database import Database
from whatsapp_etl.simulator.serve import RunningSimulator

LOOKBACK = timedelta(days=30)
_INTERVAL = timedelta(minutes=10)
_FAULTY = 0.4  #: Share of cycles in which something goes wrong.
_HANGS_AFTER = 300.0  #: Seconds; no deadline of the program is longer.
_HEALING_CYCLES = 6
#: Caches fill in the first cycles of a process; growth is what comes after them.
_WARM_CYCLES = 10
_MEGABYTE = 1_000_000


@dataclass
class Worker:
    """The program's process, and what it says."""

    process: subprocess.Popen[str]

    @classmethod
    def start(cls, environment: dict[str, str]) -> Worker:
        command = [sys.executable, "-m", "tests.soak.worker"]
        return cls(
            subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )

    def lines(self, now: datetime) -> Iterator[dict[str, Any]]:
        """Let it run a cycle; yield what it says, until the outcome or its death."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(now.isoformat(), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            told = json.loads(line)
            yield told
            if "status" in told:
                return

    def end(self) -> int:
        """Let it end as it likes; return its exit code."""
        self.process.communicate(timeout=60)
        return self.process.returncode

    def kill(self) -> None:
        """End it, if it still runs, and let go of it."""
        self.process.kill()
        self.process.communicate()


@dataclass
class Soak:
    """One account through many cycles."""

    simulator: RunningSimulator
    database: Database
    proxy: Proxy
    folder: Path
    random: Random
    kills_until: float = 1.0  #: Share of the cycles in which the program may be killed.
    begun_at: datetime = field(init=False)
    now: datetime = field(init=False)
    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    healed_after: Counter[int] = field(default_factory=Counter)  #: Clean cycles until all was equal.
    last_error: str | None = None
    judged: list[Comparison] = field(default_factory=list)
    lives: list[list[dict[str, Any]]] = field(default_factory=list)  #: Outcomes of each process.
    receipts: int = 0
    hung: int = 0  #: Cycles that were ended from outside, since they did not end.
    _worker: Worker | None = None

    def __post_init__(self) -> None:
        self.begun_at = self.now = datetime.fromisoformat(self.simulator.world()["now"])
        self.people = People(self.simulator, self.random)

    # --- cycles ---------------------------------------------------------------------------------

    def run(self, cycles: int, check_every: int, goes_on: Callable[[], bool] = lambda: True) -> int:
        """Run cycles, and judge the database now and then; return how many were run."""
        self.heal()
        for number in range(cycles):
            if not goes_on():
                cycles = number
                break
            self.people.live()
            may_kill = number < cycles * self.kills_until
            self.one(self._fault(may_kill=may_kill))
            if (number + 1) % check_every == 0:
                self.heal()
        self.heal()
        return cycles

    def _fault(self, *, may_kill: bool) -> str | None:
        if self.random.random() > _FAULTY:
            return None
        weights = {
            name: weight for name, (_, weight) in FAULTS.items() if may_kill or name != "program killed"
        }
        return self.random.choices(list(weights), list(weights.values()))[0]

    def one(self, fault: str | None) -> dict[str, Any] | None:
        """Run one cycle, with a fault or without; return its outcome, None when the program died."""
        jump = timedelta(hours=-1) if self.random.random() < 0.02 else _INTERVAL
        self.now += jump
        self.faults["clock set back"] += jump < timedelta(0)
        self.simulator.set_config(now=self.now.isoformat())
        if fault is None:
            return self._cycle(nothing)
        scene = Scene(
            self.simulator,
            self.proxy,
            self.database,
            self.folder / "profile",
            lambda: psutil.Process(self._alive().process.pid),
            self.random,
            lambda: self.faults.update([fault]),
        )
        with FAULTS[fault][0](scene) as on_step:
            return self._cycle(on_step)

    def _cycle(self, on_step: OnStep) -> dict[str, Any] | None:
        worker = self._alive()

        def give_up() -> None:
            self.hung += 1
            worker.process.kill()

        hung = threading.Timer(_HANGS_AFTER, give_up)
        hung.start()
        try:
            for told in worker.lines(self.now):
                if "step" in told:
                    on_step(told["step"])
                else:
                    self.outcomes[told["status"]] += 1
                    self.last_error = told["error"]
                    self.receipts += told.get("receipts", 0)
                    self.lives[-1].append(told)
                    return told
        finally:
            hung.cancel()
        self.outcomes["killed"] += 1
        worker.kill()
        self._worker = None
        return None

    def _alive(self) -> Worker:
        if self._worker is None:
            self._worker = Worker.start(self._environment())
            self.lives.append([])
        return self._worker

    def _environment(self) -> dict[str, str]:
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        return {
            **os.environ,
            "WHATSAPP_URL": self.simulator.url,
            "WHATSAPP_PROFILE_DIR": str(self.folder / "profile"),
            "ATTACHMENTS_DIR": str(self.folder / "attachments"),
            "SPOOL_DIR": str(self.folder / "spool"),
            "PG_URL": self.proxy.url,
            "WHATSAPP_TIMEZONE": "UTC",
            "WHATSAPP_CHATS_PER_MINUTE": "0",
            "WHATSAPP_SCROLLS_PER_SECOND": "0",
            "WHATSAPP_ETL_NOW": self.begun_at.isoformat(),
            "TMPDIR": str(temporary),
        }

    # --- judging --------------------------------------------------------------------------------

    def heal(self) -> None:
        """Run clean cycles until one has nothing left to do and the database equals the truth.

        More than one is needed where a page is still coming back, or its phone still hands things over.
        """
        cycles = 0
        is_well = False
        while not is_well and cycles < _HEALING_CYCLES:
            cycles += 1
            with self.database.connect() as connection:
                # A gap's next try may be a day away.
                connection.execute("UPDATE missing_messages SET next_try_at = '2000-01-01'")
            told = self.one(None)
            is_quiet = told and told["status"] == "success" and not told["opened"] and not told["missing"]
            is_well = bool(is_quiet) and self.compared().is_equal
        self.healed_after[cycles] += 1
        self.judge()

    def judge(self) -> None:
        """Compare the database with everything that was said since the first look-back's edge."""
        self.judged.append(self.compared())

    def compared(self) -> Comparison:
        return compare_with_truth(self.simulator, self.database, self.begun_at - LOOKBACK)

    def end(self) -> int:
        """Let the program end; return the exit code."""
        code = self._alive().end()
        self._worker = None
        return code

    def kill(self) -> None:
        """End the program and its browser, whatever they do."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None
        for browser in find_browsers(self.folder / "profile"):
            end_hard(browser)

    # --- what is left -----------------------------------------------------------------------------

    def orphans(self) -> list[str]:
        """Return what should not be there: processes, files that no row names, runs without an end."""
        with self.database.connect() as connection:
            rows = connection.execute("SELECT file_path FROM attachments WHERE state = 'stored'").fetchall()
            open_runs = connection.execute("SELECT id FROM sync_runs WHERE status = 'running'").fetchall()
        root = self.folder / "attachments"
        files = {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()}
        named = {path for (path,) in rows}
        spooled = [path for path in (self.folder / "spool").rglob("*") if path.is_file()]
        waiting = [path for path in spooled if path.suffix != ".memory"]
        return [
            *(f"spooled: {path.name}" for path in waiting),
            *(f"browser {each.pid}" for each in find_browsers(self.folder / "profile")),
            *(f"file without a row: {name}" for name in sorted(files - named)),
            *(f"row without a file: {name}" for name in sorted(named - files)),
            *(f"open run {number}" for (number,) in open_runs),
        ]

    def python_slope(self) -> float:
        """Return the growth of the program's memory in megabytes a cycle, over its longest life."""
        longest = max(self.lives, key=len)[_WARM_CYCLES:]
        return slope([told["python_bytes"] for told in longest]) / _MEGABYTE

    def files_grown(self) -> int:
        """Return by how many open files the longest life ended above where it was when warm."""
        longest = max(self.lives, key=len)[_WARM_CYCLES:]
        return int(longest[-1]["files"] - longest[0]["files"]) if longest else 0

    def browser_peaks(self) -> tuple[float, float]:
        """Return the browser's largest size in megabytes in the first and in the last half."""
        sizes = [told["browser_bytes"] / _MEGABYTE for life in self.lives for told in life]
        half = len(sizes) // 2
        return max(sizes[:half], default=0.0), max(sizes[half:], default=0.0)


def slope(values: Sequence[float]) -> float:
    """Return the slope of a least-squares line through evenly spaced values; 0 for fewer than two."""
    if len(values) < 2:
        return 0.0
    return linear_regression(range(len(values)), values).slope


@contextmanager
def open_soak(simulator: RunningSimulator, database: Database, seed: int) -> Iterator[Soak]:
    """Put a proxy before the database; nothing runs any more when it is left."""
    with ExitStack() as stack:
        # A short path: Chromium's socket in it may have 108 bytes.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="wetl-soak-")))
        proxy = Proxy(database.url)
        stack.callback(proxy.close)
        soak = Soak(simulator, database, proxy, folder, Random(seed))
        stack.callback(soak.kill)
        yield soak
