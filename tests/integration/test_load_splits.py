"""However messages are divided among transactions, and in whatever order, the tables end up the same."""

from random import Random

import pytest

from tests.fixtures.load import make_image, make_message, make_plan, rows

COUNT = 24

#: What a message says. When it was first stored, and in which place of the change feed, may differ.
CONTENT = (
    "SELECT m.external_id, m.thread_external_id, m.sender_id, m.recipient_ids, m.content_snippet, m.ts,"
    " m.is_outgoing, m.has_attachments, m.message_type, m.content_hash, a.position, a.state, a.checksum"
    " FROM messages m LEFT JOIN attachments a ON a.message_id = m.id ORDER BY 1, 11"
)


def talk():
    """Texts and pictures in a chat and a group, some of the same minute and with the same picture."""
    people = [make_message(number, ts=make_message(number // 2).ts) for number in range(COUNT)]
    own = [make_message(100 + number, is_outgoing=True) for number in range(COUNT // 4)]
    pictures = [make_image(200 + number % 3, stanza_id=f"3EB0AA{number:014X}") for number in range(6)]
    return [*people, *own, *pictures]


def load(store, messages, parts):
    for run_id, part in enumerate(parts, start=1):
        store.apply(make_plan(*(messages[index] for index in part)), run_id)


@pytest.fixture
def loaded_at_once(database, store):
    messages = talk()
    load(store, messages, [range(len(messages))])
    content = rows(database, CONTENT)
    assert len(content) == len(messages)
    with database.connect() as connection:
        connection.execute("TRUNCATE messages RESTART IDENTITY CASCADE")
    return messages, content


@pytest.mark.parametrize("seed", range(6))
def test_any_split_in_any_order_ends_in_the_same_rows(database, store, loaded_at_once, seed):
    messages, content = loaded_at_once
    chance = Random(seed)
    order = chance.sample(range(len(messages)), len(messages))
    cuts = sorted(chance.sample(range(1, len(messages)), chance.randint(1, 5)))
    parts = [order[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    # What one cycle stored another one sees again.
    again = [chance.sample(order, len(order) // 3) for _ in range(2)]

    load(store, messages, [*parts, *again])

    assert rows(database, CONTENT) == content
