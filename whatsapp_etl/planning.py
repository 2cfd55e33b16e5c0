"""The plans of captured chats against the database as it is now, or against none while it is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import Checkpoint, KnownMessage, LoadPlan, MissingMessage
from whatsapp_etl.transform.messages import ChatContext, external_id
from whatsapp_etl.transform.plan import plan_load
from whatsapp_etl.transform.visits import Rules


def plan_captured(captured: CapturedChat, rules: Rules, store: Store | None, now: datetime) -> LoadPlan:
    """Ask what is known of the chat, and plan it; see `plan_together`."""
    return plan_together([captured], rules, store, now)[0]


def plan_together(
    chats: Sequence[CapturedChat], rules: Rules, store: Store | None, now: datetime
) -> Sequence[LoadPlan]:
    """Ask what is known of the chats, once for all of them, and plan each.

    Args:
        chats: Read just now, or hours ago; of one account.
        rules: In force now.
        store: None while Postgres is away: the plans are then as if nothing was stored.
        now: The cycle's clock.
    """
    keys = [[external_id(each.key, chat.account) for each in chat.facts or ()] for chat in chats]
    known: Mapping[str, KnownMessage] = {}
    missing: Mapping[str, MissingMessage] = {}
    checkpoints: Mapping[str, Checkpoint] = {}
    if store:
        known = store.known([key for of_chat in keys for key in of_chat])
        missing = store.known_missing([key for chat in chats for key in chat.diff.wanted])
        checkpoints = store.checkpoints_of([chat.chat.id for chat in chats])
    return [
        plan_load(
            chat.batch,
            chat.parsed,
            chat.facts,
            {key: known[key] for key in of_chat if key in known},
            _context(chat, rules, missing, checkpoints.get(chat.chat.id)),
            now,
            rejects=chat.rejects,
            dissents=chat.dissents,
        )
        for chat, of_chat in zip(chats, keys, strict=True)
    ]


def _context(
    captured: CapturedChat,
    rules: Rules,
    missing: Mapping[str, MissingMessage],
    checkpoint: Checkpoint | None,
) -> ChatContext:
    tried = (missing[key] for key in captured.diff.wanted if key in missing)
    return ChatContext(
        chat=captured.chat,
        account=captured.account,
        since=captured.since,
        participant_ids=captured.participant_ids,
        disappearing=rules.disappearing,
        checkpoint=checkpoint,
        diff=captured.diff,
        attempts={each.external_id: each.attempts for each in tried},
        phone_ids=rules.phone_ids,
        forgotten=rules.forgotten,
        downloads=rules.downloads,
    )
