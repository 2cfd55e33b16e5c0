"""The main job: one cycle against the simulated account, compared with what it must contain."""

import hashlib

import pytest

from tests.fixtures.cycle import assert_in_step
from whatsapp_etl.model import FILE_TYPES, RunStatus


@pytest.fixture(scope="module")
def account(synced):
    return synced[0]


@pytest.fixture(scope="module")
def report(synced):
    return synced[1]


def test_what_is_stored_equals_what_the_account_holds(account):
    assert_in_step(account)


def test_the_world_is_not_too_easy(account):
    kinds = {row["message_type"] for row in account.truth().values()}
    assert len(kinds) >= 17
    assert {"image", "poll", "system", "deleted", "waiting", "view_once", "call", "location"} <= kinds


def test_the_report_says_what_was_done(account, report):
    assert report.status is RunStatus.SUCCESS
    assert report.error is None
    assert report.applied.inserted == report.expected == len(account.truth())
    assert report.missing == report.rejects == report.disagreements == 0
    assert report.pack_id == "2026-08"
    assert report.stages.seen == report.stages.id_found == report.stages.matched
    assert report.selector_hits


def test_nobody_noticed(account):
    ledger = account.simulator.ledger()
    assert ledger["receipts"] == 0
    assert ledger["presence"]["available"] == 0
    assert account.simulator.unread() == account.unread_before
    assert any(count > 0 for count in account.unread_before.values())


def test_images_are_stored_as_they_were_sent(account):
    expected = {
        row["external_id"]: row["file_sha256"]
        for row in account.simulator.truth(lookback_days=30)
        if row["message_type"] == "image"
    }
    stored = account.query(
        "SELECT m.external_id, a.file_path, a.checksum, a.is_verified FROM attachments a"
        " JOIN messages m ON m.id = a.message_id WHERE m.message_type = 'image' AND a.state = 'stored'"
    )
    assert {key: checksum for key, _, checksum, _ in stored} == expected
    assert expected
    for _, path, checksum, is_verified in stored:
        file = account.settings.attachments_dir / path
        assert hashlib.sha256(file.read_bytes()).hexdigest() == checksum
        assert file.stat().st_mode & 0o077 == 0
        assert is_verified


def test_every_message_with_a_file_has_its_attachment(account):
    kinds = tuple(kind.value for kind in FILE_TYPES)
    without = account.query(
        "SELECT m.external_id FROM messages m WHERE m.message_type = ANY(%s)"
        " AND NOT EXISTS (SELECT FROM attachments a WHERE a.message_id = m.id AND a.source = 'whatsapp')",
        list(kinds),
    )
    assert without == []


def test_each_stored_image_waits_for_extraction_and_nothing_else_does(account):
    jobs = account.query(
        "SELECT m.message_type, a.state FROM extraction_jobs j JOIN attachments a ON a.id = j.attachment_id"
        " JOIN messages m ON m.id = a.message_id"
    )
    images = account.query("SELECT count(*) FROM attachments WHERE state = 'stored'")[0][0]
    assert len(jobs) == images > 0
    assert set(jobs) == {("image", "stored")}


def test_reactions_are_stored_with_who_gave_them(account):
    expected = {
        (row["external_id"], reaction["sender_id"], reaction["emoji"])
        for row in account.simulator.truth(lookback_days=30)
        for reaction in row["reactions"]
    }
    stored = account.query(
        "SELECT m.external_id, r.sender_id, r.emoji FROM reactions r JOIN messages m ON m.id = r.message_id"
    )
    assert set(stored) == expected
    assert expected


def test_coverage_says_that_nothing_is_missing(account):
    rows = account.query("SELECT expected, stored, missing FROM sync_coverage")
    assert rows
    assert all(expected == stored and not missing for expected, stored, missing in rows)
    assert sum(expected for expected, _, _ in rows) == len(account.truth())


def test_chats_out_of_scope_are_nowhere(account):
    world = account.simulator.world()
    left_alone = {chat["id"] for chat in world["chats"]} - {
        row["thread_external_id"] for row in account.truth().values()
    }
    named = {row[0] for row in account.query("SELECT external_id FROM threads")}
    assert not {chat for chat in left_alone if chat.endswith(("@newsletter", "@broadcast", "@bot"))} & named
    assert not {chat["id"] for chat in world["chats"] if chat.get("locked")} & named


def test_view_once_content_is_never_stored(account):
    rows = account.query(
        "SELECT m.content_snippet, a.id FROM messages m LEFT JOIN attachments a ON a.message_id = m.id"
        " WHERE m.message_type = 'view_once'"
    )
    assert rows
    assert set(rows) == {(None, None)}


def test_the_newest_message_is_what_sync_state_has_seen(account):
    ((last_seen, status),) = account.query("SELECT last_seen_at, session_status FROM sync_state")
    assert last_seen == max(row["ts"] for row in account.truth().values())
    assert status == "ready"


def test_a_second_cycle_opens_no_chat_and_touches_no_row(account, report):
    before = account.written_by()
    again = account.sync()
    assert again.status is RunStatus.SUCCESS
    assert again.chats_opened == 0
    assert (again.applied.inserted, again.applied.updated) == (0, 0)
    assert account.written_by() == before
    assert report.run_id < again.run_id
