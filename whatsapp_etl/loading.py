"""Chats that were read become rows: several in one transaction, and each in its own where that fails.

A transaction costs as much as the rows of a hundred messages. So chats that were read together are stored
together, all of them or nothing. Where Postgres refuses that, one chat after the other is stored, so that the
one to which it objects costs no other. While Postgres is away, what was read is kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.chat_memory import ChatMemory
from whatsapp_etl.errors import DatabaseRefusedError
from whatsapp_etl.increments import Increments
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import ApplyResult, LoadPlan, StopReason
from whatsapp_etl.planning import plan_captured, plan_together
from whatsapp_etl.recollection import Recollection
from whatsapp_etl.steps import Announce, Step
from whatsapp_etl.tally import FAILURES_IN_A_ROW, Tally
from whatsapp_etl.transform.visits import Rules

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReadChat:
    """A chat to be stored."""

    captured: CapturedChat
    is_whole: bool = True  #: False: something of it is left for the page, which tells why reading ended.


@dataclass
class Loading:
    """Plans chats against what is stored of them, and stores them."""

    store: Store
    increments: Increments
    recollection: Recollection
    memory: ChatMemory
    clock: Callable[[], datetime]
    announce: Callable[[], Announce]  #: Whom to tell of steps, as it is then.
    keep: Callable[[CapturedChat, LoadPlan, Tally], None]  #: Puts a chat on disk.

    def load_or_keep(
        self, chats: Sequence[ReadChat], rules: Rules, tally: Tally, *, is_last: bool
    ) -> Sequence[LoadPlan]:
        """Store chats that were read, the last ones of the cycle with the cursors.

        While Postgres is away they are kept.

        Returns:
            Their plans, in the same order.
        """
        for _ in chats:
            self.announce()(Step.CHAT_READ)
        stored = tally.if_there(lambda: self._load(chats, rules, tally, is_last=is_last))
        return stored or [self._keep(each.captured, rules, tally) for each in chats]

    def load_spooled(self, captured: CapturedChat, rules: Rules, tally: Tally, may_move: bool) -> bool:  # noqa: FBT001 - the contract of `LoadChat`
        """Store a chat that an earlier cycle captured; return whether Postgres took it."""
        plan = plan_captured(captured, rules, self.store, self.clock())
        if not may_move:
            plan = replace(plan, checkpoint=None)
        return self.apply(plan, tally, is_late=True)

    def apply(self, plan: LoadPlan, tally: Tally, *, is_late: bool = False) -> bool:
        """Store a chat's plan; one that Postgres refuses is left out, and the chat read last next time."""
        try:
            result = self.store.apply(plan, tally.run_id)
        except DatabaseRefusedError as refused:
            self.increments.spoil()
            self.memory.note_failure(plan.thread.external_id, StopReason.NOT_STORED)
            tally.refused(plan)
            if tally.refusals_in_a_row >= FAILURES_IN_A_ROW:
                raise
            log.warning("chat_not_stored", error=str(refused))
            return False
        self._count(plan, result, tally, is_late=is_late)
        return True

    def _load(
        self, chats: Sequence[ReadChat], rules: Rules, tally: Tally, *, is_last: bool
    ) -> Sequence[LoadPlan]:
        """Plan chats against what is stored of them, and store them; what is left of one is counted later."""
        plans = list(plan_together([each.captured for each in chats], rules, self.store, self.clock()))
        if is_last:
            plans[-1] = self.increments.with_cursors(plans[-1])
        is_stored = self._apply_together(chats, plans, tally)
        for each, plan in zip(chats, plans, strict=True):
            if is_stored or self.apply(self._unless_spoiled(plan), tally, is_late=not each.is_whole):
                self._settle(each.captured, plan)
        return plans

    def _apply_together(self, chats: Sequence[ReadChat], plans: Sequence[LoadPlan], tally: Tally) -> bool:
        """Store several chats at once; return False when that is refused, and nothing of them is stored."""
        if len(plans) == 1:
            return False
        try:
            result = self.store.apply_together(plans, tally.run_id)
        except DatabaseRefusedError as refused:
            log.warning("chats_not_stored_together", chats=len(plans), error=str(refused))
            return False
        for each, plan in zip(chats, plans, strict=True):
            # What was changed is counted once, with the first of them.
            self._count(plan, result, tally, is_late=not each.is_whole)
            result = ApplyResult()
        return True

    def _unless_spoiled(self, plan: LoadPlan) -> LoadPlan:
        """Let the last plan move the cursors as they are now: a chat before it may have been refused."""
        return plan if plan.cursors is None else self.increments.with_cursors(plan)

    def _count(self, plan: LoadPlan, result: ApplyResult, tally: Tally, *, is_late: bool) -> None:
        self.announce()(Step.CHAT_STORED)
        # Why reading ended and what is missing is told by the cycle, or the visit, that read it to its end.
        count = tally.loaded_plan if is_late else tally.applied_plan
        count(plan, result)

    def _keep(self, captured: CapturedChat, rules: Rules, tally: Tally) -> LoadPlan:
        """Keep a chat until Postgres is back; return its plan as if nothing was stored of it."""
        plan = plan_captured(captured, rules, None, self.clock())
        self.keep(captured, plan, tally)
        self._settle(captured, plan)
        return plan

    def _settle(self, captured: CapturedChat, plan: LoadPlan) -> None:
        """Note what need not be looked for again as long as Postgres cannot be asked."""
        now = self.clock()
        due = {each.external_id for each in plan.missing if each.next_try_at <= now}
        self.recollection.settled.settle(key for key in captured.diff.wanted if key not in due)
