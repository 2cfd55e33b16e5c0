"""The reader on the simulated page, in a real Chromium."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from whatsapp_etl.attachments.files import save
from whatsapp_etl.extract.conversation import Patience
from whatsapp_etl.extract.limits import Limits
from whatsapp_etl.extract.reader import Reader
from whatsapp_etl.extract.session import Session
from whatsapp_etl.extract.storage import Storage
from whatsapp_etl.model import ChatBatch, ChatFacts, ChatVisit, MessageFacts
from whatsapp_etl.simulator.serve import RunningSimulator
from whatsapp_etl.transform.identity import chat_kind
from whatsapp_etl.transform.kinds import message_type

READY = timedelta(seconds=60)

#: Whether a message's stored row is there and, where asked, has changed.
_IS_STORED = """
([id, edited]) => new Promise((resolve) => {
  const request = indexedDB.open('model-storage');
  request.onsuccess = () => {
    const database = request.result;
    const get = database.transaction('message').objectStore('message').get(id);
    get.onsuccess = () => {
      database.close();
      resolve(get.result !== undefined && (!edited || Boolean(get.result.latestEditMsgKey)));
    };
  };
})
"""


@dataclass
class Reading:
    """A ready session with everything that reads it."""

    simulator: RunningSimulator
    session: Session
    storage: Storage
    reader: Reader
    new_reader: Callable[[Patience | None], Reader]
    stop: threading.Event
    attachments: Path
    lookback: timedelta = timedelta(days=30)

    @property
    def since(self):
        return self.simulator.options.clock() - self.lookback

    def chats(self) -> dict[str, ChatFacts]:
        return {chat.id: chat for chat in self.storage.chats(self.session.account())}

    def facts(self, chat_id: str) -> tuple[MessageFacts, ...]:
        return self.storage.messages(chat_id, self.since)

    def position(self, chat: ChatFacts) -> int:
        """Where the chat list shows it, by what the storage says."""
        return [other.id for other in self.chats().values() if other.is_archived == chat.is_archived].index(
            chat.id
        )

    def read(self, chat_id: str, wanted=None, **options: object) -> ChatBatch:
        chat = self.chats()[chat_id]
        facts = self.facts(chat_id) if wanted is None else wanted
        visit = ChatVisit(chat, tuple(reversed(facts)), self.position(chat))
        return self.reader.read(visit, since=self.since, **options)

    def truth(self, chat_id: str | None = None) -> dict[str, dict[str, object]]:
        return {
            row["external_id"]: row
            for row in self.simulator.truth(self.since)
            if chat_id in {None, row["thread_external_id"]}
        }

    def wait_until_stored(self, external_id: str, *, edited: bool = False) -> None:
        """Return when the page has the message in its storage."""
        self.session.page.wait_for_function(_IS_STORED, arg=[external_id, edited], timeout=20_000)


@pytest.fixture
def open_reading(open_shared_session: Callable[..., Session], tmp_path: Path) -> Callable[..., Reading]:
    """Open the simulated page in the module's browser and read it, as patiently and fast as a test needs."""

    def open_(
        simulator: RunningSimulator, *, patience: Patience | None = None, scrolls_per_second: float = 0
    ) -> Reading:
        session = open_shared_session(simulator.url)
        session.wait_until_ready(READY)
        storage = Storage(
            session.page,
            session.watchdog,
            classify=message_type,
            kind_of=chat_kind,
            own=session.account(),
        )
        stop = threading.Event()

        def new_reader(patience: Patience | None) -> Reader:
            return Reader(
                session,
                storage,
                save_file=lambda data: save(data, tmp_path / "attachments"),
                limits=Limits.of(chats_per_minute=0, scrolls_per_second=scrolls_per_second, stop=stop),
                clock=simulator.options.clock,
                patience=patience,
            )

        return Reading(
            simulator, session, storage, new_reader(patience), new_reader, stop, tmp_path / "attachments"
        )

    return open_


@pytest.fixture
def quick_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give screens half a second to become complete, so that drift is told soon."""
    monkeypatch.setattr("whatsapp_etl.extract.session.SETTLE_ALLOWED", timedelta(seconds=0.5))
