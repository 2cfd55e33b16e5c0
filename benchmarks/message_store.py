"""A large account through the message store: 200,000 messages in 1,500 chats, end to end into Postgres.

The rate is set against the bare feed of the same page: the table read in the order of its rows, decoded,
and nothing else. The stand-in and the measured program are two processes, so that the measured one holds the
program and nothing else; of the stand-in's world only the ledger and the truth are asked.
"""

from __future__ import annotations

from typing import Any

from benchmarks._program import simulated, told_by

CHATS = 1_500
MESSAGES = 200_000
#: All messages lie inside the look-back.
DAYS = 28


def run(chats: int = CHATS, messages: int = MESSAGES) -> dict[str, Any]:
    """Measure in a fresh database and profile."""
    with simulated(chats, messages, DAYS, "--no-pictures", WHATSAPP_READER="store") as environment:
        measured = told_by("_message_store", environment=environment)
    return {
        **measured,
        "limits": {
            "rate_to_bare_feed": ">= 0.5",
            "peak_megabytes_above_imports": "<= 80",
            "rows_that_differ": "<= 0",
            "chats_opened": "<= 0",
            "receipts_and_presence": "<= 0",
        },
    }
