"""The ledger of attachments' bytes: written with a chat's plan, and by the direct way one file at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.downloads import (
    NO_PICTURE,
    Download,
    DownloadCount,
    DownloadReason,
    DownloadState,
    DueDownload,
)
from whatsapp_etl.load.agent_messages import route_new
from whatsapp_etl.load.files import write_attachments
from whatsapp_etl.load.staging import message_ids, take_change_numbers
from whatsapp_etl.model import Attachment
from whatsapp_etl.records import StoredFile

_WRITE = """
    INSERT INTO attachment_downloads AS d
        (attachment_id, state, reason, way, attempts, next_try_at, changed_at, run_id)
    SELECT a.id, u.state, u.reason, u.way, u.attempts, u.next_try_at, %(now)s, %(run)s
    FROM unnest(%(ids)s::bigint[], %(positions)s::int[], %(states)s::text[], %(reasons)s::text[],
        %(ways)s::text[], %(attempts)s::int[], %(next)s::timestamptz[])
        AS u (message_id, position, state, reason, way, attempts, next_try_at)
    JOIN attachments a ON a.message_id = u.message_id AND a.position = u.position
    WHERE (a.state = 'stored') = (u.state = 'stored')
    ON CONFLICT (attachment_id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
        way = excluded.way, attempts = excluded.attempts, next_try_at = excluded.next_try_at,
        changed_at = excluded.changed_at, run_id = excluded.run_id
    WHERE (d.state, d.reason, d.way, d.attempts, d.next_try_at)
        IS DISTINCT FROM
        (excluded.state, excluded.reason, excluded.way, excluded.attempts, excluded.next_try_at)
        AND NOT (d.state = 'stored' AND excluded.state = 'stored')
"""
# What the page was asked for is due for the direct way at once; a try that a kill cut off is not waited for.
_DUE = """
    SELECT a.id, a.message_id, a.position, m.external_id, m.message_type, d.state, d.reason, d.way,
        d.attempts, d.next_try_at
    FROM attachment_downloads d
    JOIN attachments a ON a.id = d.attachment_id AND a.state <> 'stored'
    JOIN messages m ON m.id = a.message_id
    WHERE d.state IN ('queued', 'downloading', 'phone_needed', 'too_large')
        AND d.reason IS DISTINCT FROM 'file_size' AND m.message_type = ANY(%(kinds)s) AND m.ts >= %(since)s
        AND (d.state = 'downloading' OR d.way = 'page' OR d.next_try_at <= %(now)s)
        AND NOT a.id = ANY(%(tried)s)
    ORDER BY m.ts DESC, a.id LIMIT %(limit)s
"""


def write_downloads(
    cursor: Cursor[TupleRow], entries: Sequence[Download], run_id: int, now: datetime
) -> None:
    """Write entries that differ; of an attachment that is not stored as the entry says, nothing."""
    if not entries:
        return
    ids = message_ids(cursor, {each.external_id for each in entries})
    entries = [each for each in entries if each.external_id in ids]
    cursor.execute(
        _WRITE,
        {
            "ids": [ids[each.external_id] for each in entries],
            "positions": [each.position for each in entries],
            "states": [each.state.value for each in entries],
            "reasons": [each.reason.value if each.reason else None for each in entries],
            "ways": [each.way for each in entries],
            "attempts": [each.attempts for each in entries],
            "next": [each.next_try_at for each in entries],
            "now": now,
            "run": run_id,
        },
    )


def due_downloads(
    cursor: Cursor[TupleRow],
    kinds: Collection[str],
    since: datetime,
    now: datetime,
    *,
    tried: Collection[int],
    limit: int,
) -> tuple[DueDownload, ...]:
    """Return what is to be fetched from the server now, newest first.

    Args:
        cursor: In a transaction.
        kinds: Types of messages whose files are wanted.
        since: The look-back's edge.
        now: The cycle's clock.
        tried: Attachments that this cycle tried already.
        limit: How many at most.
    """
    found = cursor.execute(
        _DUE, {"kinds": list(kinds), "since": since, "now": now, "tried": list(tried), "limit": limit}
    )
    return tuple(map(_due, found))


def _due(row: TupleRow) -> DueDownload:
    attachment_id, message_id, position, key, message_type, state, reason, way, attempts, next_try_at = row
    entry = Download(key, DownloadState(state), _reason(reason), way, attempts, next_try_at, position)
    return DueDownload(attachment_id, message_id, entry, message_type)


def _reason(text: str | None) -> DownloadReason | None:
    return DownloadReason(text) if text else None


def settle_stored(
    cursor: Cursor[TupleRow],
    due: DueDownload,
    file: Attachment,
    run_id: int,
    now: datetime,
    *,
    agent_targets: Sequence[str] = (),
) -> tuple[int, int]:
    """Write that the bytes are held, in one transaction with all that follows; return files and jobs.

    The message gets a new number in the feed of changes and is not looked for on the page any more. One
    that is the agent's is handed over with its file.
    """
    exists = cursor.execute("SELECT FROM messages WHERE id = %s FOR UPDATE", (due.message_id,)).fetchone()
    if exists is None:
        return 0, 0  # erased meanwhile
    written = write_attachments(cursor, [(due.message_id, [file])], run_id)
    (seq,) = take_change_numbers(cursor, 1)
    cursor.execute(
        "UPDATE messages SET source_revision = CASE WHEN right(source_revision, length(%(mark)s)) = %(mark)s"
        " THEN left(source_revision, -length(%(mark)s)) ELSE source_revision END,"
        " content_hash = '', last_run_id = %(run)s, updated_at = now(), change_seq = %(seq)s"
        " WHERE id = %(id)s",
        {"mark": NO_PICTURE, "run": run_id, "seq": seq, "id": due.message_id},
    )
    cursor.execute(
        "DELETE FROM missing_messages x USING messages m WHERE m.id = %s AND x.reason = 'picture_not_loaded'"
        " AND (x.external_id = m.external_id OR x.external_id IN"
        "   (SELECT external_id FROM message_aliases WHERE message_id = m.id))",
        (due.message_id,),
    )
    entry = Download(due.download.external_id, DownloadState.STORED, way="direct", position=file.position)
    write_downloads(cursor, [entry], run_id, now)
    route_new(cursor, seq - 1, agent_targets, now)
    return written.saved, written.jobs


def choose_again(cursor: Cursor[TupleRow], most_bytes: Mapping[str, int], run_id: int, now: datetime) -> int:
    """Let files be looked for that settings left out when they were seen; return how many.

    Those that the page shows are found by the next comparison, since their messages count as not settled.

    Args:
        cursor: In a transaction.
        most_bytes: By type of message whose files are wanted, the largest one that is taken.
        run_id: The run to note.
        now: The cycle's clock.
    """
    chosen = cursor.execute(
        "UPDATE attachment_downloads d SET state = 'queued', reason = NULL, way = NULL, attempts = 0,"
        "   next_try_at = %(now)s, changed_at = %(now)s, run_id = %(run)s"
        " FROM attachments a JOIN messages m ON m.id = a.message_id"
        " JOIN unnest(%(kinds)s::text[], %(sizes)s::bigint[]) AS k (kind, most) ON k.kind = m.message_type"
        " WHERE d.attachment_id = a.id AND a.state <> 'stored'"
        " AND (d.state = 'seen' OR d.reason = 'file_size') AND coalesce(a.size_bytes, 0) <= k.most"
        " RETURNING a.id, m.id",
        {"now": now, "run": run_id, "kinds": list(most_bytes), "sizes": list(most_bytes.values())},
    ).fetchall()
    if chosen:
        look_again(cursor, [row[0] for row in chosen], [row[1] for row in chosen])
    return len(chosen)


def retry_given_up(cursor: Cursor[TupleRow], now: datetime) -> int:
    """Let files be looked for again that were given up, by each way that is switched on; return how many."""
    found = cursor.execute(
        "UPDATE attachment_downloads d SET state = 'queued', reason = 'not_loaded', way = 'page',"
        "   attempts = 0, next_try_at = %(now)s, changed_at = %(now)s"
        " FROM attachments a WHERE a.id = d.attachment_id AND d.state = 'gave_up' AND a.state <> 'stored'"
        " RETURNING a.id, a.message_id",
        {"now": now},
    ).fetchall()
    look_again(cursor, [row[0] for row in found], [row[1] for row in found])
    return len(found)


def look_again(cursor: Cursor[TupleRow], attachment_ids: Sequence[int], message_ids_: Sequence[int]) -> None:
    """Let the page be asked for the files of messages again."""
    cursor.execute("UPDATE attachments SET state = 'seen' WHERE id = ANY(%s)", (list(attachment_ids),))
    cursor.execute(
        "UPDATE messages SET source_revision = source_revision || %(mark)s WHERE id = ANY(%(ids)s)"
        " AND message_type IN ('image', 'sticker') AND right(source_revision, length(%(mark)s)) <> %(mark)s",
        {"ids": list(message_ids_), "mark": NO_PICTURE},
    )


def download_counts(cursor: Cursor[TupleRow]) -> tuple[DownloadCount, ...]:
    """Return how many attachments stand alike."""
    found = cursor.execute(
        "SELECT d.state, d.reason, count(*), coalesce(sum(a.size_bytes), 0)::bigint, min(d.next_try_at)"
        " FROM attachment_downloads d JOIN attachments a ON a.id = d.attachment_id"
        " GROUP BY d.state, d.reason ORDER BY d.state, d.reason"
    )
    return tuple(
        DownloadCount(DownloadState(state), _reason(reason), count, size, next_try_at)
        for state, reason, count, size, next_try_at in found
    )


def last_given_up_at(cursor: Cursor[TupleRow]) -> datetime | None:
    """Return when a file was given up last; those that are on the phone only are not meant.

    Nothing here could bring them.
    """
    row = cursor.execute(
        "SELECT max(changed_at) FROM attachment_downloads WHERE state = 'gave_up'"
        " AND reason IS DISTINCT FROM 'gone'"
    ).fetchone()
    assert row is not None
    found: datetime | None = row[0]
    return found


def uncopied_since(cursor: Cursor[TupleRow]) -> datetime | None:
    """Return since when files wait for a copy and none was made; None: none waits."""
    row = cursor.execute(
        "SELECT CASE WHEN bool_or(mirrored_at IS NULL)"
        " THEN greatest(min(changed_at) FILTER (WHERE mirrored_at IS NULL), max(mirrored_at)) END"
        " FROM attachment_downloads WHERE state = 'stored'"
    ).fetchone()
    assert row is not None
    found: datetime | None = row[0]
    return found


def stored_bytes(cursor: Cursor[TupleRow]) -> int:
    """Return the bytes of all stored files, each counted once."""
    row = cursor.execute(
        "SELECT coalesce(sum(size), 0)::bigint FROM (SELECT max(size_bytes) AS size FROM attachments"
        " WHERE state = 'stored' GROUP BY checksum) f"
    ).fetchone()
    assert row is not None
    return int(row[0])


# --- files that were found to be otherwise, and their copies ---


def lose_file(cursor: Cursor[TupleRow], file: StoredFile, now: datetime) -> int:
    """Let a file that is gone be looked for again by all its messages; return how many."""
    found = cursor.execute(
        "UPDATE attachments SET state = 'seen', file_path = NULL, checksum = NULL, is_verified = NULL,"
        " updated_at = now() WHERE checksum = %s AND file_path = %s RETURNING id, message_id",
        (file.checksum, file.file_path),
    ).fetchall()
    if not found:
        return 0
    ids, owners = [row[0] for row in found], [row[1] for row in found]
    _renumber(cursor, owners)
    look_again(cursor, ids, owners)
    cursor.execute(
        "UPDATE attachment_downloads SET state = 'queued', reason = 'not_loaded', way = 'page', attempts = 0,"
        " next_try_at = %s, changed_at = %s, mirrored_at = NULL WHERE attachment_id = ANY(%s)",
        (now, now, ids),
    )
    return len(found)


def rename_file(cursor: Cursor[TupleRow], file: StoredFile, file_path: str) -> None:
    """Note that a file lies under another name."""
    found = cursor.execute(
        "UPDATE attachments SET file_path = %s, updated_at = now() WHERE checksum = %s AND file_path = %s"
        " RETURNING message_id",
        (file_path, file.checksum, file.file_path),
    ).fetchall()
    _renumber(cursor, [row[0] for row in found])


def without_copy(cursor: Cursor[TupleRow], after: str, limit: int) -> tuple[str, ...]:
    """Return paths of stored files of which no copy is noted, in their order."""
    found = cursor.execute(
        "SELECT DISTINCT a.file_path FROM attachment_downloads d JOIN attachments a ON a.id = d.attachment_id"
        " WHERE d.state = 'stored' AND d.mirrored_at IS NULL AND a.state = 'stored' AND a.file_path > %s"
        " ORDER BY 1 LIMIT %s",
        (after, limit),
    )
    return tuple(row[0] for row in found)


def note_copies(cursor: Cursor[TupleRow], file_paths: Collection[str], now: datetime) -> None:
    """Note that files have a copy."""
    if file_paths:
        cursor.execute(
            "UPDATE attachment_downloads d SET mirrored_at = %s FROM attachments a"
            " WHERE a.id = d.attachment_id AND a.file_path = ANY(%s) AND d.mirrored_at IS NULL",
            (now, list(file_paths)),
        )


def forget_copies(cursor: Cursor[TupleRow]) -> None:
    """Count no file as copied: the second store is another one now."""
    cursor.execute("UPDATE attachment_downloads SET mirrored_at = NULL WHERE mirrored_at IS NOT NULL")


def _renumber(cursor: Cursor[TupleRow], messages: Sequence[int]) -> None:
    """Give messages whose attachment changed new numbers in the feed of changes."""
    ids = sorted(set(messages))
    if ids:
        seqs = take_change_numbers(cursor, len(ids))
        cursor.execute(
            "UPDATE messages m SET content_hash = '', updated_at = now(), change_seq = c.seq"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS c (id, seq) WHERE c.id = m.id",
            (ids, list(seqs)),
        )
