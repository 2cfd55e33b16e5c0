"""Pictures: the page's own bytes under their checksum, and nothing where the page has none."""

import hashlib
from datetime import timedelta

import pytest

from whatsapp_etl.extract.conversation import Patience
from whatsapp_etl.model import MessageType


def pictures(reading, *, held):
    """Return the facts of pictures by chat, those whose bytes the account has or lacks."""
    truth = reading.truth()
    found = {}
    for chat in reading.chats().values():
        if chat.is_locked:
            continue
        for fact in reading.facts(chat.id):
            if fact.type is MessageType.IMAGE and str(fact.key) in truth:
                row = truth[str(fact.key)]
                if bool(row["file_sha256"]) is held:
                    found.setdefault(chat.id, []).append(fact)
    return found


@pytest.mark.matrix
def test_pictures_are_saved_with_the_checksum_that_the_metadata_states(open_reading, simulator):
    simulator.set_config(delays={"image_ms": 200})
    reading = open_reading(simulator)

    for chat_id, facts in pictures(reading, held=True).items():
        batch = reading.read(chat_id, facts)

        saved = {shown_id: [file.sha256 for file in files] for shown_id, files in batch.files.items()}
        assert saved == {fact.key.stanza_id: [fact.file_sha256] for fact in facts}
        for (file,) in batch.files.values():
            data = (reading.attachments / file.relative_path).read_bytes()
            assert hashlib.sha256(data).hexdigest() == file.sha256
            assert file.media_type in {"image/jpeg", "image/png", "image/webp"}
            assert file.size_bytes == len(data)


def test_only_wanted_pictures_are_saved(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)
    chat_id, facts = max(pictures(reading, held=True).items(), key=lambda item: len(item[1]))

    batch = reading.read(chat_id, facts[:1])

    assert list(batch.files) == [facts[0].key.stanza_id]


def test_a_picture_that_expired_leaves_its_row_without_a_file(open_reading, simulator):
    reading = open_reading(simulator)
    chat_id, facts = next(iter(pictures(reading, held=True).items()))
    simulator.expire(str(facts[-1].key))
    reading.session.page.reload()
    reading.session.wait_until_ready(timedelta(seconds=60))

    batch = reading.read(chat_id, facts[-1:])

    assert [row.shown_id for row in batch.rows] == [facts[-1].key.stanza_id]
    assert batch.files == {}


def test_a_picture_that_nobody_downloads_is_not_waited_for(open_reading, simulator):
    simulator.set_config(auto_download=False)
    reading = open_reading(simulator, patience=Patience(pictures=timedelta(minutes=5)))
    chat_id, facts = next(iter(pictures(reading, held=True).items()))

    batch = reading.read(chat_id, facts)

    assert len(batch.rows) == len(facts)
    assert batch.files == {}


def test_a_view_once_picture_is_never_held(open_reading, simulator):
    reading = open_reading(simulator)
    chat_id = next(iter(pictures(reading, held=True)))
    secret = simulator.add_message(chat_id, {"view_once": True}, type="image")
    reading.wait_until_stored(secret)
    facts = [fact for fact in reading.facts(chat_id) if str(fact.key) == secret]

    batch = reading.read(chat_id, facts)

    assert len(batch.rows) == 1
    assert batch.files == {}
    assert not reading.attachments.exists()
