"""The Chromium processes of one profile: found by their exact argument, ended by their exact pid."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import psutil

#: How Playwright talks to its Chromium. A browser that a person started has no such argument.
_DRIVEN = "--remote-debugging-pipe"

_END_ALLOWED = timedelta(seconds=1)
_TURN_SECONDS = 0.2


def find_browsers(profile: Path) -> tuple[psutil.Process, ...]:
    """Return the browser processes that have `profile` as their user-data directory.

    Renderers and other children, which carry the same argument beside a `--type`, are left out. So is a child
    that was forked a moment ago: until it becomes another program it has its parent's arguments.
    """
    wanted = f"--user-data-dir={profile}"
    found = [
        process
        for process in psutil.process_iter()
        if wanted in (arguments := arguments_of(process))
        and not any(argument.startswith("--type=") for argument in arguments)
    ]
    pids = {process.pid for process in found}
    return tuple(process for process in found if _parent_pid(process) not in pids)


def end_family(profile: Path, timeout: timedelta) -> None:
    """Kill every process of `profile`: browsers, and children that outlived their browser."""
    for browser in find_browsers(profile):
        end_browser(browser, timeout)
    wanted = f"--user-data-dir={profile}"
    orphans = [process for process in psutil.process_iter() if wanted in arguments_of(process)]
    for orphan in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            orphan.kill()
    wait_until_gone(orphans, timeout)


def end_browsers_below(folder: Path) -> None:
    """Kill the browsers of the profiles that lie in a folder."""
    for profile in folder.glob("*"):
        for browser in find_browsers(profile):
            end_browser(browser, _END_ALLOWED)


def is_driven(process: psutil.Process) -> bool:
    """Whether a program drives this browser, rather than a person who started it by hand."""
    return _DRIVEN in arguments_of(process)


def end_browser(process: psutil.Process, timeout: timedelta) -> None:
    """Kill the browser with all its children and return once they are gone, or after `timeout`.

    `process` remembers when it started, so another process that got its pid later is not touched.
    """
    family = [process, *children_of(process)]
    # Playwright starts Chromium as the leader of its own group; the signal reaches children that
    # were forked a moment ago as well.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.is_running() and os.getpgid(process.pid) == process.pid != os.getpgrp():
            os.killpg(process.pid, signal.SIGKILL)
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    wait_until_gone(family, timeout)


def memory_of(process: psutil.Process) -> int:
    """Return the bytes of memory that a browser and its children take; what they share is counted once."""
    own = shared = 0
    for member in [process, *children_of(process)]:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            used = member.memory_info()
            # Only Linux tells what is shared; elsewhere it is counted with each process.
            common = getattr(used, "shared", 0)
            own += used.rss - common
            shared = max(shared, common)
    return own + shared


def wait_until_gone(processes: Sequence[psutil.Process], timeout: timedelta) -> bool:
    """Return whether all have ended before `timeout`."""
    deadline = time.monotonic() + timeout.total_seconds()
    alive = list(processes)
    while True:
        # In turns, since one whose parent does not hear of its end stays as a zombie; own children are heard.
        left = max(deadline - time.monotonic(), 0.0)
        _, alive = psutil.wait_procs(alive, timeout=min(left, _TURN_SECONDS))
        alive = [process for process in alive if not is_zombie(process)]
        if not alive or left == 0:
            return not alive


def children_of(process: psutil.Process, *, recursive: bool = True) -> list[psutil.Process]:
    """Return the processes that a process has started and that are still its own; none when it ended."""
    try:
        return process.children(recursive=recursive)
    except psutil.NoSuchProcess:
        return []


def arguments_of(process: psutil.Process) -> Sequence[str]:
    """Return a process's command line; empty when it ended or is another user's."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return ()


def _parent_pid(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return None


def is_zombie(process: psutil.Process) -> bool:
    """Whether a process has ended, and at most its parent has not heard of it."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
