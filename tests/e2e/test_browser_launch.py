"""A browser that ends, hangs or is ended while it is being started."""

import signal
import stat
import sys
import time
from pathlib import Path

import pytest

from whatsapp_etl.errors import BrowserCrashedError

DYING = Path(__file__).parents[1] / "fixtures/dying_chromium.py"


def program_at(path, text):
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def dying(chromium, tmp_path, monkeypatch):
    """Return a program that is Chromium until it was given so many messages."""
    wrapper = program_at(tmp_path / "chromium", f'#!/bin/sh\nexec "{sys.executable}" "{DYING}" "$@"\n')

    def make(messages):
        monkeypatch.setenv("REAL_CHROMIUM", str(chromium))
        monkeypatch.setenv("DIES_AFTER", str(messages))
        return wrapper

    return make


# The launch itself may take a minute; who waits for that fails here.
@pytest.mark.timeout(45)
@pytest.mark.parametrize(
    "messages",
    [
        pytest.param(1, id="before it is known", marks=pytest.mark.matrix),
        pytest.param(8, id="before its page is ready"),
        pytest.param(16, id="while its page is set up", marks=pytest.mark.matrix),
        pytest.param(25, id="when its page begins", marks=pytest.mark.matrix),
        pytest.param(28, id="before the shield stands"),
        pytest.param(31, id="while the shield is checked", marks=pytest.mark.matrix),
    ],
)
def test_a_browser_that_dies_while_it_starts_is_told_at_once(open_browser, dying, messages):
    with pytest.raises(BrowserCrashedError):
        open_browser(executable=dying(messages))


@pytest.mark.matrix
@pytest.mark.timeout(60)
def test_a_start_that_hangs_does_not_hold_the_end(program, chromium, tmp_path):
    hanging = program_at(
        tmp_path / "chromium",
        f'#!/bin/sh\n[ "$1" = --version ] && exec "{chromium}" --version\nkill -STOP $$\n',
    )
    it, _ = program(world={"chats": 1, "messages": 3}, BROWSER_EXECUTABLE=str(hanging))
    process = it.start("sync")
    assert it.wait_for_browser(process) is not None

    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    out, err = process.communicate(timeout=40)

    assert process.returncode == 143, out + err
    assert time.monotonic() - begun < 12
    assert it.browsers() == []
