"""Ends what was kept long enough, batch by batch."""

from __future__ import annotations

from datetime import datetime

import structlog

from whatsapp_etl.load.store import Store
from whatsapp_etl.retention import BATCH_ROWS, BATCHES_PER_CYCLE, Retention

log = structlog.get_logger(__name__)


def retain(store: Store, retention: Retention, now: datetime) -> None:
    """Delete what is old, in transactions of bounded size; what is left then waits for the next cycle."""
    for _ in range(BATCHES_PER_CYCLE):
        removed = store.retain(retention, now)
        if removed:
            log.info("rows_kept_long_enough", **removed)
        if all(count < BATCH_ROWS for count in removed.values()):
            return
