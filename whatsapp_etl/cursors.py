"""How far the browser's list of messages was read: two numbers, and what they are good for.

Values that cross between packages, like those of `model`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from whatsapp_etl.model import MessageIndexEntry


class ListedBy(StrEnum):
    """How a cycle learned which messages there are: by what came since, or by the whole list and why."""

    INCREMENT = "increment"
    EACH_CYCLE = "each_cycle"  #: Texts are read from the page alone, so all of it is compared each time.
    FIRST = "first"  #: Nothing was read before, or it is not known what.
    REWOUND = "rewound"  #: The feed is another one: linked again, or the profile was set back.
    SCOPE_CHANGED = "scope_changed"  #: Other chats, or another stretch of time, are read than before.
    DUE = "due"  #: Once a day all of it is compared.
    UNREADABLE = "unreadable"  #: The browser numbers its rows no more.


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One row of the feed."""

    number: int
    mark: str  #: Hash of its id: whether it is the same one.


@dataclass(frozen=True, slots=True)
class FeedEnds:
    """Between which rows the feed lies now."""

    newest: FeedRow | None  #: None: there is no row.
    oldest: FeedRow | None
    at_hi: FeedRow | None  #: The row that has the number asked for.
    reactions: int | None  #: How many there are; None: not kept.


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some rows of the feed."""

    entries: tuple[MessageIndexEntry, ...]  #: Those that are messages, inside the look-back.
    last: FeedRow | None  #: Of all that were looked at; None: there were none.


@dataclass(frozen=True, slots=True)
class FeedCursors:
    """Up to where everything is stored, or known to be missing."""

    hi: FeedRow  #: The newest live row.
    lo: int  #: Number of the row to which history came down.
    complete_at: datetime  #: Start of the cycle that came so far.
    listed_at: datetime  #: Start of the last one that compared the whole list.
    scope: str  #: Hash of what is read at all, and how far back.
    reactions: int | None = None  #: How many there were.
