"""The data dictionary, printed from the tables' comments: `python -m whatsapp_etl.load.dictionary`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql

from whatsapp_etl.load.tables import VIEWS, View, metadata

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # not annotated there

_HEAD = """# Data dictionary

Printed by `python -m whatsapp_etl.load.dictionary > docs/data-dictionary.md`; a test checks that it
is current.
All tables lie in the schema of `PG_SCHEMA`. Times are `timestamptz` in UTC. Flags are `smallint`, 0 or 1.
What a text is for each type of message stands in [message-types.md](message-types.md).

## Reading what changed

`messages.change_seq`, `reactions.change_seq` and `tombstones.change_seq` come from one counter, in commit
order. A consumer keeps the highest number that it has seen and asks for what lies above it; a tombstone
says that a message was removed. A change of the flags `is_agent_channel` and `exclude_from_automation` is a
change, too. Attachments have no number of their own: a change of one gives its
message a new one.

A tombstone names its message by `key_sha256`. Of what was erased on request it holds nothing else, since
a key contains a phone number: who kept the message finds it by the hash of the key
(`encode(sha256(convert_to(external_id, 'UTF8')), 'hex')`), and who did not learns nothing, since the
middle of a key is random. A message that stays and loses its quote, a recipient or a reaction to an
erasure gets a new number: read the row and its reactions again.

## Asking for the past

`messages_as_of(instant timestamptz, with_agent boolean DEFAULT false)` returns the messages as they were
known at that instant: `id`, `external_id`, `thread_external_id`, `sender_id`, `ts`, `is_outgoing`,
`message_type`, `content_snippet`, `deleted_seen_at`, `deleted_at` and `deleted_by`. Type and text are those
of then. What had not been seen yet is absent (a row is seen when it is inserted, by the database's clock),
and so is what was erased since. What a message said before it was first seen is not known. Of one that could
not be decrypted at first, its text is told for all times. The agent's chat is left out unless asked for.

    SELECT ts, content_snippet FROM messages_as_of('2026-08-23 12:00+00') ORDER BY ts;

What else changed is kept too: `message_versions` holds what messages said before an edit or a deletion,
`reaction_versions` what a reaction was before (an emoji of null: it was taken back), `contact_identifiers`
and `thread_titles` every id, name and title with the time in which it held, `participant_changes` who joined
and left. All of it is what was seen: of two changes between two cycles only the second one is. What a page or
the browser's storage no longer shows is never taken for deleted, taken back or left; a list of participants
that is known to be cut is not compared.
"""

_VIEWS_HEAD = """
# Views

They answer what is asked most, from the tables above; who may read those may read these.
"""


def dictionary() -> str:
    """Return the dictionary as Markdown."""
    tables = sorted(metadata.tables.values(), key=lambda table: (table.name != "messages", table.name))
    return _HEAD + "".join(map(_section, tables)) + _VIEWS_HEAD + "".join(map(_view_section, VIEWS))


def _section(table: Table) -> str:
    lines = [
        f"\n## {table.name}\n\n{table.comment}\n",
        "| column | type | null | meaning |",
        "|---|---|---|---|",
    ]
    for column in table.columns:
        null = "yes" if column.nullable else "no"
        lines.append(f"| {column.name} | {_type(column)} | {null} | {_cell(column.comment)} |")
    notes = list(_notes(table))
    return "\n".join(lines) + "\n" + ("\n" + "\n".join(notes) + "\n" if notes else "")


def _view_section(view: View) -> str:
    lines = [f"\n## {view.name}\n\n{view.comment}\n", "| column | type | meaning |", "|---|---|---|"]
    lines += [f"| {name} | {kind} | {_cell(meaning)} |" for name, kind, meaning in view.columns]
    return "\n".join(lines) + "\n"


def _type(column: Column[object]) -> str:
    name = column.type.compile(_DIALECT).lower()
    return {"timestamp with time zone": "timestamptz", "double precision": "double"}.get(name, name)


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


def _notes(table: Table) -> Iterator[str]:
    """Yield what is unique, what refers to what, and the indexes."""
    for constraint in sorted(table.constraints, key=lambda each: str(each.name)):
        if isinstance(constraint, UniqueConstraint):
            yield f"- unique: {', '.join(column.name for column in constraint.columns)}"
        if isinstance(constraint, CheckConstraint) and " IN ('" in str(constraint.sqltext):
            yield f"- {constraint.sqltext}"
    for key in sorted(table.foreign_keys, key=lambda each: each.parent.name):
        yield f"- {key.parent.name} refers to {key.target_fullname}"
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        yield f"- {'unique index' if index.unique else 'index'} {index.name}: {_indexed(index)}"


def _indexed(index: Index) -> str:
    expressions = (
        ", ".join(str(each).removeprefix(f"{index.table}.") for each in index.expressions)
        if (index.table is not None)
        else ""
    )
    where = index.dialect_options["postgresql"]["where"]
    condition = "" if where is None else f", where {str(where).replace(f'{index.table}.', '')}"
    return expressions + condition


if __name__ == "__main__":
    sys.stdout.write(dictionary())
