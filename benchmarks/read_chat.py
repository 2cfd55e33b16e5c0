"""Reading one chat of 5,000 messages against the same walk that captures nothing."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from whatsapp_etl.attachments.files import save
from whatsapp_etl.extract.browser import Browser, BrowserOptions, find_browser
from whatsapp_etl.extract.conversation import Opened
from whatsapp_etl.extract.limits import Limits
from whatsapp_etl.extract.packs import load_packs
from whatsapp_etl.extract.reader import Reader
from whatsapp_etl.extract.session import Session
from whatsapp_etl.extract.storage import Storage
from whatsapp_etl.model import ChatFacts, ChatVisit, MessageFacts
from whatsapp_etl.resources import data_folder
from whatsapp_etl.settings import read_settings
from whatsapp_etl.simulator.serve import RunningSimulator, SimulatorOptions
from whatsapp_etl.transform.identity import chat_kind
from whatsapp_etl.transform.kinds import message_type
from whatsapp_etl.transform.page_words import words_of
from whatsapp_etl.transform.saved_page import write_page

MESSAGES = 5000
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=365)
LIMIT = "<= 1.25"


def run(messages: int = MESSAGES) -> dict[str, Any]:
    """Walk one chat twice, each time in a page just loaded; return seconds and their ratio."""
    options = SimulatorOptions(chats=1, messages=messages, days=45, linked=True, now=NOW, extras=False)
    with RunningSimulator(options) as simulator:
        with open_reader(simulator) as (reader, chat, facts):
            started = time.monotonic()
            shown = walk(reader, chat, facts)
            bare_seconds = time.monotonic() - started
        with open_reader(simulator) as (reader, chat, facts):
            started = time.monotonic()
            batch = reader.read(ChatVisit(chat, facts, 0), since=SINCE, budget=timedelta(hours=1))
            read_seconds = time.monotonic() - started
    assert len(batch.rows) == len(facts), (len(batch.rows), len(facts), batch.stop_reason)
    assert shown == len(facts), (shown, len(facts))
    return {
        "messages": len(facts),
        "pictures": len(batch.files),
        "bare_walk_seconds": bare_seconds,
        "read_seconds": read_seconds,
        "messages_per_second": len(facts) / read_seconds,
        "ratio": read_seconds / bare_seconds,
        "limits": {"ratio": LIMIT},
    }


def walk(reader: Reader, chat: ChatFacts, facts: tuple[MessageFacts, ...]) -> int:
    """Open the chat and scroll up until all its messages were shown; return how many were."""
    assert any(reader.conversation.open(row) is Opened.YES for row in reader.chat_list.candidates(chat, 0))
    wanted = {fact.key.stanza_id for fact in facts}
    shown: set[str] = set()
    while not wanted <= shown:
        step = reader.conversation.older((), captures=False)
        assert step is not None
        if step.is_quiet and wanted.isdisjoint(set(step.shown_ids) - shown):
            break
        shown.update(step.shown_ids)
    return len(wanted & shown)


@contextmanager
def open_reader(
    simulator: RunningSimulator,
) -> Iterator[tuple[Reader, ChatFacts, tuple[MessageFacts, ...]]]:
    """Yield a reader on a fresh page, and the one chat with its messages, newest first."""
    settings = read_settings()
    with tempfile.TemporaryDirectory() as folder:
        browser_options = BrowserOptions(find_browser(settings.browser_executable), origin=simulator.url)
        with Browser(Path(folder) / "profile", browser_options) as browser:
            packs = load_packs(data_folder("selectors"))
            session = Session(
                browser,
                packs,
                url=simulator.url,
                clock=simulator.options.clock,
                redact=partial(write_page, words=words_of(packs)),
                snapshots=Path(folder) / "snapshots",
            )
            session.open()
            session.wait_until_ready(timedelta(seconds=60))
            account = session.account()
            storage = Storage(
                browser.page, session.watchdog, classify=message_type, kind_of=chat_kind, own=account
            )
            reader = Reader(
                session,
                storage,
                save_file=lambda data: save(data, Path(folder) / "attachments"),
                limits=Limits.of(chats_per_minute=0, scrolls_per_second=0, stop=threading.Event()),
                clock=simulator.options.clock,
            )
            # The busiest: a world always has the account's own chat beside the first one.
            listed = storage.chats(account)
            chat, facts = max(
                ((chat, storage.messages(chat.ids, SINCE)) for chat in listed), key=lambda pair: len(pair[1])
            )
            yield reader, chat, tuple(reversed(facts))
