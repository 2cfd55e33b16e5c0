"""Cycles with nothing new over 300 chats and 50,000 messages: time, memory, and what stays behind.

The simulator, the process that fills the database and the measured one are three processes, so that the
measured one holds the program and nothing else.
"""

from __future__ import annotations

from typing import Any

from benchmarks._program import simulated, told_by

CHATS = 300
MESSAGES = 50_000
CYCLES = 50
#: What lies inside the look-back has to be 50,000 messages, so the world is no longer than it.
DAYS = 29


def run() -> dict[str, Any]:
    """Measure in a fresh database and profile."""
    with simulated(CHATS, MESSAGES, DAYS) as environment:
        told_by("_quiet", "fill", str(CYCLES), environment=environment)
        measured = told_by("_quiet", "measure", str(CYCLES), environment=environment)
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
