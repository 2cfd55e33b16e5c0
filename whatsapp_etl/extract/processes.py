"""The Chromium processes of one profile: found by their exact argument, ended by their exact pid."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import psutil

#: How Playwright talks to its Chromium. A browser that a person started has no such argument.
_DRIVEN = "--remote-debugging-pipe"

_END_ALLOWED = timedelta(seconds=1)


def find_browsers(profile: Path) -> tuple[psutil.Process, ...]:
    """Return the browser processes that have `profile` as their user-data directory.

    Renderers and other children, which carry the same argument beside a `--type`, are left out. So is a child
    that was forked a moment ago: until it becomes another program it has its parent's arguments.
    """
    wanted = f"--user-data-dir={profile}"
    found = [
        process
        for process in psutil.process_iter()
        if wanted in (arguments := _arguments(process))
        and not any(argument.startswith("--type=") for argument in arguments)
    ]
    pids = {process.pid for process in found}
    return tuple(process for process in found if _parent_pid(process) not in pids)


def end_browsers_below(folder: Path) -> None:
    """Kill the browsers of the profiles that lie in a folder."""
    for profile in folder.glob("*"):
        for browser in find_browsers(profile):
            end_browser(browser, _END_ALLOWED)


def is_driven(process: psutil.Process) -> bool:
    """Whether a program drives this browser, rather than a person who started it by hand."""
    return _DRIVEN in _arguments(process)


def end_browser(process: psutil.Process, timeout: timedelta) -> None:
    """Kill the browser with all its children and return once they are gone, or after `timeout`.

    `process` remembers when it started, so another process that got its pid later is not touched.
    """
    family = [process, *_children(process)]
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
    for member in [process, *_children(process)]:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            used = member.memory_info()
            # Only Linux tells what is shared; elsewhere it is counted with each process.
            common = getattr(used, "shared", 0)
            own += used.rss - common
            shared = max(shared, common)
    return own + shared


def wait_until_gone(processes: Sequence[psutil.Process], timeout: timedelta) -> bool:
    """Return whether all have ended before `timeout`."""
    _, alive = psutil.wait_procs(processes, timeout=timeout.total_seconds())
    return not [process for process in alive if not _is_zombie(process)]


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _arguments(process: psutil.Process) -> Sequence[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return ()


def _parent_pid(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return None


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
