"""A large account through the message store: 200,000 messages in 1,500 chats, end to end into Postgres.

The rate is set against the bare feed of the same page: the table read in the order of its rows, decoded,
and nothing else. The stand-in and the measured program are two processes, so that the measured one holds the
program and nothing else; of the stand-in's world only the ledger and the truth are asked.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CHATS = 1_500
MESSAGES = 200_000
NOW = "2026-03-15T12:00:00+00:00"
#: All messages lie inside the look-back.
DAYS = 28


def run(chats: int = CHATS, messages: int = MESSAGES) -> dict[str, Any]:
    """Measure in a fresh database and profile."""
    folder = Path(tempfile.mkdtemp(prefix="wetl-store-"))
    folder.chmod(0o755)
    simulator = subprocess.Popen(
        [
            *(
                sys.executable,
                "-m",
                "whatsapp_etl.cli",
                "simulate",
                "--port",
                "0",
                "--linked",
                "--no-pictures",
            ),
            *("--chats", str(chats), "--messages", str(messages), "--days", str(DAYS), "--now", NOW),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert simulator.stdout is not None
        url = simulator.stdout.readline().split()[-1]
        environment = {
            **os.environ,
            "WHATSAPP_URL": url,
            "WHATSAPP_READER": "store",
            "WHATSAPP_PROFILE_DIR": str(folder / "profile"),
            "ATTACHMENTS_DIR": str(folder / "attachments"),
            "SPOOL_DIR": str(folder / "spool"),
            "PG_DATA_DIR": str(folder / "postgres"),
            "PG_URL": "",
            "WHATSAPP_TIMEZONE": "UTC",
            "WHATSAPP_ETL_NOW": NOW,
            "LOG_LEVEL": "ERROR",
        }
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks._message_store"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    finally:
        simulator.send_signal(signal.SIGINT)
        simulator.communicate(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)
    return {
        **json.loads(done.stdout),
        "limits": {
            "rate_to_bare_feed": ">= 0.5",
            "peak_megabytes_above_imports": "<= 80",
            "rows_that_differ": "<= 0",
            "chats_opened": "<= 0",
            "receipts_and_presence": "<= 0",
        },
    }
