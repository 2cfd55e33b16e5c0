"""Up to where a chat is complete."""

from __future__ import annotations

from collections.abc import Iterable

from whatsapp_etl.model import Checkpoint, Message


def next_checkpoint(
    messages: Iterable[Message], current: Checkpoint | None, *, is_complete: bool
) -> Checkpoint | None:
    """Return the checkpoint after a visit.

    It never passes a gap: when something was left out it stays where it was. It never falls, and a
    time that was not believed does not move it.
    """
    if not is_complete:
        return current
    newest = max(
        (each for each in messages if each.ts_precision != "clamped"),
        key=lambda each: (each.ts, each.external_id),
        default=None,
    )
    if newest is None or (current is not None and newest.ts <= current.sent_at):
        return current
    return Checkpoint(newest.external_id, newest.ts)
