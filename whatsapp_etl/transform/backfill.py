"""Decides what back-fill reads next and how far it came; it never speaks for the ordinary look-back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.errors import ChatChoiceError
from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import (
    PHONE_HAS_MORE,
    BackfillProgress,
    ChatDiff,
    ChatFacts,
    LoadPlan,
    MissingReason,
    StopReason,
)
from whatsapp_etl.transform.messages import external_id
from whatsapp_etl.transform.plan import COMPLETE
from whatsapp_etl.transform.visits import Rules, is_named

#: The walk came to its end: to walk again at once would show nothing else.
_WALKED_TO_THE_END = COMPLETE | {StopReason.NEEDS_PHONE, StopReason.PHONE_FAILED}

_HOW_TO_NAME = (
    'Name a chat by its id: `whatsapp-etl db psql -c "SELECT external_id, title FROM threads"` lists them.'
)


def chosen_chats(chats: Sequence[ChatFacts], names: Sequence[str], rules: Rules) -> tuple[ChatFacts, ...]:
    """Return the chats that a person named by id, title or phone number; all of them when none is named.

    Raises:
        ChatChoiceError: A name fits no chat in scope, or several. The message counts them; their ids are
            beside it, since ids hold phone numbers.
    """
    if not names:
        return tuple(chats)
    chosen: dict[str, ChatFacts] = {}
    for place, name in enumerate(names, 1):
        found = [chat for chat in chats if _fits(chat, name, rules)]
        if not found:
            raise ChatChoiceError(
                f"--chat number {place} names none of the {len(chats)} chats in scope.", _HOW_TO_NAME
            )
        if len(found) > 1:
            raise ChatChoiceError(
                f"--chat number {place} names {len(found)} chats.",
                _HOW_TO_NAME,
                candidates=tuple(chat.id for chat in found),
            )
        chosen[found[0].id] = found[0]
    return tuple(chosen.values())


def _fits(chat: ChatFacts, name: str, rules: Rules) -> bool:
    # The same words that exclude a chat choose it.
    asked = Rules(exclude=(name,), phone_ids=rules.phone_ids)
    return any(is_named(some_id, chat.title, asked) for some_id in chat.ids)


def unread_digest(external_ids: Iterable[str]) -> str:
    """Return what tells one set of unread ids from another one, without naming them; "" for none."""
    ids = sorted(external_ids)
    return hash_id(" ".join(ids)) if ids else ""


def needs_reading(diff: ChatDiff | None, unread: Sequence[str], progress: BackfillProgress | None) -> bool:
    """Whether reading the chat could bring something that an earlier slice did not.

    Args:
        diff: How the chat compares with Postgres; None when nothing of it is listed.
        unread: The ids that are listed before the look-back and not stored.
        progress: How far earlier slices came; None: there was none.
    """
    if diff is None or not diff.wanted:
        return False
    if progress is None or not progress.is_finished:
        return True
    # Gaps inside the look-back that are known wait for their time and are not wanted before.
    is_recent = not set(diff.wanted) <= set(unread)
    return is_recent or unread_digest(unread) != progress.unread_digest


def phone_has_more(chat: ChatFacts, since: datetime) -> bool:
    """Whether the phone keeps, or may keep, messages of the window that this device does not have."""
    return chat.history_type in PHONE_HAS_MORE and (chat.oldest_at is None or chat.oldest_at > since)


def as_backfill(
    plan: LoadPlan,
    captured: CapturedChat,
    *,
    edge: datetime,
    before: BackfillProgress | None,
    asked_at: datetime | None,
) -> LoadPlan:
    """Return the plan of a slice: its rows, with how far back-fill came in place of checkpoint and coverage.

    What is missing inside the look-back stays a gap of the ordinary cycles. What is missing before it is
    counted only: they would forget it.

    Args:
        plan: As for an ordinary visit.
        captured: What the slice brought.
        edge: The ordinary look-back's.
        before: How far earlier slices came.
        asked_at: When the phone was last asked.
    """
    since = captured.since
    sent_at = {external_id(each.key, captured.account): each.sent_at for each in captured.facts or ()}
    older = {each.external_id for each in plan.missing if sent_at.get(each.external_id, since) < edge}
    stop_reason = plan.coverage.stop_reason
    has_run_out = stop_reason is StopReason.TIME_BUDGET
    progress = BackfillProgress(
        thread_external_id=plan.thread.external_id,
        since=since,
        expected=plan.coverage.expected or 0,
        stored=plan.coverage.stored,
        missing=plan.coverage.missing,
        stop_reason=stop_reason,
        is_finished=stop_reason in _WALKED_TO_THE_END,
        slices=(before.slices if before else 0) + 1 if has_run_out else 0,
        unread_digest=unread_digest(older),
        history_type=captured.chat.history_type,
        phone_asked_at=asked_at,
        observed_at=plan.coverage.observed_at,
    )
    recent = tuple(each for each in plan.missing if each.external_id not in older)
    return replace(plan, checkpoint=None, missing=recent, backfill=progress)


def settled(
    chat: ChatFacts,
    diff: ChatDiff | None,
    unread: Sequence[str],
    *,
    since: datetime,
    now: datetime,
    before: BackfillProgress | None,
) -> BackfillProgress:
    """Return the progress of a chat that needs no reading, as the last comparison found it."""
    is_whole = diff is None or not (diff.wanted or diff.deferred)
    missing: Mapping[MissingReason, int] = before.missing if before and not is_whole else {}
    return BackfillProgress(
        thread_external_id=chat.id,
        since=since,
        expected=diff.expected if diff else 0,
        stored=diff.stored if diff else 0,
        missing=missing,
        stop_reason=before.stop_reason if before else StopReason.NOTHING_TO_READ,
        is_finished=before.is_finished if before and not is_whole else True,
        slices=0,
        unread_digest=unread_digest(unread),
        history_type=chat.history_type,
        phone_asked_at=before.phone_asked_at if before else None,
        observed_at=now,
    )


def is_complete(progress: BackfillProgress | None, chat: ChatFacts, since: datetime) -> bool:
    """Whether every message of the window is stored; a picture's bytes may still be lacking."""
    if progress is None or not progress.is_finished or phone_has_more(chat, since):
        return False
    pictures = progress.missing.get(MissingReason.PICTURE_NOT_LOADED, 0)
    return progress.stored >= progress.expected and sum(progress.missing.values()) <= pictures
