"""The browser's list of messages as a feed: what came since, instead of all that there is.

The client numbers its rows: upwards as messages come, and downwards as history does. So what is beyond two
numbers is new, however large the account is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from whatsapp_etl.cursors import FeedEnds, FeedPage, FeedRow
from whatsapp_etl.extract.storage import Storage, entries_of, reaction_of
from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import MessageIndexEntry, ReactionFacts


class Feed:
    """Reads `model-storage` in the order of its rows' numbers.

    Raises (every method):
        MetadataUnreadableError: The storage cannot be read, or numbers its rows no more.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def ends(self, hi: int | None) -> FeedEnds:
        """Return the newest and the oldest row, and which row has the number `hi`."""
        answer = self._storage.ask("ends", hi=hi)
        return FeedEnds(
            newest=_row(answer["newest"]),
            oldest=_row(answer["oldest"]),
            at_hi=_row(answer["at_hi"]),
            reactions=answer["reactions"],
        )

    def beyond(self, number: int, since: datetime, *, is_downwards: bool) -> Iterator[FeedPage]:
        """Yield the rows above a number in the order of their coming, or those below it, page by page."""
        place: int | None = number
        while place is not None:
            answer = self._storage.ask("feed", since=since.timestamp(), after=place, downwards=is_downwards)
            self._storage.unreadable_rows += answer["unreadable"]
            yield FeedPage(tuple(entries_of(answer["rows"])), _row(answer["last"]))
            place = answer["next"]

    def recent(
        self, chat_ids: Sequence[str], since: datetime
    ) -> Iterator[tuple[Sequence[MessageIndexEntry], Sequence[ReactionFacts]]]:
        """Yield what was sent in some chats at or after `since`, page by page, and the reactions to it."""
        after: object = None
        while chat_ids:
            answer = self._storage.ask("recent", since=since.timestamp(), chats=list(chat_ids), after=after)
            yield entries_of(answer["rows"]), [reaction_of(row) for row in answer["reactions"]]
            after = answer["next"]
            if after is None:
                return


def _row(row: Mapping[str, Any] | None) -> FeedRow | None:
    return None if row is None else FeedRow(row["row"], hash_id(row["id"] or ""))
