"""When a picture is tried again, when it is given up, and what of a reading is stored. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from whatsapp_etl.extracted import Block, JobState, Reading, UnreadReason, Verdict
from whatsapp_etl.pauses import doubled

#: Postgres cannot index more in one row; no page has so much.
_MOST_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Policy:
    """How long a worker has, and how often a picture is tried: five times in about an hour."""

    lease: timedelta = timedelta(seconds=60)  #: It must have said within this that it still reads.
    longest_reading: timedelta = timedelta(minutes=10)  #: An engine that takes longer hangs.
    first: timedelta = timedelta(minutes=2)  #: After the first failure; it doubles with each further one.
    longest: timedelta = timedelta(hours=1)
    most_attempts: int = 5

    @property
    def beat(self) -> timedelta:
        """How often it says so: two may be lost."""
        return self.lease / 3


def after_failure(
    reason: UnreadReason, attempts: int, now: datetime, jitter: float, policy: Policy
) -> Verdict:
    """Decide about a picture that could not be read this time.

    Args:
        reason: Why.
        attempts: With the one that failed.
        now: When it ended.
        jitter: At least 0 and below 1; what failed together is not tried again together.
        policy: How often and when.
    """
    if attempts >= policy.most_attempts:
        return given_up(reason, now)
    whole = doubled(policy.first, attempts, policy.longest)
    return Verdict(JobState.QUEUED, now + whole * (0.5 + jitter / 2), reason)


def given_up(reason: UnreadReason, now: datetime) -> Verdict:
    """Decide about a picture that no further try would read."""
    return Verdict(JobState.DEAD, now, reason)


def after_loss(attempts: int, now: datetime, policy: Policy) -> Verdict:
    """Decide about a picture whose worker did not come back.

    It may have been killed for any reason, so that another one begins at once. A picture that
    ends every worker is given up like any other.
    """
    if attempts >= policy.most_attempts:
        return given_up(UnreadReason.WORKER_LOST, now)
    return Verdict(JobState.QUEUED, now, UnreadReason.WORKER_LOST)


def storable(reading: Reading) -> Reading:
    """Return a reading as Postgres takes it: no characters that it knows not, no blocks without end."""
    blocks: list[Block] = []
    left = _MOST_CHARACTERS
    for block in reading.blocks:
        text = block.text.encode("utf-8", "replace").decode().replace("\x00", "").strip()[:left]
        if text:
            blocks.append(replace(block, text=text, confidence=min(max(block.confidence, 0.0), 1.0)))
            left -= len(text) + 1
        if left <= 0:
            break
    return Reading(tuple(blocks))
