"""Jobs are leased by picture, read once for all equal bytes, and never stored twice."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.load import NOW, rows
from tests.fixtures.pictures import qr_png
from whatsapp_etl.extracted import Block, EngineId, JobState, Reading
from whatsapp_etl.extraction.decide import Policy, after_failure, after_loss, given_up
from whatsapp_etl.forgotten import Wish
from whatsapp_etl.retention import parse_retention

ENGINE = EngineId("qr", "1", {"symbology": "qr"})
BOX = ((1.0, 2.0), (30.0, 2.0), (30.0, 9.0), (1.0, 9.0))
READING = Reading((Block("Invoice INV-2026/17", 0.98765, BOX), Block("Total 12,50", 0.5, BOX)))
SECOND = timedelta(seconds=1)
LONG = timedelta(minutes=5)
POLICY = Policy(most_attempts=3)


@pytest.fixture
def jobs(pictures):
    return pictures.jobs()


def lease(jobs, engine=ENGINE, lasts=LONG, policy=POLICY):
    return jobs.lease(engine, "here/1", lasts, lambda attempts, now: after_loss(attempts, now, policy))


def states(pictures):
    return pictures.query("SELECT state, attempts, last_error FROM extraction_jobs ORDER BY id")


def readings(pictures):
    return pictures.query(
        "SELECT attachment_id, text, version, is_shared, is_current FROM extractions ORDER BY 1, 3"
    )


def test_each_stored_image_is_queued_in_the_transaction_that_stores_it(pictures):
    pictures.add(qr_png("a"), qr_png("b"))

    assert states(pictures) == [("queued", 0, None)] * 2
    xmins = pictures.query(
        "SELECT DISTINCT a.xmin::text = j.xmin::text FROM attachments a"
        " JOIN extraction_jobs j ON j.attachment_id = a.id"
    )
    assert xmins == [(True,)]


def test_what_is_read_is_kept_with_boxes_engine_and_where_it_comes_from(pictures, jobs):
    (message,) = pictures.add(qr_png("a"), run=7)
    leased = lease(jobs)

    assert jobs.complete(leased, ENGINE, READING, timedelta(milliseconds=250)) == 1

    assert pictures.query(
        "SELECT kind, text, blocks, engine, version, parameters, duration, is_shared, is_current, provenance"
        " FROM extractions"
    ) == [
        (
            "text",
            "Invoice INV-2026/17\nTotal 12,50",
            [
                {"text": "Invoice INV-2026/17", "confidence": 0.9877, "box": [list(c) for c in BOX]},
                {"text": "Total 12,50", "confidence": 0.5, "box": [list(c) for c in BOX]},
            ],
            "qr",
            "1",
            {"symbology": "qr"},
            timedelta(milliseconds=250),
            0,
            1,
            {
                "thread_external_id": message.thread_external_id,
                "external_id": message.external_id,
                "checksum": leased.checksum,
                "run_id": 7,
            },
        )
    ]
    assert states(pictures) == [("done", 1, None)]
    assert abs(pictures.query("SELECT created_at FROM extractions")[0][0] - datetime.now(UTC)) < LONG


@pytest.mark.parametrize("asked", ["inv-2026/17", "INV 2026 17", "total 12.50", "2026"])
def test_a_picture_is_found_by_its_text_however_that_is_punctuated(pictures, jobs, asked):
    (message, _) = pictures.add(qr_png("a"), qr_png("b"))
    jobs.complete(lease(jobs), ENGINE, READING, SECOND)
    jobs.complete(lease(jobs), ENGINE, Reading(), SECOND)

    assert pictures.query(
        "SELECT thread_external_id, external_id FROM image_texts WHERE words @@ image_phrase(%s)", asked
    ) == [(message.thread_external_id, message.external_id)]
    assert pictures.query("SELECT 1 FROM image_texts WHERE words @@ image_phrase(%s)", "17 2026") == []


def test_the_search_uses_its_index(pictures):
    pictures.add(qr_png("a"))
    with pictures.database.connect() as connection:
        connection.execute(
            "INSERT INTO extractions (attachment_id, kind, text, blocks, engine, version, parameters,"
            " duration, provenance, is_current, created_at)"
            " SELECT id, 'text', 'invoice ' || n, '[]', 'qr', n, '{}', interval '1 s', '{}', 1, now()"
            " FROM attachments, generate_series(1, 3000) n"
        )
        connection.execute("ANALYZE extractions")
        plan = connection.execute(
            "EXPLAIN SELECT external_id FROM image_texts WHERE words @@ image_phrase('2026')"
        ).fetchall()

    assert "ix_extractions_words" in str(plan)


def test_equal_bytes_are_leased_and_read_once_for_all_messages_that_have_them(pictures, jobs):
    pictures.add(qr_png("same"), qr_png("other"), qr_png("same"))

    first, second = lease(jobs), lease(jobs)

    assert lease(jobs) is None
    assert jobs.complete(first, ENGINE, READING, SECOND) == 2
    assert jobs.complete(second, ENGINE, Reading(), SECOND) == 1
    shared = pictures.query(
        "SELECT is_shared, provenance ->> 'external_id' FROM extractions WHERE text <> ''"
    )
    assert sorted(flag for flag, _ in shared) == [0, 1]
    assert len({key for _, key in shared}) == 2


def test_a_picture_that_is_sent_again_while_it_is_read_is_not_leased_but_settled_with_it(pictures, jobs):
    pictures.add(qr_png("same"))
    leased = lease(jobs)
    pictures.add(qr_png("same"))

    assert lease(jobs) is None
    assert jobs.complete(leased, ENGINE, READING, SECOND) == 2
    assert {state for state, _, _ in states(pictures)} == {"done"}


def test_a_picture_that_is_sent_again_later_takes_over_what_was_read(pictures, jobs):
    pictures.add(qr_png("same"))
    jobs.complete(lease(jobs), ENGINE, READING, SECOND)
    pictures.add(qr_png("same"))

    assert lease(jobs) is None

    assert readings(pictures) == [(1, READING.text, "1", 0, 1), (2, READING.text, "1", 1, 1)]


def test_another_version_reads_again_when_asked_and_its_text_is_the_one_that_is_found(pictures, jobs):
    pictures.add(qr_png("a"), qr_png("a"))
    jobs.complete(lease(jobs), ENGINE, READING, SECOND)
    newer = EngineId("qr", "2", ENGINE.parameters)
    assert jobs.queue_unread(ENGINE) == 0
    assert lease(jobs, newer) is None  # nobody asked

    assert jobs.queue_unread(newer) == 2
    assert jobs.complete(lease(jobs, newer), newer, Reading((Block("better", 1, BOX),)), SECOND) == 2

    assert readings(pictures) == [
        (1, READING.text, "1", 0, 0),
        (1, "better", "2", 0, 1),
        (2, READING.text, "1", 1, 0),
        (2, "better", "2", 1, 1),
    ]
    assert {text for (text,) in pictures.query("SELECT text FROM image_texts")} == {"better"}


def test_a_failed_try_waits_and_the_last_one_gives_up_until_somebody_asks_again(pictures, jobs):
    pictures.add(qr_png("a"))
    leased = lease(jobs)
    jobs.fail(leased, after_failure("engine_failed", leased.attempts, jobs.now(), 0, POLICY))
    assert states(pictures) == [("queued", 1, "engine_failed")]
    assert lease(jobs) is None  # not yet

    pictures.query("UPDATE extraction_jobs SET next_try_at = now() RETURNING 1")
    jobs.fail(lease(jobs), given_up("truncated", NOW))
    assert states(pictures) == [("dead", 2, "truncated")]
    facts = jobs.facts()
    assert (facts.jobs[JobState.DEAD], dict(facts.dead_reasons)) == (1, {"truncated": 1})
    assert facts.last_dead_at is None  # its sender spoiled it

    assert jobs.queue_dead() == 1
    assert lease(jobs).attempts == 1


def test_a_lease_that_ended_is_handed_out_again_and_its_first_worker_stores_nothing(pictures, jobs):
    pictures.add(qr_png("a"))
    lost = lease(jobs, lasts=timedelta(0))

    taken = lease(jobs)

    assert (taken.checksum, taken.attempts) == (lost.checksum, 2)
    assert not jobs.keep(lost, LONG)
    assert jobs.complete(lost, ENGINE, READING, SECOND) == 0
    assert readings(pictures) == []
    assert jobs.complete(taken, ENGINE, READING, SECOND) == 1


def test_a_lease_that_is_kept_does_not_end(pictures, jobs):
    pictures.add(qr_png("a"))
    kept = lease(jobs, lasts=timedelta(milliseconds=1))

    assert jobs.keep(kept, LONG)

    assert lease(jobs) is None


def test_a_picture_that_ends_every_worker_is_given_up(pictures, jobs):
    pictures.add(qr_png("a"))
    for _ in range(POLICY.most_attempts):
        assert lease(jobs, lasts=timedelta(0)) is not None

    assert lease(jobs) is None
    assert states(pictures) == [("dead", POLICY.most_attempts, "worker_lost")]
    assert jobs.now() - jobs.facts().last_dead_at < timedelta(minutes=1)


def test_it_is_told_for_how_long_pictures_are_due_and_nobody_takes_one(pictures, jobs):
    def idle():
        return jobs.facts().idle_for

    assert idle() is None
    pictures.add(qr_png("a"), qr_png("b"))
    pictures.query("UPDATE extraction_jobs SET next_try_at = now() - interval '1 hour' RETURNING 1")
    assert timedelta(hours=1) <= idle() < timedelta(hours=2)

    first = lease(jobs)
    assert idle() < timedelta(0)  # one of them is being read
    assert jobs.complete(first, ENGINE, READING, SECOND) == 1
    assert timedelta(0) <= idle() < timedelta(minutes=1)
    assert jobs.complete(lease(jobs), ENGINE, READING, SECOND) == 1
    assert idle() is None


def test_what_is_forgotten_while_it_is_read_is_not_stored(pictures, jobs, store):
    gone, kept = pictures.add(qr_png("same"), qr_png("same"))
    leased = lease(jobs)

    store.erase(Wish("message", gone.external_id), NOW)

    assert jobs.complete(leased, ENGINE, READING, SECOND) == 1
    assert pictures.query("SELECT provenance ->> 'external_id' FROM extractions") == [(kept.external_id,)]


def test_erasing_in_the_middle_of_storing_waits_and_takes_the_text_with_it(pictures, jobs, store):
    """Both lock attachments before jobs, so neither ends the other."""
    (message,) = pictures.add(qr_png("a"))
    leased = lease(jobs)
    errors = []

    def erase():
        try:
            store.erase(Wish("message", message.external_id), NOW)
        except Exception as error:  # noqa: BLE001  # told to the test's thread
            errors.append(error)

    thread = threading.Thread(target=erase)
    with pictures.database.connect() as connection, connection.transaction():
        connection.execute("SELECT FROM attachments FOR KEY SHARE")
        thread.start()
        stored = pictures.jobs().complete(leased, ENGINE, READING, SECOND)
    thread.join(30)

    assert (errors, stored) == ([], 1)
    assert readings(pictures) == []
    assert states(pictures) == []


def test_texts_are_kept_for_their_own_days_and_not_read_again(pictures, jobs, store):
    pictures.add(qr_png("a"))
    jobs.complete(lease(jobs), ENGINE, READING, SECOND)
    later = datetime.now(UTC) + timedelta(days=31)
    assert store.retain(parse_retention(""), later).get("extractions") is None

    assert store.retain(parse_retention("extractions=30"), later)["extractions"] == 1

    assert states(pictures) == [("done", 1, None)]
    assert lease(jobs) is None
    assert rows(pictures.database, "SELECT count(*) FROM messages") == [(1,)]


def test_many_who_ask_at_once_get_different_pictures(pictures):
    pictures.add(*(qr_png(f"{n % 12}") for n in range(24)))
    start = threading.Barrier(4)
    got: list[str] = []

    def take(jobs):
        start.wait(30)
        while (leased := lease(jobs)) is not None:
            got.append(leased.checksum)

    threads = [threading.Thread(target=take, args=(pictures.jobs(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(got) == len(set(got)) == 12
