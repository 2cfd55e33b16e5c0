"""Back-fill on the simulated account: what lies before the look-back comes once, and nothing else changes."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.cycle import stored_messages, truth_of
from whatsapp_etl import bootstrap
from whatsapp_etl.extract.profile import Profile
from whatsapp_etl.model import RunStatus

DAYS = 90
WORLD = {"chats": 8, "messages": 160, "days": 80, "phone_only_days": 50}


def backfill_of(it, days=DAYS, names=(), **changes):
    settings = it.settings.model_copy(update=changes)
    return bootstrap.backfill_of(settings, it.source, it.store, days=days, names=names)


def ordinary_state(it):
    """Return what speaks for the look-back, and back-fill must leave alone."""
    return (
        it.query("SELECT * FROM sync_coverage ORDER BY 1"),
        it.query("SELECT external_id, checkpoint_message_id, checkpoint_ts FROM threads ORDER BY 1"),
        it.query("SELECT * FROM missing_messages ORDER BY 1"),
        it.query("SELECT last_success_at, complete_until FROM sync_state"),
        it.store.recent_runs(9),
        it.store.last_cycle(),
    )


def test_what_lies_before_the_look_back_comes_once_and_the_phones_part_is_told(account):
    it = account(world=WORLD)
    assert it.sync().status is RunStatus.SUCCESS
    before = ordinary_state(it)
    ordinary = len(it.stored())

    work = backfill_of(it)
    report = work.run()

    assert (report.status, report.error, report.missing) == (RunStatus.SUCCESS, None, 0)
    held = truth_of(it.simulator, DAYS, "attainable")
    assert len(held) > ordinary
    assert it.stored() == held
    assert ordinary_state(it) == before
    told = {chat.thread_external_id: chat for chat in work.told()}
    only_there = {
        row["thread_external_id"] for key, row in truth_of(it.simulator, DAYS).items() if key not in held
    }
    assert only_there
    assert only_there <= {chat_id for chat_id, chat in told.items() if chat.needs_phone}
    assert all(chat.is_complete == (not chat.needs_phone) for chat in told.values())
    oldest = {chat_id: chat.oldest_stored_at for chat_id, chat in told.items() if chat.oldest_stored_at}
    for chat_id, at in oldest.items():
        assert at == min(row["ts"] for row in held.values() if row["thread_external_id"] == chat_id)
    assert it.simulator.ledger()["receipts"] == 0
    assert it.simulator.ledger()["phone_requests"] == {}

    written, progress = it.written_by(), it.query("SELECT xmin::text, * FROM backfill_progress ORDER BY 2")
    again = backfill_of(it).run()
    assert (again.chats_opened, again.applied.inserted, again.applied.updated) == (0, 0, 0)
    assert it.written_by() == written
    assert it.query("SELECT xmin::text, * FROM backfill_progress ORDER BY 2") == progress
    it.sync()
    assert it.stored() == held  # a cycle forgets nothing of it


@pytest.mark.matrix
def test_short_slices_bring_all_chats_on_and_double_until_the_rest_is_read(account):
    it = account(world={**WORLD, "chats": 2, "messages": 150})

    report = replace(backfill_of(it), slice=timedelta(milliseconds=300)).run()

    assert report.error is None
    assert report.stop_reasons["time_budget"] > 0
    assert it.stored() == truth_of(it.simulator, DAYS, "attainable")
    assert it.query("SELECT count(*) FROM backfill_progress WHERE is_finished = 0 OR slices <> 0") == [(0,)]


@pytest.mark.matrix
@pytest.mark.timeout(400)
def test_a_chat_that_no_slice_is_long_enough_for_is_read_on_from_where_it_stands(account, monkeypatch):
    it = account(world={**WORLD, "chats": 2, "messages": 400})
    monkeypatch.setattr("whatsapp_etl.chat_memory.LONGEST_BUDGET", timedelta(seconds=1))

    report = replace(backfill_of(it), slice=timedelta(seconds=1)).run()

    assert report.error is None
    assert report.stop_reasons["time_budget"] > 2
    assert it.stored() == truth_of(it.simulator, DAYS, "attainable")
    assert it.query("SELECT count(*) FROM backfill_progress WHERE is_finished = 0 OR slices <> 0") == [(0,)]
    assert it.simulator.ledger()["receipts"] == 0


@pytest.mark.matrix
def test_the_phone_is_asked_where_it_may_be_and_what_it_hands_over_is_read(account):
    it = account(world=WORLD)
    only_there = truth_of(it.simulator, DAYS).keys() - truth_of(it.simulator, DAYS, "attainable").keys()

    work = backfill_of(it, whatsapp_phone_history="auto")
    assert work.run().error is None

    told = {chat.thread_external_id: chat for chat in work.told()}
    asked = {chat_id for chat_id, chat in told.items() if chat.phone_asked_at is not None}
    assert asked
    everything, stored = truth_of(it.simulator, DAYS), it.stored()
    came = {key for key, row in everything.items() if row["thread_external_id"] in asked}
    assert only_there & stored.keys()
    lacking = {everything[key]["thread_external_id"] for key in came - stored.keys()}
    assert lacking < asked
    assert all(told[chat_id].needs_phone for chat_id in lacking)
    requests = it.simulator.ledger()["phone_requests"]
    assert set(requests.values()) == {1}
    assert requests.keys() <= asked
    opened = backfill_of(it, whatsapp_phone_history="auto").run().chats_opened
    assert opened == 0  # once a day, also for another process


@pytest.mark.matrix
def test_one_chat_is_chosen_by_its_title_and_no_other_is_read(account):
    it = account(world=WORLD)
    everything = truth_of(it.simulator, DAYS, "attainable")
    it.sync()
    ((title, chat_id),) = it.query(
        "SELECT min(title), min(external_id) FROM threads WHERE kind = 'group' AND title IS NOT NULL"
        " GROUP BY title HAVING count(*) = 1 ORDER BY count(*) LIMIT 1"
    )
    before = it.stored()

    work = backfill_of(it, names=(title.upper(),))
    assert work.run().error is None

    chosen = {key for key, row in everything.items() if row["thread_external_id"] == chat_id}
    assert it.stored().keys() == before.keys() | chosen
    assert [chat.thread_external_id for chat in work.told()] == [chat_id]


def test_a_chat_that_is_none_is_refused_with_what_to_do(account):
    it = account(world={"chats": 3, "messages": 20})

    work = backfill_of(it, names=("nobody at all",))
    report = work.run()

    assert report.error.startswith("ChatChoiceError: --chat number 1 names none of the ")
    assert "db psql" in report.error
    assert (work.candidates, work.told(), it.stored()) == ((), (), {})


def wait_for_chats(process, database, count):
    """Return once back-fill has stored its progress in so many chats; it must not end before."""
    never, end = threading.Event(), time.monotonic() + 60
    while time.monotonic() < end:
        with database.connect() as connection:
            (found,) = connection.execute("SELECT count(*) FROM backfill_progress").fetchone()
        if found >= count:
            assert process.poll() is None, "it ended before it could be interrupted"
            return
        never.wait(0.05)
    raise AssertionError("no chat came on")


@pytest.mark.timeout(300)
@pytest.mark.matrix
def test_back_fill_that_is_killed_or_interrupted_goes_on_where_it_stopped(program, database):
    it, simulator = program(world={**WORLD, "chats": 6, "messages": 120, "phone_only_days": 80})
    days = 60  # before which the device holds something of every chat
    arguments = ("backfill", "--days", str(days), "--json")
    slowly = {"WHATSAPP_CHATS_PER_MINUTE": "60"}

    killed = it.start(*arguments, **slowly)
    wait_for_chats(killed, database, 2)
    killed.kill()
    killed.communicate(timeout=60)

    interrupted = it.start(*arguments, **slowly)
    wait_for_chats(interrupted, database, 3)
    os.killpg(interrupted.pid, signal.SIGINT)  # as a terminal does: the whole group
    out, err = interrupted.communicate(timeout=60)
    told = json.loads(out)
    assert (interrupted.returncode, told["is_complete"], told["run"]["status"]) == (130, False, "interrupted")
    assert "asked to stop" in err
    partly = stored_messages(database)
    assert 0 < len(partly) < len(truth_of(simulator, days))

    done = it.run(*arguments)

    told = json.loads(done.stdout)
    lacking = {chat["thread_external_id"] for chat in told["chats"] if not chat["is_complete"]}
    assert (done.returncode, told["is_complete"], lacking) == (0, True, set()), done.stderr
    assert told["run"]["chats_opened"] < len(told["chats"])
    assert stored_messages(database) == truth_of(simulator, days)
    duplicates = "SELECT count(*) - count(DISTINCT (platform, external_id)) FROM messages"
    with database.connect() as connection:
        assert connection.execute(duplicates).fetchone() == (0,)
        kinds = connection.execute("SELECT kind, status FROM sync_runs ORDER BY id").fetchall()
    assert kinds == [("backfill", "interrupted"), ("backfill", "interrupted"), ("backfill", "success")]


@pytest.mark.matrix
def test_back_fill_says_who_holds_the_profile_and_refuses_what_every_cycle_reads(program):
    it, _ = program(world={"chats": 1, "messages": 3})
    with Profile(it.profile):
        held = it.run("backfill", "--days", "90")
    assert held.returncode == 4
    assert f"process {os.getpid()} on " in held.stderr
    near = it.run("backfill", "--days", "30")
    assert (near.returncode, near.stderr.count("\n")) == (2, 1)
    assert "WHATSAPP_SYNC_LOOKBACK_DAYS" in near.stderr
    gone = it.run("backfill", "--days", "90", RETENTION_DAYS="messages=60")
    assert (gone.returncode, gone.stderr.count("\n")) == (2, 1)
    assert "RETENTION_DAYS" in gone.stderr


@pytest.mark.matrix
def test_the_message_store_tells_what_lies_before_and_the_page_only_the_rest(account):
    it = account(world=WORLD, whatsapp_reader="auto")
    assert it.sync().status is RunStatus.SUCCESS
    before = ordinary_state(it)

    report = backfill_of(it).run()
    again = backfill_of(it).run()

    assert (report.status, report.error, report.missing) == (RunStatus.SUCCESS, None, 0)
    assert report.rows_by_store > 0
    assert it.stored() == truth_of(it.simulator, DAYS, "attainable")
    assert ordinary_state(it) == before
    assert (again.applied.inserted, again.applied.updated, again.chats_opened) == (0, 0, 0)


@pytest.mark.matrix
@pytest.mark.parametrize("behaviour", [None, "module_missing"])
def test_without_the_page_no_chat_is_opened_for_it_unless_the_store_cannot_be_read(account, behaviour):
    it = account(world=WORLD, whatsapp_reader="store")
    if behaviour:
        it.simulator.behave(behaviour)
    assert it.sync().status is RunStatus.SUCCESS

    report = backfill_of(it).run()

    assert (report.status, report.missing) == (RunStatus.SUCCESS, 0)
    assert (report.chats_opened == 0) is (behaviour is None)
    assert it.stored().keys() == truth_of(it.simulator, DAYS, "attainable").keys()
