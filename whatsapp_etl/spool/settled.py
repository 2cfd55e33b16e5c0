"""Which messages need no reading, as far as the program knows: for cycles in which Postgres cannot say it.

What the last comparison with Postgres found stored or not due, and what was stored or spooled since. It is
kept as hashes; the database is asked first whenever it answers.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

from whatsapp_etl.model import ChatDiff, MessageIndexEntry

_KEY_BYTES = 16
#: Two of a million ids are taken for one with a chance of one in forty million.
_HASH_BYTES = 8
#: Revisions of which the hash is kept while a list is noted.
_SHARED = 1000


class Settled:
    """The ids and revisions that are settled.

    Args:
        key: Of the hashes; None: a new one.
        revisions: Hash of the revision by hash of the id, as `revisions` of an earlier one had them.
    """

    def __init__(self, key: bytes | None = None, revisions: Mapping[int, int] | None = None) -> None:
        self.key = key or secrets.token_bytes(_KEY_BYTES)
        self._revisions = None if revisions is None else dict(revisions)  # None: nothing was compared yet
        self._noted: dict[int, int] = {}
        self._open: dict[str, int] = {}

    @property
    def revisions(self) -> Mapping[int, int]:
        """Return what is settled; nothing as long as nothing was compared."""
        return self._revisions or {}

    @property
    def is_known(self) -> bool:
        """Whether some comparison came to its end."""
        return self._revisions is not None

    def noting(self, pages: Iterable[Sequence[MessageIndexEntry]]) -> Iterator[Sequence[MessageIndexEntry]]:
        """Pass on what is being compared, and note it; it counts once `compared` says so."""
        self._noted = {}
        shared: dict[str, int] = {}  # of texts that were not edited, which most are, it is the same
        for page in pages:
            for each in page:
                revision = shared.get(each.source_revision)
                if revision is None:
                    revision = self._hash(each.source_revision)
                    if len(shared) < _SHARED:
                        shared[each.source_revision] = revision
                self._noted[self._hash(each.external_id)] = revision
            yield page

    def compared(self, diffs: Mapping[str, ChatDiff]) -> None:
        """Take over a comparison: all that was noted is settled, but what is wanted."""
        settled, self._noted = self._noted, {}
        self._open = {}
        for diff in diffs.values():
            for key in diff.wanted:
                if (revision := settled.pop(self._hash(key), None)) is not None:
                    self._open[key] = revision
        self._revisions = dict(settled)  # a dict does not shrink where entries are taken out

    def extended(self, diffs: Mapping[str, ChatDiff]) -> None:
        """Take over a comparison of what came since: what was settled before stays so, but what is wanted."""
        before = self._revisions or {}
        self.compared(diffs)
        for key in self._open:
            before.pop(self._hash(key), None)
        self._revisions = {**before, **self.revisions}

    def settle(self, keys: Iterable[str]) -> None:
        """Note that what was wanted was read, or is not to be looked for again."""
        for key in keys:
            if self._revisions is not None and key in self._open:
                self._revisions[self._hash(key)] = self._open.pop(key)

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
            (entry.external_id, self._hash(entry.source_revision))
            for chat_id, entries in listed.items()
            for entry in _of(entries, diffs[chat_id].wanted)
        )
        return diffs

    def _chat_diff(self, chat_id: str, entries: Sequence[MessageIndexEntry]) -> ChatDiff:
        wanted = [
            each
            for each in entries
            if self.revisions.get(self._hash(each.external_id)) != self._hash(each.source_revision)
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

    def _hash(self, text: str) -> int:
        # A revision may hold half a surrogate pair, which is no text to UTF-8.
        data = text.encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(data, digest_size=_HASH_BYTES, key=self.key).digest())


def _of(entries: Sequence[MessageIndexEntry], keys: Collection[str]) -> Iterator[MessageIndexEntry]:
    wanted = frozenset(keys)
    return (each for each in entries if each.external_id in wanted)
