"""Which messages need no reading, as far as this process knows: for cycles in which Postgres cannot say it.

What the last comparison with Postgres found stored or not due, and what was stored or spooled since. It is
kept in memory as hashes, so it is gone with the process; the database is asked first whenever it answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from whatsapp_etl.model import ChatDiff, MessageIndexEntry


class Settled:
    """The ids and revisions that are settled."""

    def __init__(self) -> None:
        self._revisions: dict[int, int] | None = None  # by hash of the id; None: nothing was compared yet
        self._noted: dict[int, int] = {}
        self._open: dict[str, int] = {}

    @property
    def is_known(self) -> bool:
        """Whether some comparison came to its end."""
        return self._revisions is not None

    def noting(self, pages: Iterable[Sequence[MessageIndexEntry]]) -> Iterator[Sequence[MessageIndexEntry]]:
        """Pass on what is being compared, and note it; it counts once `compared` says so."""
        self._noted = {}
        for page in pages:
            self._noted.update((hash(each.external_id), hash(each.source_revision)) for each in page)
            yield page

    def compared(self, diffs: Mapping[str, ChatDiff]) -> None:
        """Take over a comparison: all that was noted is settled, but what is wanted."""
        wanted = [key for diff in diffs.values() for key in diff.wanted]
        self._revisions, self._noted = self._noted, {}
        self._open = {key: self._revisions.pop(hash(key)) for key in wanted if hash(key) in self._revisions}

    def settle(self, keys: Iterable[str]) -> None:
        """Note that what was wanted was read, or is not to be looked for again."""
        for key in keys:
            if self._revisions is not None and key in self._open:
                self._revisions[hash(key)] = self._open.pop(key)

    def diff(
        self, pages: Iterable[Sequence[MessageIndexEntry]], since: datetime, now: datetime
    ) -> Mapping[str, ChatDiff]:
        """Compare the metadata's list with what is settled, as `load.diff` does with Postgres.

        Returns:
            By chat. What counts as stored is what is settled: Postgres corrects it when it is back.
        """
        listed: dict[str, list[MessageIndexEntry]] = {}
        for page in pages:
            for entry in page:
                if entry.sent_at >= since and (entry.expires_at is None or entry.expires_at > now):
                    listed.setdefault(entry.chat_id, []).append(entry)
        diffs = {chat_id: self._chat_diff(chat_id, entries) for chat_id, entries in listed.items()}
        self._open.update(
            (entry.external_id, hash(entry.source_revision))
            for chat_id, entries in listed.items()
            for entry in _of(entries, diffs[chat_id].wanted)
        )
        return diffs

    def _chat_diff(self, chat_id: str, entries: Sequence[MessageIndexEntry]) -> ChatDiff:
        revisions = self._revisions or {}
        wanted = [
            each for each in entries if revisions.get(hash(each.external_id)) != hash(each.source_revision)
        ]
        wanted.sort(key=lambda each: (-each.sent_at.timestamp(), each.external_id))
        ends = [(int(each.sent_at.timestamp()), each.external_id) for each in entries]
        return ChatDiff(
            chat_id=chat_id,
            expected=len(entries),
            stored=len(entries) - len(wanted),
            wanted=tuple(each.external_id for each in wanted),
            newest_at=max(each.sent_at for each in entries),
            first_id=min(ends)[1],
            last_id=max(ends)[1],
        )


def _of(entries: Sequence[MessageIndexEntry], keys: Collection[str]) -> Iterator[MessageIndexEntry]:
    wanted = frozenset(keys)
    return (each for each in entries if each.external_id in wanted)
