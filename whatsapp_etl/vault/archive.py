"""What of a profile is the login, as one compressed stream, and back into a folder.

`Default/IndexedDB` and `Default/Local Storage` are enough to restore a login; caches, cookies and
Chromium's locks are left out. Unpacking takes nothing on trust: only regular files and folders below
those two, and no more bytes than the bounds allow, however little was compressed.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast

import zstandard

from whatsapp_etl.errors import GenerationDamagedError, VaultError

#: Below the profile; what Chromium keeps of the page's origin.
LOGIN_FOLDERS = ("Default/IndexedDB", "Default/Local Storage")
#: LevelDB's own lock has no content, and Chromium makes it anew.
_LEFT_OUT = frozenset({"LOCK"})

_LEVEL = 3
_COPY_BYTES = 256 * 1024
#: Far more than level 3 uses; an archive that asks for more is not one of this program.
_WINDOW_BYTES = 128 * 1024 * 1024
#: Head and padding of a member, and the end of the archive.
_TAR_BYTES_PER_FILE = 4096
_TAR_BYTES = 64 * 1024


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds, told without opening it."""

    files: int
    size_bytes: int  #: Of all files, unpacked.
    sha256: str  #: Lowercase hex, over the sorted names with each file's own sha256.


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much an archive may unpack to."""

    files: int = 200_000
    size_bytes: int = 16 * 1024**3

    def within(self, contents: Contents) -> Bounds:
        """Return the tighter ones: what an archive says of itself counts, up to these."""
        return Bounds(min(self.files, contents.files), min(self.size_bytes, contents.size_bytes))


def pack(profile: Path, sink: Writable, on_file: Callable[[str], None] = lambda _name: None) -> Contents:
    """Write the login of a profile that no browser has open.

    Raises:
        VaultError: A file changed meanwhile, or something there is neither a file nor a folder.
    """
    tally = _Tally()
    # Threads would not help: hashing and disk take as long. The checksum is the sealing's.
    compressor = zstandard.ZstdCompressor(level=_LEVEL)
    with (
        compressor.stream_writer(cast("IO[bytes]", sink), closefd=False) as compressed,
        tarfile.open(mode="w|", fileobj=compressed, format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in _files(profile):
            name = path.relative_to(profile).as_posix()
            tally.add(name, *_add(tar, path, name))
            on_file(name)
    return tally.contents()


def unpack(source: Readable, folder: Path, bounds: Bounds) -> Contents:
    """Unpack into an empty folder.

    Raises:
        GenerationDamagedError: It is no archive of a login, or larger than the bounds. What was
            unpacked until then lies in `folder`.
    """
    tally = _Tally()
    limit = bounds.size_bytes + bounds.files * _TAR_BYTES_PER_FILE + _TAR_BYTES
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    try:
        with decompressor.stream_reader(cast("IO[bytes]", source), closefd=False) as plain:
            bounded = _Bounded(cast("Readable", plain), limit)
            with tarfile.open(mode="r|", fileobj=cast("IO[bytes]", bounded)) as tar:
                for member in tar:
                    _take(tar, member, folder, tally, bounds)
            while bounded.read(_COPY_BYTES):  # to the end, which is authenticated, too
                pass
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise GenerationDamagedError("The archive cannot be unpacked.") from error
    return tally.contents()


class _Tally:
    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.size_bytes = 0

    def add(self, name: str, size: int, digest: str) -> None:
        self.names[name] = digest
        self.size_bytes += size

    def contents(self) -> Contents:
        told = "".join(f"{digest} {name}\n" for name, digest in sorted(self.names.items()))
        return Contents(len(self.names), self.size_bytes, sha256(told.encode()).hexdigest())


class _Bounded:
    """A stream that fails where it grows past its limit: a bomb is not unpacked to see its size."""

    def __init__(self, source: Readable, limit: int) -> None:
        self._source = source
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise GenerationDamagedError("The archive unpacks to more than it may.")
        return data


def _files(profile: Path) -> Iterator[Path]:
    """Yield the login's files, sorted."""
    for part in LOGIN_FOLDERS:
        for folder, names, files in os.walk(profile / part, onerror=_raise):
            names.sort()
            for name in [each for each in names if (Path(folder) / each).is_symlink()]:
                raise _strange(name)
            for name in sorted(files):
                if name not in _LEFT_OUT:
                    yield Path(folder) / name


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise _unreadable(error) from error


@contextmanager
def _regular(path: Path) -> Iterator[IO[bytes]]:
    try:
        # Looked at before it is opened: opening a pipe waits for its other end.
        if not stat.S_ISREG(path.lstat().st_mode):
            raise _strange(path.name)
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            yield file
    except OSError as error:
        raise _unreadable(error) from error


def _strange(name: str) -> VaultError:
    return VaultError(
        f"The profile holds something that is neither a file nor a folder: {name}.", "Remove it."
    )


def _unreadable(error: OSError) -> VaultError:
    return VaultError(
        f"The profile could not be read ({error.strerror or 'it changed meanwhile'}).",
        "See that no browser has it open and that this user may read it.",
    )


def _add(tar: tarfile.TarFile, path: Path, name: str) -> tuple[int, str]:
    """Add one file; return its size and checksum."""
    with _regular(path) as file:
        member = tarfile.TarInfo(name)
        member.size = os.fstat(file.fileno()).st_size
        member.mode = 0o600
        reader = _Digesting(file)
        tar.addfile(member, cast("IO[bytes]", reader))
        return member.size, reader.digest.hexdigest()


class _Digesting:
    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, tally: _Tally, bounds: Bounds) -> None:
    """Unpack one member, if it is what this program packs."""
    name = _safe_name(member)
    if len(tally.names) >= bounds.files or tally.size_bytes + member.size > bounds.size_bytes:
        raise GenerationDamagedError("The archive unpacks to more than it may.")
    if name in tally.names:
        raise GenerationDamagedError("The archive holds a file twice.")
    source = tar.extractfile(member)
    assert source is not None, "a regular file has content"
    target = folder / name
    try:
        _make_folders(folder, target.parent)
        opened = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(opened, "wb") as file:
            digest, size = _copied(source, file)
    except OSError as error:
        raise VaultError(
            f"The archive cannot be unpacked here ({error.strerror}).", "Free some space below the profile."
        ) from error
    tally.add(name, size, digest)


def _make_folders(root: Path, folder: Path) -> None:
    """Make a folder and those above it, for their owner only; `mkdir` would open those above."""
    if folder != root and not folder.is_dir():
        _make_folders(root, folder.parent)
        folder.mkdir(mode=0o700)


def _copied(source: IO[bytes], target: IO[bytes]) -> tuple[str, int]:
    digest, size = sha256(), 0
    while data := source.read(_COPY_BYTES):
        digest.update(data)
        size += len(data)
        target.write(data)
    return digest.hexdigest(), size


def _safe_name(member: tarfile.TarInfo) -> str:
    """Return the name of a member that may be unpacked.

    Raises:
        GenerationDamagedError: It is a link, a device or lies outside the login's folders.
    """
    parts = PurePosixPath(member.name).parts
    is_below = any(member.name.startswith(f"{part}/") for part in LOGIN_FOLDERS)
    if not member.isreg() or not is_below or ".." in parts or "\0" in member.name:
        raise GenerationDamagedError("The archive holds something that does not belong to a login.")
    return PurePosixPath(*parts).as_posix()
