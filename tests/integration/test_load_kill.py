"""A writer that is killed leaves whole chats or nothing, and its successor goes on."""

import random
import subprocess
import sys

import pytest

from tests.fixtures.load import NOW, make_chat_plan, rows
from whatsapp_etl.load.store import Store

CHATS = 200
MESSAGES = 60


def write_chats(url, schema):
    """Run in the process that is killed."""
    from pathlib import Path

    from whatsapp_etl.load.database import open_database

    with open_database(url, schema, Path("/nonexistent")) as database, Store(database) as store:
        run_id = store.begin_run(NOW)
        for number in range(CHATS):
            store.apply(make_chat_plan(number, MESSAGES), run_id)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_writer_leaves_whole_chats_with_their_checkpoints(database, seed):
    chats_before = random.Random(seed).randint(1, 12)
    code = "import sys; from tests.integration.test_load_kill import write_chats; write_chats(*sys.argv[1:])"
    with subprocess.Popen(
        [sys.executable, "-c", code, database.url, database.schema], stdout=subprocess.PIPE
    ) as writer:
        for number in range(chats_before):
            assert writer.stdout.readline() == b"%d\n" % number
        writer.kill()  # somewhere in a later chat: the writer does not wait for its lines to be read

    found = rows(
        database,
        "SELECT t.external_id, count(m.id), max(m.ts) = max(t.checkpoint_ts), max(c.stored) FROM threads t"
        " LEFT JOIN messages m ON m.thread_external_id = t.external_id"
        " LEFT JOIN sync_coverage c ON c.thread_external_id = t.external_id GROUP BY 1",
    )
    assert found
    assert {row[1:] for row in found} == {(MESSAGES, True, MESSAGES)}

    with Store(database) as successor:
        run_id = successor.begin_run(NOW)
        result = successor.apply(make_chat_plan(0, MESSAGES), run_id)
    assert (result.inserted, result.updated) == (0, 0)
    assert rows(database, "SELECT status FROM sync_runs ORDER BY id") == [("interrupted",), ("running",)]
