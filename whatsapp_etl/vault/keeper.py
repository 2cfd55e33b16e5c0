"""Keeping a session and bringing it back: one readable story each, from the parts of this package.

A backup: pack and seal while the profile is locked and no browser is open, read everything back, open it
in a scratch profile, and only then let the pointer name it. Whatever ends a backup before that, the
generation before it still counts. A restoration: the newest generation that is whole, unpacked beside,
compared, put in place by renaming.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import structlog

from whatsapp_etl.errors import (
    GenerationDamagedError,
    NoGenerationError,
    SessionTakenError,
    VaultError,
    VaultMismatchError,
    VaultUnfinishedError,
    WhatsappEtlError,
)
from whatsapp_etl.vault.bounded import done_in_time
from whatsapp_etl.vault.copies import Copies
from whatsapp_etl.vault.generations import (
    Kept,
    Manifest,
    Pointer,
    is_newer_chromium,
    next_generation,
    restorable,
    to_prune,
)
from whatsapp_etl.vault.lease import Holder, Lease
from whatsapp_etl.vault.placing import (
    Condition,
    Note,
    clear_work,
    condition_of,
    forget_before,
    fresh_work_folder,
    needs_restoring,
    put_in_place,
    read_note,
    recover,
    work_folder,
    write_note,
)

log = structlog.get_logger(__name__)

#: Pointers that stay, to be read by people.
_POINTERS_KEPT = 5
#: Of the time for the end: for giving the lease back, and for what the program does after that.
_FOR_THE_LEASE = timedelta(seconds=3)
_FOR_THE_REST = timedelta(seconds=1.5)


class LockedProfile(Protocol):
    """A profile that this process owns."""

    @property
    def was_linked(self) -> bool: ...
    def note_linked(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the vault asks of the browser's side, of which it imports nothing."""

    lock: Callable[[], AbstractContextManager[LockedProfile]]  #: Takes the profile, unless a browser has it.
    account_in: Callable[[Path], str | None]  #: Opens a scratch profile offline; the account's id in it.
    end_browser: Callable[[Path], None]  #: Ends the browser of a scratch profile, from any thread.
    chromium: Callable[[], str]  #: The browser's version.
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Listed:
    """A generation as `session list` shows it."""

    kept: Kept
    manifest: Manifest | None
    problem: str | None  #: Why there is no manifest to show.
    is_current: bool


class Keeper:
    """One profile and its place in the store. Belongs to the thread that owns the browser."""

    def __init__(
        self,
        copies: Copies,
        lease: Lease,
        profile: Path,
        around: Surroundings,
        *,
        keep: int = 5,
        every: timedelta = timedelta(hours=6),
        again: Callable[[], bool] = lambda: False,
        left: Callable[[], timedelta | None] = lambda: None,
    ) -> None:
        """Prepare; nothing is asked of the store yet.

        Args:
            copies: What the store holds.
            lease: Who may use the session.
            profile: The browser's profile, resolved.
            around: The browser's side.
            keep: Complete generations that stay, the current one among them.
            every: A browser that is closed to be renewed has its session kept once in this time.
            again: Whether to ask once more for a session that another machine uses; it also pauses.
            left: How soon the program has to have ended; None while it may go on.
        """
        self._copies = copies
        self._lease = lease
        self._profile = profile
        self._around = around
        self._keep = keep
        self._every = every
        self._again = again
        self._left = left
        self._has_given_up = False  #: No time is left: what is still being written will not count.
        self._kept_at: datetime | None = None
        self._is_owed = False  #: The profile is newer than the current generation, and worth keeping.
        self.has_failed = False  #: The last time that the session was to be kept, it could not be.

    # --- beside the browser -----------------------------------------------------------------------

    def before_start(self) -> None:
        """Hold the lease, and bring the session here where another machine is ahead; no browser is open.

        Raises:
            SessionTakenError: Another machine uses it.
            VaultError: The store cannot be asked, or nothing in it can be restored.
        """
        while True:
            try:
                return self._prepare()
            except SessionTakenError as taken:
                if not self._again():
                    raise
                log.info("session_awaited", detail=taken.what)

    def _prepare(self) -> None:
        with self._around.lock() as profile:
            note = self._hold()
            pointer = self._copies.current()
            current = pointer.number if pointer and pointer.generation else None
            condition = condition_of(self._profile)
            if needs_restoring(condition, is_linked=profile.was_linked, seen=note.seen, current=current):
                log.info("session_restoring", condition=condition, seen=note.seen, current=current)
                self._restore(profile, restorable(self._copies.kept(), pointer), pointer)
            elif current is not None and not note.seen:
                log.warning(
                    "session_not_from_store", detail="the profile has a login that the store never saw"
                )

    def after_close(self, *, is_worth_keeping: bool, is_last: bool) -> None:
        """Keep the session after its browser was closed: when it is due, and at the end. Never raises.

        Args:
            is_worth_keeping: The browser ended by itself, and an account was logged in until then.
            is_last: No browser is opened again; the lease is given back.
        """
        self._is_owed = is_worth_keeping or (self._is_owed and is_last)
        now = self._around.clock()
        is_due = is_last or self._kept_at is None or now - self._kept_at >= self._every
        try:
            if self._is_owed and is_due:
                self._require_lease()
                # Before the copy, which may be cut off.
                write_note(self._profile, replace(read_note(self._profile), is_owed=True))
                self._backup_in_time()
        except WhatsappEtlError as error:
            self.has_failed = True
            log.warning("session_not_kept", error=str(error), kind=type(error).__name__)
        if is_last:
            self._give_back()

    @property
    def is_owed(self) -> bool:
        """Whether this profile is known to be newer than what was last kept of it."""
        return read_note(self._profile).is_owed

    def close(self) -> None:
        """Give the lease back, if it is held.

        Raises:
            VaultError: The store fails; the lease then runs out by itself.
        """
        self._lease.release()

    def _require_lease(self) -> None:
        """Never take the lease anew to keep what was used without it."""
        if not self._lease.is_held:
            raise SessionTakenError(
                "The lease was lost, so this session is not kept.", "The other one counts."
            )

    def _backup_in_time(self) -> None:
        """Make a generation unless the program has to end first; the one before it counts then."""
        if not done_in_time(self.backup, self._left, reserve=_FOR_THE_LEASE):
            self._has_given_up = True
            self._around.end_browser(work_folder(self._profile))
            raise VaultUnfinishedError(
                "The program had to end before the session was kept.",
                "It is kept when the browser is next renewed. SESSION_STORE_GRACE_SECONDS gives more time.",
            )

    def _give_back(self) -> None:
        try:
            if not done_in_time(self._lease.release, self._left, reserve=_FOR_THE_REST):
                log.warning("lease_not_released", error="The store did not answer in time.")
        except VaultError as error:
            log.warning("lease_not_released", error=str(error))

    def _hold(self) -> Note:
        """Take the lease under the profile's lock, and leave the profile tidy."""
        note = read_note(self._profile)
        self._lease.take(note.holder)
        recover(self._profile)
        mine = replace(note, holder=self._lease.holder)
        if mine != note:
            write_note(self._profile, mine)
        return mine

    # --- backup -----------------------------------------------------------------------------------

    def backup(self) -> Manifest:
        """Make a generation of the profile, and let it count once it is proven.

        Raises:
            VaultError: It could not be; the generation before it still counts.
        """
        with self._around.lock() as profile:
            self._hold()
            if not profile.was_linked or condition_of(self._profile) is not Condition.WHOLE:
                raise VaultMismatchError(
                    "The profile holds no login that could be kept.", "Run `whatsapp-etl login`."
                )
            before = self._copies.current()
            number = next_generation(self._copies.kept(), before)
            log.info("session_backup", generation=number)
            manifest = self._copy(number)
            self._refuse_other_account(manifest, before)
            self._copies.put_manifest(manifest)
            pointer = self._point_to(number, before)
            # After the pointer: a note that is behind it only makes the same session be fetched once more.
            write_note(self._profile, Note(pointer.number, self._lease.holder))
            forget_before(self._profile)
        self._kept_at = self._around.clock()
        self._is_owed = self.has_failed = False
        log.info("session_kept", generation=number, size_bytes=manifest.sealed_bytes)
        self._prune(number)
        return manifest

    def _copy(self, number: int) -> Manifest:
        now, chromium = self._around.clock(), self._around.chromium()
        try:
            written = self._copies.upload(number, now=now, chromium=chromium)
            self._require_time()
            return self._copies.proven(written, self._scratch(number), self._around.account_in)
        finally:
            clear_work(self._profile)

    def _refuse_other_account(self, manifest: Manifest, pointer: Pointer | None) -> None:
        if pointer is None or not pointer.generation:
            return
        try:
            before = self._copies.manifest(pointer.generation)
        except GenerationDamagedError:
            return  # it tells no account; the new one mends the store
        if before.account_hash != manifest.account_hash:
            raise VaultMismatchError(
                "The session store holds another account.",
                "Give this one a SESSION_STORE_URL of its own, or run `whatsapp-etl session clear`.",
            )

    def _require_time(self) -> None:
        if self._has_given_up:
            raise VaultUnfinishedError("The program is ending.", "The generation before counts.")

    def _point_to(self, generation: int, before: Pointer | None) -> Pointer:
        """Let a generation count, if this process may still decide that."""
        self._lease.renew()
        self._require_time()
        if before is not None and before.lease > self._lease.since:
            raise SessionTakenError(
                "Another machine has kept the session since.", "It is fetched from there."
            )
        pointer = Pointer((before.number if before else 0) + 1, generation, self._lease.since)
        self._copies.point_to(pointer)
        return pointer

    def _prune(self, current: int) -> None:
        """Remove old generations and remains; what stays of them is tried again after the next backup."""
        try:
            for each in to_prune(self._copies.kept(), current, self._keep):
                self._copies.remove(each)
                log.info("generation_removed", generation=each.number)
            self._copies.remove_pointers(but=_POINTERS_KEPT)
        except VaultError as error:
            log.warning("generations_not_pruned", error=str(error))

    # --- restoration ------------------------------------------------------------------------------

    def restore(self, generation: int | None = None) -> Manifest:
        """Put a generation in the profile's place: the newest whole one, or the one named.

        Raises:
            NoGenerationError: There is none, or not the one that is named.
            VaultError: The store fails, or the profile is not free. The profile is as it was.
        """
        with self._around.lock() as profile:
            self._hold()
            pointer = self._copies.current()
            kept = self._copies.kept()
            if generation is None:
                return self._restore(profile, restorable(kept, pointer), pointer)
            _require(generation, kept)
            return self._restore(profile, (generation,), pointer)

    def _restore(
        self, profile: LockedProfile, candidates: tuple[int, ...], pointer: Pointer | None
    ) -> Manifest:
        try:
            manifest, unpacked = self._first_whole(candidates)
            put_in_place(self._profile, unpacked)
        finally:
            clear_work(self._profile)
        profile.note_linked()
        write_note(self._profile, Note(pointer.number if pointer else 0, self._lease.holder))
        log.info("session_restored", generation=manifest.generation, taken_at=manifest.taken_at.isoformat())
        return manifest

    def _first_whole(self, candidates: tuple[int, ...]) -> tuple[Manifest, Path]:
        """Fetch the first candidate that is whole; a damaged one is told and passed over."""
        damaged: GenerationDamagedError | None = None
        for number in candidates:
            try:
                manifest = self._copies.manifest(number)
                self._refuse_newer_chromium(manifest)
                return manifest, self._copies.fetch(manifest, self._scratch(number))
            except GenerationDamagedError as error:
                log.warning("generation_damaged", generation=number, error=str(error))
                damaged = error
        raise NoGenerationError(
            f"No generation can be restored. {damaged}" if damaged else "The session store is empty.",
            "Look with `whatsapp-etl session list`; `session clear`, then `login`, begins anew.",
        ) from damaged

    def _refuse_newer_chromium(self, manifest: Manifest) -> None:
        here = self._around.chromium()
        if is_newer_chromium(manifest.chromium, here):
            raise VaultMismatchError(
                f"Generation {manifest.generation} is of Chromium {manifest.chromium}; "
                f"{here}, which is here, would discard it.",
                "Update Chromium here.",
            )

    # --- looking ----------------------------------------------------------------------------------

    def listed(self) -> tuple[Listed, ...]:
        """Return what the store holds, newest first; nothing is taken or changed.

        Raises:
            VaultKeyError: It was sealed with another key.
        """
        pointer = self._copies.current()
        current = pointer.generation if pointer else 0
        return tuple(
            self._listed(each, is_current=each.number == current) for each in reversed(self._copies.kept())
        )

    def user_elsewhere(self) -> Holder | None:
        """Return the process that uses the session now, if it is another one."""
        return self._lease.holder_elsewhere()

    def verify(self, generation: int | None = None) -> Manifest:
        """Prove one generation, the current one unless named: checksums, and its login in a browser offline.

        Raises:
            NoGenerationError: There is none, or not the one that is named.
            GenerationDamagedError: It is not whole.
        """
        pointer = self._copies.current()
        number = generation or (pointer.generation if pointer else 0)
        if not number:
            raise NoGenerationError("The session store is empty.", "Run `whatsapp-etl session backup`.")
        if generation is not None:
            _require(number, self._copies.kept())
        # Not in the profile, which a running service may have.
        with TemporaryDirectory(prefix="whatsapp-etl-") as folder:
            return self._copies.proven(self._copies.manifest(number), Path(folder), self._around.account_in)

    def clear(self) -> int:
        """Remove every generation; return how many there were. The profile stays.

        Raises:
            SessionTakenError: Another machine uses the session.
        """
        with self._around.lock():
            self._hold()
            kept = self._copies.kept()
            # First nothing counts any more; then what is left of a removal that is cut off counts for nobody.
            self._point_to(0, self._copies.current())
            for each in kept:
                self._copies.remove(each)
            self._copies.remove_pointers(but=1)
            write_note(self._profile, Note(0, self._lease.holder))
        return len(kept)

    def _scratch(self, generation: int) -> Path:
        return fresh_work_folder(self._profile, f"generation-{generation}")

    def _listed(self, kept: Kept, *, is_current: bool) -> Listed:
        try:
            return Listed(kept, self._copies.manifest(kept.number), None, is_current=is_current)
        except GenerationDamagedError as error:
            return Listed(kept, None, str(error), is_current=is_current)


def _require(generation: int, kept: tuple[Kept, ...]) -> None:
    numbers = [each.number for each in kept]
    if generation not in numbers:
        there = ", ".join(map(str, numbers)) or "none"
        raise NoGenerationError(f"There is no generation {generation}; there are: {there}.")
