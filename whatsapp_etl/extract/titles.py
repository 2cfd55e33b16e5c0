"""What a chat is called, as the page's chat list calls it, and whose ids are one person's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import phonenumbers

from whatsapp_etl.model import Account, ChatKind


def title_of(
    row: Mapping[str, Any],
    kind: ChatKind,
    *,
    account: Account,
    contacts: Mapping[str, Mapping[str, Any]],
    group: Mapping[str, Any],
    lids: Mapping[str, str],
) -> str | None:
    """Name a chat as the chat list does: subject, saved name, number, else what a person calls himself."""
    if kind is ChatKind.GROUP:
        subject: str | None = group.get("subject") or row["name"]
        return subject
    chat_id: str = row["id"]
    phone_id = chat_id if chat_id.endswith("@c.us") else lids.get(chat_id)
    names: list[str | None] = [
        contacts.get(chat_id, {}).get("name"),
        contacts.get(phone_id or "", {}).get("name"),
        account.push_name if kind is ChatKind.SELF else None,
        row["name"],
        format_phone(phone_id) if phone_id else None,
        # Of somebody known by a LID only, it shows what they call themselves.
        f"~{push}" if (push := contacts.get(chat_id, {}).get("push")) else None,
    ]
    return next((name for name in names if name), None)


def same_person(some_id: str, lids: Mapping[str, str]) -> set[str]:
    """Return the other ids of a person: the phone id of a LID, the LIDs of a phone id."""
    others = {lid for lid, phone in lids.items() if phone == some_id}
    return others | ({lids[some_id]} if some_id in lids else set())


def format_phone(phone_id: str) -> str:
    """Write a phone number's id as a number: "15551001036@c.us" as "+1 555-100-1036".

    The page may group the digits otherwise; who compares, compares digits.
    """
    digits = phone_id.partition("@")[0]
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return f"+{digits}"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
