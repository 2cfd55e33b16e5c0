"""What became of the session in a program without a database, left in the profile for one that has it.

`login` needs no database: the account can be linked on a machine that has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from whatsapp_etl.model import SessionState
from whatsapp_etl.transitions import SessionCause, Transition
from whatsapp_etl.whole_files import write_whole

_NAME = "whatsapp-etl.transitions"


def leave_noted(profile: Path, transitions: Iterable[Transition]) -> None:
    """Leave changes of the session's state, oldest first, in place of what was left before.

    Raises:
        OSError: The disk is full.
    """
    rows = [asdict(each) | {"at": each.at.isoformat()} for each in transitions]
    write_whole(json.dumps(rows).encode(), profile / _NAME, profile)


def take_noted(profile: Path) -> tuple[Transition, ...]:
    """Return what was left, oldest first, and remove it. Under the profile's lock."""
    try:
        rows = json.loads((profile / _NAME).read_bytes())
        taken = tuple(
            Transition(
                SessionState(row["state"]),
                SessionCause(row["cause"]),
                datetime.fromisoformat(row["at"]),
                SessionState(row["previous"]) if row["previous"] else None,
                row["error"],
                bool(row["is_expected"]),
            )
            for row in rows
        )
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError):  # of another version: history is no reason not to start
        taken = ()
    (profile / _NAME).unlink()
    return taken
