"""The browser as it is started and ended, with a real Chromium."""

import os
import re
import signal
import stat
import threading
from datetime import timedelta

import psutil
import pytest

from whatsapp_etl.errors import BrowserCrashedError, BrowserMissingError, PageScriptError, PageTimeoutError
from whatsapp_etl.extract.browser import browser_version, find_browser, ordinary_user_agent
from whatsapp_etl.extract.processes import find_browsers, wait_until_gone

EMPTY = {"/": "<!doctype html><title>empty</title>"}
SOON = timedelta(seconds=10)


def test_the_setting_decides_which_browser_is_taken(tmp_path):
    browser = tmp_path / "my-chrome"
    browser.write_text("#!/bin/sh\necho Chromium 99.1.2.3\n")
    browser.chmod(0o755)

    assert find_browser(browser) == browser
    assert browser_version(browser) == "99.1.2.3"


def test_a_setting_that_names_no_program_is_an_error_naming_the_variable(tmp_path):
    with pytest.raises(BrowserMissingError, match="BROWSER_EXECUTABLE"):
        find_browser(tmp_path / "none")


def test_a_program_that_tells_no_version_is_an_error(tmp_path):
    silent, broken = tmp_path / "silent", tmp_path / "broken"
    silent.write_text("#!/bin/sh\necho hello\n")
    broken.write_text("#!/bin/sh\nexit 1\n")
    for program in (silent, broken):
        program.chmod(0o755)

    with pytest.raises(BrowserMissingError, match="no version"):
        browser_version(silent)
    with pytest.raises(BrowserMissingError, match="does not start"):
        browser_version(broken)


def test_playwrights_own_browser_is_taken_before_the_systems_the_newest_first(tmp_path, monkeypatch):
    for name, is_complete in (("chromium-99", True), ("chromium-1000", True), ("chromium-2000", False)):
        executable = tmp_path / name / "chrome-linux64/chrome"
        executable.parent.mkdir(parents=True)
        executable.touch()
        if is_complete:
            (tmp_path / name / "INSTALLATION_COMPLETE").touch()
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))

    assert find_browser(None) == tmp_path / "chromium-1000/chrome-linux64/chrome"


def test_the_systems_browser_is_taken_where_playwright_has_none(tmp_path, monkeypatch):
    system = tmp_path / "google-chrome"
    system.touch(mode=0o755)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_browser(None) == system


def test_a_machine_without_any_browser_is_told_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BrowserMissingError, match="playwright install chromium"):
        find_browser(None)


def test_the_browser_says_what_one_with_a_window_says(open_browser, serve_pages, chromium):
    pages = serve_pages(EMPTY)

    browser = open_browser(url=pages.url)

    version = browser_version(chromium)
    major = version.partition(".")[0]
    told = browser.page.evaluate(
        """async () => ({
            agent: navigator.userAgent,
            brands: navigator.userAgentData.brands.map((brand) => `${brand.brand} ${brand.version}`),
            full: (await navigator.userAgentData.getHighEntropyValues(["uaFullVersion"])).uaFullVersion,
        })"""
    )
    request = pages.headers_seen[0]
    assert told["agent"] == request["user-agent"] == ordinary_user_agent(version)
    assert f"Chromium {major}" in told["brands"]
    assert told["full"] == version
    assert not [text for text in (*told["brands"], *request.values()) if "Headless" in text]


def test_language_and_zone_are_pinned(open_browser, serve_pages):
    pages = serve_pages(EMPTY)

    browser = open_browser(url=pages.url, locale="de-DE", timezone="Asia/Tokyo")

    told = browser.page.evaluate(
        "() => [navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone,"
        " new Date(0).toLocaleString()]"
    )
    assert told == ["de-DE", "Asia/Tokyo", "1.1.1970, 09:00:00"]
    assert pages.headers_seen[0]["accept-language"].startswith("de-DE")


def test_the_page_may_keep_its_storage(open_browser, serve_pages):
    pages = serve_pages(EMPTY)

    browser = open_browser(url=pages.url, origin=pages.url)

    assert browser.page.evaluate("() => navigator.storage.persist()") is True


def test_storage_survives_the_browser(open_browser, serve_pages, tmp_path):
    pages = serve_pages(EMPTY)
    first = open_browser(url=pages.url)
    first.page.evaluate("() => localStorage.setItem('login', 'kept')")
    first.close()
    assert first.has_closed_cleanly

    second = open_browser(url=pages.url)

    assert second.page.evaluate("() => localStorage.getItem('login')") == "kept"
    # Also when another thread ends it, and it may do so by itself.
    second.page.evaluate("() => localStorage.setItem('login', 'kept again')")
    ending = threading.Thread(target=second.end_gently)
    ending.start()
    ending.join()
    assert not second.is_alive
    second.close()
    third = open_browser(url=pages.url)
    assert third.page.evaluate("() => localStorage.getItem('login')") == "kept again"
    assert stat.S_IMODE((tmp_path / "profile").stat().st_mode) == 0o700


@pytest.mark.matrix
def test_the_browser_leads_a_process_group_of_its_own(open_browser):
    browser = open_browser()

    assert os.getpgid(browser.pid) == browser.pid
    assert os.getpgid(browser.pid) != os.getpgrp()
    assert re.search("chrom", psutil.Process(browser.pid).name())


def test_no_process_is_left_after_closing(open_browser, tmp_path):
    browser = open_browser()
    family = [psutil.Process(browser.pid), *psutil.Process(browser.pid).children(recursive=True)]

    browser.close()

    assert wait_until_gone(family, SOON)
    assert find_browsers((tmp_path / "profile").resolve()) == ()


@pytest.mark.matrix
def test_closing_twice_is_harmless(open_browser):
    browser = open_browser()

    browser.close()
    browser.close()

    assert not browser.is_alive


def test_a_page_that_loops_for_ever_is_ended_by_the_watchdog(open_browser):
    browser = open_browser()

    with (
        pytest.raises(BrowserCrashedError, match=r"reading the rows: no end within 0\.5 s"),
        browser.watchdog.step("reading the rows", timedelta(seconds=0.5)),
    ):
        browser.page.evaluate("() => { for (;;) {} }")

    assert not browser.is_alive


@pytest.mark.matrix
def test_closing_ends_a_browser_whose_page_loops_for_ever(open_browser, tmp_path):
    browser = open_browser()
    browser.page.evaluate("() => { setTimeout(() => { for (;;) {} }, 0); }")

    browser.close()

    assert find_browsers((tmp_path / "profile").resolve()) == ()


@pytest.mark.matrix
def test_an_inner_step_with_a_nearer_deadline_is_the_one_that_is_named(open_browser):
    browser = open_browser()

    with (
        pytest.raises(BrowserCrashedError, match="inner"),
        browser.watchdog.step("outer", timedelta(minutes=5)),
        browser.watchdog.step("inner", timedelta(seconds=0.2)),
    ):
        browser.page.evaluate("() => { for (;;) {} }")


def test_a_browser_that_dies_by_itself_fails_the_step_that_waits_in_it(open_browser):
    browser = open_browser()
    os.kill(browser.pid, signal.SIGKILL)

    with pytest.raises(BrowserCrashedError, match="reading"), browser.watchdog.step("reading", SOON):
        browser.page.evaluate("() => new Promise(() => {})")


def test_a_crashed_page_fails_the_step_that_waits_in_it(open_browser):
    browser = open_browser()
    with pytest.raises(PageScriptError), browser.watchdog.step("crashing the page", SOON):
        browser.page.goto("chrome://crash")

    with pytest.raises(BrowserCrashedError, match="reading"), browser.watchdog.step("reading", SOON):
        browser.page.evaluate("() => 1")


def test_errors_of_the_page_leave_as_errors_of_the_program(open_browser):
    browser = open_browser()

    with pytest.raises(PageScriptError, match="looking"), browser.watchdog.step("looking", SOON):
        browser.page.evaluate("() => { throw new Error('no'); }")
    with pytest.raises(PageTimeoutError, match="looking"), browser.watchdog.step("looking", SOON):
        browser.page.wait_for_selector("#none", timeout=10)

    assert browser.is_alive


@pytest.mark.matrix
def test_a_step_that_ends_in_time_leaves_the_browser_alone(open_browser):
    browser = open_browser()

    with browser.watchdog.step("short", timedelta(seconds=5)):
        assert browser.page.evaluate("() => 1 + 1") == 2

    assert browser.is_alive


def test_a_long_temporary_folder_does_not_keep_it_from_starting(
    open_browser, serve_pages, tmp_path, monkeypatch
):
    long = tmp_path / ("temporary" * 10)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))

    browser = open_browser(tmp_path / "profile", serve_pages(EMPTY).url)

    assert browser.page.title() == "empty"
