"""What a person has to do in the states that only a person can end."""

from __future__ import annotations

from collections.abc import Mapping

from whatsapp_etl.errors import SessionNeedsPersonError
from whatsapp_etl.model import SessionState

_PERSON_REMEDIES: Mapping[SessionState, str] = {
    SessionState.QR: "Run `whatsapp-etl login` and scan the QR code with the phone.",
    SessionState.LOGGED_OUT: "Run `whatsapp-etl login` and scan the QR code with the phone.",
    SessionState.PAIRING: "Type the code that WhatsApp Web shows on the phone, under Linked devices.",
    SessionState.PASSKEY_REQUIRED: "Answer it in the window of `whatsapp-etl login`; only a person can.",
    SessionState.LINK_RESTING: "Ask for new QR codes on the status page, or run `whatsapp-etl login`.",
    SessionState.CONFLICT: "Close WhatsApp Web in the other window; it is not taken over.",
    SessionState.TERMS: "Accept the terms in WhatsApp on the phone.",
    SessionState.LOCKED: "Unlock the app lock with `whatsapp-etl login`.",
    SessionState.BANNED: "Read what WhatsApp says on the phone.",
    SessionState.WRONG_ACCOUNT: "Run `whatsapp-etl login --replace-account` if that is meant.",
    SessionState.UPDATE_REQUIRED: "Update WhatsApp on the phone, or the browser.",
}


def person_needed(state: SessionState) -> SessionNeedsPersonError:
    """Return the error that says what a person has to do in `state`."""
    return SessionNeedsPersonError(f"WhatsApp Web waits for a person: {state}.", _PERSON_REMEDIES[state])
