"""The commands about events: what was told, how far it came, and telling it again."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from whatsapp_etl import bootstrap, receivers
from whatsapp_etl.asked import say, settings_of_person
from whatsapp_etl.delivery_words import Again, delivery_json, delivery_line, told_again
from whatsapp_etl.happenings import DeliveryState, Event, Listed
from whatsapp_etl.plain_json import plain


def list_events(last: int, state: DeliveryState | None, *, as_json: bool) -> None:
    """Print the last events, newest first, with how each delivery stands."""
    with bootstrap.open_store_to_read(settings_of_person()) as store, store.outbox() as outbox:
        events = outbox.last(last, state)
    for each in events:
        say(json.dumps(_as_json(each), sort_keys=True) if as_json else _as_line(each))
        if not as_json:
            for delivery in each.deliveries:
                say(f"    {delivery_line(delivery)}")


def replay(event_id: UUID | None, since: datetime | None, *, dead: bool) -> None:
    """Deliver again: one event, all since an instant, or what was given up.

    Raises:
        ConfigurationError: Not exactly one of these is asked for, nobody is there to be told, or there is
            no such event.
    """
    settings = settings_of_person()
    again = Again(event_id, since, dead)
    again.check(has_targets=bool(receivers.targets_of(settings)), variable="EVENTS_WEBHOOKS")
    now = bootstrap.clock_of(settings)()
    with bootstrap.open_store_to_read(settings) as store, store.outbox() as outbox:
        count = again.ask(outbox, now, what="event", list_command="whatsapp-etl events list")
    say(told_again(count))


def _as_line(each: Listed[Event]) -> str:
    event = each.event
    reason = event.data.get("reason") or ""
    return f"{event.occurred_at:%Y-%m-%d %H:%M:%S}  {event.id}  {event.type.value:<19}  {reason}".rstrip()


def _as_json(each: Listed[Event]) -> object:
    event = each.event
    return {
        "id": str(event.id),
        "seq": event.seq,
        "type": event.type.value,
        "subject": event.subject.value,
        "occurred_at": plain(event.occurred_at),
        "data": dict(event.data),
        "deliveries": [delivery_json(delivery) for delivery in each.deliveries],
    }
