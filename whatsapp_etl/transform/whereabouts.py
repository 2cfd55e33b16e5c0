"""What will happen next with a message, said in one sentence."""

from __future__ import annotations

from datetime import datetime

from whatsapp_etl.model import MissingReason
from whatsapp_etl.records import MissingFacts, StoredFacts, Whereabouts

#: What is looked for, where it is not simply the message.
_LOOKED_FOR = {
    MissingReason.NEEDS_PHONE: (
        "Only the phone has it: it is looked for again {when}, and the phone is asked only with "
        "WHATSAPP_PHONE_HISTORY=auto."
    ),
    MissingReason.UNREADABLE: (
        "Its row was not understood: it is read again {when}, and a newer pack may understand it."
    ),
    MissingReason.PICTURE_NOT_LOADED: "Its picture is looked for again {when}.",
    MissingReason.SKIPPED_BY_RULE: "Its chat is kept closed by a rule; when that ends, it is read.",
    MissingReason.EXPIRED: "Nothing: it disappeared before it was stored.",
    MissingReason.NO_LONGER_LISTED: (
        "Nothing until the browser's storage, which was set back, lists it again; what is stored of it stays."
    ),
}


def state_of(found: Whereabouts) -> str:
    """Return where a message is, as one word: what is stored counts before what is known to lack."""
    if found.stored is not None:
        return "stored"
    if found.missing is not None:
        return "missing"
    if found.removed is not None:
        return "removed"
    if found.is_forgotten:
        return "forgotten"
    return "rejected" if found.rejects else "unknown"


def next_step(found: Whereabouts, now: datetime) -> str:
    """Return what will happen next with a message."""
    if found.missing is not None:
        return _next_try(found.missing, found.stored, now)
    if found.stored is not None:
        return _next_of_stored(found.stored)
    if found.is_forgotten or (found.removed is not None and found.removed.reason == "forgotten"):
        return "Nothing: it, its chat or its author was erased on request, and no later cycle stores it."
    if found.removed is not None and found.removed.reason == "retention":
        return "Nothing: it was kept for as long as RETENTION_DAYS says, and is not read again."
    if found.removed is not None:
        return "Nothing: it has disappeared, as it did in WhatsApp, and is not read again."
    return _next_of_unread(found)


def _next_try(missing: MissingFacts, stored: StoredFacts | None, now: datetime) -> str:
    is_due = missing.next_try_at <= now
    when = "in the next cycle" if is_due else f"not before {_shown(missing.next_try_at)}"
    usual = "Its newer state is looked for again {when}." if stored else "It is looked for again {when}."
    return _LOOKED_FOR.get(missing.reason, usual).format(when=when)


def _next_of_stored(stored: StoredFacts) -> str:
    if stored.expires_at is not None:
        when = _shown(stored.expires_at)
        return (
            f"It disappears: the first cycle after {when} removes it, where WHATSAPP_DISAPPEARING is expire."
        )
    if not stored.is_listed:
        return (
            "It is completed with recipients and exact time once the browser's storage is readable: so far "
            "the page alone has shown it."
        )
    return "Nothing until it changes: inside the look-back each cycle compares it with the browser's list."


def _next_of_unread(found: Whereabouts) -> str:
    if found.rejects:
        return (
            "Nothing by itself: its row is tried again whenever its chat is read that far, and a newer pack "
            "may understand it."
        )
    if found.chat is None:
        return (
            "Nothing: no cycle has read its chat, which is left out, not listed by WhatsApp Web, or new "
            "since the last cycle."
        )
    return (
        "Nothing until WhatsApp Web lists it inside the look-back: it is older, newer than the last cycle, "
        "or not of this chat."
    )


def _shown(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
