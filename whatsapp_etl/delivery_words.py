"""What the commands about events and about the agent's messages share: deliveries, and making them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.happenings import Delivery, DeliveryState, ItemT
from whatsapp_etl.load.deliveries import Outbox
from whatsapp_etl.plain_json import plain


@dataclass(frozen=True, slots=True)
class Again:
    """What is to be delivered again: exactly one of these.

    The running program does it; the ids stay, so a receiver that has an item already may leave it out.
    """

    item_id: UUID | None
    since: datetime | None
    dead: bool

    def check(self, *, has_targets: bool, variable: str) -> None:
        """Return when it can be done.

        Raises:
            ConfigurationError: Not exactly one is asked for, or nobody is there to be told.
        """
        if sum((self.item_id is not None, self.since is not None, self.dead)) != 1:
            raise ConfigurationError("Name an id, or --dead, or --since.", "One of them.")
        if not has_targets:
            raise ConfigurationError(f"{variable} is empty, so nothing can be delivered.", "Set it.")

    def ask(self, outbox: Outbox[ItemT], now: datetime, *, what: str, list_command: str) -> int:
        """Make deliveries pending again; return how many.

        Raises:
            ConfigurationError: There is no such item.
        """
        if self.since is not None:
            return outbox.replay_since(self.since, now)
        if self.item_id is None:
            return outbox.replay_dead(now)
        count = outbox.replay(self.item_id, now)
        if not count:
            raise ConfigurationError(f"There is no {what} {self.item_id}.", f"See `{list_command}`.")
        return count


def told_again(count: int) -> str:
    """Return what a person is told of deliveries that are to be made again."""
    said = f"{count} {'delivery is' if count == 1 else 'deliveries are'} to be made again."
    return said + ("\n`whatsapp-etl run` makes them; it looks every few seconds." if count else "")


def delivery_line(delivery: Delivery[ItemT]) -> str:
    told = f"{delivery.target}  {delivery.state.value}, attempts {delivery.attempts}"
    if delivery.state is DeliveryState.PENDING:
        told += f", next {delivery.next_try_at:%Y-%m-%d %H:%M:%S}"
    return told + (f", {delivery.last_error}" if delivery.last_error else "")


def delivery_json(delivery: Delivery[ItemT]) -> dict[str, object]:
    return {
        "target": delivery.target,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "next_try_at": plain(delivery.next_try_at),
        "settled_at": plain(delivery.settled_at),
        "last_error": delivery.last_error,
    }
