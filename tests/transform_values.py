"""Factories and packs for the tests of the pure part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from whatsapp_etl.extract.packs import load_packs
from whatsapp_etl.model import (
    Account,
    ChatBatch,
    ChatDiff,
    ChatFacts,
    ChatKind,
    KnownMessage,
    LoadPlan,
    Message,
    MessageFacts,
    MessageKey,
    MessageType,
    MissingReason,
    ParsedRow,
    RawRow,
    Reject,
    SelectorPack,
    StopReason,
)
from whatsapp_etl.transform.messages import ChatContext
from whatsapp_etl.transform.plan import plan_load
from whatsapp_etl.transform.timestamps import DateWords

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
OWN = "491550000@c.us"
OWN_LID = "5550000@lid"
OTHER = "4915550001@c.us"
GROUP = "120363000000000001@g.us"
UTC_ZONE = ZoneInfo("UTC")


@cache
def packs() -> dict[str, SelectorPack]:
    return {pack.id: pack for pack in load_packs(ROOT / "selectors")}


@cache
def words() -> DateWords:
    return DateWords.of(packs()["2026-08"].tables["dates"])


def account(**changes: Any) -> Account:
    return Account(**{"id": OWN, "lid": OWN_LID, "push_name": "Own Name", **changes})


def chat(**changes: Any) -> ChatFacts:
    values: dict[str, Any] = {
        "id": OTHER,
        "kind": ChatKind.PERSON,
        "title": "Mira Vogel",
        "last_activity": NOW,
        "unread_count": 0,
        "is_archived": False,
        "is_pinned": False,
        "is_muted": False,
        "is_locked": False,
        "is_readonly": False,
        "disappearing_seconds": None,
        "history_type": None,
    }
    return ChatFacts(**{**values, **changes})


def context(**changes: Any) -> ChatContext:
    values: dict[str, Any] = {"chat": chat(), "account": account(), "since": NOW - timedelta(days=30)}
    return ChatContext(**{**values, **changes})


def group_context(**changes: Any) -> ChatContext:
    people = (OWN, OTHER, "777@lid")
    return context(
        chat=chat(id=GROUP, kind=ChatKind.GROUP, title="Rowing Club"), participant_ids=people, **changes
    )


def facts(stanza_id: str = "3EB0A1", *, minute: int = 0, **changes: Any) -> MessageFacts:
    key = changes.pop("key", MessageKey(False, OTHER, stanza_id))
    values: dict[str, Any] = {
        "key": key,
        "type": MessageType.TEXT,
        "subtype": None,
        "wa_type": "chat",
        "sent_at": NOW - timedelta(hours=2) + timedelta(minutes=minute, seconds=7),
        "sender_id": key.participant_id or key.chat_id,
        "source_revision": "chat|||",
    }
    return MessageFacts(**{**values, **changes})


def row(stanza_id: str = "3EB0A1", *, minute: int = 0, **changes: Any) -> ParsedRow:
    values: dict[str, Any] = {
        "shown_id": stanza_id,
        "key": None,
        "stanza_id": stanza_id,
        "type": MessageType.TEXT,
        "subtype": None,
        "is_outgoing": False,
        "sender_name": "Mira Vogel",
        "text": "hello",
        "sent_at": NOW - timedelta(hours=2) + timedelta(minutes=minute),
        "ts_raw": "10:00 AM, 3/4/2026",
    }
    return ParsedRow(**{**values, **changes})


def raw(shown_id: str = "3EB0A1", html: str = "<div></div>", **changes: Any) -> RawRow:
    values: dict[str, Any] = {
        "shown_id": shown_id,
        "html": html,
        "alignment": None,
        "date_marker": "3/4/2026",
        "run_position": 0,
        "run_head": shown_id,
    }
    return RawRow(**{**values, **changes})


def batch(*shown_ids: str, **changes: Any) -> ChatBatch:
    values: dict[str, Any] = {
        "chat_id": OTHER,
        "pack_id": "2026-08",
        "rows": tuple(raw(shown_id) for shown_id in shown_ids),
        "stop_reason": StopReason.ALL_FOUND,
        "observed_at": NOW,
    }
    return ChatBatch(**{**values, **changes})


def known(message: Message, **changes: Any) -> KnownMessage:
    """Return what Postgres holds after `message` was written."""
    values = {
        name: getattr(message, name) for name in KnownMessage.__dataclass_fields__ if hasattr(message, name)
    }
    return KnownMessage(**{**values, **changes})


def all_known(messages: tuple[Message, ...]) -> dict[str, KnownMessage]:
    return {message.external_id: known(message) for message in messages}


def plan(
    rows: Sequence[ParsedRow] = (),
    listed: Sequence[MessageFacts] = (),
    known: Mapping[str, KnownMessage] | None = None,
    where: ChatContext | None = None,
    *,
    rejects: Sequence[Reject] = (),
    **captured: Any,
) -> LoadPlan:
    """Return what is made of a visit that captured `rows`, beside what the storage lists."""
    captured.setdefault("observed_at", NOW)
    visit = batch(*(each.shown_id for each in rows), **captured)
    return plan_load(visit, rows, listed, known or {}, where or context(), NOW, rejects=rejects)


def ids(messages: Iterable[Message]) -> list[str]:
    return [message.stanza_id for message in messages]


def missing_reasons(made: LoadPlan) -> list[MissingReason]:
    return [each.reason for each in made.missing]


def diff(*wanted: str, **changes: Any) -> ChatDiff:
    values: dict[str, Any] = {"chat_id": OTHER, "expected": 3, "stored": 1, "wanted": wanted}
    return ChatDiff(**{**values, **changes})
