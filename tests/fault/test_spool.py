"""Postgres is away for hours: chats are read once, kept on disk, and loaded in order when it is back."""

import json

import pytest

from tests.fault.recovery import (
    assert_program_recovered,
    assert_recovered,
    assert_told_as_unreachable,
    waiting_in,
)
from tests.fixtures.cycle import truth_of
from tests.fixtures.proxy import Fault, nth
from whatsapp_etl import bootstrap
from whatsapp_etl.model import RunStatus

WORLD = {"chats": 4, "messages": 60}


def cut_off(proxy, *, is_off):
    proxy.refuses = is_off
    if is_off:
        proxy.cut_all()


def restart(it):
    """Make the objects of a program that has just begun."""
    it.cycle = bootstrap.cycle_of(it.settings, it.source, it.store)


def chats_in(it):
    return sorted({row["thread_external_id"] for row in it.truth().values()})


def test_chats_of_hours_without_postgres_are_read_once_and_all_there_afterwards(behind_proxy, proxy):
    it = behind_proxy(world=WORLD)
    assert it.sync().status is RunStatus.SUCCESS
    first, second, *_ = chats_in(it)
    before = it.stored()
    cut_off(proxy, is_off=True)
    it.simulator.add_message(first, "The lamp is on the porch")
    it.simulator.add_message(first, "With a picture", type="image")

    away = it.sync()

    assert_told_as_unreachable(away)
    assert (away.run_id, away.chats_opened, away.spooled, away.spool.batches) == (0, 1, 1, 1)
    quiet = it.sync()  # nothing new: nothing is opened
    assert_told_as_unreachable(quiet)
    assert (quiet.chats_opened, quiet.spool.batches) == (0, 1)
    restart(it)
    message = it.simulator.add_message(first, "And the key beneath it")
    it.simulator.add_message(second, "Who has the ladder?")
    third = it.sync()
    assert (third.chats_opened, third.spool.batches) == (2, 3)
    it.simulator.edit(message, "And the key is beneath it")
    assert it.sync().chats_opened == 1
    assert it.stored() == before
    folder = it.settings.spool_dir
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}

    cut_off(proxy, is_off=False)
    report = assert_recovered(it)

    assert (report.chats_opened, report.unspooled, report.spool.batches) == (0, 4, 0)
    assert (report.applied.inserted, report.applied.attachments_saved) == (4, 1)
    assert waiting_in(folder) == set()


@pytest.mark.matrix
def test_chats_that_wait_their_turn_when_postgres_goes_away_are_read_and_kept(behind_proxy, proxy):
    it = behind_proxy(world=WORLD)
    proxy.arm(Fault.CUT, nth(2, "Q COPY messages"))
    whole = len(chats_in(it))

    report = it.sync()

    assert_told_as_unreachable(report)
    assert report.chats_opened == whole
    assert report.spool.batches == whole - 1
    after = assert_recovered(it)
    assert (after.chats_opened, after.unspooled) == (0, whole - 1)


def test_without_a_comparison_to_go_by_nothing_is_read(behind_proxy, proxy):
    it = behind_proxy(world=WORLD)
    cut_off(proxy, is_off=True)

    report = it.sync()

    assert_told_as_unreachable(report)
    assert (report.chats_opened, report.spool.batches) == (0, 0)
    cut_off(proxy, is_off=False)
    assert_recovered(it)


@pytest.mark.matrix
def test_a_program_started_without_postgres_reads_on_where_another_stopped(program, database, proxy):
    it, simulator = program(world=WORLD, PG_URL=proxy.url)
    it.sync()
    chat, *_ = sorted({row["thread_external_id"] for row in truth_of(simulator).values()})
    cut_off(proxy, is_off=True)
    simulator.add_message(chat, "The lamp is on the porch")

    for opened in (1, 0):
        done = it.run("sync", "--json")
        report = json.loads(done.stdout)
        assert (done.returncode, report["chats_opened"], report["spooled"]) == (5, opened, opened)
        assert report["error"].startswith("DatabaseUnreachableError: ")

    cut_off(proxy, is_off=False)
    assert_program_recovered(it, simulator, database)


def test_a_full_spool_stops_reading_and_throws_nothing_away(behind_proxy, proxy):
    it = behind_proxy(world=WORLD, spool_max_bytes=9000)
    it.sync()
    first, second, third, *_ = chats_in(it)
    cut_off(proxy, is_off=True)
    opened = []
    for chat in (first, second, third, first, second, third):
        it.simulator.add_message(chat, "One more of these")
        opened.append(it.sync())

    assert opened[0].spool.batches == 1
    last = opened[-1]
    assert last.error.startswith("SpoolFullError: ")
    assert last.chats_opened == 0
    assert 0 < last.spool.batches < len(opened)
    assert sum(path.stat().st_size for path in it.settings.spool_dir.iterdir()) <= 9000
    cut_off(proxy, is_off=False)
    assert assert_recovered(it).unspooled == last.spool.batches


@pytest.mark.matrix
def test_a_damaged_file_is_set_aside_and_the_others_go_on(behind_proxy, proxy):
    it = behind_proxy(world=WORLD)
    it.sync()
    first, second, *_ = chats_in(it)
    cut_off(proxy, is_off=True)
    for chat in (first, second):
        it.simulator.add_message(chat, "The lamp is on the porch")
        it.sync()
    damaged, _ = sorted(it.settings.spool_dir.glob("*.chat"))
    damaged.write_bytes(damaged.read_bytes()[:-20])
    cut_off(proxy, is_off=False)

    report = it.sync()

    assert (report.status, report.unspooled, report.chats_opened) == (RunStatus.SUCCESS, 1, 1)
    assert (report.spool.batches, report.spool.set_aside) == (0, 1)
    assert waiting_in(it.settings.spool_dir) == {f"aside/{damaged.name}"}
    (it.settings.spool_dir / "aside" / damaged.name).unlink()
    assert_recovered(it)


@pytest.mark.matrix
@pytest.mark.parametrize("is_restarted", [False, True], ids=["the process knows", "only the spool knows"])
def test_an_alarm_of_the_time_without_postgres_keeps_unread_chats_closed_at_once(
    behind_proxy, proxy, without_shield, is_restarted
):
    it = behind_proxy(world=WORLD)
    it.sync()
    it.store.acknowledge_shield_alarm(it.simulator.options.clock())
    *_, first, second = chats_in(it)
    cut_off(proxy, is_off=True)
    it.simulator.add_message(first, "The lamp is on the porch")
    assert it.sync().receipts_observed == 1
    if is_restarted:
        restart(it)
    else:
        for file in it.settings.spool_dir.iterdir():
            file.unlink()
    held_back = it.simulator.add_message(second, "Who has the ladder?")
    assert it.simulator.unread()[second] == 1
    cut_off(proxy, is_off=False)

    it.sync()

    assert it.store.has_shield_alarm()
    assert held_back not in it.stored()
