"""The account that is read: its pinning, the session's events, and the shield's alarm."""

from __future__ import annotations

from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.model import NEEDS_PERSON, Account, SessionState


def pin_account(cursor: Cursor[TupleRow], account: Account, now: datetime) -> bool:
    """Pin the first account; later return whether this is the pinned one.

    A LID that was not known at pinning is added.
    """
    pinned = cursor.execute("SELECT account_id FROM sync_state WHERE is_active = 1").fetchone()
    if pinned is None:
        replace_account(cursor, account, now)
        return True
    if pinned[0] != account.id:
        return False
    if account.lid is not None:
        cursor.execute(
            "UPDATE sync_state SET account_lid = %s WHERE is_active = 1 AND account_lid IS DISTINCT FROM %s",
            (account.lid, account.lid),
        )
    return True


def replace_account(cursor: Cursor[TupleRow], account: Account, now: datetime) -> None:
    """Make this the account that is read; the rows of the one before stay."""
    cursor.execute(
        "UPDATE sync_state SET is_active = 0, replaced_at = %s WHERE is_active = 1 AND account_id <> %s",
        (now, account.id),
    )
    cursor.execute(
        "INSERT INTO sync_state (account_id, account_lid, is_active, pinned_at) VALUES (%s, %s, 1, %s)"
        " ON CONFLICT (source, account_id) DO UPDATE SET is_active = 1, replaced_at = NULL,"
        " account_lid = coalesce(excluded.account_lid, sync_state.account_lid)",
        (account.id, account.lid, now),
    )


def record_session_event(
    cursor: Cursor[TupleRow], state: SessionState, cause: str | None, now: datetime
) -> bool:
    """Note a change of the session's state; return False when it is the state noted last."""
    last = cursor.execute("SELECT state FROM session_events ORDER BY id DESC LIMIT 1").fetchone()
    if last is not None and last[0] == state.value:
        return False
    cursor.execute(
        "INSERT INTO session_events (state, cause, needs_person, occurred_at) VALUES (%s, %s, %s, %s)",
        (state.value, cause, int(state in NEEDS_PERSON), now),
    )
    cursor.execute(
        "UPDATE sync_state SET session_status = %s, session_status_at = %s WHERE is_active = 1",
        (state.value, now),
    )
    return True


def raise_shield_alarm(cursor: Cursor[TupleRow], now: datetime) -> None:
    """Note that an unread count dropped unexplained; it stands until a person acknowledges it."""
    cursor.execute(
        "UPDATE sync_state SET shield_alarm_at = %s, shield_acknowledged_at = NULL"
        " WHERE is_active = 1 AND (shield_alarm_at IS NULL OR shield_acknowledged_at IS NOT NULL)",
        (now,),
    )


def acknowledge_shield_alarm(cursor: Cursor[TupleRow], now: datetime) -> bool:
    """End the alarm; return False when there was none."""
    cursor.execute(
        "UPDATE sync_state SET shield_acknowledged_at = %s"
        " WHERE is_active = 1 AND shield_alarm_at IS NOT NULL AND shield_acknowledged_at IS NULL",
        (now,),
    )
    return cursor.rowcount > 0


def has_shield_alarm(cursor: Cursor[TupleRow]) -> bool:
    found = cursor.execute(
        "SELECT 1 FROM sync_state"
        " WHERE is_active = 1 AND shield_alarm_at IS NOT NULL AND shield_acknowledged_at IS NULL"
    ).fetchone()
    return found is not None


def account(cursor: Cursor[TupleRow]) -> Account | None:
    """Return the pinned account, if any."""
    row = cursor.execute("SELECT account_id, account_lid FROM sync_state WHERE is_active = 1").fetchone()
    return None if row is None else Account(row[0], row[1])
