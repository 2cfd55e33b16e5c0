"""Getting the bytes of attachments: which way leads to them, and what the ledger says then."""

import hashlib

import pytest

from tests.fault.recovery import files_in
from tests.fixtures.cycle import assert_in_step
from tests.fixtures.sent_pictures import send_pictures
from whatsapp_etl.downloads import DownloadWay, MediaKind
from whatsapp_etl.model import RunStatus

STATES = "SELECT state, reason, count(*) FROM attachment_downloads GROUP BY 1, 2 ORDER BY 1, 2"


def held(it):
    """Return the checksums of the pictures that are held, by message key."""
    return dict(
        it.query(
            "SELECT m.external_id, a.checksum FROM attachments a JOIN messages m ON m.id = a.message_id"
            " WHERE m.message_type = 'image' AND a.state = 'stored' AND a.is_verified = 1"
        )
    )


def true_pictures(it):
    return {
        row["external_id"]: row["file_sha256"]
        for row in it.simulator.truth(lookback_days=30)
        if row["file_sha256"]
    }


@pytest.mark.matrix
def test_pictures_that_wait_for_a_click_get_one_and_the_account_notices_nothing(account):
    it = account(world={"chats": 4, "messages": 60})
    it.simulator.set_config(auto_download=False)

    report = it.sync()

    pictures = true_pictures(it)
    assert report.status is RunStatus.SUCCESS
    assert pictures
    assert held(it) == pictures
    assert it.simulator.ledger()["receipts"] == 0
    reads = it.simulator.ledger()["media_reads"]
    assert reads == len(pictures)
    states = {state: count for state, _, count in it.query(STATES)}
    assert states["stored"] == len(pictures)
    assert it.sync().chats_opened == 0
    assert it.simulator.ledger()["media_reads"] == reads
    assert_in_step(it)


@pytest.mark.matrix
def test_a_picture_above_the_limit_is_neither_clicked_nor_kept(account):
    it = account(world={"chats": 4, "messages": 60}, attachments_max_file_bytes="image=1K")
    it.simulator.set_config(auto_download=False)

    assert it.sync().status is RunStatus.SUCCESS

    sizes = dict(
        it.query(
            "SELECT m.external_id, a.size_bytes FROM attachments a JOIN messages m ON m.id = a.message_id"
            " WHERE m.message_type = 'image'"
        )
    )
    small = {key for key, size in sizes.items() if size <= 1024}
    assert small < sizes.keys()
    assert held(it).keys() == small
    assert it.simulator.ledger()["media_reads"] == len(small)
    assert ("too_large", "file_size", len(sizes) - len(small)) in it.query(STATES)
    assert it.query("SELECT count(*) FROM missing_messages") == [(0,)]
    assert it.sync().chats_opened == 0


@pytest.mark.matrix
def test_every_kind_of_file_is_fetched_directly_and_is_the_bytes_that_were_sent(account):
    it = account(
        world={"chats": 5, "messages": 120},
        attachments_media=tuple(MediaKind),
        attachments_ways=(DownloadWay.DIRECT,),
    )
    it.simulator.set_config(auto_download=False)
    expired = next(key for key in true_pictures(it))
    it.simulator.expire(expired)

    report = it.sync()

    assert report.status is RunStatus.SUCCESS, report.error
    wanted = {
        row["external_id"]: row for row in it.simulator.truth(lookback_days=30) if row["has_attachments"]
    }
    rows = it.query(
        "SELECT m.external_id, a.checksum, a.file_path, a.is_verified FROM attachments a"
        " JOIN messages m ON m.id = a.message_id WHERE a.state = 'stored'"
    )
    assert {key for key, *_ in rows} == wanted.keys() - {expired}
    assert len({wanted[key]["message_type"] for key, *_ in rows}) >= 5
    for key, checksum, path, is_verified in rows:
        assert is_verified == 1
        assert hashlib.sha256((it.settings.attachments_dir / path).read_bytes()).hexdigest() == checksum
        assert wanted[key]["file_sha256"] in {checksum, None}
    assert ("phone_needed", "gone", 1) in it.query(STATES)
    assert it.simulator.ledger()["media_reads"] == 0
    reads = it.simulator.ledger()["sealed_reads"]
    assert reads == len(wanted)
    assert report.applied.attachments_saved == len(rows)
    before = it.written_by()
    assert it.sync().chats_opened == 0
    assert it.simulator.ledger()["sealed_reads"] == reads
    assert it.written_by() == before
    assert_in_step(it)


@pytest.mark.matrix
def test_when_the_room_for_all_files_is_used_up_what_is_held_stays_and_nothing_more_is_taken(account):
    room = 12_000
    it = account(world={"chats": 4, "messages": 12}, attachments_max_bytes=room)
    sent = send_pictures(it.simulator, 20).held
    root = it.settings.attachments_dir

    it.sync()

    first = held(it)
    assert 0 < len(sent.keys() & first.keys()) < len(sent)
    assert sum((root / path).stat().st_size for path in files_in(root)) <= room
    newer = send_pictures(it.simulator, 5, seed=8).held
    it.sync()
    assert first.items() <= held(it).items()
    assert sum((root / path).stat().st_size for path in files_in(root)) <= room
    # What found no room is told, and waits.
    (waiting,) = it.query(
        "SELECT count(*) FROM attachment_downloads d JOIN attachments a ON a.id = d.attachment_id"
        " WHERE d.state IN ('queued', 'too_large') AND d.next_try_at IS NOT NULL"
    )[0]
    assert waiting >= len(sent) + len(newer) - len(held(it))
