"""One owner of a profile at a time, and what a dead owner leaves behind."""

import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys

import psutil
import pytest

from whatsapp_etl.errors import ProfileLockedError
from whatsapp_etl.extract.processes import find_browsers
from whatsapp_etl.extract.profile import Profile

#: Takes a profile, tells so, and keeps it until its input ends.
OWNER = """
import sys
from pathlib import Path
from whatsapp_etl.extract.profile import Profile
with Profile(Path(sys.argv[1])):
    print("taken", flush=True)
    sys.stdin.read()
"""

#: Becomes a program that has two given pipes as file descriptors 3 and 4.
WITH_PIPES = """
import os, sys
read_end, write_end, *command = sys.argv[1:]
os.dup2(int(read_end), 3)
os.dup2(int(write_end), 4)
os.execv(command[0], command)
"""

#: The same with a browser, whose pid it tells.
BROWSER_OWNER = """
import sys
from pathlib import Path
from whatsapp_etl.extract.browser import Browser, BrowserOptions
with Browser(Path(sys.argv[1]), BrowserOptions(Path(sys.argv[2]))) as browser:
    print(browser.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def start_owner(tmp_path):
    """Start another process that owns the profile; returns it once it does."""
    started = []

    def start(code, *arguments):
        owner = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "profile"), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(owner)
        return owner, owner.stdout.readline().strip()

    yield start
    for owner in started:
        with owner:
            owner.kill()


def test_a_profile_is_private_and_names_its_owner(tmp_path):
    with Profile(tmp_path / "profile") as profile:
        owner = json.loads((profile.folder / "whatsapp-etl.lock").read_text())

    assert owner["pid"] == os.getpid()
    assert owner["host"] == socket.gethostname()
    assert stat.S_IMODE(profile.folder.stat().st_mode) == 0o700


def test_a_second_owner_is_refused_and_told_who_has_it(tmp_path, start_owner):
    owner, _ = start_owner(OWNER)

    with (
        pytest.raises(ProfileLockedError, match=f"process {owner.pid} on {socket.gethostname()}"),
        Profile(tmp_path / "profile"),
    ):
        pass


def test_two_owners_in_one_process_are_refused_as_well(tmp_path):
    with (
        Profile(tmp_path),
        pytest.raises(ProfileLockedError, match=f"process {os.getpid()}"),
        Profile(tmp_path),
    ):
        pass


def test_a_profile_is_free_after_its_owner_was_killed(tmp_path, start_owner):
    owner, _ = start_owner(OWNER)
    owner.kill()
    owner.wait()

    with Profile(tmp_path / "profile") as profile:
        assert json.loads((profile.folder / "whatsapp-etl.lock").read_text())["pid"] == os.getpid()


def test_a_profile_can_be_taken_again(tmp_path):
    with Profile(tmp_path):
        pass
    with Profile(tmp_path):
        pass


def test_a_lock_file_that_says_nothing_still_locks(tmp_path):
    with Profile(tmp_path) as profile:
        (profile.folder / "whatsapp-etl.lock").write_text("{")

        with pytest.raises(ProfileLockedError, match="another process"), Profile(tmp_path):
            pass


def dead_pid() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def leave_links(folder, target):
    for name in ("SingletonLock", "SingletonCookie", "SingletonSocket"):
        (folder / name).symlink_to(target)


def links(folder):
    return sorted(path.name for path in folder.glob("Singleton*") if path.is_symlink())


@pytest.mark.parametrize("target", ["another-host-1", "no number"])
def test_links_of_another_host_are_removed(tmp_path, target):
    leave_links(tmp_path, target)

    with Profile(tmp_path):
        assert links(tmp_path) == []


def test_links_of_a_dead_browser_are_removed(tmp_path):
    leave_links(tmp_path, f"{socket.gethostname()}-{dead_pid()}")

    with Profile(tmp_path):
        assert links(tmp_path) == []


def test_links_of_a_living_process_of_this_host_stay(tmp_path):
    leave_links(tmp_path, f"{socket.gethostname()}-{os.getpid()}")

    with Profile(tmp_path):
        assert len(links(tmp_path)) == 3


def test_links_are_left_alone_while_another_owner_has_the_profile(tmp_path, start_owner):
    start_owner(OWNER)
    leave_links(tmp_path / "profile", "another-host-1")

    with pytest.raises(ProfileLockedError), Profile(tmp_path / "profile"):
        pass

    assert len(links(tmp_path / "profile")) == 3


def test_the_browser_starts_on_a_profile_that_came_from_another_host(tmp_path, open_browser):
    (tmp_path / "profile").mkdir()
    leave_links(tmp_path / "profile", "another-host-1")

    assert open_browser().is_alive


@pytest.mark.matrix
def test_the_browser_starts_after_its_predecessor_was_killed(tmp_path, open_browser):
    first = open_browser()
    os.killpg(first.pid, signal.SIGKILL)
    first.close()
    assert not first.has_closed_cleanly

    assert open_browser().is_alive


@pytest.mark.matrix
def test_the_browser_of_a_killed_owner_is_gone_before_the_next_one_starts(
    tmp_path, chromium, start_owner, open_browser
):
    owner, pid = start_owner(BROWSER_OWNER, chromium)
    orphan = psutil.Process(int(pid))
    owner.kill()
    owner.wait()

    browser = open_browser()

    assert not orphan.is_running()
    assert [process.pid for process in find_browsers((tmp_path / "profile").resolve())] == [browser.pid]


def test_an_orphan_that_still_runs_is_ended_under_the_lock(tmp_path, chromium):
    # As a browser that did not notice the end of its owner: driven through pipes that stay open.
    profile = tmp_path.resolve() / "profile"
    to_browser, from_browser = os.pipe(), os.pipe()
    with subprocess.Popen(
        [
            *(sys.executable, "-c", WITH_PIPES, str(to_browser[0]), str(from_browser[1])),
            *(chromium, "--headless", "--no-sandbox", "--remote-debugging-pipe"),
            f"--user-data-dir={profile}",
        ],
        pass_fds=(to_browser[0], from_browser[1]),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as orphan:
        os.write(to_browser[1], b'{"id":1,"method":"Browser.getVersion"}\0')
        has_started, _, _ = select.select([from_browser[0]], [], [], 20)

        with Profile(profile):
            left = find_browsers(profile)

        is_running = psutil.pid_exists(orphan.pid)
        orphan.kill()
    assert has_started
    assert left == ()
    assert not is_running
    for end in (*to_browser, *from_browser):
        os.close(end)


@pytest.fixture
def browse(chromium):
    """Start browsers by hand, driven by nobody; all end with the test."""
    started = []

    def start(profile):
        process = subprocess.Popen(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                f"--user-data-dir={profile}",
                "--remote-debugging-port=0",
            ],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert any("DevTools listening" in line for line in process.stderr)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_browser_that_a_person_started_is_named_and_not_ended(tmp_path, browse):
    profile = tmp_path.resolve() / "profile"
    theirs = browse(profile)

    with (
        pytest.raises(ProfileLockedError, match=f"process {theirs.pid} on {socket.gethostname()}"),
        Profile(profile),
    ):
        pass

    assert theirs.poll() is None


def test_a_browser_on_a_profile_whose_name_only_begins_alike_is_nobodys_business(tmp_path, browse):
    theirs = browse(tmp_path.resolve() / "profile2")

    with Profile(tmp_path / "profile"):
        assert theirs.poll() is None


def test_a_profile_remembers_that_an_account_was_linked(tmp_path):
    with Profile(tmp_path) as profile:
        assert not profile.was_linked
        profile.note_linked()

    with Profile(tmp_path) as profile:
        assert profile.was_linked
        profile.forget_linked()
        assert not profile.was_linked
