"""The commands about events: what was told, how far it came, and telling it again."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from uuid import UUID

from whatsapp_etl import bootstrap
from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.happenings import Delivery, DeliveryState, ListedEvent
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.plain_json import plain
from whatsapp_etl.settings import Settings, read_settings


def list_events(last: int, state: DeliveryState | None, *, as_json: bool) -> None:
    """Print the last events, newest first, with how each delivery stands."""
    with bootstrap.open_store_to_read(_settings()) as store, store.outbox() as outbox:
        events = outbox.last_events(last, state)
    for each in events:
        _print(json.dumps(_as_json(each), sort_keys=True) if as_json else _as_line(each))
        if not as_json:
            for delivery in each.deliveries:
                _print(f"    {_delivery_line(delivery)}")


def replay(event_id: UUID | None, since: datetime | None, *, dead: bool) -> None:
    """Deliver again: one event, all since an instant, or what was given up.

    The running program does it; the ids stay, so a receiver that has an event already may leave it out.

    Raises:
        ConfigurationError: Not exactly one of these is asked for, nobody is there to be told, or there is
            no such event.
    """
    if sum((event_id is not None, since is not None, dead)) != 1:
        raise ConfigurationError("Name an event's id, or --dead, or --since.", "One of them.")
    settings = _settings()
    if not bootstrap.targets_of(settings):
        raise ConfigurationError("EVENTS_WEBHOOKS is empty, so nothing can be delivered.", "Set it.")
    now = bootstrap.clock_of(settings)()
    with bootstrap.open_store_to_read(settings) as store, store.outbox() as outbox:
        if event_id is not None:
            count = outbox.replay(event_id, now)
            if not count:
                raise ConfigurationError(f"There is no event {event_id}.", "See `whatsapp-etl events list`.")
        elif since is not None:
            count = outbox.replay_since(since, now)
        else:
            count = outbox.replay_dead(now)
    _print(f"{count} {'delivery is' if count == 1 else 'deliveries are'} to be made again.")
    if count:
        _print("`whatsapp-etl run` makes them; it looks every few seconds.")


def _as_line(each: ListedEvent) -> str:
    event = each.event
    reason = event.data.get("reason") or ""
    return f"{event.occurred_at:%Y-%m-%d %H:%M:%S}  {event.id}  {event.type.value:<19}  {reason}".rstrip()


def _delivery_line(delivery: Delivery) -> str:
    told = f"{delivery.target}  {delivery.state.value}, attempts {delivery.attempts}"
    if delivery.state is DeliveryState.PENDING:
        told += f", next {delivery.next_try_at:%Y-%m-%d %H:%M:%S}"
    return told + (f", {delivery.last_error}" if delivery.last_error else "")


def _as_json(each: ListedEvent) -> object:
    event = each.event
    return {
        "id": str(event.id),
        "seq": event.seq,
        "type": event.type.value,
        "subject": event.subject.value,
        "occurred_at": plain(event.occurred_at),
        "data": dict(event.data),
        "deliveries": [
            {
                "target": delivery.target,
                "state": delivery.state.value,
                "attempts": delivery.attempts,
                "next_try_at": plain(delivery.next_try_at),
                "settled_at": plain(delivery.settled_at),
                "last_error": delivery.last_error,
            }
            for delivery in each.deliveries
        ],
    }


def _settings() -> Settings:
    settings = read_settings()
    configure_logs(settings.log_level, "text")
    return settings


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
