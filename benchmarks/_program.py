"""The program and the stand-in as processes of their own, so that what is measured holds nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NOW = "2026-03-15T12:00:00+00:00"
_ENDS_WITHIN_SECONDS = 60


@contextmanager
def simulated(chats: int, messages: int, days: int, *more: str, **settings: str) -> Iterator[dict[str, str]]:
    """Serve a linked account; yield the environment of a program with a fresh database and profile.

    Args:
        chats: How many.
        messages: Of all chats together.
        days: How far back they reach.
        more: Further arguments of `whatsapp-etl simulate`.
        settings: The program's, beside those for the account and its folders.
    """
    folder = Path(tempfile.mkdtemp(prefix="wetl-bench-"))
    folder.chmod(0o755)
    simulator = subprocess.Popen(
        [
            *(sys.executable, "-m", "whatsapp_etl.cli", "simulate", "--port", "0", "--linked", *more),
            *("--chats", str(chats), "--messages", str(messages), "--days", str(days), "--now", NOW),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert simulator.stdout is not None
        yield {
            **os.environ,
            "WHATSAPP_URL": simulator.stdout.readline().split()[-1],
            "WHATSAPP_PROFILE_DIR": str(folder / "profile"),
            "ATTACHMENTS_DIR": str(folder / "attachments"),
            "SPOOL_DIR": str(folder / "spool"),
            "PG_DATA_DIR": str(folder / "postgres"),
            "PG_URL": "",
            "WHATSAPP_TIMEZONE": "UTC",
            "WHATSAPP_ETL_NOW": NOW,
            "LOG_LEVEL": "ERROR",
            **settings,
        }
    finally:
        simulator.send_signal(signal.SIGINT)
        simulator.communicate(timeout=_ENDS_WITHIN_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def told_by(module: str, *arguments: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run a module of the benchmarks; return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
