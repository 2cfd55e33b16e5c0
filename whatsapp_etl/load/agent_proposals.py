"""What an agent proposes: taken in once for each key of the caller, kept for others to act on."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import datetime
from uuid import uuid4

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.agent import Proposal, ProposalState, Receipt, StoredProposal, Taken
from whatsapp_etl.load.beside import Beside
from whatsapp_etl.load.database import Database


class Proposals(Beside):
    """Takes proposals in, by a connection beside the writer. May be called from any thread, one at a time."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._turn = threading.Lock()

    def take(self, proposal: Proposal, now: datetime) -> Receipt:
        """Keep a proposal, unless it is kept already."""
        with self._turn, self._transaction() as cursor:
            return take(cursor, proposal, now)


def take(cursor: Cursor[TupleRow], proposal: Proposal, now: datetime) -> Receipt:
    """Keep a proposal; two at once under one key are kept one after the other."""
    digest = _digest(proposal)
    new = cursor.execute(
        "INSERT INTO agent_proposals (id, message_id, agent_message_id, kind, payload, idempotency_key,"
        " request_sha256, created_at)"
        " SELECT %s, message_id, id, %s, %s::jsonb, %s, %s, %s FROM agent_messages WHERE id = %s"
        " ON CONFLICT (idempotency_key) DO NOTHING RETURNING id",
        (
            uuid4(),
            proposal.kind,
            json.dumps(proposal.payload),
            proposal.key,
            digest,
            now,
            proposal.answers,
        ),
    ).fetchone()
    if new is not None:
        return Receipt(Taken.CREATED, new[0], ProposalState.PROPOSED)
    kept = cursor.execute(
        "SELECT id, state, request_sha256 FROM agent_proposals WHERE idempotency_key = %s", (proposal.key,)
    ).fetchone()
    if kept is None:
        return Receipt(Taken.NO_MESSAGE)
    if kept[2] != digest:
        return Receipt(Taken.CONFLICT)
    return Receipt(Taken.KNOWN, kept[0], ProposalState(kept[1]))


def last_proposals(cursor: Cursor[TupleRow], count: int) -> tuple[StoredProposal, ...]:
    """Return the last proposals, newest first."""
    rows = cursor.execute(
        "SELECT p.id, p.agent_message_id, m.external_id, p.kind, p.payload, p.state, p.created_at"
        " FROM agent_proposals p JOIN messages m ON m.id = p.message_id"
        " ORDER BY p.created_at DESC, p.id LIMIT %s",
        (count,),
    ).fetchall()
    return tuple(
        StoredProposal(row[0], row[1], row[2], row[3], row[4], ProposalState(row[5]), row[6]) for row in rows
    )


def _digest(proposal: Proposal) -> str:
    said = json.dumps([str(proposal.answers), proposal.kind, proposal.payload], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
