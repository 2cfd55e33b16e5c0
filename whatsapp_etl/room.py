"""How much room the browser profile needs, and how much there is: one figure for all who ask."""

from __future__ import annotations

import shutil
from pathlib import Path

GIGABYTE = 1_000_000_000

#: Chromium logs itself out when its disk quota is exceeded, so this is asked for with room to spare.
LEAST_FOR_PROFILE = 2 * GIGABYTE


def free_at(folder: Path) -> int:
    """Return the free bytes where `folder` is or will be made."""
    return shutil.disk_usage(existing_part(folder)).free


def existing_part(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(step for step in (folder, *folder.parents) if step.exists())


def little_room(free: int) -> str | None:
    """Return what to say of a profile's disk with `free` bytes; None where that is enough."""
    if free >= LEAST_FOR_PROFILE:
        return None
    return (
        f"Only {free / GIGABYTE:.1f} GB are free for the profile, where {LEAST_FOR_PROFILE / GIGABYTE:.0f} GB"
        " are advised. WhatsApp Web logs itself out when its disk is full."
    )
