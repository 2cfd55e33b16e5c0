"""Pictures of every sort in one account: what is held is the truth, once, and byte for byte."""

import base64
import hashlib
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import pytest
from PIL import Image

from tests.fault.recovery import files_in
from tests.fixtures.cycle import assert_in_step
from whatsapp_etl.downloads import DownloadWay
from whatsapp_etl.model import RunStatus
from whatsapp_etl.simulator.serve import RunningSimulator

MOST = 64 * 1024
WAYS = tuple(DownloadWay)
STATES = (
    "SELECT d.state, count(*) FROM attachment_downloads d JOIN attachments a ON a.id = d.attachment_id"
    " JOIN messages m ON m.id = a.message_id WHERE m.message_type = 'image' GROUP BY 1"
)


@dataclass
class Sent:
    """What was sent, by message key."""

    held: dict[str, bytes] = field(default_factory=dict)  #: What a perfect sync holds.
    expired: list[str] = field(default_factory=list)
    huge: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    @property
    def checksums(self) -> set[str]:
        return {hashlib.sha256(data).hexdigest() for data in self.held.values()}


def pictures(seed: int) -> Iterator[bytes]:
    """Yield small pictures, no two alike."""
    random = Random(seed)
    while True:
        picture = Image.frombytes("RGB", (4, 3), random.randbytes(36)).resize((random.randrange(40, 160), 60))
        buffer = io.BytesIO()
        picture.save(buffer, random.choice(("JPEG", "PNG", "WEBP")))
        yield buffer.getvalue()


def oddities() -> tuple[bytes, ...]:
    """Return files that a careless decoder would trip over; all of them are bytes like any other."""
    bomb = io.BytesIO()
    # The page draws it, too: one much larger would hold up the browser.
    Image.new("1", (4000, 4000)).save(bomb, "PNG", optimize=True)
    cut = next(pictures(99))
    return (
        bomb.getvalue(),  # 16 million pixels in a few kilobytes
        cut[: len(cut) // 2],
        b"<html><script>alert(1)</script></html>",  # says that it is a picture
        b"GIF89a" + b"/*" + bytes(50) + b"*/=1;PK\x03\x04" + bytes(40),  # three kinds at once
        b"\xff\xd8\xff",
    )


def send_pictures(simulator: RunningSimulator, count: int) -> Sent:
    """Let `count` pictures be sent: new ones, repeated ones, albums, expired, huge, empty and broken ones."""
    sent, fresh, odd = Sent(), pictures(7), oddities()
    assert all(len(each) < MOST for each in odd)
    chats = sorted(chat["id"] for chat in simulator.world()["chats"] if chat["id"].endswith("@c.us"))[:3]
    made: list[bytes] = []
    begin = datetime.fromisoformat(simulator.world()["now"]) - timedelta(days=1)
    moments = ((begin + timedelta(seconds=7 * number)).isoformat() for number in itertools.count())
    for number in range(count):
        chat = chats[number % len(chats)]
        data = next(fresh)
        match number % 10:
            case 3 if made:
                data = made[number % len(made)]
            case 5:
                data = odd[number // 10 % len(odd)]
            case 7 if number % 20 == 7:
                data += bytes(MOST)
            case 9 if number % 50 == 9:
                data = b""
        key = send(simulator, chat, data, at=next(moments))
        if number % 10 == 8:
            simulator.expire(key)
            sent.expired.append(key)
        elif len(data) > MOST:
            sent.huge.append(key)
        elif not data:
            sent.empty.append(key)
        else:
            sent.held[key] = data
            made.append(data)
    for number in range(max(1, count // 50)):
        album = [next(fresh) for _ in range(6)]  # four are shown
        keys = [send(simulator, chats[0], data, at=next(moments), album=f"ALBUM{number}") for data in album]
        sent.held.update(zip(keys, album, strict=True))
        simulator.add_message(chats[0], "And a word after it", at=next(moments))
    return sent


def send(simulator: RunningSimulator, chat: str, data: bytes, **more: str) -> str:
    file = base64.b64encode(data).decode()
    return simulator.add_message(chat, type="image", file=file, mimetype="image/jpeg", **more)


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
