"""From a start to chats that can be read, against opening the same page bare.

The bare way is Chromium as Playwright starts it, on a profile of its own, and a wait for the chat list. The
program also locks the profile, shields the page and proves it, and chooses a pack.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from playwright.sync_api import sync_playwright

from whatsapp_etl import bootstrap
from whatsapp_etl.extract.browser import browser_version, find_browser, ordinary_user_agent
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.settings import Settings, read_settings
from whatsapp_etl.simulator.serve import RunningSimulator, SimulatorOptions

ROUNDS = 3
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


def run() -> dict[str, Any]:
    """Open the same page by turns, each time on a profile that has seen it once."""
    configure_logs("ERROR", "text")
    folder = Path(tempfile.mkdtemp(prefix="wetl-start-"))
    try:
        with RunningSimulator(SimulatorOptions(chats=12, messages=300, linked=True, now=NOW)) as simulator:
            settings = Settings(
                whatsapp_url=simulator.url,
                whatsapp_profile_dir=folder / "profile",
                attachments_dir=folder / "attachments",
                spool_dir=folder / "spool",
                whatsapp_timezone="UTC",
                whatsapp_etl_now=NOW,
                browser_executable=read_settings().browser_executable,
            )
            rounds = [(_bare(settings, folder / "bare"), _program(settings)) for _ in range(ROUNDS + 1)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    bare = median(seconds for seconds, _ in rounds[1:])
    program = median(seconds for _, seconds in rounds[1:])
    return {
        "program_seconds": program,
        "bare_seconds": bare,
        "program_to_bare": program / bare,
        "limits": {"program_to_bare": "<= 3"},
    }


def _program(settings: Settings) -> float:
    source = bootstrap.source_of(settings, threading.Event())
    begun = perf_counter()
    try:
        source.open()
        return perf_counter() - begun
    finally:
        source.close()


def _bare(settings: Settings, profile: Path) -> float:
    executable = find_browser(settings.browser_executable)
    agent = ordinary_user_agent(browser_version(executable))
    begun = perf_counter()
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=executable, headless=True, user_agent=agent
        )
        page = context.pages[0]
        page.goto(settings.whatsapp_url, wait_until="domcontentloaded")
        page.wait_for_selector("#pane-side [role=grid] [role=row]")
        seconds = perf_counter() - begun
        context.close()
    return seconds
