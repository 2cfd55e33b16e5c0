"""Any number of processes share the jobs: each picture is stored once, also when one is killed."""

import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.fixtures.pictures import qr_png

EXTRACT = (sys.executable, "-m", "whatsapp_etl.cli", "extract")


def start(pictures, *arguments, **settings):
    return subprocess.Popen(
        [*EXTRACT, *arguments],
        env=pictures.environment(**settings),
        cwd=pictures.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(pictures, *arguments, **settings):
    with start(pictures, *arguments, **settings) as process:
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err


def wait_until_read(pictures, count, workers):
    never = threading.Event()
    while pictures.query("SELECT count(*) FROM extractions")[0][0] < count:
        assert any(worker.poll() is None for worker in workers), "all ended before"
        never.wait(0.01)


def wait_for_state(pictures, state, worker):
    never = threading.Event()
    while not pictures.query("SELECT 1 FROM extraction_jobs WHERE state = %s", state):
        assert worker.poll() is None, "ended before"
        never.wait(0.01)


def assert_each_once(pictures, texts):
    """Every message of a picture has its text once, and every job is done."""
    found = pictures.query("SELECT attachment_id, text FROM extractions")
    assert Counter(text for _, text in found) == Counter(texts)
    assert len({attachment for attachment, _ in found}) == len(texts)
    assert pictures.query("SELECT DISTINCT state FROM extraction_jobs") == [("done",)]
    # Of equal bytes one was read, and the others took it over.
    assert pictures.query("SELECT count(*) FROM extractions WHERE is_shared = 0") == [(len(set(texts)),)]


def many(count):
    """Return texts, every tenth of which is sent twice."""
    return [f"picture {n - n // 10 % 2 * (n % 10 == 0)}" for n in range(count)]


@pytest.mark.matrix
@pytest.mark.timeout(600)
def test_two_processes_do_each_of_a_thousand_jobs_once(pictures, tmp_path):
    texts = many(1000)
    pictures.add(*(qr_png(text) for text in texts))
    log = tmp_path / "read"

    workers = [start(pictures, "--once", engine=f"qr:1,{log}") for _ in range(2)]
    ended = [(worker.communicate(timeout=300), worker.returncode) for worker in workers]

    assert [code for _, code in ended] == [0, 0], ended
    assert_each_once(pictures, texts)
    # No picture was even read by both.
    read = [line.split(" ", 1) for line in log.read_text().splitlines()]
    assert Counter(text for _, text in read) == Counter(set(texts))


@pytest.mark.parametrize(
    "count",
    [30, pytest.param(1000, marks=[pytest.mark.matrix, pytest.mark.timeout(600)])],
)
def test_one_of_two_processes_is_killed_in_the_middle_and_each_job_is_done_once(pictures, count):
    texts = many(count)
    pictures.add(*(qr_png(text) for text in texts))

    doomed, other = workers = [start(pictures, "--once") for _ in range(2)]
    wait_until_read(pictures, count // 3, workers)
    doomed.send_signal(signal.SIGKILL)
    for worker in workers:
        worker.communicate(timeout=300)
    assert other.returncode == 0
    # The lease of what it was reading runs out.
    pictures.query("UPDATE extraction_jobs SET leased_until = now() WHERE state = 'running' RETURNING 1")
    assert run(pictures, "--once")[0] == 0

    assert_each_once(pictures, texts)


def test_an_engine_that_lets_no_other_thread_run_ends_with_its_process(pictures):
    pictures.add(qr_png("kettle"))
    code = (
        "from datetime import timedelta as time\n"
        "from whatsapp_etl import extracting, settings\n"
        "policy = extracting.Policy(lease=time(seconds=0.3), longest_reading=time(seconds=0.3))\n"
        "extracting.work(settings.read_settings(), follows=False, policy=policy)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=pictures.environment(engine="frozen"),
        cwd=pictures.root,
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        wait_for_state(pictures, "running", worker)
        score = Path(f"/proc/{worker.pid}/oom_score_adj").read_text().strip()
        _, told = worker.communicate(timeout=30)

    assert worker.returncode == 1
    assert score == "1000"  # where memory runs out, it is the first to go
    assert "in read" in told  # where it hung
    assert pictures.query("SELECT state, attempts FROM extraction_jobs") == [("running", 1)]


def test_an_engine_that_takes_too_much_memory_fails_at_that_picture_and_the_worker_reads_on(pictures):
    pictures.add(qr_png("hoard"), qr_png("kettle"))
    pictures.query("UPDATE extraction_jobs SET attempts = 4 RETURNING 1")

    code, out, err = run(pictures, "--once", EXTRACTION_MAX_MEMORY_MB="1024")

    assert (code, out) == (8, "Pictures read: 1, of 1 messages. Tries that failed: 1.\n"), err
    assert pictures.query("SELECT state, last_error FROM extraction_jobs ORDER BY state") == [
        ("dead", "memory"),
        ("done", None),
    ]
    # It was the limit, and not the machine.
    assert run(pictures, "--once", "--dead", EXTRACTION_MAX_MEMORY_MB="0")[0] == 0
    assert pictures.query("SELECT count(*) FROM image_texts WHERE text = 'hoard'") == [(1,)]


@pytest.mark.matrix
def test_a_picture_that_kills_its_engine_stops_no_other_and_is_given_up(pictures):
    pictures.add(qr_png("poison"), qr_png("kettle"))

    codes = []
    for _ in range(7):
        codes.append(run(pictures, "--once")[0])
        pictures.query("UPDATE extraction_jobs SET leased_until = now() WHERE state = 'running' RETURNING 1")

    assert codes == [-9] * 5 + [0, 0]
    assert pictures.query("SELECT text FROM image_texts") == [("kettle",)]
    assert pictures.query("SELECT last_error FROM extraction_jobs WHERE state = 'dead'") == [("worker_lost",)]


@pytest.mark.matrix
@pytest.mark.parametrize("way", ["signal", "end of input"])
def test_one_that_follows_ends_with_whom_it_was_started_by_and_at_a_signal(pictures, way):
    pictures.add(qr_png("kettle"))
    worker = start(pictures, "--follow", "--attached")
    wait_until_read(pictures, 1, [worker])

    if way == "signal":
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=30)
    _, err = worker.communicate(timeout=30)  # closes its input

    assert worker.returncode == 0, err
