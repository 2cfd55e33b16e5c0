"""What the storage lists against what the simulated account knows."""

from datetime import datetime

from whatsapp_etl.model import ChatKind

IN_SCOPE = {ChatKind.PERSON, ChatKind.GROUP, ChatKind.SELF, ChatKind.BROADCAST}


def test_the_list_of_messages_equals_the_truth(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)

    chats = reading.chats()
    entries = {entry.external_id: entry for page in reading.storage.index(reading.since) for entry in page}

    readable = {chat.id for chat in chats.values() if chat.kind in IN_SCOPE and not chat.is_locked}
    truth = reading.truth()
    assert {key for key, entry in entries.items() if entry.chat_id in readable} == set(truth)
    assert {key: entries[key].sent_at for key in truth} == {
        key: datetime.fromisoformat(str(row["ts"])) for key, row in truth.items()
    }
    assert reading.storage.unreadable_rows == 0


def test_each_chats_messages_have_the_truths_ids_senders_times_and_revisions(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)

    entries = {entry.external_id: entry for page in reading.storage.index(reading.since) for entry in page}
    for chat_id in {str(row["thread_external_id"]) for row in reading.truth().values()}:
        truth = reading.truth(chat_id)
        facts = {str(fact.key): fact for fact in reading.facts(chat_id)}

        assert set(facts) == set(truth)
        assert {key: fact.source_revision for key, fact in facts.items()} == {
            key: entries[key].source_revision for key in facts
        }
        assert {key: fact.sender_id for key, fact in facts.items()} == {
            key: row["sender_id"] for key, row in truth.items()
        }


def test_pictures_carry_the_checksum_of_their_bytes(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)

    truth = {key: row["file_sha256"] for key, row in reading.truth().items() if row["file_sha256"]}
    facts = {
        str(fact.key): fact.file_sha256
        for chat_id in {key.split("_")[1] for key in truth}
        for fact in reading.facts(chat_id)
    }

    assert truth
    assert {key: facts[key] for key in truth} == truth


def test_unread_counts_are_those_of_the_account(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)

    unread = {chat.id: chat.unread_count for chat in reading.chats().values() if chat.unread_count}

    assert unread == shared_simulator.unread()
