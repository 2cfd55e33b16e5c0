"""Attachment rows, and one extraction job for each stored image."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.copytext import ATTACHMENT_COLUMNS, attachment_cells, copy_lines, encoded
from whatsapp_etl.model import Attachment
from whatsapp_etl.records import StoredFile

#: A fact that is not told this time stays as it was. Bytes that are held are never given up.
_MERGED = {
    name: f"coalesce(s.{name}, a.{name})" for name in ATTACHMENT_COLUMNS if name not in {"position", "state"}
} | {"state": "s.state"}

# Put together from the constants of this file only.
_UPSERT = (
    "WITH different AS MATERIALIZED ("  # noqa: S608
    f"SELECT s.message_id, s.position, {', '.join(f'{sql} AS {name}' for name, sql in _MERGED.items())},"
    " a.state AS old_state"
    " FROM stage_attachments s LEFT JOIN attachments a"
    " ON a.message_id = s.message_id AND a.position = s.position"
    " WHERE a.id IS NULL OR ((s.state = 'stored' OR a.state <> 'stored')"
    f" AND ({', '.join(_MERGED.values())}) IS DISTINCT FROM ({', '.join('a.' + name for name in _MERGED)}))"
    "), written AS ("
    f"INSERT INTO attachments (message_id, position, {', '.join(_MERGED)}, first_run_id, last_run_id)"
    f" SELECT message_id, position, {', '.join(_MERGED)}, %(run)s, %(run)s FROM different"
    " ON CONFLICT (message_id, position) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _MERGED)
    + ", last_run_id = excluded.last_run_id, updated_at = now()"
    " RETURNING id, message_id, position, state)"
    " SELECT w.id, w.message_id, w.state = 'stored' AND d.old_state IS DISTINCT FROM 'stored'"
    " FROM written w JOIN different d USING (message_id, position)"
)
_ENQUEUE = (
    "INSERT INTO extraction_jobs (attachment_id, first_run_id, last_run_id)"
    " SELECT a.id, %(run)s, %(run)s FROM attachments a"
    " WHERE a.id = ANY(%(ids)s) AND a.state = 'stored' AND a.media_type LIKE 'image/%%'"
    " AND NOT EXISTS (SELECT FROM extraction_jobs j WHERE j.attachment_id = a.id)"
)


def stored_files(cursor: Cursor[TupleRow], after: tuple[str, str], limit: int) -> list[StoredFile]:
    """Return the next stored files in the order of checksum and path, each once however many rows have it."""
    found = cursor.execute(
        "SELECT checksum, file_path, max(size_bytes) FROM attachments"
        " WHERE state = 'stored' AND checksum IS NOT NULL AND file_path IS NOT NULL"
        " AND (checksum, file_path) > (%s, %s)"
        " GROUP BY checksum, file_path ORDER BY checksum, file_path LIMIT %s",
        (*after, limit),
    )
    return [StoredFile(file_path=path, checksum=checksum, size_bytes=size) for checksum, path, size in found]


def count_stored_files(cursor: Cursor[TupleRow]) -> int:
    row = cursor.execute(
        "SELECT count(DISTINCT (checksum, file_path)) FROM attachments"
        " WHERE state = 'stored' AND checksum IS NOT NULL AND file_path IS NOT NULL"
    ).fetchone()
    assert row is not None
    return int(row[0])


def has_file(cursor: Cursor[TupleRow], file: StoredFile) -> bool:
    found = cursor.execute(
        "SELECT 1 FROM attachments WHERE checksum = %s AND file_path = %s AND state = 'stored' LIMIT 1",
        (file.checksum, file.file_path),
    ).fetchone()
    return found is not None


def by_checksum(cursor: Cursor[TupleRow], checksum: str) -> StoredFile | None:
    """Return the stored file with a checksum; None when no row has it."""
    row = cursor.execute(
        "SELECT file_path, size_bytes FROM attachments WHERE checksum = %s AND state = 'stored'"
        " ORDER BY id LIMIT 1",
        (checksum,),
    ).fetchone()
    return StoredFile(file_path=row[0], checksum=checksum, size_bytes=row[1]) if row else None


def known_files(cursor: Cursor[TupleRow], paths: Collection[str]) -> frozenset[str]:
    """Return which of these paths a row names: as stored, or as waiting to be removed."""
    found = cursor.execute(
        "SELECT file_path FROM attachments WHERE file_path = ANY(%(paths)s)"
        " UNION SELECT file_path FROM files_to_remove WHERE file_path = ANY(%(paths)s)",
        {"paths": list(paths)},
    )
    return frozenset(row[0] for row in found)


@dataclass(slots=True)
class WrittenFiles:
    saved: int = 0  #: Attachments whose bytes are newly held.
    jobs: int = 0
    message_ids: set[int] = field(default_factory=set)  #: Messages with a changed attachment.


def write_attachments(
    cursor: Cursor[TupleRow], attachments: Sequence[tuple[int, Sequence[Attachment]]], run_id: int
) -> WrittenFiles:
    """Insert or update the attachments that differ.

    Args:
        cursor: In a transaction with staging tables.
        attachments: `messages.id` and the message's attachments.
        run_id: The run to note in changed rows.
    """
    result = WrittenFiles()
    lines = [
        encoded(f"{message_id}\t{attachment_cells(each)}")
        for message_id, all_ in attachments
        for each in all_
    ]
    if not lines:
        return result
    cursor.execute("DELETE FROM stage_attachments")
    copy_lines(cursor, "stage_attachments", ("message_id", *ATTACHMENT_COLUMNS), lines)
    written = cursor.execute(_UPSERT, {"run": run_id}).fetchall()
    result.message_ids = {row[1] for row in written}
    result.saved = sum(row[2] for row in written)
    if written:
        cursor.execute(_ENQUEUE, {"run": run_id, "ids": [row[0] for row in written]})
        result.jobs = cursor.rowcount
    return result
