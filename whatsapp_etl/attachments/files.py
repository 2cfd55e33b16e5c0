"""Saves bytes under their sha256, so that equal files are one file and a path never changes its content.

A file appears under its name only when it is whole and on disk: it is written in the root,
flushed, renamed, and the folder flushed. A crash or a full disk leaves at most a temporary file,
never half a picture under a checksum that it does not have.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from whatsapp_etl.model import CapturedFile
from whatsapp_etl.steps import Announce, Step, no_announcement
from whatsapp_etl.whole_files import flush_folder, write_whole

#: Media type and file extension by the bytes that a file begins with: (offset, bytes).
_SIGNATURES: tuple[tuple[tuple[tuple[int, bytes], ...], str, str], ...] = (
    (((0, b"\xff\xd8\xff"),), "image/jpeg", "jpg"),
    (((0, b"\x89PNG\r\n\x1a\n"),), "image/png", "png"),
    (((0, b"RIFF"), (8, b"WEBP")), "image/webp", "webp"),
    (((0, b"GIF87a"),), "image/gif", "gif"),
    (((0, b"GIF89a"),), "image/gif", "gif"),
    (((4, b"ftyp"),), "video/mp4", "mp4"),
    (((0, b"OggS"),), "audio/ogg", "ogg"),
    (((0, b"%PDF-"),), "application/pdf", "pdf"),
)
_UNKNOWN = ("application/octet-stream", "bin")

_FOLDER_MODE = 0o700


def sniff(data: bytes) -> tuple[str, str]:
    """Return media type and file extension as the bytes tell; what a sender claims is not asked."""
    for marks, media_type, extension in _SIGNATURES:
        if all(data[offset : offset + len(mark)] == mark for offset, mark in marks):
            return media_type, extension
    return _UNKNOWN


def save(data: bytes, root: Path, announce: Announce = no_announcement) -> CapturedFile:
    """Save `data` under `root/ab/cd/<sha256>.<extension>`; equal bytes are written once.

    Only the owner can read the file and the folders made for it.

    Raises:
        OSError: The disk is full or the folder cannot be written; nothing half-written stays
            under the file's name.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    media_type, extension = sniff(data)
    relative = relative_path(sha256, extension)
    place = root / relative
    # It only gets its name by the rename below, whole; a disk may have damaged it since.
    if not _holds(place, data, sha256):
        _make_folder(root)
        _make_folder(place.parent.parent)
        _make_folder(place.parent)
        # In the root, where what a killed program left is found without a walk through everything.
        write_whole(data, place, root, lambda: announce(Step.PICTURE_WRITTEN))
        announce(Step.PICTURE_SAVED)
    return CapturedFile(
        sha256=sha256, media_type=media_type, size_bytes=len(data), relative_path=relative.as_posix()
    )


def relative_path(sha256: str, extension: str) -> Path:
    """Return where a file of that checksum lies below its root."""
    return Path(sha256[:2]) / sha256[2:4] / f"{sha256}.{extension}"


def place_of(data: bytes, root: Path) -> Path:
    """Return where `save` puts these bytes."""
    return root / relative_path(hashlib.sha256(data).hexdigest(), sniff(data)[1])


def remove(file_path: str, root: Path) -> None:
    """Remove a file that nothing uses any more; one that is gone already is no error."""
    (root / file_path).unlink(missing_ok=True)


def checksum_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, lowercase hex, without holding more than a block of them.

    Raises:
        OSError: It is not there, or cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(folder: Path) -> Iterator[Path]:
    """Yield every file and folder below, one at a time; what disappears meanwhile is left out.

    Raises:
        OSError: A folder cannot be read.
    """
    waiting = [folder]
    while waiting:
        step = waiting.pop()
        try:
            with os.scandir(step) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    yield Path(entry.path)
        except FileNotFoundError:
            if step == folder:
                raise


def _holds(place: Path, data: bytes, sha256: str) -> bool:
    """Whether a file is there and has these bytes; one that cannot be read does not."""
    try:
        return place.stat().st_size == len(data) and checksum_of(place) == sha256
    except OSError:
        return False


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    flush_folder(folder.parent)
