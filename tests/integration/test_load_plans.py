"""The questions that are asked most are answered from an index, however many messages there are."""

import pytest

from tests.fixtures.load import ANA, NOW

QUESTIONS = {
    "ix_messages_thread_ts": (
        "SELECT * FROM messages WHERE thread_external_id = %s ORDER BY ts DESC, id LIMIT 50",
        (ANA,),
    ),
    "uq_messages_platform_external_id": (
        "SELECT * FROM messages WHERE platform = 'whatsapp' AND external_id = %s",
        ("false_x_y",),
    ),
    "ix_messages_ts": ("SELECT * FROM messages WHERE ts >= %s ORDER BY ts LIMIT 10", (NOW,)),
    "ix_messages_sender_ts": ("SELECT * FROM messages WHERE sender_id = %s AND ts >= %s", (ANA, NOW)),
    "uq_messages_change_seq": (
        "SELECT * FROM messages WHERE change_seq > %s ORDER BY change_seq LIMIT 1000",
        (7,),
    ),
    "ix_messages_expires": ("SELECT id FROM messages WHERE expires_at <= %s", (NOW,)),
    "uq_messages_stanza": (
        "SELECT * FROM messages WHERE stanza_id = %s AND sender_id IS NOT NULL",
        ("3EB0",),
    ),
    "ix_attachments_checksum": ("SELECT * FROM attachments WHERE checksum = %s", ("0" * 64,)),
}


#: Where two indexes cost the same on an empty table, the other one is put away.
OTHERS = {"ix_messages_sender_ts": ("ix_messages_ts", "uq_messages_stanza")}


@pytest.mark.parametrize("index", QUESTIONS)
def test_the_question_is_answered_from_its_index(database, index):
    question, values = QUESTIONS[index]
    with database.connect(autocommit=False) as connection:
        # The tables are empty, where reading them whole is cheapest and any index will do: what counts is
        # that the one meant answers the question alone.
        connection.execute("SET enable_seqscan = off")
        for other in OTHERS.get(index, ()):
            connection.execute(f"DROP INDEX {other}")
        plan = connection.execute(f"EXPLAIN {question}", values).fetchall()
        connection.rollback()

    assert any(index in line for (line,) in plan), plan
