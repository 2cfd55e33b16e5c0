"""What earlier cycles of this process met in single chats, so that none of them holds up the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from whatsapp_etl.extract.reader import BUDGET
from whatsapp_etl.model import StopReason
from whatsapp_etl.transform.missing import wait_after

#: However often a chat ran out of time, it never gets more than this.
LONGEST_BUDGET = timedelta(hours=1)


@dataclass
class ChatMemory:
    """Chats that took too long, and chats at which the page failed."""

    clock: Callable[[], datetime]
    first_budget: timedelta = BUDGET
    _budgets: dict[str, timedelta] = field(default_factory=dict)
    #: How often, when the last time, how long the chat rests since, and what failed last.
    _failures: dict[str, tuple[int, datetime, timedelta, StopReason]] = field(default_factory=dict)

    @property
    def first(self) -> frozenset[str]:
        """Chats that ran out of their time: read first, with twice the time."""
        return frozenset(self._budgets)

    @property
    def last(self) -> frozenset[str]:
        """Chats at which the page failed: read last, since they may end the cycle."""
        return frozenset(self._failures)

    def budget(self, chat_id: str) -> timedelta:
        """Return how long reading the chat may take."""
        return self._budgets.get(chat_id, self.first_budget)

    def resume(self, chat_id: str, times: int) -> None:
        """Take up a chat that ran out of time so often in a row."""
        if times:
            self._budgets[chat_id] = self._after(times)

    def has_had_longest(self, times: int) -> bool:
        """Whether a chat that ran out of time so often in a row has had as much as any chat gets."""
        return self._after(times - 1) >= LONGEST_BUDGET

    def _after(self, times: int) -> timedelta:
        # A day of doubling would leave the range of a timedelta.
        factor: int = 2 ** min(times, 32)
        return min(self.first_budget * factor, LONGEST_BUDGET)

    def resting(self, chat_id: str) -> StopReason | None:
        """Return what failed at the chat so often that it is left alone for a while; None if nothing did."""
        if chat_id not in self._failures:
            return None
        _, failed_at, rest, reason = self._failures[chat_id]
        # A clock that was set back must not make the rest longer.
        return reason if timedelta(0) <= self.clock() - failed_at < rest else None

    def note_read(self, chat_id: str, stop_reason: StopReason) -> None:
        """Note how reading the chat ended."""
        self._failures.pop(chat_id, None)
        if stop_reason is StopReason.TIME_BUDGET:
            self._budgets[chat_id] = min(self.budget(chat_id) * 2, LONGEST_BUDGET)
        else:
            self._budgets.pop(chat_id, None)

    def note_failure(self, chat_id: str, reason: StopReason) -> None:
        """Note what failed: the next cycle tries again, later ones wait longer and longer.

        This is forgotten with the process, so a new selector pack or program tries everything at once.
        """
        times = self._failures[chat_id][0] + 1 if chat_id in self._failures else 1
        rest = wait_after(times - 1) if times > 1 else timedelta(0)
        self._failures[chat_id] = (times, self.clock(), rest, reason)
