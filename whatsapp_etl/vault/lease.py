"""The lease: one machine uses the session at a time.

Claims are numbered objects that are only ever created: whoever creates the next number has the lease. It
is renewed by the next number again, given back by one that says so, and runs out when its last claim is
older than it says, by the store's own clock: clocks of machines are not compared.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from whatsapp_etl.errors import SessionTakenError, VaultError, VaultUnreachableError
from whatsapp_etl.vault.store import Objects, numbered

log = structlog.get_logger(__name__)

LEASE = "lease"
VALID_FOR = timedelta(minutes=10)
RENEW_EVERY = timedelta(minutes=1)
#: The holder gives up before anybody else may begin.
_GIVE_UP_AT = 0.8
#: Claims below the newest that stay, for whoever just listed them.
_KEPT = 4
_CLAIM_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has, or had, the lease."""

    host: str
    pid: int
    mark: str  #: Random; no two processes have the same.

    @classmethod
    def this_process(cls) -> Holder:
        return cls(socket.gethostname(), os.getpid(), uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Claim:
    """One numbered object of the lease."""

    number: int
    holder: Holder
    valid_for: timedelta
    is_released: bool = False

    def to_bytes(self) -> bytes:
        holder = self.holder
        told = {"host": holder.host, "pid": holder.pid, "mark": holder.mark}
        seconds = self.valid_for.total_seconds()
        return json.dumps({**told, "valid_seconds": seconds, "released": self.is_released}).encode()

    @classmethod
    def from_bytes(cls, number: int, text: bytes | None) -> Claim:
        """Return what a stored claim says; one that cannot be read holds as long as any other."""
        try:
            told = json.loads(text or b"")
            holder = Holder(str(told["host"]), int(told["pid"]), str(told["mark"]))
            return cls(
                number, holder, timedelta(seconds=float(told["valid_seconds"])), bool(told["released"])
            )
        except (ValueError, KeyError, TypeError):
            return cls(number, Holder("an unknown machine", 0, ""), VALID_FOR)


def is_free(claim: Claim | None, age: timedelta, me: Holder, predecessor: Holder | None) -> bool:
    """Whether the lease may be taken.

    Args:
        claim: The newest one.
        age: Since it was written.
        me: Who wants it.
        predecessor: Who had it last on this very profile, whose lock is held now, so that it is dead.
    """
    if claim is None or claim.is_released or age > claim.valid_for:
        return True
    if claim.holder.mark == me.mark:
        return True
    # A copy of the profile on another machine names the same predecessor, but not from the same host.
    return claim.holder == predecessor and predecessor.host == me.host


class Lease:
    """The lease as this process sees it. `take` and `release` belong to one thread; renewal has its own."""

    def __init__(
        self,
        objects: Objects,
        *,
        holder: Holder | None = None,
        valid_for: timedelta = VALID_FOR,
        renew_every: timedelta = RENEW_EVERY,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.holder = holder or Holder.this_process()
        self.since = 0  #: Number of the claim by which it was taken: a later holder has a higher one.
        self._objects = objects
        self._valid_for = valid_for
        self._renew_every = renew_every
        self._on_lost = on_lost
        self._turn = threading.Lock()
        self._number: int | None = None
        self._renewed_at = 0.0  #: On the monotonic clock, when the last claim was asked for.
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_held(self) -> bool:
        return self._number is not None and self._age() < self._valid_for.total_seconds() * _GIVE_UP_AT

    def take(self, predecessor: Holder | None = None) -> None:
        """Hold the lease, and renew it from now on; one that is held is proven.

        Raises:
            SessionTakenError: Somebody else has it; names host and pid.
        """
        if self.is_held:
            self.renew()  # a machine that was suspended does not know what happened meanwhile
            return
        self._stop_renewing()
        with self._turn:
            claim, age = self._newest()
            if not is_free(claim, age, self.holder, predecessor):
                assert claim is not None
                raise _taken(claim, age)
            self._create(1 + (claim.number if claim else 0))
            self.since = self._number or 0
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._keep, args=(self._ended,), name="session-lease", daemon=True
        )
        self._thread.start()

    def renew(self) -> None:
        """Prove that the lease is still this process's, and prolong it.

        Raises:
            SessionTakenError: Somebody else has it.
        """
        with self._turn:
            if self._number is None:
                raise _taken(*self._newest())
            try:
                numbers = self._create(self._number + 1)
            except SessionTakenError:
                self._number = None
                raise
        self._objects.delete(numbered(LEASE, each) for each in numbers[: -1 - _KEPT])

    def holder_elsewhere(self) -> Holder | None:
        """Return who has the lease now, if another process has it; nothing is taken."""
        claim, age = self._newest()
        return None if claim is None or is_free(claim, age, self.holder, None) else claim.holder

    def release(self) -> None:
        """Give the lease back, if it is held. Safe to call again."""
        self._stop_renewing()
        with self._turn:
            number, self._number = self._number, None
            if number is not None:
                claim = Claim(number + 1, self.holder, self._valid_for, is_released=True)
                self._objects.create(numbered(LEASE, claim.number), claim.to_bytes())

    # --- helpers --------------------------------------------------------------------------------

    def _create(self, number: int) -> list[int]:
        """Create the claim of a number; return all numbers there are, this one the highest."""
        asked_at = time.monotonic()
        claim = Claim(number, self.holder, self._valid_for)
        is_mine = self._objects.create(numbered(LEASE, number), claim.to_bytes())
        numbers = self._objects.numbers(LEASE)
        # The number may be one that was tidied away: then a higher one is there already.
        if not is_mine or numbers[-1:] != [number]:
            raise _taken(*self._newest())
        self._number, self._renewed_at = number, asked_at
        return numbers

    def _newest(self) -> tuple[Claim | None, timedelta]:
        """Return the claim that counts, and its age by the store's clock."""
        numbers = self._objects.numbers(LEASE)
        if not numbers:
            return None, timedelta(0)
        path = numbered(LEASE, numbers[-1])
        claim = Claim.from_bytes(numbers[-1], self._objects.read(path, _CLAIM_BYTES))
        if claim.is_released or claim.holder.mark == self.holder.mark:
            return claim, timedelta(0)
        written_at = self._objects.written_at(path)
        return claim, self._now() - written_at if written_at else timedelta(0)

    def _now(self) -> datetime:
        """Ask the store for its time: that of an object which it has just written."""
        probe = f"clock/{uuid.uuid4().hex}"
        self._objects.create(probe, b"")
        now = self._objects.written_at(probe)
        self._objects.delete([probe])
        if now is None:
            raise VaultUnreachableError("The session store does not show what was just written to it.")
        return now

    def _age(self) -> float:
        return time.monotonic() - self._renewed_at

    def _keep(self, ended: threading.Event) -> None:
        while not ended.wait(self._renew_every.total_seconds()):
            try:
                self.renew()
            except SessionTakenError as error:
                log.warning("session_lost", error=str(error))
                self._on_lost()
                return
            except VaultError as error:
                log.warning("lease_not_renewed", error=str(error), held_for_seconds=round(self._age()))
                if not self.is_held:
                    self._on_lost()
                    return

    def _stop_renewing(self) -> None:
        self._ended.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None


def _taken(claim: Claim | None, age: timedelta) -> SessionTakenError:
    if claim is None:
        return SessionTakenError("The session is not held by this process any more.")
    left = max((claim.valid_for - age).total_seconds(), 0)
    return SessionTakenError(
        f"The session is used by process {claim.holder.pid} on {claim.holder.host}.",
        f"It is free when that one ends, or {left:.0f} s after it was cut off.",
    )
