import errno
import hashlib
import os
import resource
import stat
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_etl.attachments.files import files_below, save, sniff
from whatsapp_etl.attachments.room import Room
from whatsapp_etl.whole_files import remove_leftovers

NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)
JPEG = b"\xff\xd8\xff\xe0" + bytes(64)


@pytest.mark.parametrize(
    ("data", "media_type", "extension"),
    [
        (b"\xff\xd8\xff\xdb....", "image/jpeg", "jpg"),
        (b"\x89PNG\r\n\x1a\n....", "image/png", "png"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp", "webp"),
        (b"GIF89a....", "image/gif", "gif"),
        (b"GIF87a....", "image/gif", "gif"),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4", "mp4"),
        (b"OggS\x00\x02", "audio/ogg", "ogg"),
        (b"%PDF-1.7\n", "application/pdf", "pdf"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "application/octet-stream", "bin"),
        (b"<svg/>", "application/octet-stream", "bin"),
        (b"", "application/octet-stream", "bin"),
    ],
)
def test_the_media_type_comes_from_the_bytes(data, media_type, extension):
    assert sniff(data) == (media_type, extension)


def test_a_file_lies_under_its_checksum(tmp_path):
    saved = save(JPEG, tmp_path / "files")

    sha256 = hashlib.sha256(JPEG).hexdigest()
    assert saved.relative_path == f"{sha256[:2]}/{sha256[2:4]}/{sha256}.jpg"
    assert (tmp_path / "files" / saved.relative_path).read_bytes() == JPEG
    assert (saved.sha256, saved.media_type, saved.size_bytes) == (sha256, "image/jpeg", len(JPEG))


def test_equal_bytes_are_written_once(tmp_path):
    first = save(JPEG, tmp_path)
    written = (tmp_path / first.relative_path).stat()

    second = save(JPEG, tmp_path)

    assert second == first
    assert (tmp_path / second.relative_path).stat().st_mtime_ns == written.st_mtime_ns
    assert (tmp_path / second.relative_path).stat().st_ino == written.st_ino


def test_only_the_owner_reads_a_file_and_its_folders(tmp_path):
    saved = save(JPEG, tmp_path / "files")

    place = tmp_path / "files" / saved.relative_path
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in list(place.parents)[:3]} == {0o700}


def test_a_cut_file_under_the_name_is_replaced(tmp_path):
    saved = save(JPEG, tmp_path)
    place = tmp_path / saved.relative_path
    place.write_bytes(JPEG[:10])

    save(JPEG, tmp_path)

    assert place.read_bytes() == JPEG


def test_what_a_killed_program_was_writing_is_removed_once_nobody_can_be_writing_it(tmp_path):
    kept = save(JPEG, tmp_path).relative_path
    hour = timedelta(hours=1)
    for name, age in ((".part-old", 2 * hour), (".part-young", hour / 2), (kept, 2 * hour)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, times=((NOW - age).timestamp(),) * 2)

    remove_leftovers(tmp_path, NOW - hour)

    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {".part-young", kept}


@pytest.fixture
def small_files_only():
    """Let the operating system refuse writes past 64 KiB, as a full disk does."""
    import signal

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_refused_write_leaves_no_file_behind(tmp_path, small_files_only):
    with pytest.raises(OSError, match=r"."):
        save(b"\xff\xd8\xff" + bytes(200_000), tmp_path)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_that_was_damaged_at_equal_size_is_written_anew(tmp_path):
    saved = save(b"\xff\xd8\xff" + b"a" * 100, tmp_path)
    place = tmp_path / saved.relative_path
    place.write_bytes(b"\xff\xd8\xff" + b"b" * 100)

    assert save(b"\xff\xd8\xff" + b"a" * 100, tmp_path) == saved
    assert place.read_bytes() == b"\xff\xd8\xff" + b"a" * 100


def test_what_is_held_stays_and_what_finds_no_room_is_left(tmp_path):
    times = iter((0.0, 1.0, 100.0, 100.0))
    room = Room(tmp_path, most_bytes=250, monotonic=lambda: next(times))
    first = room.save(b"a" * 100)
    room.save(b"b" * 100)

    assert room.save(b"a" * 100) == first  # no room is needed for what is there
    with pytest.raises(OSError, match=r"[Qq]uota") as refused:
        room.save(b"c" * 100)
    assert refused.value.errno == errno.EDQUOT
    assert sorted(path.read_bytes()[:1] for path in files_below(tmp_path) if path.is_file()) == [b"a", b"b"]

    (tmp_path / first.relative_path).unlink()  # measured again a minute later
    assert room.save(b"c" * 100).size_bytes == 100
