"""Values of the agent's thread: what was asked for, what is in force, what is handed to the agent's pipeline.

Like those of `model` they are frozen and cross between packages. `transform.agent_thread` decides which
chat is meant, `load.agent` keeps it and follows it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from whatsapp_etl.addressing import is_addressed
from whatsapp_etl.model import AgentState, MessageType, TsPrecision

#: Nothing is routed, although somebody wants it to be.
UNRESOLVED = frozenset({AgentState.NOT_FOUND, AgentState.AMBIGUOUS})


class AgentKind(StrEnum):
    """`type` of what the agent's pipeline is handed; part of the published interface: add, never rename."""

    CREATED = "agent.message.created"
    UPDATED = "agent.message.updated"  #: Another text, or its file's bytes are held now.
    DELETED = "agent.message.deleted"  #: Deleted for everyone after it was handed over.


class ProposalState(StrEnum):
    """What became of a proposal. This program only sets the first; whoever acts on it the others."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DONE = "done"
    FAILED = "failed"


#: Nobody wrote these, or there is nothing in them yet; a deletion is told of what was handed over.
_NOT_HANDED_OVER = frozenset({MessageType.SYSTEM, MessageType.CALL, MessageType.WAITING, MessageType.ALBUM})
_NOT_TEXTS = frozenset({MessageType.SYSTEM, MessageType.CALL})


@dataclass(frozen=True, slots=True)
class AgentWish:
    """What the settings say."""

    contact: str = ""  #: A number in any notation, a saved name, or an id.
    thread_name: str = ""  #: A group's subject, a saved name, or an id.
    keywords: tuple[str, ...] = ()  #: Only looked at where no chat is named.
    allowed: tuple[str, ...] = ()  #: Ids of people whose calls are routed, besides the account's own.

    @property
    def names_thread(self) -> bool:
        return bool(self.contact.strip() or self.thread_name.strip())

    def digest(self, account_id: str) -> str:
        """Return what tells one named chat from another; the same one is resolved once."""
        named = json.dumps([account_id, self.contact.strip(), self.thread_name.strip()])
        return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class ThreadChoice:
    """Which chat a wish names."""

    state: AgentState  #: THREAD, NOT_FOUND or AMBIGUOUS.
    thread_id: str | None = None  #: Of THREAD.
    candidates: tuple[str, ...] = ()  #: Ids of the chats that the name fits, where none was chosen.


@dataclass(frozen=True, slots=True)
class MessageFace:
    """What of a stored message decides about it."""

    thread_id: str
    sender_id: str | None
    is_outgoing: bool
    text: str | None
    type: MessageType
    sent_at: datetime
    ts_precision: TsPrecision = "second"


@dataclass(frozen=True, slots=True)
class Mark:
    """How a message stands to the agent; the first two are columns of `messages`."""

    is_agent_channel: bool = False
    exclude_from_automation: bool = False
    is_routed: bool = False  #: The agent's pipeline is handed it, if it is new.


@dataclass(frozen=True, slots=True)
class Routing:
    """What is in force: one row in the database, changed together with the flags that follow from it."""

    state: AgentState = AgentState.OFF
    wish: str = ""  #: Digest of the wish that it was resolved from.
    thread_id: str | None = None  #: The pinned chat.
    thread_ids: tuple[str, ...] = ()  #: Every id of it, sorted: phone id and LID.
    keywords: tuple[str, ...] = ()
    allowed_ids: tuple[str, ...] = ()  #: Every id of the people whose calls are routed, sorted.
    candidates: tuple[str, ...] = ()
    since: datetime | None = None  #: When it came into force: what was sent before is marked, not routed.

    @property
    def is_on(self) -> bool:
        return self.state in {AgentState.THREAD, AgentState.KEYWORDS}

    def mark(self, message: MessageFace) -> Mark:
        """Return the flags of a message and whether it is handed over. The same for the same row, always."""
        if self.state is AgentState.THREAD:
            is_agents = message.thread_id in self.thread_ids
            return Mark(is_agents, is_agents, is_agents and self._is_new(message))
        if self.state is AgentState.KEYWORDS and message.type not in _NOT_TEXTS:
            is_called = is_addressed(message.text, self.keywords)
            is_allowed = message.is_outgoing or message.sender_id in self.allowed_ids
            return Mark(
                exclude_from_automation=is_called,
                is_routed=is_called and is_allowed and self._is_new(message),
            )
        return Mark()

    def _is_new(self, message: MessageFace) -> bool:
        if self.since is None or message.type in _NOT_HANDED_OVER:
            return False
        # The page alone tells minutes.
        slack = timedelta(minutes=1) if message.ts_precision == "minute" else timedelta(0)
        return message.sent_at + slack >= self.since.replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """A message on its way to the agent's pipeline: a copy, so that its id always means the same."""

    id: UUID  #: The same in every delivery, and made anew from the message in another database.
    seq: int  #: Rises in the order in which messages were handed over.
    type: AgentKind
    thread_id: str  #: One for all ids of the chat. Messages of one chat are delivered in their order.
    external_id: str  #: `messages.external_id`.
    sender_id: str | None
    is_outgoing: bool  #: Sent by the account.
    is_agent_channel: bool  #: In the agent's own chat; else the agent was called by its name.
    message_type: str
    text: str | None
    sent_at: datetime
    attachments: Sequence[Mapping[str, object]]  #: Position, type, file, checksum; see docs/agent.md.
    occurred_at: datetime  #: When it was handed over.


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an agent proposes, for others to act on."""

    answers: UUID  #: The `AgentMessage` that it answers.
    kind: str
    payload: Mapping[str, object]
    key: str  #: Of the caller: the same one proposes once, however often it is sent.


class Taken(StrEnum):
    """What became of handing in a proposal."""

    CREATED = "created"
    KNOWN = "known"  #: The same was handed in before under this key.
    CONFLICT = "conflict"  #: Another one was.
    NO_MESSAGE = "no_message"  #: There is no such message, or none any more.


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a proposal."""

    taken: Taken
    id: UUID | None = None
    state: ProposalState | None = None


@dataclass(frozen=True, slots=True)
class StoredProposal:
    """A proposal as it is kept."""

    id: UUID
    answers: UUID
    external_id: str  #: Of the message that it answers.
    kind: str
    payload: Mapping[str, object]
    state: ProposalState
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NamedChat:
    """A chat with what it is called, for a person's eyes."""

    id: str
    title: str | None
    participants: int


@dataclass(frozen=True, slots=True)
class RoutingReport:
    """What is in force and what came of it, for `whatsapp-etl agent status`."""

    routing: Routing
    thread: NamedChat | None
    candidates: tuple[NamedChat, ...]
    marked: int  #: Messages in the agent's chat.
    called: int  #: Messages that call the agent in other chats.
