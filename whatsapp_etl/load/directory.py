"""Threads, contacts and reactions as the browser lists them; equal rows stay untouched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.identity import contact_ids
from whatsapp_etl.load.staging import message_ids, take_change_numbers
from whatsapp_etl.load.threads import unify_threads, upsert_threads
from whatsapp_etl.model import ContactFacts, GroupFacts, Reaction, Thread

#: The browser's contact list holds groups and channels too.
_NOT_PEOPLE = ("@g.us", "@newsletter", "@broadcast")


@dataclass(frozen=True, slots=True)
class DirectoryCounts:
    """Rows written by one directory load; zeros when nothing was new."""

    threads: int = 0
    contacts: int = 0
    reactions: int = 0
    reactions_skipped: int = 0  #: Their message is not stored.


def apply_directory(
    cursor: Cursor[TupleRow],
    threads: Sequence[Thread],
    contacts: Iterable[ContactFacts],
    groups: Iterable[GroupFacts],
    reactions: Iterable[Reaction],
    *,
    run_id: int,
    now: datetime,
) -> DirectoryCounts:
    """Write what changed; see `DirectoryCounts`."""
    by_id = {group.id: group for group in groups}
    written_contacts = _write_contacts(cursor, list(contacts), run_id, now)
    written_threads = upsert_threads(cursor, [_with_group(each, by_id) for each in threads], run_id, now)
    if written_contacts or written_threads:
        unify_threads(cursor)
    written, skipped = _write_reactions(cursor, list(reactions), run_id, now)
    return DirectoryCounts(written_threads, written_contacts, written, skipped)


def _with_group(thread: Thread, groups: Mapping[str, GroupFacts]) -> Thread:
    """Complete a group's thread from its group row; a list known to be cut replaces nothing."""
    group = groups.get(thread.external_id)
    if group is None:
        return thread
    participants = group.participant_ids if group.is_complete else thread.participant_ids
    return replace(
        thread, title=thread.title or group.subject, participant_ids=participants or thread.participant_ids
    )


# --- contacts --------------------------------------------------------------------------------


def _write_contacts(
    cursor: Cursor[TupleRow], facts: Sequence[ContactFacts], run_id: int, now: datetime
) -> int:
    """Write people and their ids and names; return how many `contacts` rows were written.

    A person's row carries the phone id where it is known. When a LID turns out to belong to a phone
    id, the two become one person.
    """
    facts = [each for each in facts if not each.id.endswith(_NOT_PEOPLE)]
    if not facts:
        return 0
    ids = {each for contact in facts for each in (contact.id, contact.phone_id) if each}
    owners: dict[str, str] = dict(
        cursor.execute(
            "SELECT i.value, c.external_id FROM contact_identifiers i JOIN contacts c ON c.id = i.contact_id"
            " WHERE i.kind IN ('phone', 'lid') AND i.valid_to IS NULL AND i.value = ANY(%s)",
            (list(ids),),
        ).fetchall()
    )
    people = _people(facts, owners)
    known = {
        row[0]: (row[1], row[2])
        for row in cursor.execute(
            "SELECT external_id, saved_name, push_name FROM contacts WHERE external_id = ANY(%s)",
            (list(people),),
        ).fetchall()
    }
    written = 0
    for external_id, person in people.items():
        before = known.get(external_id, (None, None))
        names = (person.saved_name or before[0], person.push_name or before[1])
        claimed = {each for each in person.ids if owners.get(each) != external_id}
        if external_id in known and names == before and not claimed:
            continue
        contact_id = _write_contact(cursor, external_id, names, run_id)
        written += 1
        for value in sorted(claimed):
            _claim(cursor, contact_id, value, now)
        _absorb(cursor, contact_id, {owners[each] for each in claimed if each in owners})
        for kind, name, old in zip(("saved_name", "push_name"), names, before, strict=True):
            if name is not None and name != old:
                _rename(cursor, contact_id, kind, name, now)
    return written


@dataclass(slots=True)
class _Person:
    ids: set[str]
    saved_name: str | None = None
    push_name: str | None = None


def _people(facts: Sequence[ContactFacts], owners: Mapping[str, str]) -> dict[str, _Person]:
    """Join the rows of one person: the browser lists phone id and LID as two contacts.

    `owners` tells the person of an id that is known from before, so that a LID whose phone id is not
    told this time stays with its person.
    """
    phones = {each.id: each.phone_id for each in facts if each.phone_id}
    people: dict[str, _Person] = {}
    for each in facts:
        phone_id = phones.get(each.id)
        person = people.setdefault(phone_id or owners.get(each.id) or each.id, _Person(set()))
        person.ids.update(filter(None, (each.id, phone_id)))
        person.saved_name = person.saved_name or _plain(each.saved_name)
        person.push_name = person.push_name or _plain(each.push_name)
    return people


def _plain(name: str | None) -> str | None:
    return name.replace("\0", "") if name else None


def _write_contact(
    cursor: Cursor[TupleRow], external_id: str, names: tuple[str | None, str | None], run_id: int
) -> int:
    row = cursor.execute(
        "INSERT INTO contacts (external_id, saved_name, push_name, first_run_id, last_run_id)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (external_id) DO UPDATE SET"
        " saved_name = excluded.saved_name, push_name = excluded.push_name,"
        " last_run_id = excluded.last_run_id, updated_at = now() RETURNING id",
        (external_id, *names, run_id, run_id),
    ).fetchone()
    assert row is not None
    return int(row[0])


def _absorb(cursor: Cursor[TupleRow], contact_id: int, former: set[str]) -> None:
    """Take over the history of people who turned out to be this one, and drop their empty rows."""
    for external_id in former:
        cursor.execute(
            "UPDATE contact_identifiers i SET contact_id = %s FROM contacts c"
            " WHERE c.external_id = %s AND i.contact_id = c.id AND NOT EXISTS ("
            "   SELECT FROM contact_identifiers o WHERE o.contact_id = c.id AND o.valid_to IS NULL"
            "   AND o.kind IN ('phone', 'lid'))",
            (contact_id, external_id),
        )
        cursor.execute(
            "DELETE FROM contacts c WHERE c.external_id = %s"
            " AND NOT EXISTS (SELECT FROM contact_identifiers i WHERE i.contact_id = c.id)",
            (external_id,),
        )


def _claim(cursor: Cursor[TupleRow], contact_id: int, value: str, now: datetime) -> None:
    """Make `value` an id of this contact; when it was another one's, close it there."""
    cursor.execute(
        "UPDATE contact_identifiers SET valid_to = %s"
        " WHERE value = %s AND kind IN ('phone', 'lid') AND valid_to IS NULL",
        (now, value),
    )
    cursor.execute(
        "INSERT INTO contact_identifiers (contact_id, kind, value, valid_from) VALUES (%s, %s, %s, %s)",
        (contact_id, "lid" if value.endswith("@lid") else "phone", value, now),
    )


def _rename(cursor: Cursor[TupleRow], contact_id: int, kind: str, value: str, now: datetime) -> None:
    cursor.execute(
        "UPDATE contact_identifiers SET valid_to = %s"
        " WHERE contact_id = %s AND kind = %s AND valid_to IS NULL",
        (now, contact_id, kind),
    )
    cursor.execute(
        "INSERT INTO contact_identifiers (contact_id, kind, value, valid_from) VALUES (%s, %s, %s, %s)",
        (contact_id, kind, value, now),
    )


# --- reactions -------------------------------------------------------------------------------


#: `%(…)s` are arrays of one row each.
_REACTIONS = """
    FROM unnest(%(messages)s::bigint[], %(senders)s::text[], %(emoji)s::text[], %(times)s::timestamptz[])
         WITH ORDINALITY AS u (message_id, sender_id, emoji, reacted_at, n)
    LEFT JOIN reactions r ON r.message_id = u.message_id AND r.sender_id = u.sender_id
    WHERE r.id IS NULL OR (r.reacted_at <= u.reacted_at
                           AND (r.emoji, r.reacted_at) IS DISTINCT FROM (u.emoji, u.reacted_at))
"""
_CHANGED_REACTIONS = f"SELECT count(*) {_REACTIONS}"
# One statement: a reaction never changes without its earlier state being kept.
_WRITE_REACTIONS = f"""
    WITH changed AS MATERIALIZED (
        SELECT u.*, r.id AS old_id, r.emoji AS old_emoji, r.reacted_at AS old_reacted_at,
               row_number() OVER (ORDER BY u.n) AS place
        {_REACTIONS}
    ), kept AS (
        INSERT INTO reaction_versions
            (message_id, sender_id, emoji, reacted_at, replaced_seen_at, run_id)
        SELECT message_id, sender_id, old_emoji, old_reacted_at, %(now)s, %(run)s
        FROM changed WHERE old_id IS NOT NULL
    )
    INSERT INTO reactions
        (message_id, sender_id, emoji, reacted_at, first_run_id, last_run_id, change_seq)
    SELECT message_id, sender_id, emoji, reacted_at, %(run)s, %(run)s, %(before)s + place FROM changed
    ON CONFLICT (message_id, sender_id) DO UPDATE SET emoji = excluded.emoji,
        reacted_at = excluded.reacted_at, last_run_id = excluded.last_run_id,
        updated_at = now(), change_seq = excluded.change_seq
"""  # noqa: S608  # constants of this file


def _write_reactions(
    cursor: Cursor[TupleRow], reactions: Sequence[Reaction], run_id: int, now: datetime
) -> tuple[int, int]:
    """Write the latest reaction of each sender to each message; return rows written and skipped.

    What a reaction was before stays in `reaction_versions`.
    """
    if not reactions:
        return 0, 0
    ids = message_ids(cursor, {each.message_external_id for each in reactions})
    known = [(ids[each.message_external_id], each) for each in reactions if each.message_external_id in ids]
    rows = _by_person(cursor, known)
    skipped = len(reactions) - len(known)
    values: dict[str, object] = {
        "messages": [message_id for message_id, _ in rows],
        "senders": [sender_id for _, sender_id in rows],
        "emoji": [each.emoji for each in rows.values()],
        "times": [each.reacted_at for each in rows.values()],
    }
    found = cursor.execute(_CHANGED_REACTIONS, values).fetchone()
    changed = int(found[0]) if found else 0
    if changed:
        before = take_change_numbers(cursor, changed).start - 1
        cursor.execute(_WRITE_REACTIONS, {**values, "now": now, "run": run_id, "before": before})
    return changed, skipped


def _by_person(
    cursor: Cursor[TupleRow], reactions: Sequence[tuple[int, Reaction]]
) -> Mapping[tuple[int, str], Reaction]:
    """Return the latest reaction by message and sender: one person, under whichever of their ids.

    A person whose reaction is stored keeps the id under which it is.
    """
    stored: list[tuple[int, str]] = cursor.execute(
        "SELECT message_id, sender_id FROM reactions WHERE message_id = ANY(%s)",
        ([message_id for message_id, _ in reactions],),
    ).fetchall()
    person = contact_ids(
        cursor, {sender for _, sender in stored} | {reaction.sender_id for _, reaction in reactions}
    )
    senders = {(message_id, person.get(sender, sender)): sender for message_id, sender in stored}
    latest: dict[tuple[int, str], Reaction] = {}
    for message_id, reaction in sorted(reactions, key=lambda each: each[1].reacted_at):
        who = (message_id, person.get(reaction.sender_id, reaction.sender_id))
        latest[message_id, senders.setdefault(who, reaction.sender_id)] = reaction
    return latest
