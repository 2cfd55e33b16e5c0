"""What came since the last cycle, in place of the whole list of messages.

Two cursors tell what is new: rows above `hi`, and rows of history below `lo`. What was sent in the three
days before the last complete cycle is looked at again, for edits, deletions and late decryption, and so are
gaps that are due. The cursors move in the transaction of the last chat that they cover; a cycle that does not
come so far lists the same rows again, and stores only what is lacking. Once a day, and whenever the feed is
not the one it was, the whole list is compared, as it is in each cycle where the page alone is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from whatsapp_etl.cursors import FeedCursors, FeedEnds, FeedPage, ListedBy
from whatsapp_etl.errors import MetadataUnreadableError
from whatsapp_etl.extract.feed import Feed
from whatsapp_etl.extract.source import Source
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import ChatDiff, LoadPlan, MessageIndexEntry, ReactionFacts
from whatsapp_etl.recollection import Recollection
from whatsapp_etl.scope import Directory, compare, entries_in_scope, index_in_scope
from whatsapp_etl.tally import Tally
from whatsapp_etl.transform.increments import listed_by, recent_since
from whatsapp_etl.transform.messages import external_id

log = structlog.get_logger(__name__)

#: Chats that one question is about.
_CHATS = 200


@dataclass
class Increments:
    """Lists what came since, and keeps how far that went until all of it is stored."""

    source: Source
    store: Store
    recollection: Recollection
    lookback: timedelta
    is_wanted: bool  #: False: the whole list is compared in each cycle.
    _next: FeedCursors | None = None  #: Where the cursors stand once this cycle's rows are stored.
    _reactions: list[ReactionFacts] | None = None  #: Those of the recent messages; None: all are to be read.

    def diff(self, directory: Directory, since: datetime, tally: Tally) -> Mapping[str, ChatDiff]:
        """Compare what the browser lists with Postgres; while that is away, with what is known of it."""
        new = tally.if_there(lambda: self._compare_new(directory, since, tally))
        if new is not None:
            return new
        settled = self.recollection.settled
        pages = settled.noting(index_in_scope(self.source, directory, since))
        diffs = tally.if_there(lambda: compare(self.store, pages, directory, since, tally))
        if diffs is not None:
            settled.compared(diffs)
            return diffs
        if not settled.is_known:
            tally.raise_if_away()
        return settled.diff(index_in_scope(self.source, directory, since), since, tally.started_at)

    def _compare_new(
        self, directory: Directory, since: datetime, tally: Tally
    ) -> Mapping[str, ChatDiff] | None:
        """Compare what came since with Postgres; None: the whole list must be compared."""
        self._next = self._reactions = None
        tally.listed_by = ListedBy.EACH_CYCLE
        if not self.is_wanted:
            return None
        self.recollection.recall(directory.account)
        settled = self.recollection.settled
        before = self.store.cursors() if settled.is_known else None
        scope = self._scope(directory)
        try:
            ends = Feed(self.source.storage).ends(before.hi.number if before else None)
            tally.listed_by = self._listed_by(directory, before, ends, scope, tally.started_at)
            if ends.newest is not None and ends.oldest is not None:
                self._next = FeedCursors(
                    ends.newest, ends.oldest.number, tally.started_at, tally.started_at, scope, ends.reactions
                )
            if before is None or tally.listed_by is not ListedBy.INCREMENT:
                log.info("whole_list_compared", why=tally.listed_by.value)
                return None
            pages = settled.noting(self._pages(directory, before, ends, since, tally.started_at))
            diffs = self.store.diff_increment(
                pages, since, tally.started_at, tally.run_id, chats=directory.chat_ids
            )
        except MetadataUnreadableError as unreadable:
            log.warning("feed_unreadable", part=unreadable.part, reason=unreadable.reason)
            self._next, tally.listed_by = None, ListedBy.UNREADABLE
            return None
        settled.extended(diffs)
        return diffs

    def with_cursors(self, plan: LoadPlan) -> LoadPlan:
        """Let the last plan of the cycle move the cursors."""
        return replace(plan, cursors=self._next)

    def settle(self) -> None:
        """Move the cursors where nothing is to be stored."""
        if self._next is not None:
            self.store.move_cursors(self._next)

    def spoil(self) -> None:
        """Leave the cursors where they are: something of this cycle is neither stored nor a known gap."""
        self._next = None

    def reactions(self, since: datetime) -> Iterator[ReactionFacts]:
        """Return the reactions to recent messages; all of them where their number is another than before."""
        return self.source.reactions(since) if self._reactions is None else iter(self._reactions)

    # --- what came since ------------------------------------------------------------------------

    def _listed_by(
        self, directory: Directory, before: FeedCursors | None, ends: FeedEnds, scope: str, now: datetime
    ) -> ListedBy:
        how = listed_by(before, ends, scope, now)
        if how is ListedBy.INCREMENT:
            covered = self.store.covered_chats()
            # A chat that was compared under a former id only: its rows may be others now.
            if any(
                chat.id not in covered and not covered.isdisjoint(chat.other_ids) for chat in directory.chats
            ):
                return ListedBy.SCOPE_CHANGED
        return how

    def _pages(
        self,
        directory: Directory,
        before: FeedCursors,
        ends: FeedEnds,
        since: datetime,
        now: datetime,
    ) -> Iterator[Sequence[MessageIndexEntry]]:
        in_scope = entries_in_scope(directory)
        for page in self._recent(directory, before, ends, recent_since(before, since)):
            yield in_scope(page)
        for page in self._due(directory, since, now):
            yield in_scope(page)
        feed = Feed(self.source.storage)
        for feed_page in feed.beyond(before.lo, since, is_downwards=True):
            self._reached(lo=feed_page)
            yield in_scope(feed_page.entries)
        # Last: what comes meanwhile is new, too.
        for feed_page in feed.beyond(before.hi.number, since, is_downwards=False):
            self._reached(hi=feed_page)
            yield in_scope(feed_page.entries)

    def _reached(self, *, hi: FeedPage | None = None, lo: FeedPage | None = None) -> None:
        assert self._next is not None
        if hi is not None and hi.last is not None:
            self._next = replace(self._next, hi=hi.last)
        if lo is not None and lo.last is not None:
            self._next = replace(self._next, lo=lo.last.number)

    def _recent(
        self, directory: Directory, before: FeedCursors, ends: FeedEnds, since: datetime
    ) -> Iterator[Sequence[MessageIndexEntry]]:
        assert self._next is not None
        self._next = replace(self._next, hi=before.hi, lo=before.lo, listed_at=before.listed_at)
        active = [chat for chat in directory.chats if chat.last_activity and chat.last_activity >= since]
        ids = [some_id for chat in active for some_id in chat.ids]
        reactions: list[ReactionFacts] = []
        for begin in range(0, len(ids), _CHATS):
            for entries, given in Feed(self.source.storage).recent(ids[begin : begin + _CHATS], since):
                reactions += given
                yield entries
        if ends.reactions == before.reactions:
            self._reactions = reactions

    def _due(
        self, directory: Directory, since: datetime, now: datetime
    ) -> Iterator[Sequence[MessageIndexEntry]]:
        chats = {chat.id: chat for chat in directory.chats}
        due: dict[str, set[str]] = {}
        for some_id, keys in self.store.due_gaps(now).items():
            if chat_id := directory.chat_ids.get(some_id):
                due.setdefault(chat_id, set()).update(keys)
        for chat_id, wanted in due.items():
            yield [
                MessageIndexEntry(key, each.key.chat_id, each.sent_at, each.source_revision, each.expires_at)
                for each in self.source.messages(chats[chat_id], since, wanted)
                if (key := external_id(each.key, directory.account)) in wanted
            ]

    def _scope(self, directory: Directory) -> str:
        """Return a hash of what is left out, and how far back is read; no id is kept."""
        left_out = sorted(directory.positions.keys() - {chat.id for chat in directory.chats})
        parts = [str(self.lookback), directory.rules.disappearing, *left_out]
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
