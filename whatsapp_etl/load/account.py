"""The account that is read: its pinning, the session's events, and the shield's alarm."""

from __future__ import annotations

from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.model import NEEDS_PERSON, Account, SessionState
from whatsapp_etl.transitions import SessionCause, Transition


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


def record_transition(cursor: Cursor[TupleRow], transition: Transition) -> bool:
    """Note a change of the session's state; return False when it is what was noted last.

    The first change that a program notices goes on from where the one before it stood.
    """
    state = transition.state
    last = cursor.execute("SELECT state, error FROM session_events ORDER BY id DESC LIMIT 1").fetchone()
    if last is not None and last[0] == state.value and transition.error in {None, last[1]}:
        return False
    previous = transition.previous.value if transition.previous else (last[0] if last else None)
    cursor.execute(
        "INSERT INTO session_events"
        " (state, previous, cause, error, is_unexpected, needs_person, occurred_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            state.value,
            previous,
            transition.cause.value,
            transition.error,
            int(not transition.is_expected),
            int(state in NEEDS_PERSON),
            transition.at,
        ),
    )
    cursor.execute(
        "UPDATE sync_state SET session_status = %s, session_status_at = %s WHERE is_active = 1",
        (state.value, transition.at),
    )
    return True


def last_transitions(cursor: Cursor[TupleRow], count: int) -> tuple[Transition, ...]:
    """Return the last changes of the session, newest first."""
    rows = cursor.execute(
        "SELECT state, cause, occurred_at, previous, error, is_unexpected FROM session_events"
        " ORDER BY id DESC LIMIT %s",
        (count,),
    ).fetchall()
    return tuple(
        Transition(
            SessionState(row[0]),
            SessionCause(row[1]),
            row[2],
            SessionState(row[3]) if row[3] else None,
            row[4],
            is_expected=not row[5],
        )
        for row in rows
    )


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
