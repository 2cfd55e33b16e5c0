import os
import stat
import subprocess
import sys

import pytest

from whatsapp_etl.errors import ConfigurationError, ProfileUnwritableError
from whatsapp_etl.extract.temporary import LONGEST, TemporaryFolder, temporary_base

LONG = "/" + "t" * LONGEST
#: Has a folder, as the owner of a browser, and is killed with it.
OWNER = """
import os, signal, sys
from pathlib import Path
from whatsapp_etl.extract.temporary import TemporaryFolder
with TemporaryFolder(Path(sys.argv[1])) as folder:
    (folder.path / "left").mkdir()
    print(folder.path)
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def short(tmp_path, monkeypatch):
    """A folder that is named by a short path: tests' own are long."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short").mkdir()
    return "short"


def test_a_temporary_folder_that_is_short_enough_is_used(short, tmp_path):
    assert str(temporary_base({"TMPDIR": short}, (tmp_path,))) == short


@pytest.mark.parametrize("wanted", [LONG, "", "/nowhere"])
def test_another_one_that_can_be_written_is_taken_for_one_that_cannot_be_used(tmp_path, wanted):
    assert temporary_base({"TMPDIR": wanted}, (tmp_path / "none", tmp_path)) == tmp_path


def test_without_one_the_person_is_told_which_variable_is_wrong(tmp_path):
    with pytest.raises(ConfigurationError, match=rf"^TMPDIR: {LONG} is too long.* at most {LONGEST} bytes"):
        temporary_base({"TMPDIR": LONG}, (tmp_path / "none",))
    with pytest.raises(ConfigurationError, match=r"^TMPDIR: no folder"):
        temporary_base({}, (tmp_path / "none",))


def test_a_browsers_folder_is_its_own_private_and_goes_with_all_that_is_in_it(tmp_path):
    with TemporaryFolder(tmp_path) as one, TemporaryFolder(tmp_path) as other:
        assert one.path != other.path
        assert stat.S_IMODE(one.path.stat().st_mode) == 0o700
        (one.path / "left").mkdir()

    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_owner_goes_at_the_next_start_and_that_of_a_living_one_stays(tmp_path):
    with TemporaryFolder(tmp_path) as living:
        killed = subprocess.run(
            [sys.executable, "-c", OWNER, tmp_path], check=False, stdout=subprocess.PIPE, text=True
        )
        left = tmp_path / killed.stdout.strip()
        assert (left / "left").is_dir()

        with TemporaryFolder(tmp_path) as following:
            assert set(tmp_path.iterdir()) == {living.path, following.path}


def test_a_folder_whose_owner_was_killed_before_it_had_its_lock_goes_too(tmp_path):
    (tmp_path / "wetl-browser-00000000").mkdir()

    with TemporaryFolder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder.path]


def test_what_only_looks_like_such_a_folder_stays(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "kept").mkdir(parents=True)
    base = tmp_path / "base"
    base.mkdir()
    (base / "wetl-browser-11111111").symlink_to(elsewhere)
    (base / "wetl-browser-22222222").write_text("a file")
    (base / "wetl-browser-mine").mkdir()
    (base / "org.chromium.Chromium.AbCdEf").mkdir()
    before = set(base.iterdir())

    with TemporaryFolder(base):
        pass

    assert set(base.iterdir()) == before
    assert [each.name for each in elsewhere.iterdir()] == ["kept"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_the_folder_of_another_user_stays(tmp_path):
    other = tmp_path / "wetl-browser-00000000"
    other.mkdir()
    os.chown(other, 12345, 12345)

    with TemporaryFolder(tmp_path):
        pass

    assert other.is_dir()


def test_where_none_can_be_made_the_error_says_where(tmp_path):
    with (
        pytest.raises(ProfileUnwritableError, match=r"cannot be made in .*/none"),
        TemporaryFolder(tmp_path / "none"),
    ):
        pass
