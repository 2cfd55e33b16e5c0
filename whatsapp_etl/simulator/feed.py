"""The list of what changed, with sequence numbers, from which the page pulls.

Only the newest change of each row is kept: a page that was away asks with the last number it saw
and gets every row that changed since, once.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Change:
    sequence: int
    store: str  #: Name of the object store.
    key: str  #: Identity of the row inside the world.
    deleted_key: object = None  #: The row's key in the object store when it was taken away.


@dataclass(slots=True)
class Feed:
    """Changes in order; superseded ones are dropped when somebody reads."""

    _log: list[Change] = field(default_factory=list)
    _newest: dict[tuple[str, str], int] = field(default_factory=dict)
    last: int = 0  #: Sequence number of the newest change.

    def put(self, store: str, key: str) -> None:
        self._append(store, key, None)

    def delete(self, store: str, key: str, deleted_key: object) -> None:
        self._append(store, key, deleted_key)

    def after(self, sequence: int, limit: int) -> tuple[list[Change], int]:
        """Return up to `limit` changes later than `sequence`, and how many there are in all."""
        if len(self._log) > len(self._newest):
            self._log = [change for change in self._log if self._is_newest(change)]
        start = bisect_right(self._log, sequence, key=lambda change: change.sequence)
        return self._log[start : start + limit], len(self._log) - start

    def _append(self, store: str, key: str, deleted_key: object) -> None:
        self.last += 1
        self._log.append(Change(self.last, store, key, deleted_key))
        self._newest[store, key] = self.last

    def _is_newest(self, change: Change) -> bool:
        return self._newest[change.store, change.key] == change.sequence
