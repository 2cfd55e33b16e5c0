"""Whatever the browser does, starting and closing it end, and nothing holds the program's output."""

import json
import os
import signal
import time
from datetime import timedelta

import psutil
import pytest

from tests.fixtures.program import end_hard, wait_for
from whatsapp_etl.errors import BrowserCrashedError
from whatsapp_etl.extract.browser import Browser, BrowserOptions
from whatsapp_etl.extract.processes import find_browsers, wait_until_gone

#: A browser that ends at its start, while something that it started goes on and has all of its pipes.
SURVIVED = """#!/bin/sh
[ "$1" = --version ] && exec "{chromium}" --version
setsid sleep 600 &
echo $! > "{left}"
kill -KILL $$
"""
#: What a start, or an end, may take: far below the minute for which Playwright waits.
ENDS_WITHIN = 25
GONE_WITHIN = timedelta(seconds=5)


def drivers_of(process):
    return [child for child in psutil.Process(process).children() if "run-driver" in child.cmdline()]


@pytest.fixture
def survived(chromium, tmp_path):
    """The program of a browser whose child survives it; the child is ended after the test."""
    program, left = tmp_path / "browser", tmp_path / "left"
    program.write_text(SURVIVED.format(chromium=chromium, left=left))
    program.chmod(0o755)
    yield program
    end_hard(psutil.Process(int(left.read_text())))


@pytest.mark.matrix
def test_a_start_ends_soon_when_its_browser_did_though_its_child_has_its_pipes(survived, tmp_path):
    browser = Browser(tmp_path / "profile", BrowserOptions(survived))
    begun = time.monotonic()

    with pytest.raises(BrowserCrashedError, match="did not start"):
        browser.__enter__()

    assert time.monotonic() - begun < ENDS_WITHIN
    assert drivers_of(os.getpid()) == []


@pytest.mark.matrix
@pytest.mark.parametrize("with_browser", [False, True], ids=["driver", "driver and browser"])
def test_closing_ends_though_the_driver_answers_nothing(open_browser, tmp_path, with_browser):
    before = drivers_of(os.getpid())
    browser = open_browser()
    (driver,) = (each for each in drivers_of(os.getpid()) if each not in before)
    family = [driver, *driver.children(recursive=True)]
    for each in family if with_browser else [driver]:
        each.suspend()
    begun = time.monotonic()

    browser.close()

    assert time.monotonic() - begun < ENDS_WITHIN
    assert wait_until_gone(family, GONE_WITHIN)
    assert find_browsers((tmp_path / "profile").resolve()) == ()


@pytest.mark.matrix
@pytest.mark.timeout(120)
def test_a_command_whose_browser_ended_at_its_start_ends_and_lets_its_output_go(program, survived):
    it, _ = program(world={"chats": 1, "messages": 3}, BROWSER_EXECUTABLE=str(survived))
    process = it.start("sync", "--json")
    wait_for(lambda: drivers_of(process.pid), process)
    begun = time.monotonic()

    out, err = process.communicate(timeout=60)  # both are read to their ends

    assert time.monotonic() - begun < ENDS_WITHIN
    assert process.returncode == 7, err
    assert json.loads(out)["error"].startswith("BrowserCrashedError: ")
    assert "driver_ended" in err


@pytest.mark.matrix
@pytest.mark.timeout(120)
def test_a_signal_while_a_browser_starts_ends_the_command_and_lets_its_output_go(program):
    it, _ = program(world={"chats": 1, "messages": 3})
    process = it.start("sync", "--json")
    (driver,) = wait_for(lambda: drivers_of(process.pid), process)
    driver.suspend()
    begun = time.monotonic()

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert time.monotonic() - begun < ENDS_WITHIN
    assert wait_until_gone([driver], GONE_WITHIN)
    assert it.browsers() == []
