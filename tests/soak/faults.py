"""What goes wrong in a cycle of the soak, by name: each begins before the cycle and ends after it."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psutil

from tests.fixtures.postgres import end_sessions
from tests.fixtures.program import end_hard
from tests.fixtures.proxy import Fault, Proxy, numbered
from whatsapp_etl.extract.processes import find_browsers
from whatsapp_etl.load.database import Database
from whatsapp_etl.simulator.serve import RunningSimulator

#: Called with each step of the cycle as it begins.
OnStep = Callable[[str], None]
Tell = Callable[[], None]

#: A cycle sends some 300 messages to Postgres when it has a few chats to read.
_MESSAGES = 300
_STEPS = ("reading the list of chats", "comparing", "reading chats", "a chat is stored", "reactions")
#: Larger than what a log line needs and smaller than any picture.
_LARGEST_FILE = 512
_BEHAVIOURS = (
    "slow_page", "update_bar", "phone_offline", "syncing", "feature_shown", "features_shown", "list_reorders",
    "left_over_filter", "left_over_search", "left_over_drawer", "typing", "rows_late", "rows_without_body",
    "small_margin", "no_fiber", "midnight", "chatter", "late_decryption", "pictures_on_demand", "load_fails",
    "service_unavailable", "conflict", "another_session", "terms", "offline", "idb_missing",
    "idb_renamed_fields", "tab_hidden",
)  # fmt: skip


@dataclass
class Scene:
    """What faults act on."""

    simulator: RunningSimulator
    proxy: Proxy
    database: Database
    profile: Path
    program: Callable[[], psutil.Process]
    random: Random
    happened: Tell  #: Called when the fault has struck: not every one meets something.


def nothing(_step: str) -> None:
    pass


def _at_some_step(scene: Scene, act: Tell) -> OnStep:
    """Act once, at a step chosen by chance."""
    wanted = scene.random.choice(_STEPS)
    done: list[str] = []

    def on_step(step: str) -> None:
        if step == wanted and not done:
            done.append(step)
            act()
            scene.happened()

    return on_step


def _spoilt(fault: Fault) -> Callable[[Scene], AbstractContextManager[OnStep]]:
    @contextmanager
    def spoilt(scene: Scene) -> Iterator[OnStep]:
        scene.proxy.arm(fault, numbered(scene.random.randrange(_MESSAGES)))
        yield nothing
        scene.proxy.disarm()
        if scene.proxy.struck is not None:
            scene.happened()

    return spoilt


@contextmanager
def _refused(scene: Scene) -> Iterator[OnStep]:
    scene.proxy.refuses = True
    scene.proxy.cut_all()
    scene.happened()
    yield nothing
    scene.proxy.refuses = False


@contextmanager
def _backends_ended(scene: Scene) -> Iterator[OnStep]:
    yield _at_some_step(scene, lambda: end_sessions(scene.database))


@contextmanager
def _table_locked(scene: Scene) -> Iterator[OnStep]:
    with scene.database.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        scene.happened()
        yield nothing


@contextmanager
def _browser_killed(scene: Scene) -> Iterator[OnStep]:
    def kill() -> None:
        for browser in find_browsers(scene.profile):
            end_hard(browser)

    yield _at_some_step(scene, kill)


@contextmanager
def _program_killed(scene: Scene) -> Iterator[OnStep]:
    yield _at_some_step(scene, lambda: scene.program().kill())


@contextmanager
def _disk_full(scene: Scene) -> Iterator[OnStep]:
    """Let no file grow beyond a bound, once the browser runs."""
    endless = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)

    def limit() -> None:
        scene.program().rlimit(psutil.RLIMIT_FSIZE, (_LARGEST_FILE, resource.RLIM_INFINITY))

    def on_step(step: str) -> None:
        if step == "reading chats":
            limit()
            scene.happened()

    yield on_step
    with contextlib.suppress(psutil.NoSuchProcess):
        scene.program().rlimit(psutil.RLIMIT_FSIZE, endless)


@contextmanager
def _page_misbehaves(scene: Scene) -> Iterator[OnStep]:
    scene.simulator.behave(scene.random.choice(_BEHAVIOURS))
    scene.happened()
    yield nothing
    scene.simulator.behave()


@contextmanager
def _linked_again(scene: Scene) -> Iterator[OnStep]:
    yield _at_some_step(scene, lambda: scene.simulator.link_again(lids=scene.random.random() < 0.3))


#: By name: how it is done, and how often in proportion to the others.
FAULTS: dict[str, tuple[Callable[[Scene], AbstractContextManager[OnStep]], int]] = {
    "connection cut": (_spoilt(Fault.CUT), 4),
    "answer cut": (_spoilt(Fault.CUT_ANSWER), 4),
    "silence": (_spoilt(Fault.SWALLOW), 2),
    "delay": (_spoilt(Fault.DELAY), 2),
    "Postgres refuses": (_refused, 2),
    "backends ended": (_backends_ended, 3),
    "table locked": (_table_locked, 2),
    "browser killed": (_browser_killed, 3),
    "program killed": (_program_killed, 4),
    "no file may grow": (_disk_full, 2),
    "the page misbehaves": (_page_misbehaves, 8),
    "linked again": (_linked_again, 1),
}
