"""Cycles with nothing new over 300 chats and 50,000 messages: time, memory, and what stays behind.

The simulator, the process that fills the database and the measured one are three processes, so that the
measured one holds the program and nothing else.
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

CHATS = 300
MESSAGES = 50_000
NOW = "2026-03-15T12:00:00+00:00"
CYCLES = 50
#: What lies inside the look-back has to be 50,000 messages, so the world is no longer than it.
DAYS = 29


def run() -> dict[str, Any]:
    """Measure in a fresh database and profile."""
    folder = Path(tempfile.mkdtemp(prefix="wetl-quiet-"))
    folder.chmod(0o755)
    simulator = subprocess.Popen(
        [
            *(sys.executable, "-m", "whatsapp_etl.cli", "simulate", "--port", "0", "--linked"),
            *("--chats", str(CHATS), "--messages", str(MESSAGES), "--days", str(DAYS), "--now", NOW),
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
            "WHATSAPP_PROFILE_DIR": str(folder / "profile"),
            "ATTACHMENTS_DIR": str(folder / "attachments"),
            "SPOOL_DIR": str(folder / "spool"),
            "PG_DATA_DIR": str(folder / "postgres"),
            "PG_URL": "",
            "WHATSAPP_TIMEZONE": "UTC",
            "WHATSAPP_ETL_NOW": NOW,
            "LOG_LEVEL": "ERROR",
        }
        _part("fill", environment)
        measured = _part("measure", environment)
    finally:
        simulator.send_signal(signal.SIGINT)
        simulator.communicate(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)
    return {
        **measured,
        "limits": {
            "compare_to_bare_read": "<= 3",
            "peak_megabytes_above_imports": "<= 60",
            "grown_megabytes_in_50_cycles": "<= 4",
            "chats_opened": "<= 0",
            "browsers_left": "<= 0",
        },
    }


def _part(name: str, environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._quiet", name, str(CYCLES)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
