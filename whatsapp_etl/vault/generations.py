"""Generations: each backup is one, and a pointer says which one counts.

In the store:

    generations/000000000007/part-0000 …   the sealed archive, in parts
    generations/000000000007/manifest      written after the archive was read back and opened
    current/000000000003                   the third pointer: names a generation
    lease/000000000042                     see `lease`

Of pointers the highest number counts. A backup that was cut off leaves a generation without a manifest
or without a pointer; neither is restored as the current one, and a later backup removes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from whatsapp_etl.errors import GenerationDamagedError, VaultKeyError
from whatsapp_etl.vault.archive import Contents
from whatsapp_etl.vault.sealing import KEY_REMEDY, VaultKey
from whatsapp_etl.vault.store import numbered

GENERATIONS = "generations"
CURRENT = "current"

#: Small enough to be repeated over a slow line, and to be held in memory.
PART_BYTES = 4 * 1024 * 1024
MANIFEST_BYTES = 4 * 1024 * 1024

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a sealed archive."""

    size_bytes: int
    sha256: str  #: Lowercase hex.


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a generation without opening it. Stored readable, and authenticated."""

    generation: int
    taken_at: datetime  #: By the program's clock.
    host: str
    account_hash: str  #: Keyed: see `VaultKey.account_hash`.
    chromium: str  #: Version of the browser that wrote the profile.
    parts: tuple[Part, ...]
    contents: Contents

    @property
    def sealed_bytes(self) -> int:
        return sum(part.size_bytes for part in self.parts)


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which generation counts, and under which lease that was decided."""

    number: int  #: Of the pointer itself; it only grows, also when the store is cleared.
    generation: int  #: 0: none, the store was cleared.
    lease: int  #: The number under which the lease was taken; a later holder's decision wins.


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store holds of one generation."""

    number: int
    has_manifest: bool
    paths: tuple[str, ...]
    written_at: datetime  #: Of the newest object, by the store's clock.
    size_bytes: int


def part_path(generation: int, index: int) -> str:
    return f"{numbered(GENERATIONS, generation)}/part-{index:04}"


def manifest_path(generation: int) -> str:
    return f"{numbered(GENERATIONS, generation)}/manifest"


def write_manifest(manifest: Manifest, key: VaultKey) -> bytes:
    """Return a manifest as it is stored."""
    told = {**asdict(manifest), "taken_at": manifest.taken_at.isoformat(), "format": _FORMAT, "key": key.id}
    return json.dumps({**told, "mac": key.mac(_canonical(told))}, sort_keys=True, indent=1).encode()


def read_manifest(text: bytes, key: VaultKey, generation: int) -> Manifest:
    """Return what a stored manifest says.

    Raises:
        VaultKeyError: It was written with another key.
        GenerationDamagedError: It is none, was changed, or belongs to another generation.
    """
    try:
        told: dict[str, Any] = json.loads(text)
        mac = str(told.pop("mac"))
        key_id = told["key"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(generation, "its manifest cannot be read") from error
    if key_id != key.id:
        raise VaultKeyError(f"Generation {generation} was sealed with another key.", KEY_REMEDY)
    if not key.is_mac(mac, _canonical(told)):
        raise _damaged(generation, "its manifest was changed")
    # From here on it is as this program wrote it, though perhaps as a newer one.
    if told.get("format") != _FORMAT or told.get("generation") != generation:
        raise _damaged(generation, "its manifest is another's")
    return Manifest(
        generation=generation,
        taken_at=datetime.fromisoformat(told["taken_at"]),
        host=told["host"],
        account_hash=told["account_hash"],
        chromium=told["chromium"],
        parts=tuple(Part(**part) for part in told["parts"]),
        contents=Contents(**told["contents"]),
    )


def write_pointer(pointer: Pointer) -> bytes:
    return json.dumps({"generation": pointer.generation, "lease": pointer.lease}).encode()


def read_pointer(text: bytes | None, number: int) -> Pointer:
    """Return what a stored pointer says.

    Raises:
        GenerationDamagedError: It is none.
    """
    try:
        told = json.loads(text or b"")
        return Pointer(number, int(told["generation"]), int(told["lease"]))
    except (ValueError, KeyError, TypeError) as error:
        raise GenerationDamagedError(f"The pointer {numbered(CURRENT, number)} cannot be read.") from error


def kept_generations(objects: Iterable[tuple[str, int, datetime]]) -> tuple[Kept, ...]:
    """Return what is there of each generation, oldest first.

    Args:
        objects: Path, size in bytes and time of each object below `generations/`.
    """
    found: dict[int, list[tuple[str, int, datetime]]] = {}
    for each in objects:
        if match := re.match(rf"{GENERATIONS}/(\d+)/", each[0]):
            found.setdefault(int(match[1]), []).append(each)
    return tuple(
        Kept(
            number,
            any(path == manifest_path(number) for path, _, _ in each),
            tuple(sorted(path for path, _, _ in each)),
            max(written_at for _, _, written_at in each),
            sum(size for _, size, _ in each),
        )
        for number, each in sorted(found.items())
    )


def next_generation(kept: Sequence[Kept], pointer: Pointer | None) -> int:
    """Return a number that no generation has."""
    return 1 + max([pointer.generation if pointer else 0, *(each.number for each in kept)])


def restorable(kept: Sequence[Kept], pointer: Pointer | None) -> tuple[int, ...]:
    """Return the generations to try, the best first: the current one, then those before it.

    One above the pointer was never declared good. The current one is tried also when its manifest is
    gone, so that this is told and not passed over.
    """
    if pointer is None or not pointer.generation:
        return ()
    before = [each.number for each in kept if each.has_manifest and each.number < pointer.generation]
    return (pointer.generation, *sorted(before, reverse=True))


def to_prune(kept: Sequence[Kept], current: int, keep: int) -> tuple[Kept, ...]:
    """Return what goes after `current` was declared good.

    The newest `keep` complete generations stay, the current one among them. Remains of backups that were
    cut off go, if they are older than the current one: a younger one may be somebody's at work.
    """
    complete = [each.number for each in kept if each.has_manifest and each.number <= current]
    stays = set(sorted(complete)[-keep:]) | {current}
    return tuple(each for each in kept if each.number < current and each.number not in stays)


def is_newer_chromium(wrote: str, here: str) -> bool:
    """Whether a profile was written by a newer Chromium than the one that is to open it.

    Chromium discards storage that is of a later version than it knows.
    """
    return _major(wrote) > _major(here)


def _major(version: str) -> int:
    head = version.partition(".")[0]
    return int(head) if head.isdecimal() else 0


def _canonical(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def _damaged(generation: int, why: str) -> GenerationDamagedError:
    return GenerationDamagedError(f"Generation {generation} is damaged: {why}.")
