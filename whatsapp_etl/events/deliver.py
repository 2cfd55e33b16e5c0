"""Delivery to one target: what is due, one after the other, each marked once the receiver has it.

At least once: the mark follows the answer, so a program that is killed between the two delivers the event
again, under the same id. The row stays locked meanwhile, so no other process delivers it at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol

import structlog

from whatsapp_etl.events.formats import Post
from whatsapp_etl.events.retry import Outcome, Policy, after_try
from whatsapp_etl.events.sign import signed_headers
from whatsapp_etl.events.targets import Target
from whatsapp_etl.events.wire import Stopped
from whatsapp_etl.happenings import Delivery, DeliveryState, ItemT

log = structlog.get_logger(__name__)


class Claim(Protocol[ItemT]):
    """A delivery that nobody else is handed meanwhile."""

    @property
    def delivery(self) -> Delivery[ItemT]: ...
    def settle(self, delivery: Delivery[ItemT]) -> None: ...


class Outbox(Protocol[ItemT]):
    """Where deliveries come from."""

    def claim(self, target: str, now: datetime) -> AbstractContextManager[Claim[ItemT] | None]:
        """Yield the next delivery that is due; what was settled is kept when the block ends well."""


@dataclass(frozen=True)
class Deliverer(Generic[ItemT]):
    """Delivers to one target."""

    target: Target
    outbox: Outbox[ItemT]
    write: Callable[[ItemT, Target], Post]  #: How it is written for the target, as things stand now.
    send: Callable[[Post, Mapping[str, str]], Outcome]  #: `Wire.send`.
    key: bytes = field(repr=False)  #: For the signature.
    clock: Callable[[], datetime]
    jitter: Callable[[], float]  #: At least 0, below 1.
    policy: Policy = field(default_factory=Policy)

    def deliver_due(self) -> int:
        """Deliver what is due until nothing is; return how many tries were made."""
        tries = 0
        try:
            while self._deliver_next():
                tries += 1
        except Stopped:
            log.info("delivery_stopped", target=self.target.name)
        return tries

    def _deliver_next(self) -> bool:
        with self.outbox.claim(self.target.name, self.clock()) as claim:
            if claim is None:
                return False
            before = claim.delivery
            post = self.write(before.event, self.target)
            headers = signed_headers(self.key, str(before.event.id), post.body, self.clock())
            outcome = self.send(post, headers)
            after = after_try(before, outcome, self.clock(), self.jitter(), self.policy)
            claim.settle(after)
        _tell(after)
        return True


def _tell(delivery: Delivery[ItemT]) -> None:
    facts = {
        "seq": delivery.event.seq,
        "event_id": str(delivery.event.id),
        "type": delivery.event.type.value,
        "target": delivery.target,
        "attempts": delivery.attempts,
    }
    if delivery.state is DeliveryState.DELIVERED:
        log.info("event_delivered", **facts)
    elif delivery.state is DeliveryState.DEAD:
        log.error("event_given_up", cause=delivery.last_error, **facts)
    else:
        log.warning("event_not_delivered", cause=delivery.last_error, **facts)
