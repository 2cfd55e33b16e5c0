"""Keeping the session when the program is asked to end: what fits into the time, and never a half of it."""

import signal
import threading
import time
from datetime import timedelta

import pytest

from tests.fixtures.vault import KEY_TEXT, account_in, fill, word_in
from whatsapp_etl.errors import VaultError
from whatsapp_etl.object_store import Patience
from whatsapp_etl.stopping import Stop
from whatsapp_etl.vault.bounded import done_in_time

LONG = timedelta(seconds=30)
SLOW = Patience(LONG, LONG, 0, LONG)


def generations(it):
    return [(each.kept.number, each.is_current, each.problem) for each in it.keeper.listed()]


def keeping_thread():
    (thread,) = [each for each in threading.enumerate() if each.name == "keeping"]
    return thread


def test_a_store_that_says_nothing_does_not_hold_the_end_and_the_next_renewal_keeps(machine, faulty, s3_url):
    it = machine("a", filled="first", url=s3_url, stop=Stop(timedelta(seconds=4)), patience=SLOW)
    it.keeper.before_start()
    it.keeper.after_close(is_worth_keeping=True, is_last=False)
    fill(it.folder, word="second")
    faulty.arm("silent", lambda method, path: method == "PUT" and "generations" in path)
    begun = time.monotonic()

    it.stop.set()
    it.keeper.after_close(is_worth_keeping=True, is_last=True)

    assert time.monotonic() - begun < 5
    assert faulty.struck
    assert it.keeper.has_failed
    assert it.keeper.is_owed
    keeping = keeping_thread()
    faulty.arm(None)
    keeping.join(20)  # the process would be gone by now
    assert generations(it) == [(1, True, None)]

    it.stop = Stop()
    it.begin()
    it.keeper.before_start()
    assert word_in(it.folder) == "second"
    it.keeper.after_close(is_worth_keeping=True, is_last=False)
    assert not it.keeper.is_owed
    assert generations(it)[0][1:] == (True, None)
    other = machine("b", url=s3_url)
    it.keeper.close()
    other.keeper.before_start()
    assert word_in(other.folder) == "second"


def test_a_copy_that_is_proven_after_the_time_was_over_does_not_count(machine):
    opened, let_go = threading.Event(), threading.Event()

    def slowly(folder):
        opened.set()
        assert let_go.wait(20)
        return account_in(folder)

    it = machine("a", filled="first", stop=Stop(timedelta(seconds=3.3)))
    it.keeper.backup()
    fill(it.folder, word="second")
    it.account_in = slowly
    it.begin()
    it.keeper.before_start()
    asked = threading.Thread(target=lambda: (opened.wait(20), it.stop.set()))
    asked.start()

    it.keeper.after_close(is_worth_keeping=True, is_last=True)  # the signal comes while it is being kept

    asked.join()
    keeping = keeping_thread()
    let_go.set()
    keeping.join(20)
    assert not keeping.is_alive()
    assert it.keeper.is_owed
    assert [number for number, is_current, _ in generations(it) if is_current] == [1]


def test_nothing_is_begun_for_which_no_time_is_left(machine):
    it = machine("a", filled="first", stop=Stop(timedelta(seconds=1)))
    it.keeper.before_start()
    it.stop.set()

    it.keeper.after_close(is_worth_keeping=True, is_last=True)

    assert it.keeper.is_owed
    assert generations(it) == []
    assert it.lease.holder_elsewhere() is None


def test_what_keeping_raises_is_raised_where_it_is_waited_for():
    def fails():
        raise VaultError("The store is away.")

    with pytest.raises(VaultError, match="away"):
        done_in_time(fails, lambda: None, reserve=timedelta(0))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_nobody_expected_is_no_success():
    with pytest.raises(VaultError, match="unexpected"):
        done_in_time(lambda: {}["none"], lambda: None, reserve=timedelta(0))


def test_the_time_that_is_left_runs_from_the_first_wish():
    now = [100.0]
    stop = Stop(timedelta(seconds=9), clock=lambda: now[0])
    assert stop.left() is None

    stop.set()
    now[0] += 4
    stop.set()

    assert stop.left() == timedelta(seconds=5)
    now[0] += 40
    assert stop.left() == timedelta(0)


@pytest.mark.matrix
@pytest.mark.parametrize("command", ["run", "sync"])
def test_the_program_ends_in_time_though_its_store_says_nothing(program, database, faulty, s3_url, command):
    it, _ = program(
        SESSION_STORE_URL=s3_url,
        SESSION_STORE_KEY=KEY_TEXT,
        PORT="0",
        WHATSAPP_CHATS_PER_MINUTE="60",
        AWS_ACCESS_KEY_ID="invented",
        AWS_SECRET_ACCESS_KEY="invented",
        AWS_REGION="us-east-1",
        AWS_ENDPOINT_URL=faulty.url,
        AWS_ALLOW_HTTP="true",
    )
    process = it.start(command)
    with database.connect() as connection:
        connection.autocommit = True
        while not connection.execute("SELECT count(*) FROM messages").fetchone()[0]:
            assert process.poll() is None, process.communicate()
    faulty.arm("silent")
    begun = time.monotonic()

    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)

    assert time.monotonic() - begun < 10
    assert process.returncode == (0 if command == "run" else 143), out + err
    assert "session_not_kept" in err
    assert it.browsers() == []
    faulty.arm(None)
    listed = it.run("session", "list")
    assert "The profile here is newer" in listed.stderr
