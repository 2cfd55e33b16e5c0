"""The agent's thread as Postgres keeps it: the one row that is in force, and the flags that follow from it.

Both change in one transaction, so a message's flags are always those of the row. A flag that changes is a
change of the message: it gets a new number of the change feed, and nothing else of it is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.agent import UNRESOLVED, MessageFace, NamedChat, Routing, RoutingReport, StoredProposal
from whatsapp_etl.load.agent_proposals import last_proposals
from whatsapp_etl.load.identity import ids_of
from whatsapp_etl.load.staging import take_change_numbers
from whatsapp_etl.model import AgentState, MessageType

_PAGE = 5000

_ROUTING = (
    "SELECT state, wish, thread_external_id, thread_ids, keywords, allowed_ids, candidate_ids, since"
    " FROM agent_routing"
)
_WRITE_ROUTING = """
    INSERT INTO agent_routing (id, state, wish, thread_external_id, thread_ids, keywords, allowed_ids,
        candidate_ids, since)
    VALUES (1, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, wish = excluded.wish,
        thread_external_id = excluded.thread_external_id, thread_ids = excluded.thread_ids,
        keywords = excluded.keywords, allowed_ids = excluded.allowed_ids,
        candidate_ids = excluded.candidate_ids, since = excluded.since
"""
_FACE = "id, thread_external_id, sender_id, is_outgoing, content_snippet, message_type, ts, ts_precision"
#: The flags that follow from a routing: `threads` are the agent's, `called` are ids of messages.
_IS_AGENTS = "(thread_external_id = ANY(%(threads)s))::int"
_IS_EXCLUDED = "(thread_external_id = ANY(%(threads)s) OR id = ANY(%(called)s))::int"
_IS_WRONG = f"(is_agent_channel <> {_IS_AGENTS} OR exclude_from_automation <> {_IS_EXCLUDED})"
_FLAGS = f"is_agent_channel = {_IS_AGENTS}, exclude_from_automation = {_IS_EXCLUDED}"


def routing_of(cursor: Cursor[TupleRow]) -> Routing:
    """Return what is in force."""
    row = cursor.execute(_ROUTING).fetchone()
    if row is None:
        return Routing()
    state, wish, thread_id, thread_ids, keywords, allowed_ids, candidates, since = row
    return Routing(
        state=AgentState(state),
        wish=wish,
        thread_id=thread_id,
        thread_ids=tuple(thread_ids),
        keywords=tuple(keywords),
        allowed_ids=tuple(allowed_ids),
        candidates=tuple(candidates),
        since=since,
    )


def follow(cursor: Cursor[TupleRow], routing: Routing, run_id: int) -> int:
    """Put a routing into force; return how many messages got other flags.

    One that is in force already touches no row. The ids of the pinned chat and of the people allowed are
    those that are known of them now.
    """
    before = routing_of(cursor)
    whole = replace(
        routing,
        thread_ids=_all_ids(cursor, [routing.thread_id] if routing.thread_id else []),
        allowed_ids=_all_ids(cursor, routing.allowed_ids),
    )
    if replace(whole, since=before.since) == before:
        return 0
    if before.state is AgentState.THREAD and (before.wish, before.thread_id) == (whole.wish, whole.thread_id):
        whole = replace(whole, since=before.since)  # the same chat, by another id
    cursor.execute(
        _WRITE_ROUTING,
        (
            whole.state.value,
            whole.wish,
            whole.thread_id,
            list(whole.thread_ids),
            list(whole.keywords),
            list(whole.allowed_ids),
            list(whole.candidates),
            whole.since,
        ),
    )
    return _mark_all(cursor, whole, run_id)


def faces(rows: Collection[TupleRow]) -> Iterator[tuple[int, MessageFace]]:
    """Yield messages by id, of rows that begin with the columns of `_FACE`."""
    for message_id, thread_id, sender_id, is_outgoing, text, kind, sent_at, precision, *_ in rows:
        yield (
            message_id,
            MessageFace(thread_id, sender_id, bool(is_outgoing), text, MessageType(kind), sent_at, precision),
        )


def mark_new(cursor: Cursor[TupleRow], routing: Routing, after_seq: int) -> None:
    """Set the flags of what this transaction has written: the messages above a number of the change feed."""
    rows = cursor.execute(
        f"SELECT {_FACE} FROM messages WHERE change_seq > %s",  # noqa: S608  # constants of this file
        (after_seq,),
    ).fetchall()
    values = {
        "threads": list(routing.thread_ids),
        "called": [
            message_id for message_id, face in faces(rows) if routing.mark(face).exclude_from_automation
        ],
        "ids": [row[0] for row in rows],
    }
    cursor.execute(
        f"UPDATE messages SET {_FLAGS} WHERE id = ANY(%(ids)s) AND {_IS_WRONG}",  # noqa: S608
        values,
    )


def _mark_all(cursor: Cursor[TupleRow], routing: Routing, run_id: int) -> int:
    called = list(_called(cursor, routing)) if routing.state is AgentState.KEYWORDS else []
    values: dict[str, object] = {"threads": list(routing.thread_ids), "called": called}
    wrong = cursor.execute(f"SELECT id FROM messages WHERE {_IS_WRONG} ORDER BY id", values)  # noqa: S608
    ids = [row[0] for row in wrong.fetchall()]
    if ids:
        seqs = list(take_change_numbers(cursor, len(ids)))
        cursor.execute(
            f"UPDATE messages m SET {_FLAGS}, last_run_id = %(run)s, updated_at = now(), change_seq = c.seq"  # noqa: S608
            " FROM unnest(%(ids)s::bigint[], %(seqs)s::bigint[]) AS c (message_id, seq)"
            " WHERE m.id = c.message_id",
            {**values, "run": run_id, "ids": ids, "seqs": seqs},
        )
    return len(ids)


def _called(cursor: Cursor[TupleRow], routing: Routing) -> Iterator[int]:
    """Yield the stored messages that call the agent; all are looked at, page by page."""
    after = 0
    while True:
        rows = cursor.execute(
            f"SELECT {_FACE} FROM messages WHERE id > %s AND content_snippet IS NOT NULL"  # noqa: S608
            " ORDER BY id LIMIT %s",
            (after, _PAGE),
        ).fetchall()
        for message_id, face in faces(rows):
            if routing.mark(face).exclude_from_automation:
                yield message_id
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def _all_ids(cursor: Cursor[TupleRow], ids: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted({each for some_id in ids for each in ids_of(cursor, some_id)}))


# --- for the pipeline and for people ----------------------------------------------------------


@dataclass(frozen=True)
class AgentStore:
    """What is kept of the agent's thread; each method is one transaction. A part of `Store`."""

    _writing: Callable[[], AbstractContextManager[Cursor[TupleRow]]]
    _reading: Callable[[], AbstractContextManager[Cursor[TupleRow]]]

    def routing(self) -> Routing:
        """Return what is in force."""
        with self._reading() as cursor:
            return routing_of(cursor)

    def follow(self, routing: Routing, run_id: int) -> int:
        """Put a routing into force, with the flags of all messages; return how many changed."""
        with self._writing() as cursor:
            return follow(cursor, routing, run_id)

    def written_in(self, chat_ids: Collection[str]) -> frozenset[str]:
        """Return in which of these chats the account has written."""
        with self._reading() as cursor:
            rows = cursor.execute(
                "SELECT DISTINCT thread_external_id FROM messages WHERE thread_external_id = ANY(%s)"
                " AND is_outgoing = 1 AND message_type <> 'system'",
                (list(chat_ids),),
            ).fetchall()
            return frozenset(row[0] for row in rows)

    def report(self) -> RoutingReport:
        """Return what is in force, with the names of the chats."""
        with self._reading() as cursor:
            routing = routing_of(cursor)
            row = cursor.execute(
                "SELECT count(*) FILTER (WHERE is_agent_channel = 1),"
                " count(*) FILTER (WHERE is_agent_channel = 0) FROM messages"
                " WHERE exclude_from_automation = 1"
            ).fetchone()
            assert row is not None
            named = {each.id: each for each in _named(cursor, [routing.thread_id, *routing.candidates])}
            return RoutingReport(
                routing,
                named[routing.thread_id] if routing.thread_id else None,
                tuple(named[each] for each in routing.candidates) if routing.state in UNRESOLVED else (),
                *row,
            )

    def proposals(self, count: int) -> tuple[StoredProposal, ...]:
        """Return the last proposals, newest first."""
        with self._reading() as cursor:
            return last_proposals(cursor, count)


def _named(cursor: Cursor[TupleRow], ids: Collection[str | None]) -> Iterator[NamedChat]:
    wanted = [each for each in ids if each]
    rows = cursor.execute(
        "SELECT u.id, coalesce(t.title, c.saved_name), coalesce(cardinality(t.participant_ids), 0)"
        " FROM unnest(%s::text[]) AS u (id)"
        " LEFT JOIN threads t ON t.platform = 'whatsapp' AND t.external_id = u.id"
        " LEFT JOIN contacts c ON c.external_id = u.id",
        (wanted,),
    ).fetchall()
    return (NamedChat(*row) for row in rows)
