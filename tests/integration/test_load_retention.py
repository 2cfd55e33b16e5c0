"""What was kept long enough goes, in batches, with everything that hangs on it; nothing else does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.load import (
    ANA,
    ANA_LID,
    BEN,
    NOW,
    make_entry,
    make_image,
    make_message,
    make_plan,
    row_versions,
    rows,
)
from whatsapp_etl.hashing import key_sha256
from whatsapp_etl.load.retention import retain as retain_some
from whatsapp_etl.model import Disagreement, DisagreementFact, MessageVersion, Reaction
from whatsapp_etl.retaining import retain
from whatsapp_etl.retention import BATCH_ROWS, parse_retention

DAYS = timedelta(days=1)
YEAR = parse_retention("messages=365")
OLD = NOW - 400 * DAYS


def old(message):
    """Return a message of before the edge, with another key of it."""
    return replace(message, ts=OLD, aliases=(message.external_id.replace(ANA, ANA_LID),))


@pytest.fixture
def kept(store):
    """An old picture, edited and reacted to, beside a newer message with the same file."""
    picture = old(make_image(1))
    newer = make_image(2, attachments=picture.attachments)
    own = replace(make_image(3), ts=OLD)
    store.apply(make_plan(picture, newer, own), 1)
    edited = replace(picture, content_snippet="A lid", observed_at=NOW + timedelta(minutes=1))
    version = MessageVersion(picture.external_id, picture.message_type, None, NOW)
    told = [
        Disagreement(ANA, DisagreementFact.TIME, "12:00", "11:00", NOW, external_id=each.external_id)
        for each in (picture, newer)
    ]
    store.apply(make_plan(edited, versions=(version,), disagreements=tuple(told)), 2)
    for emoji, at in (("❤", NOW), ("🌧", NOW + timedelta(minutes=1))):
        reactions = [Reaction(each.external_id, BEN, emoji, at) for each in (picture, newer)]
        store.apply_directory((), (), (), reactions, run_id=2, now=at)
    return picture, newer, own


def test_an_old_message_goes_with_all_that_hangs_on_it_and_leaves_a_tombstone_without_its_key(
    database, store, kept
):
    picture, newer, own = kept
    before = rows(database, "SELECT value FROM change_counter")[0][0]

    assert store.retain(YEAR, NOW) == {"messages": 2}

    assert rows(database, "SELECT external_id FROM messages") == [(newer.external_id,)]
    for table, left in (
        ("message_versions", 0),
        ("message_aliases", 0),
        ("disagreements", 1),
        ("reactions", 1),
        ("reaction_versions", 1),
        ("attachments", 1),
        ("extraction_jobs", 1),
    ):
        assert rows(database, f"SELECT count(*) FROM {table}") == [(left,)], table
    assert set(
        rows(database, "SELECT key_sha256, external_id, thread_external_id, reason FROM tombstones")
    ) == {(key_sha256(each.external_id), None, None, "retention") for each in (picture, own)}
    assert rows(database, "SELECT min(change_seq) > %s FROM tombstones", before) == [(True,)]
    # The file of the picture is the newer message's too.
    assert store.unused_files() == (own.attachments[0].file_path,)


def test_what_a_disappearing_message_was_shown_as_goes_with_it(database, store):
    gone, kept = make_message(1, expires_at=NOW), make_message(2)
    told = [
        Disagreement(ANA, DisagreementFact.TEXT, "9 characters", "8 characters", NOW, external_id=key)
        for key in (gone.external_id, kept.external_id)
    ]
    store.apply(make_plan(gone, kept, disagreements=tuple(told)), 1)

    assert store.expire_messages(NOW) == 1

    assert rows(database, "SELECT external_id FROM disagreements") == [(kept.external_id,)]


def test_a_message_that_its_sender_dated_in_the_future_stays_since_it_is_listed_for_ever(database, store):
    ahead = make_message(1, ts=OLD, ts_precision="clamped", ts_raw="2031-01-01T00:00:00+00:00")
    store.apply(make_plan(ahead), 1)
    assert store.retain(YEAR, NOW) == {}

    listed = replace(make_entry(ahead), sent_at=NOW + 1500 * DAYS)
    diffs = store.diff([[listed]], NOW - 30 * DAYS, NOW, 2)

    assert (diffs[ANA].expected, diffs[ANA].stored, diffs[ANA].wanted) == (1, 1, ())


def test_a_message_at_the_edge_is_kept_and_nothing_is_touched_without_an_old_one(database, store):
    store.apply(make_plan(make_message(1, ts=NOW - 365 * DAYS)), 1)
    before = row_versions(database)

    assert store.retain(YEAR, NOW) == {}

    assert row_versions(database) == before


def test_messages_that_are_not_named_are_kept_for_ever(database, store, kept):
    assert store.retain(parse_retention("1"), NOW + 9999 * DAYS).keys() == {
        "disagreements",
        "sync_coverage_history",
    }

    assert rows(database, "SELECT count(*) FROM messages") == [(3,)]


def test_what_was_removed_is_neither_expected_nor_wanted_again(database, store):
    gone, kept = make_message(1, ts=NOW - 31 * DAYS), make_message(2)
    store.apply(make_plan(gone, kept), 1)
    lookback = NOW - 30 * DAYS
    assert store.retain(parse_retention("messages=30"), NOW) == {"messages": 1}

    diffs = store.diff([[make_entry(gone), make_entry(kept)]], lookback, NOW, 2)

    assert (diffs[ANA].expected, diffs[ANA].stored, diffs[ANA].wanted) == (1, 1, ())
    assert rows(database, "SELECT count(*) FROM missing_messages") == [(0,)]
    removed = store.whereabouts([gone.external_id], ANA, [], with_text=False).removed
    assert removed is not None
    assert removed.reason == "retention"


def test_history_goes_by_its_own_days_while_its_message_stays(database, store, kept):
    short = parse_retention("message_versions=30,reaction_versions=30,participant_changes=30")

    assert store.retain(short, NOW + 29 * DAYS) == {}
    assert store.retain(short, NOW + 31 * DAYS) == {"message_versions": 1, "reaction_versions": 2}

    assert rows(database, "SELECT count(*) FROM messages") == [(3,)]
    assert rows(database, "SELECT count(*) FROM reactions") == [(2,)]


def test_batches_are_bounded_and_the_oldest_go_first(database, store):
    store.apply(make_plan(*(make_message(n, ts=OLD - n * DAYS) for n in range(5))), 1)

    with database.connect() as connection, connection.transaction(), connection.cursor() as cursor:
        assert retain_some(cursor, YEAR, NOW, most=2) == {"messages": 2}

    assert rows(database, "SELECT external_id FROM messages ORDER BY ts DESC") == [
        (make_message(n).external_id,) for n in range(3)
    ]


def test_a_cycle_removes_more_than_one_batch(database, store):
    count = BATCH_ROWS + 1
    store.apply(make_plan(*(make_message(n, ts=OLD) for n in range(count)), make_message(count)), 1)

    retain(store, YEAR, NOW)

    assert rows(database, "SELECT external_id FROM messages") == [(make_message(count).external_id,)]
    assert rows(database, "SELECT count(*) FROM tombstones") == [(count,)]
