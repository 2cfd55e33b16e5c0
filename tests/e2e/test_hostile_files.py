"""Names and bytes that a sender made to do harm, the whole way: kept as data, or refused; never opened."""

import base64
import gzip
import hashlib
import io
import zipfile

import pytest

from tests.e2e.test_attachment_world import bytes_by_key
from tests.fixtures.cycle import assert_in_step
from tests.fixtures.sent_pictures import MOST, oddities
from whatsapp_etl.downloads import DownloadWay
from whatsapp_etl.model import RunStatus

NAMES = (
    "../../../../escaped.pdf",
    "..",
    "/etc/cron.d/escaped",
    "..\\..\\escaped.exe",
    "C:\\Windows\\escaped.dll",
    "nul\0in the middle.pdf",
    "a" * 300 + ".pdf",
    "invoice\u202efdp.exe",
    "line\nfeed\tand\x1b[31m\x07bell.pdf",
    "CON",
    "-rf.pdf",
    "$(touch escaped).pdf",
    "<img src=x onerror=alert(1)>\"'.pdf",
    "%2e%2e%2fescaped.pdf",
)


def zip_bomb():
    """Return a few kilobytes that unpack to forty megabytes, under names that leave the folder."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(2):
            archive.writestr(f"../../escaped-{number}", bytes(20_000_000))
    return data.getvalue()


def contents():
    """Yield files of their own for every name: bombs, and others that only say what they are."""
    packed = (zip_bomb(), gzip.compress(bytes(20_000_000)), *oddities())
    for number in range(len(NAMES)):
        yield packed[number % len(packed)] + str(number).encode()


def everything_in(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")}


@pytest.mark.matrix
def test_hostile_names_and_bombs_are_kept_as_data_and_nothing_is_written_beside_the_store(account):
    it = account(
        world={"chats": 2, "messages": 4},
        attachments_ways=tuple(DownloadWay),
        attachments_media="image,document",
        attachments_max_file_bytes=f"image={MOST},document={MOST}",
    )
    it.sync()
    root = it.settings.attachments_dir
    beside = everything_in(root.parent) - {path.relative_to(root.parent) for path in root.rglob("*")}
    chat = next(chat["id"] for chat in it.simulator.world()["chats"] if chat["id"].endswith("@c.us"))
    sent, names = {}, {}
    for name, data in zip(NAMES, contents(), strict=True):
        file = base64.b64encode(data).decode()
        key = it.simulator.add_message(
            chat, type="document", file=file, mimetype="application/pdf", file_name=name
        )
        sent[key], names[key] = data, name
    too_large = it.simulator.add_message(
        chat,
        type="document",
        file=base64.b64encode(bytes(MOST + 1)).decode(),
        mimetype="application/zip",
        file_name="../large.zip",
    )

    assert it.sync().status is RunStatus.SUCCESS

    held = bytes_by_key(it)
    assert {key: data for key, data in held.items() if key in sent} == sent
    stored_names = dict(
        it.query(
            "SELECT m.external_id, a.file_name FROM attachments a JOIN messages m ON m.id = a.message_id"
            " WHERE m.message_type = 'document'"
        )
    )
    # Postgres takes no NUL; the rest is what was sent.
    assert {key: stored_names[key] for key in names} == {
        key: name.replace("\0", "") for key, name in names.items()
    }
    states = dict(
        it.query(
            "SELECT m.external_id, d.state FROM attachment_downloads d"
            " JOIN attachments a ON a.id = d.attachment_id JOIN messages m ON m.id = a.message_id"
        )
    )
    assert states[too_large] == "too_large"
    assert too_large not in held
    # Every file lies under its checksum, and nothing else came into being.
    for path in (path for path in root.rglob("*") if path.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.relative_to(root).as_posix().startswith(f"{digest[:2]}/{digest[2:4]}/{digest}.")
    after = everything_in(root.parent) - {path.relative_to(root.parent) for path in root.rglob("*")}
    assert not [path for path in after - beside if "escaped" in path.name or "large" in path.name]
    assert_in_step(it)
