"""When a delivery is tried again, and when it is given up. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from whatsapp_etl.happenings import Delivery, DeliveryState, ItemT
from whatsapp_etl.pauses import doubled

_LONGEST_RETRY_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """Twenty tries in about ten hours."""

    first: timedelta = timedelta(seconds=5)  #: After the first failure; it doubles with each further one.
    longest: timedelta = timedelta(hours=1)
    most_attempts: int = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended."""

    error: str | None  #: A short code; None: the receiver has it.
    retry_after: timedelta | None = None  #: As the receiver asks.


def after_try(
    delivery: Delivery[ItemT], outcome: Outcome, now: datetime, jitter: float, policy: Policy
) -> Delivery[ItemT]:
    """Return how a delivery stands after a try.

    Args:
        delivery: As it stood before.
        outcome: How the try ended.
        now: When it ended.
        jitter: At least 0 and below 1; receivers that come back are not met by everybody at once.
        policy: How often and when.
    """
    attempts = delivery.attempts + 1
    if outcome.error is None:
        return replace(
            delivery, state=DeliveryState.DELIVERED, attempts=attempts, settled_at=now, last_error=None
        )
    if attempts >= policy.most_attempts:
        return replace(
            delivery, state=DeliveryState.DEAD, attempts=attempts, settled_at=now, last_error=outcome.error
        )
    wait = max(wait_after(attempts, jitter, policy), outcome.retry_after or timedelta(0))
    return replace(delivery, attempts=attempts, next_try_at=now + wait, last_error=outcome.error)


def wait_after(failures: int, jitter: float, policy: Policy) -> timedelta:
    """Return the pause after so many failures: between half and all of what doubles each time."""
    return doubled(policy.first, failures, policy.longest) * (0.5 + jitter / 2)


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header: seconds or a date; None when there is none that can be read."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdecimal():
        wait = timedelta(seconds=min(int(header), round(_LONGEST_RETRY_AFTER.total_seconds())))
    else:
        try:
            until = parsedate_to_datetime(header)
        except ValueError:
            return None
        wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), _LONGEST_RETRY_AFTER)
