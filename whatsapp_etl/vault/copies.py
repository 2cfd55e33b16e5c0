"""Copies of a profile's login in the store: written, read back, compared.

Which one counts, and when one is made, is decided in `keeper`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import structlog

from whatsapp_etl.errors import GenerationDamagedError, SessionTakenError
from whatsapp_etl.vault.archive import Bounds, pack, unpack
from whatsapp_etl.vault.generations import (
    CURRENT,
    GENERATIONS,
    MANIFEST_BYTES,
    PART_BYTES,
    Kept,
    Manifest,
    Part,
    Pointer,
    kept_generations,
    manifest_path,
    part_path,
    read_manifest,
    read_pointer,
    write_manifest,
    write_pointer,
)
from whatsapp_etl.vault.sealing import SealReader, SealWriter, VaultKey
from whatsapp_etl.vault.store import Objects, numbered

log = structlog.get_logger(__name__)

_POINTER_BYTES = 4096


class Copies:
    """The generations and pointers of one store, under one key."""

    def __init__(self, objects: Objects, key: VaultKey, profile: Path) -> None:
        self.key = key
        self._objects = objects
        self._profile = profile

    # --- writing ----------------------------------------------------------------------------------

    def upload(self, number: int, *, now: datetime, chromium: str) -> Manifest:
        """Pack, seal and store the profile's login in parts; return its manifest without an account.

        Raises:
            VaultError: The profile cannot be read, or the store fails.
        """
        parts = _Parts(lambda index, data: self._create(part_path(number, index), data))
        writer = SealWriter(self.key, parts.take)
        contents = pack(self._profile, writer)
        writer.close()
        parts.close()
        return Manifest(number, now, socket.gethostname(), "", chromium, tuple(parts.made), contents)

    def put_manifest(self, manifest: Manifest) -> None:
        self._create(manifest_path(manifest.generation), write_manifest(manifest, self.key))

    def point_to(self, pointer: Pointer) -> None:
        self._create(numbered(CURRENT, pointer.number), write_pointer(pointer))

    def remove(self, kept: Kept) -> None:
        # The manifest first: what is left of a removal that is cut off is then no generation.
        self._objects.delete(sorted(kept.paths, key=lambda path: path != manifest_path(kept.number)))

    def remove_pointers(self, *, but: int) -> None:
        """Remove all pointers but the newest ones."""
        self._objects.delete(numbered(CURRENT, number) for number in self._objects.numbers(CURRENT)[:-but])

    def _create(self, path: str, data: bytes) -> None:
        if not self._objects.create(path, data):
            raise SessionTakenError(
                f"Another machine has written {path}.",
                "Nothing was changed; the next try takes another number.",
            )

    # --- reading ----------------------------------------------------------------------------------

    def current(self) -> Pointer | None:
        """Return the pointer that counts; None where nothing was ever kept.

        Raises:
            GenerationDamagedError: None of the pointers can be read.
        """
        numbers = self._objects.numbers(CURRENT)
        damaged: GenerationDamagedError | None = None
        for number in reversed(numbers):
            try:
                text = self._objects.read(numbered(CURRENT, number), _POINTER_BYTES)
                # With the highest number, whichever was readable: the next one is above it.
                return replace(read_pointer(text, number), number=numbers[-1])
            except GenerationDamagedError as error:
                log.warning("pointer_damaged", error=str(error))
                damaged = error
        if damaged is not None:
            raise damaged
        return None

    def kept(self) -> tuple[Kept, ...]:
        found = self._objects.found(GENERATIONS)
        return kept_generations((each.path, each.size_bytes, each.written_at) for each in found)

    def manifest(self, generation: int) -> Manifest:
        """Return what is known of a generation.

        Raises:
            VaultKeyError: It was sealed with another key.
            GenerationDamagedError: It has no manifest, or one that was changed.
        """
        text = self._objects.read(manifest_path(generation), MANIFEST_BYTES)
        if text is None:
            raise GenerationDamagedError(
                f"Generation {generation} has no manifest: its backup was cut off, or it was removed."
            )
        return read_manifest(text, self.key, generation)

    def fetch(self, manifest: Manifest, folder: Path) -> Path:
        """Read, open and unpack a generation into an empty folder, and compare it with its manifest.

        Raises:
            GenerationDamagedError: It is not what its manifest says.
        """
        reader = SealReader(self.key, self._pieces(manifest))
        contents = unpack(reader, folder, Bounds().within(manifest.contents))
        if contents != manifest.contents:
            raise GenerationDamagedError(f"Generation {manifest.generation} is not what its manifest says.")
        return folder

    def proven(self, manifest: Manifest, folder: Path, account_in: Callable[[Path], str | None]) -> Manifest:
        """Read a generation back and open it offline; return its manifest with the account in it.

        Raises:
            GenerationDamagedError: It is not what was packed, or no account is logged in there.
        """
        account = account_in(self.fetch(manifest, folder))
        if account is None:
            raise GenerationDamagedError(f"Generation {manifest.generation} holds no login.")
        found = self.key.account_hash(account)
        if manifest.account_hash not in {"", found}:
            raise GenerationDamagedError(f"Generation {manifest.generation} holds another account.")
        return replace(manifest, account_hash=found)

    def _pieces(self, manifest: Manifest) -> Iterator[bytes]:
        for index, part in enumerate(manifest.parts):
            data = self._objects.read(part_path(manifest.generation, index), part.size_bytes)
            if data is None or len(data) != part.size_bytes or sha256(data).hexdigest() != part.sha256:
                state = "gone" if data is None else "damaged"
                raise GenerationDamagedError(f"Part {index} of generation {manifest.generation} is {state}.")
            yield data


class _Parts:
    """Cuts a stream into parts and stores each as it is full."""

    def __init__(self, store: Callable[[int, bytes], None]) -> None:
        self.made: list[Part] = []
        self._store = store
        self._held = bytearray()
        self._has_failed = False

    def take(self, data: bytes) -> None:
        if self._has_failed:
            return  # what packs closes its streams in passing, and would ask the store again
        self._held += data
        while len(self._held) >= PART_BYTES:
            self._put(bytes(self._held[:PART_BYTES]))
            del self._held[:PART_BYTES]

    def close(self) -> None:
        if self._held:
            self._put(bytes(self._held))

    def _put(self, data: bytes) -> None:
        try:
            self._store(len(self.made), data)
        except BaseException:
            self._has_failed = True
            raise
        self.made.append(Part(len(data), sha256(data).hexdigest()))
