"""Doing what may take long only as long as the program may go on."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

import structlog

from whatsapp_etl.errors import VaultError, WhatsappEtlError

log = structlog.get_logger(__name__)

#: How long a program that has said everything may take to be gone.
LEAVE_DEADLINE = timedelta(seconds=5)

_LOOKS_EVERY = 0.1  #: Seconds.
_NAME = "keeping"


def done_in_time(
    action: Callable[[], object], left: Callable[[], timedelta | None], *, reserve: timedelta
) -> bool:
    """Do something in a thread of its own, and return whether it ended in time.

    A request to a store, or a browser, cannot be broken off from here. What is not done in time goes on in
    its thread until the program ends, which does not wait for it.

    Args:
        action: What is to be done; what it raises is raised here.
        left: How soon the program has to have ended; None while it may go on.
        reserve: Of that time, what others need afterwards.
    """

    def is_over() -> bool:
        now = left()
        return now is not None and now <= reserve

    if is_over():
        return False
    raised: list[WhatsappEtlError] = []
    done = threading.Event()

    def run() -> None:
        try:
            action()
        except WhatsappEtlError as error:
            raised.append(error)
        done.set()

    thread = threading.Thread(target=run, name=_NAME, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_LOOKS_EVERY)
        if thread.is_alive() and is_over():
            return False
    if raised:
        raise raised[0]
    if not done.is_set():  # what nobody expected was told by the thread
        raise VaultError("The session store met an unexpected error.", "The log tells it.")
    return True


def leave(code: int, allowed: timedelta = LEAVE_DEADLINE) -> NoReturn:
    """End the program, at once where something that was not done in time still goes on.

    The ordinary end of Python waits for it: seconds for a store that does not answer. It waits for every
    other thread, too, and what these wait for may never come; so it is given `allowed`.
    """
    if any(thread.name == _NAME for thread in threading.enumerate()):
        _leave_now(code)

    def leave_in_time() -> None:
        never.wait(allowed.total_seconds())
        log.error("end_forced", deadline_seconds=allowed.total_seconds(), waited_for=_awaited())
        _leave_now(code)

    never = threading.Event()
    threading.Thread(target=leave_in_time, name="leaving", daemon=True).start()
    sys.exit(code)


def _leave_now(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _awaited() -> list[str]:
    """Return the names of the threads for which the end of Python waits."""
    return [
        thread.name
        for thread in threading.enumerate()
        if not thread.daemon and thread is not threading.main_thread()
    ]
