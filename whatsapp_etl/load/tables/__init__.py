"""The schema as SQLAlchemy tables. No table names a schema: the connection's search_path does.

`content` holds what people wrote and sent, `bookkeeping` what the program knows about its work, `extraction`
what was read out of pictures, `erasure` what stays of things that were erased, `agent` what is the agent's,
`views` what is asked most.
Migrations are checked against these tables, and `docs/data-dictionary.md` is printed from them.
"""

from __future__ import annotations

from whatsapp_etl.load.tables.agent import (
    agent_deliveries,
    agent_messages,
    agent_proposals,
    agent_routing,
)
from whatsapp_etl.load.tables.base import metadata
from whatsapp_etl.load.tables.bookkeeping import (
    backfill_progress,
    change_counter,
    disagreements,
    missing_messages,
    rejects,
    session_events,
    sync_coverage,
    sync_coverage_history,
    sync_runs,
    sync_state,
    tombstones,
)
from whatsapp_etl.load.tables.content import (
    attachments,
    contact_identifiers,
    contacts,
    message_aliases,
    message_versions,
    messages,
    participant_changes,
    reaction_versions,
    reactions,
    thread_titles,
    threads,
)
from whatsapp_etl.load.tables.downloads import attachment_downloads
from whatsapp_etl.load.tables.erasure import files_to_remove, forget_key, forgotten
from whatsapp_etl.load.tables.events import event_deliveries, events
from whatsapp_etl.load.tables.extraction import extraction_jobs, extractions
from whatsapp_etl.load.tables.views import VIEWS, View

__all__ = [
    "VIEWS",
    "View",
    "agent_deliveries",
    "agent_messages",
    "agent_proposals",
    "agent_routing",
    "attachment_downloads",
    "attachments",
    "backfill_progress",
    "change_counter",
    "contact_identifiers",
    "contacts",
    "disagreements",
    "event_deliveries",
    "events",
    "extraction_jobs",
    "extractions",
    "files_to_remove",
    "forget_key",
    "forgotten",
    "message_aliases",
    "message_versions",
    "messages",
    "metadata",
    "missing_messages",
    "participant_changes",
    "reaction_versions",
    "reactions",
    "rejects",
    "session_events",
    "sync_coverage",
    "sync_coverage_history",
    "sync_runs",
    "sync_state",
    "thread_titles",
    "threads",
    "tombstones",
]
