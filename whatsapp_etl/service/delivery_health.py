"""What keeps a person, or the agent, from learning what they should. Pure; a part of `health`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from whatsapp_etl.happenings import OutboxFacts
from whatsapp_etl.model import AgentState
from whatsapp_etl.service.reasons import ReasonCode
from whatsapp_etl.service.thresholds import is_recent

#: What was given up, and what is on its way for too long.
_EVENT_CODES = (ReasonCode.EVENTS_DEAD, ReasonCode.EVENTS_STUCK)
_AGENT_MESSAGE_CODES = (ReasonCode.AGENT_DEAD, ReasonCode.AGENT_STUCK)

_AGENT_CODES: Mapping[AgentState, ReasonCode] = MappingProxyType(
    {
        AgentState.NOT_FOUND: ReasonCode.AGENT_NOT_FOUND,
        AgentState.AMBIGUOUS: ReasonCode.AGENT_AMBIGUOUS,
    }
)


def agent_codes(state: AgentState | None) -> Iterator[ReasonCode]:
    """Yield why nothing is routed to the agent, although somebody wants it to be."""
    if state is not None and state in _AGENT_CODES:
        yield _AGENT_CODES[state]


def told_codes(
    events: OutboxFacts | None,
    agent_messages: OutboxFacts | None,
    now: datetime,
    *,
    dead_for: timedelta,
    stuck_after: timedelta,
) -> Iterator[ReasonCode]:
    """Yield what keeps somebody from being told."""
    for outbox, codes in ((events, _EVENT_CODES), (agent_messages, _AGENT_MESSAGE_CODES)):
        if outbox is not None:
            yield from _delivery_codes(outbox, codes, now, dead_for, stuck_after)


def _delivery_codes(
    outbox: OutboxFacts,
    codes: tuple[ReasonCode, ReasonCode],
    now: datetime,
    dead_for: timedelta,
    stuck_after: timedelta,
) -> Iterator[ReasonCode]:
    """Yield what is wrong with one; what was given up long ago is no failure for ever."""
    dead, stuck = codes
    if is_recent(outbox.last_dead_at, now, dead_for):
        yield dead
    if outbox.oldest_pending_at is not None and now - outbox.oldest_pending_at > stuck_after:
        yield stuck
