"""A worker reads what is due, one picture after the other, and one that cannot be read stops no other."""

import threading
from datetime import timedelta

import pytest

from tests.fixtures.pictures import qr_png
from tests.fixtures.postgres import end_sessions
from tests.fixtures.proxy import Fault, next_after
from tests.unit.test_extraction_pictures import png_that_claims
from whatsapp_etl.errors import DatabaseUnreachableError
from whatsapp_etl.extraction.decide import Policy
from whatsapp_etl.load.database import Database
from whatsapp_etl.load.extractions import Extractions


def run(worker):
    return worker.run(threading.Event(), follows=False)


def test_every_picture_is_read_and_the_broken_ones_have_their_reason(pictures):
    bomb = png_that_claims(10_000, 10_000)
    pictures.add(
        qr_png("kettle"), bomb, b"no picture", qr_png("lid"), qr_png("spout")[:120], qr_png("trouble")
    )
    pictures.add(qr_png("greedy"))
    (missing,) = pictures.add(qr_png("gone"))
    (pictures.root / missing.attachments[0].file_path).unlink()
    (changed,) = pictures.add(qr_png("changed"))
    (pictures.root / changed.attachments[0].file_path).write_bytes(qr_png("something else"))

    done = run(pictures.worker())

    assert (done.pictures, done.messages, done.failed) == (2, 2, 7)
    assert {text for (text,) in pictures.query("SELECT text FROM image_texts")} == {"kettle", "lid"}
    assert set(pictures.query("SELECT state, last_error FROM extraction_jobs WHERE state <> 'done'")) == {
        ("dead", "too_many_pixels"),
        ("dead", "not_a_picture"),
        ("dead", "truncated"),
        ("dead", "file_changed"),
        ("queued", "file_missing"),
        ("queued", "engine_failed"),
        ("queued", "memory"),
    }


def test_an_engine_that_hangs_is_ended_with_its_process_after_its_time(pictures):
    pictures.add(qr_png("kettle"))
    abandoned = threading.Event()
    policy = Policy(lease=timedelta(seconds=0.3), longest_reading=timedelta(seconds=0.5))
    worker = pictures.worker("stuck", policy=policy, abandon=abandoned.set)

    # It never comes back: the thread goes with the tests' process.
    threading.Thread(target=run, args=(worker,), daemon=True).start()

    assert abandoned.wait(30)
    # It said until then that it reads.
    assert pictures.query("SELECT attempts, state FROM extraction_jobs") == [(1, "running")]


def test_one_that_follows_reads_what_comes_and_ends_when_asked(pictures):
    stop = threading.Event()
    worker = pictures.worker(look_every=timedelta(milliseconds=20))
    thread = threading.Thread(target=worker.run, args=(stop,), kwargs={"follows": True})
    thread.start()
    try:
        pictures.add(qr_png("kettle"))
        wait_for(pictures, "SELECT 1 FROM image_texts WHERE text = 'kettle'")
        # Postgres restarts: it goes on by itself.
        end_sessions(pictures.database)
        pictures.store.close()
        pictures.add(qr_png("lid"))
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()


def test_a_connection_that_is_cut_while_a_picture_is_read_is_opened_again(pictures):
    pictures.add(qr_png("kettle"))

    def read_file(_path):
        end_sessions(pictures.database)
        return qr_png("kettle")

    assert run(pictures.worker(read_file=read_file)).pictures == 1


def test_one_that_does_not_follow_says_that_postgres_is_away(pictures, proxy):
    pictures.add(qr_png("kettle"))
    behind = Extractions(Database(proxy.url, pictures.database.schema))

    def read_file(_path):
        proxy.close()
        return qr_png("kettle")

    with behind, pytest.raises(DatabaseUnreachableError):
        run(pictures.worker(jobs=behind, read_file=read_file))

    assert pictures.query("SELECT state, attempts FROM extraction_jobs") == [("running", 1)]


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.CUT_ANSWER])
def test_a_commit_whose_answer_is_lost_stores_once(pictures, proxy, fault):
    """Whether it was stored is not known then; the lease says so later."""
    pictures.add(qr_png("kettle"))
    behind = Extractions(Database(proxy.url, pictures.database.schema))
    proxy.arm(fault, next_after("P INSERT INTO extractions", "Q COMMIT"))
    with behind, pytest.raises(DatabaseUnreachableError):
        run(pictures.worker(jobs=behind, policy=Policy()))
    assert proxy.struck is not None

    pictures.query("UPDATE extraction_jobs SET leased_until = now() RETURNING 1")
    run(pictures.worker())

    assert pictures.query("SELECT text FROM extractions") == [("kettle",)]
    assert pictures.query("SELECT state FROM extraction_jobs") == [("done",)]


def wait_for(pictures, query):
    never = threading.Event()
    for _ in range(600):
        if pictures.query(query):
            return
        never.wait(0.05)
    pytest.fail(f"nothing came: {query}")
