"""What became of files, and of the text in them, that should not have. Pure; a part of `health`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from whatsapp_etl.model import StoreFacts
from whatsapp_etl.service.reasons import ReasonCode
from whatsapp_etl.service.thresholds import is_recent


def file_codes(
    store: StoreFacts,
    now: datetime,
    *,
    started_at: datetime,
    dead_for: timedelta,
    idle_after: timedelta | None,
    uncopied_after: timedelta | None,
) -> Iterator[ReasonCode]:
    """Yield what is wrong; what was given up long ago is no failure for ever.

    Args:
        store: As last read.
        now: The time.
        started_at: Since when somebody could have read and copied: both may be due from long before.
        dead_for: How long something that was given up is a reason.
        idle_after: From when on somebody should have read a picture; None: none is to be read.
        uncopied_after: From when on a file should have been copied; None: there is no second store.
    """
    if is_recent(store.last_given_up_at, now, dead_for):
        yield ReasonCode.ATTACHMENTS_GIVEN_UP
    if uncopied_after is not None and store.uncopied_since is not None:
        since = max(store.uncopied_since, started_at)
        if now - since > uncopied_after:
            yield ReasonCode.ATTACHMENTS_UNCOPIED
    if (facts := store.extraction) is None:
        return
    if is_recent(facts.last_dead_at, now, dead_for):
        yield ReasonCode.EXTRACTION_DEAD
    if idle_after is None or facts.idle_for is None:
        return
    if min(facts.idle_for, now - started_at) > idle_after:
        yield ReasonCode.EXTRACTION_IDLE
