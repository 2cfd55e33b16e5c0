"""What happens next with a message, by what is known of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_etl.model import MissingReason
from whatsapp_etl.records import (
    ChatCoverage,
    MissingFacts,
    RejectFacts,
    RemovedFacts,
    StoredFacts,
    Whereabouts,
)
from whatsapp_etl.transform.whereabouts import next_step, state_of

NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)
KEY = "false_491555000001@c.us_3EB01"
NOTHING = Whereabouts(KEY, None, None, None, False, (), None, {})
STORED = StoredFacts(
    external_id=KEY,
    thread_external_id="491555000001@c.us",
    message_type="text",
    ts=NOW,
    ts_precision="second",
    is_listed=True,
    read_path="dom",
    observed_at=NOW,
    created_at=NOW,
    updated_at=NOW,
    edited_seen_at=None,
    deleted_seen_at=None,
    expires_at=None,
    first_run_id=1,
    last_run_id=1,
    versions=(),
    aliases=(),
    attachments=(),
)
MISSING = MissingFacts(KEY, MissingReason.NOT_SHOWN, 2, NOW, NOW + timedelta(minutes=20), 4)
EXPIRED = RemovedFacts("expired", NOW)
REJECT = RejectFacts("no_time", "2026-08", NOW, NOW, 1, 4)
CHAT = ChatCoverage("491555000001@c.us", "all_found", 3, 3, NOW, NOW)


@pytest.mark.parametrize(
    ("found", "state", "part"),
    [
        (replace(NOTHING, stored=STORED), "stored", "each cycle compares it"),
        (replace(NOTHING, stored=replace(STORED, is_listed=False)), "stored", "recipients and exact time"),
        (
            replace(NOTHING, stored=replace(STORED, expires_at=NOW + timedelta(days=1))),
            "stored",
            "first cycle after 2026-08-24 12:00 UTC",
        ),
        (replace(NOTHING, stored=STORED, missing=MISSING), "stored", "newer state is looked for again not"),
        (
            replace(
                NOTHING, stored=STORED, missing=replace(MISSING, reason=MissingReason.PICTURE_NOT_LOADED)
            ),
            "stored",
            "picture",
        ),
        (
            replace(NOTHING, missing=replace(MISSING, reason=MissingReason.EXPIRED)),
            "missing",
            "Nothing: it disappeared before it was stored",
        ),
        (
            replace(NOTHING, stored=STORED, missing=replace(MISSING, reason=MissingReason.NO_LONGER_LISTED)),
            "stored",
            "Nothing until the browser's storage, which was set back",
        ),
        (
            replace(NOTHING, missing=replace(MISSING, reason=MissingReason.SKIPPED_BY_RULE)),
            "missing",
            "kept closed",
        ),
        (replace(NOTHING, missing=MISSING), "missing", "not before 2026-08-23 12:20 UTC"),
        (replace(NOTHING, missing=replace(MISSING, next_try_at=NOW)), "missing", "in the next cycle"),
        (
            replace(NOTHING, missing=replace(MISSING, reason=MissingReason.NEEDS_PHONE)),
            "missing",
            "WHATSAPP_PHONE_HISTORY=auto",
        ),
        (
            replace(NOTHING, missing=replace(MISSING, reason=MissingReason.UNREADABLE), rejects=(REJECT,)),
            "missing",
            "newer pack",
        ),
        (replace(NOTHING, removed=EXPIRED), "removed", "disappeared"),
        (replace(NOTHING, removed=replace(EXPIRED, reason="retention")), "removed", "RETENTION_DAYS"),
        (
            replace(NOTHING, removed=replace(EXPIRED, reason="forgotten"), is_forgotten=True),
            "removed",
            "erased",
        ),
        (replace(NOTHING, is_forgotten=True, chat=CHAT), "forgotten", "erased on request"),
        (replace(NOTHING, rejects=(REJECT,), chat=CHAT), "rejected", "newer pack"),
        (replace(NOTHING, chat=CHAT), "unknown", "until WhatsApp Web lists it"),
        (NOTHING, "unknown", "no cycle has read its chat"),
    ],
)
def test_what_is_known_of_a_message_decides_what_comes_next(found, state, part):
    assert state_of(found) == state
    sentence = next_step(found, NOW)
    assert part in sentence
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0


def test_a_message_that_came_back_after_its_removal_is_stored():
    assert state_of(replace(NOTHING, stored=STORED, removed=EXPIRED)) == "stored"
