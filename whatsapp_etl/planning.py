"""The plan of a captured chat against the database as it is now, or against none while it is away."""

from __future__ import annotations

from datetime import datetime

from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import LoadPlan
from whatsapp_etl.transform.messages import ChatContext, external_id
from whatsapp_etl.transform.plan import plan_load
from whatsapp_etl.transform.visits import Rules


def plan_captured(captured: CapturedChat, rules: Rules, store: Store | None, now: datetime) -> LoadPlan:
    """Ask what is known of the chat, and plan it.

    Args:
        captured: Read just now, or hours ago.
        rules: In force now.
        store: None while Postgres is away: the plan is then as if nothing was stored.
        now: The cycle's clock.
    """
    chat_id = captured.chat.id
    keys = [external_id(each.key, captured.account) for each in captured.facts or ()]
    missing = store.known_missing(captured.diff.wanted) if store else {}
    context = ChatContext(
        chat=captured.chat,
        account=captured.account,
        since=captured.since,
        participant_ids=captured.participant_ids,
        disappearing=rules.disappearing,
        checkpoint=store.checkpoint(chat_id) if store else None,
        diff=captured.diff,
        attempts={key: each.attempts for key, each in missing.items()},
        phone_ids=rules.phone_ids,
        forgotten=rules.forgotten,
        downloads=rules.downloads,
    )
    known = store.known(keys) if store else {}
    return plan_load(
        captured.batch,
        captured.parsed,
        captured.facts,
        known,
        context,
        now,
        rejects=captured.rejects,
        dissents=captured.dissents,
    )
