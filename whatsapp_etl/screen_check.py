"""In each cycle a look at some rows of the chat list: does the page show what its message store tells?

No chat is opened, nothing is pressed but what stands before the list. Whether they agree is decided in
`transform.screen`; here both sides are read, a second time where they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from whatsapp_etl.extract.message_store import MessageStore
from whatsapp_etl.extract.source import Source
from whatsapp_etl.model import ChatFacts, ShownChat
from whatsapp_etl.scope import Directory
from whatsapp_etl.transform.screen import (
    PREVIEWED,
    ScreenCheck,
    ToldChat,
    compare,
    confirmed,
    next_place,
    sample,
)
from whatsapp_etl.transform.store_rows import StoreWords, read_store_row
from whatsapp_etl.transform.visits import list_positions


@dataclass(frozen=True, slots=True)
class ScreenChecking:
    """Compares the store with the chat list."""

    source: Source
    chats: int  #: In each cycle; 0: none.
    zone: ZoneInfo  #: Of the page.
    clock: Callable[[], datetime]

    def check(self, store: MessageStore, directory: Directory, words: StoreWords, turn: int) -> ScreenCheck:
        """Compare a sample of chats, another one with each turn.

        Raises:
            StoreUnreadableError: The store gave no answer.
            MetadataUnreadableError, PageTimeoutError, SelectorDriftError: One of the sides cannot be read.
        """
        chosen = sample(directory.chats, directory.positions, self.chats, turn)
        if not chosen:
            return ScreenCheck(0, ())
        first = self._look(store, chosen, directory, words)
        if not first.found:
            return first
        # Somebody may have written between the two sides.
        ids = {chat.id for chat in chosen}
        listed = self.source.chats(directory.account)
        now = [chat for chat in listed if chat.id in ids]
        return confirmed(first, self._look(store, now, directory, words, listed))

    def _look(
        self,
        store: MessageStore,
        chosen: Sequence[ChatFacts],
        directory: Directory,
        words: StoreWords,
        listed: Sequence[ChatFacts] | None = None,
    ) -> ScreenCheck:
        newest = store.newest({chat.id: chat.ids for chat in chosen})
        told = []
        for chat in chosen:
            row = newest.get(chat.id)
            read = read_store_row(row, words) if row is not None else None
            is_text = read is not None and read.type in PREVIEWED
            told.append(
                ToldChat(
                    chat,
                    last_at=row.sent_at if row else None,
                    last_text=read.text if read and is_text else None,
                )
            )
        places = directory.positions if listed is None else list_positions(listed)
        shown: dict[int, ShownChat] = {}
        looked: list[int] = []
        while (place := next_place(chosen, places, shown, looked)) is not None:
            looked.append(place)
            shown.update((row.index, row) for row in self.source.look_at(place))
        return compare(told, shown.values(), zone=self.zone, now=self.clock())
