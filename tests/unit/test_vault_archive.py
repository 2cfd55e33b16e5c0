"""What is packed of a profile, and what is not taken out of an archive."""

import io
import os
import tarfile

import pytest
import zstandard

from tests.fixtures.vault import INDEXED, LOCAL, fill
from whatsapp_etl.errors import GenerationDamagedError, VaultError
from whatsapp_etl.vault.archive import Bounds, pack, unpack


def packed(profile):
    taken = io.BytesIO()
    contents = pack(profile, taken)
    return contents, taken.getvalue()


def archive(*members, tail=b""):
    """Return a compressed tar of members that the program itself would never write."""
    plain = io.BytesIO()
    with tarfile.open(mode="w", fileobj=plain) as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return zstandard.compress(plain.getvalue() + tail)


def member(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_the_login_goes_there_and_back_without_caches_and_locks(tmp_path):
    fill(tmp_path / "from")
    (tmp_path / "to").mkdir()

    contents, data = packed(tmp_path / "from")
    again = unpack(io.BytesIO(data), tmp_path / "to", Bounds().within(contents))

    assert again == contents
    assert {
        str(path.relative_to(tmp_path / "to")) for path in (tmp_path / "to").rglob("*") if path.is_file()
    } == {
        f"{folder}/{name}"
        for folder in (INDEXED, LOCAL)
        for name in ("CURRENT", "MANIFEST-000001", "000003.log")
    }
    assert (tmp_path / "to" / LOCAL / "000003.log").read_text() == "alma"
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "to").rglob("*"))


def test_contents_differ_where_a_byte_or_a_name_differs(tmp_path):
    told = []
    for word, name in (("one", "000005.log"), ("two", "000005.log"), ("two", "000006.log")):
        fill(tmp_path / word / name, word=word)
        (tmp_path / word / name / INDEXED / name).write_text("same")
        told.append(packed(tmp_path / word / name)[0].sha256)
    assert len(set(told)) == 3


@pytest.mark.parametrize(
    "strange",
    [
        member("/etc/evil"),
        member("Default/IndexedDB/../../../evil"),
        member("../evil"),
        member("Default/Cookies"),
        member("Default/IndexedDB/link", tarfile.SYMTYPE, "/etc/passwd"),
        member("Default/IndexedDB/hard", tarfile.LNKTYPE, "Default/IndexedDB/ok"),
        member("Default/IndexedDB/device", tarfile.CHRTYPE),
        member("Default/IndexedDB/pipe", tarfile.FIFOTYPE),
        member("Default/IndexedDB/folder", tarfile.DIRTYPE),
    ],
    ids=lambda info: info.name,
)
def test_what_does_not_belong_to_a_login_is_not_unpacked(tmp_path, strange):
    (tmp_path / "to").mkdir()
    data = archive((member("Default/IndexedDB/ok"), b"fine"), (strange, b""))

    with pytest.raises(GenerationDamagedError, match="does not belong"):
        unpack(io.BytesIO(data), tmp_path / "to", Bounds())

    assert [path.name for path in tmp_path.rglob("*") if not path.is_dir()] == ["ok"]


def test_a_file_that_comes_twice_is_refused(tmp_path):
    data = archive((member("Default/IndexedDB/a"), b"1"), (member("Default/IndexedDB/./a"), b"2"))

    with pytest.raises(GenerationDamagedError, match="twice"):
        unpack(io.BytesIO(data), tmp_path, Bounds())


def test_a_name_through_a_link_that_lies_there_is_not_followed(tmp_path):
    (tmp_path / "to" / "Default").mkdir(parents=True)
    (tmp_path / "to" / "Default" / "IndexedDB").mkdir()
    (tmp_path / "to" / "Default" / "IndexedDB" / "a").symlink_to(tmp_path / "outside")

    with pytest.raises(VaultError):
        unpack(io.BytesIO(archive((member("Default/IndexedDB/a"), b"1"))), tmp_path / "to", Bounds())

    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(
    "data",
    [
        archive((member("Default/IndexedDB/zeros"), bytes(3_000_000))),
        # Behind the end of the archive, where tar itself does not look.
        archive((member("Default/IndexedDB/a"), b"1"), tail=bytes(30_000_000)),
        # In a header, which tar reads as a whole.
        archive((member("Default/IndexedDB/" + "n" * 3_000_000), b"")),
    ],
    ids=["file", "tail", "name"],
)
def test_a_small_archive_that_would_become_large_is_not_unpacked_to_see(tmp_path, data):
    assert len(data) < 20_000

    with pytest.raises(GenerationDamagedError):
        unpack(io.BytesIO(data), tmp_path, Bounds(files=3, size_bytes=1_000_000))

    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 1_000_000


def test_more_files_than_were_told_are_not_unpacked(tmp_path):
    data = archive(*((member(f"Default/IndexedDB/{number}"), b"") for number in range(5)))

    with pytest.raises(GenerationDamagedError, match="more than it may"):
        unpack(io.BytesIO(data), tmp_path, Bounds(files=4))

    assert len(list((tmp_path / "Default/IndexedDB").iterdir())) == 4


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        zstandard.compress(b"no tar" * 500),
        archive((member("Default/IndexedDB/a"), b"1" * 9999))[:-20],
    ],
)
def test_what_is_no_archive_is_damaged(tmp_path, data):
    with pytest.raises(GenerationDamagedError):
        unpack(io.BytesIO(data), tmp_path, Bounds())


@pytest.mark.parametrize(
    "make", [lambda path: path.symlink_to("/etc"), lambda path: path.symlink_to("/etc/hosts"), os.mkfifo]
)
def test_a_profile_that_holds_links_or_pipes_is_not_packed(tmp_path, make):
    fill(tmp_path)
    make(tmp_path / INDEXED / "strange")

    with pytest.raises(VaultError, match="neither a file nor a folder: strange"):
        packed(tmp_path)
