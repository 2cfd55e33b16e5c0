"""Pictures of every sort in one account: what is held is the truth, once, and byte for byte."""

import hashlib

import pytest

from tests.fault.recovery import files_in
from tests.fixtures.cycle import assert_in_step
from tests.fixtures.sent_pictures import MOST, send_pictures
from whatsapp_etl.downloads import DownloadWay
from whatsapp_etl.model import RunStatus

WAYS = tuple(DownloadWay)
STATES = (
    "SELECT d.state, count(*) FROM attachment_downloads d JOIN attachments a ON a.id = d.attachment_id"
    " JOIN messages m ON m.id = a.message_id WHERE m.message_type = 'image' GROUP BY 1"
)


def bytes_by_key(it):
    """Return the bytes that are held of each message, and every file's name."""
    stored = it.query(
        "SELECT m.external_id, a.file_path, a.checksum, a.is_verified FROM attachments a"
        " JOIN messages m ON m.id = a.message_id WHERE a.state = 'stored'"
    )
    root = it.settings.attachments_dir
    held = {key: (root / path).read_bytes() for key, path, _, _ in stored}
    for key, path, checksum, is_verified in stored:
        assert hashlib.sha256(held[key]).hexdigest() == checksum == path.rpartition("/")[2].partition(".")[0]
        assert is_verified == 1
    assert files_in(root) == {path for _, path, _, _ in stored}
    return held


@pytest.mark.parametrize(
    "count", [20, pytest.param(500, marks=[pytest.mark.matrix, pytest.mark.timeout(300)])]
)
def test_files_are_the_distinct_checksums_of_the_truth_and_a_second_cycle_reads_nothing(account, count):
    it = account(
        world={"chats": 4, "messages": 12},
        attachments_ways=WAYS,
        attachments_max_file_bytes=f"image={MOST}",
    )
    it.simulator.set_config(auto_download=count > 20, delays={"image_ms": 20})
    before = {row["external_id"] for row in it.simulator.truth()}
    sent = send_pictures(it.simulator, count)

    assert it.sync().status is RunStatus.SUCCESS

    held = bytes_by_key(it)
    assert {key: data for key, data in held.items() if key not in before} == sent.held
    checksums = {hashlib.sha256(data).hexdigest() for data in held.values()}
    assert sent.checksums <= checksums
    assert len(files_in(it.settings.attachments_dir)) == len(checksums)
    states = dict(it.query(STATES))
    # What is gone is told by its row on the page, or else by the server's answer.
    gone = states["expired"] + states.get("phone_needed", 0)
    assert (states["stored"], gone) == (len(held), len(sent.expired))
    assert states["too_large"] == len(sent.huge)
    assert it.simulator.ledger()["receipts"] == 0
    reads = [it.simulator.ledger()[name] for name in ("media_reads", "sealed_reads")]
    written = it.written_by()
    assert it.sync().chats_opened == 0
    assert [it.simulator.ledger()[name] for name in ("media_reads", "sealed_reads")] == reads
    assert it.written_by() == written
    assert_in_step(it)
