"""The service and its browser killed at moments chosen by chance, again and again.

A life of the service begins with what the one before left: its browser is killed, then the service itself,
now and then while it is ending. Every few lives one may live on: it must be logged in without a new scan,
and the database must equal the truth. With a vault the profile is left behind now and then, as by a
container that was made anew, and the next life begins with what the vault holds. Without one nothing
brings a login back.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import psutil

from tests.fixtures.comparison import Comparison
from tests.fixtures.cycle import compare_with_truth
from tests.fixtures.program import end_hard
from tests.soak.people import People
from tests.soak.run import LOOKBACK
from whatsapp_etl.extract.processes import find_browsers
from whatsapp_etl.load.database import Database
from whatsapp_etl.simulator.serve import RunningSimulator
from whatsapp_etl.vault.placing import Condition, condition_of

_KEY = base64.b64encode(bytes(range(32))).decode()
_LOOKS_EVERY = 0.1  #: Seconds.
_WELL_WITHIN = (
    240.0  #: Seconds in which a service that nobody kills must have synced; the machine may be busy.
)
_ENDS_WITHIN = 150.0
_ENDED_FIRST = 0.3  #: Share of the lives that are asked to end, and killed meanwhile.
_LOST = "('qr', 'pairing', 'logged_out', 'link_resting', 'wrong_account')"


@dataclass
class Kills:
    """One account whose service is not let live."""

    simulator: RunningSimulator
    database: Database
    folder: Path
    random: Random
    has_vault: bool = True
    begun_at: datetime = field(init=False)
    linked_at: datetime = field(init=False)
    done: Counter[str] = field(default_factory=Counter)
    judged: list[Comparison] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    cycle_seconds: float = 4.0  #: From browser to end of cycle where nothing was killed; moments lie within.
    _service: subprocess.Popen[bytes] | None = None
    _number: int = 0

    def __post_init__(self) -> None:
        self.begun_at = datetime.fromisoformat(self.simulator.world()["now"])
        self.people = People(self.simulator, self.random)

    @property
    def profile(self) -> Path:
        return self.folder / f"profile-{self._number}"

    # --- the phases of it ---------------------------------------------------------------------------

    def link(self) -> None:
        """Scan the code, for all that follows."""
        command = [sys.executable, "-m", "whatsapp_etl.cli", "login", "--terminal"]
        with subprocess.Popen(
            command,
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as login:
            assert login.stderr is not None
            said = []
            for line in login.stderr:  # to its end, which is that of the program
                said.append(line)
                if "scan the code" in line:  # again, where its browser had to be killed after the first
                    self.simulator.scan()
        assert login.returncode == 0, said
        self.linked_at = datetime.now(UTC)  # the code of the link itself is in the session's history, too

    def run(
        self,
        kills: int,
        check_every: int,
        goes_on: Callable[[], bool] = lambda: True,
        tell: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> None:
        """Kill browser and service so many times each; look now and then whether all is well, and tell it."""
        lives = 0
        while goes_on() and min(self.done["browsers_killed"], self.done["services_killed"]) < kills:
            self.people.live()
            self.life()
            lives += 1
            if lives % check_every == 0:
                self.check()
                tell(self.figures())
                if self.has_vault and self.done["checks"] % 2:
                    self.move()
        self.check()

    def life(self) -> None:
        """Start the service, kill its browser, then kill it."""
        service = self._start()
        if (browser := self._browser_of(service)) is not None:
            self._let_pass(service, self.random.uniform(0, self.cycle_seconds))
            for each in find_browsers(self.profile) or (browser,):
                self.done["browsers_killed"] += each.is_running()
                end_hard(each)
        self._let_pass(service, self.random.uniform(0, self.cycle_seconds))
        if self.random.random() < _ENDED_FIRST:
            service.terminate()
            self._let_pass(service, self.random.uniform(0, self.cycle_seconds))
            self.done["killed_while_ending"] += service.poll() is None
        self.done["services_killed"] += service.poll() is None
        self._kill()
        if condition_of(self.profile) is Condition.BROKEN:
            self.troubles.append(f"life {self.done['lives']}: the profile is broken")

    def check(self) -> None:
        """Let one life be: it must be logged in, have everything, and leave nothing behind."""
        self.done["checks"] += 1
        service = self._start()
        self._browser_of(service)
        begun = monotonic()
        if not self._is_well(service):
            self.troubles.append(f"check {self.done['checks']}: no sync ({self._states()})")
        self.cycle_seconds = monotonic() - begun
        browsers = find_browsers(self.profile)
        if len(browsers) != 1:
            self.troubles.append(f"check {self.done['checks']}: {len(browsers)} browsers on the profile")
        self._end(service)
        self.judged.append(compare_with_truth(self.simulator, self.database, self.begun_at - LOOKBACK))
        if left := [path.name for path in self._temporary.iterdir()]:
            self.troubles.append(f"check {self.done['checks']}: temporary folders left: {left}")
        if self.has_vault and self._command("session", "verify").returncode:
            self.troubles.append(f"check {self.done['checks']}: what the vault holds does not open")

    def move(self) -> None:
        """Leave the profile behind; what follows begins with the vault."""
        shutil.rmtree(self.profile)
        self._number += 1
        self.done["moves"] += 1

    # --- what came of it ----------------------------------------------------------------------------

    def sessions_lost(self) -> int:
        """Return how often since the link the page asked for a new scan, or another account was met."""
        with self.database.connect() as connection:
            found = connection.execute(
                f"SELECT count(*) FROM session_events WHERE state IN {_LOST} AND occurred_at > %s",
                [self.linked_at],
            ).fetchone()
        assert found is not None
        return int(found[0])

    def left(self) -> list[str]:
        """Return the processes that should be gone: any that names a path of this soak, and own zombies."""
        return [
            f"{process.pid} {process.info['status']} {process.info['cmdline'][:1]}"
            for process in psutil.process_iter(["cmdline", "status", "ppid"])
            if any(str(self.folder) in each for each in process.info["cmdline"] or ())
            or (process.info["status"] == psutil.STATUS_ZOMBIE and process.info["ppid"] == os.getpid())
        ]

    def _states(self) -> str:
        with self.database.connect() as connection:
            rows = connection.execute(
                "SELECT state, error FROM session_events ORDER BY id DESC LIMIT 3"
            ).fetchall()
        return f"{rows}; {self._log.read_text()[-600:]}"

    # --- the service --------------------------------------------------------------------------------

    @property
    def _log(self) -> Path:
        return self.folder / "service.log"

    def _start(self) -> subprocess.Popen[bytes]:
        self.done["lives"] += 1
        with self._log.open("wb") as log:
            # A group of its own, so that a signal for it reaches nobody else.
            self._service = subprocess.Popen(
                [sys.executable, "-m", "whatsapp_etl.cli", "run"],
                env=self._environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self._service

    def _kill(self) -> None:
        if self._service is not None:
            self._service.kill()
            self._service.wait()
            self._service = None

    def _end(self, service: subprocess.Popen[bytes]) -> None:
        zombies = (
            [
                process.pid
                for process in psutil.Process(service.pid).children(recursive=True)
                if process.status() == psutil.STATUS_ZOMBIE
            ]
            if service.poll() is None
            else []
        )
        service.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            service.wait(_ENDS_WITHIN)
        left = [each for each in self.left() if "cli" not in each]
        if service.returncode or zombies or left:
            self.troubles.append(
                f"check {self.done['checks']}: ended with {service.returncode}, zombies {zombies}, left"
                f" {left}"
            )
        self._kill()

    def _browser_of(self, service: subprocess.Popen[bytes]) -> psutil.Process | None:
        """Wait for a browser of this life; one that a killed service left is still ending."""
        until = monotonic() + _WELL_WITHIN
        begun = psutil.Process(service.pid).create_time()
        while monotonic() < until and service.poll() is None:
            for browser in find_browsers(self.profile):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if browser.create_time() >= begun:
                        return browser
            self._let_pass(service, _LOOKS_EVERY)
        self.troubles.append(f"life {self.done['lives']}: no browser ({self._log.read_text()[-600:]})")
        return None

    def _is_well(self, service: subprocess.Popen[bytes]) -> bool:
        """Wait for a cycle of this life that succeeded; in vain once the page asks for a new scan."""
        lost_before = self.sessions_lost()
        with self.database.connect() as connection:
            connection.autocommit = True
            last = connection.execute("SELECT coalesce(max(id), 0) FROM sync_runs").fetchone()
            assert last is not None
            until = monotonic() + _WELL_WITHIN
            while monotonic() < until and service.poll() is None:
                if connection.execute(
                    "SELECT 1 FROM sync_runs WHERE id > %s AND status = 'success'", last
                ).fetchone():
                    return True
                if self.sessions_lost() > lost_before:
                    break
                self._let_pass(service, _LOOKS_EVERY)
        return False

    def _let_pass(self, service: subprocess.Popen[bytes], seconds: float) -> None:
        """Let so much time pass, or less when the service ends meanwhile."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            service.wait(seconds)

    def _command(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "whatsapp_etl.cli", *arguments],
            env=self._environment(),
            capture_output=True,
            check=False,
            timeout=_WELL_WITHIN,
        )

    @property
    def _temporary(self) -> Path:
        return self.folder / "tmp"

    def _environment(self) -> Mapping[str, str]:
        self._temporary.mkdir(exist_ok=True)
        vault = {"SESSION_STORE_URL": f"file://{self.folder}/store", "SESSION_STORE_KEY": _KEY}
        return {
            **os.environ,
            **(vault if self.has_vault else {}),
            "WHATSAPP_URL": self.simulator.url,
            "WHATSAPP_PROFILE_DIR": str(self.profile),
            "ATTACHMENTS_DIR": str(self.folder / "attachments"),
            "SPOOL_DIR": str(self.folder / "spool"),
            "SESSION_CHECK_SECONDS": "1",
            "BROWSER_MAX_RESTARTS_PER_HOUR": "1000",
            "PG_URL": self.database.url,
            "PORT": "0",
            "WHATSAPP_TIMEZONE": "UTC",
            "WHATSAPP_CHATS_PER_MINUTE": "0",
            "WHATSAPP_SCROLLS_PER_SECOND": "0",
            "LOG_LEVEL": "INFO",
            "TMPDIR": str(self._temporary),
        }

    def close(self) -> None:
        """End everything of it, whatever it does."""
        self._kill()
        for browser in find_browsers(self.profile):
            end_hard(browser)

    def figures(self) -> dict[str, Any]:
        return {
            **self.done,
            "messages": self.judged[-1].expected,
            "sessions_lost": self.sessions_lost(),
            "rows_lost": sum(len(each.absent) for each in self.judged),
            "rows_doubled": sum(len(each.doubled) + len(each.surplus) for each in self.judged),
            "values_wrong": sum(len(rows) for each in self.judged for rows in each.columns.values()),
            "receipts": self.simulator.ledger()["receipts"],
            "processes_left": len(self.left()),
            "troubles": len(self.troubles),
        }


#: What may not be.
NEVER = (
    "sessions_lost", "rows_lost", "rows_doubled", "values_wrong", "receipts", "processes_left", "troubles",
)  # fmt: skip


@contextmanager
def open_kills(
    simulator: RunningSimulator, database: Database, seed: int, *, has_vault: bool = True
) -> Iterator[Kills]:
    """Link the account; nothing runs any more when it is left."""
    with ExitStack() as stack:
        # A short path: Chromium's socket in it may have 108 bytes.
        folder = Path(
            stack.enter_context(TemporaryDirectory(prefix="wetl-kills-", ignore_cleanup_errors=True))
        )
        kills = Kills(simulator, database, folder, Random(seed), has_vault)
        stack.callback(kills.close)
        kills.link()
        yield kills
