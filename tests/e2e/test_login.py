"""`whatsapp-etl login` as a person runs it on a machine without a display."""

import stat
import threading

from PIL import Image

from tests.fixtures.terminal import read_qr

ENDS_WITHIN = 60


def wait_for(condition, process):
    """Look until `condition` gives something, at most as long as the program runs."""
    never = threading.Event()
    while process.poll() is None:
        if found := condition():
            return found
        never.wait(0.05)
    raise AssertionError(process.communicate())


def test_the_code_is_a_file_until_it_is_scanned(program):
    it, simulator = program(world={"chats": 1, "messages": 5, "linked": False})
    place = it.folder / "code.png"
    process = it.start("login", "--png", str(place))
    wait_for(place.exists, process)

    (text,) = read_qr(Image.open(place))
    mode = stat.S_IMODE(place.stat().st_mode)
    simulator.scan()
    out, told = process.communicate(timeout=ENDS_WITHIN)

    assert text.startswith("https://wa.me/settings/linked_devices#2@")
    assert mode == 0o600
    assert (process.returncode, out) == (0, "")
    assert str(place) in told
    assert "Linked." in told
    assert not place.exists()


def test_a_place_for_the_picture_that_is_not_there_is_told_before_anything_starts(program):
    it, _ = program(world={"chats": 1, "messages": 1, "linked": False})

    done = it.run("login", "--png", "/nonexistent/folder/code.png")

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--png" in done.stderr
