"""The clock is set back or forward, between two cycles or in the middle of one: the next cycle is right."""

import itertools
from datetime import timedelta

import pytest

from tests.fault.recovery import assert_recovered
from tests.fixtures.cycle import assert_in_step
from whatsapp_etl import bootstrap
from whatsapp_etl.model import RunStatus

WORLD = {"chats": 4, "messages": 60}
JUMPS = {"back an hour": timedelta(hours=-1), "forward a day": timedelta(days=1)}


class Clock:
    """The machine's clock as the program reads it: it goes on by a second a look, and can be set."""

    def __init__(self, now):
        self.now = now
        self.jumps_at = None
        self.jump = timedelta(0)
        self._looks = itertools.count(1)

    def __call__(self):
        self.now += timedelta(milliseconds=10)
        if next(self._looks) == self.jumps_at:
            self.now += self.jump
        return self.now

    def set(self, by):
        self.now += by


@pytest.fixture
def with_clock(account, monkeypatch):
    """Open an account whose program reads a clock that a test sets."""

    def opened(**options):
        it = account(**options)
        clock = Clock(it.cycle.clock())
        monkeypatch.setattr(bootstrap, "clock_of", lambda _settings: clock)
        it.source = bootstrap.source_of(it.settings, it.stop)
        it.cycle = bootstrap.cycle_of(it.settings, it.source, it.store)
        return it, clock

    return opened


def assert_nothing_lies_ahead(it, now):
    for sql in (
        "SELECT max(checkpoint_ts) FROM threads",
        "SELECT max(finished_at) FROM sync_runs WHERE id = (SELECT max(id) FROM sync_runs)",
        "SELECT max(last_success_at) FROM sync_state",
    ):
        ((latest,),) = it.query(sql)
        assert latest is None or latest <= now, sql
    assert it.query("SELECT count(*) FROM sync_runs WHERE finished_at < started_at") == [(0,)]


@pytest.mark.parametrize(
    "jump",
    [
        pytest.param(JUMPS["back an hour"], id="back an hour"),
        pytest.param(JUMPS["forward a day"], id="forward a day", marks=pytest.mark.matrix),
    ],
)
def test_a_clock_set_between_two_cycles_loses_no_edit_and_no_message(with_clock, jump):
    it, clock = with_clock(world=WORLD)
    try:
        assert it.sync().status is RunStatus.SUCCESS
        chat = max(row["thread_external_id"] for row in it.truth().values())
        new = it.simulator.add_message(chat, "The lamp is on the porch")
        clock.set(jump)
        assert it.sync().applied.inserted == 1
        # Stored by a clock that is wrong; then it is set right.
        it.simulator.edit(new, "The lamp is in the shed")
        clock.set(-jump)

        report = it.sync()

        assert report.status is RunStatus.SUCCESS
        assert_in_step(it)
        assert it.query("SELECT content_snippet FROM messages WHERE external_id = %s", new) == [
            ("The lamp is in the shed",)
        ]
        assert_nothing_lies_ahead(it, clock.now)
        assert it.sync().chats_opened == 0
    finally:
        it.source.close()


@pytest.mark.matrix
@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
@pytest.mark.parametrize("look", [8, 20])
def test_a_clock_set_in_the_middle_of_a_cycle_harms_none_after_it(with_clock, jump, look):
    it, clock = with_clock(world=WORLD)
    clock.jumps_at, clock.jump = look, jump
    try:
        it.sync()
        assert next(clock._looks) > look
        clock.set(-jump)
        clock.set(timedelta(minutes=10))

        assert_recovered(it)

        assert_nothing_lies_ahead(it, clock.now)
    finally:
        it.source.close()


def test_what_was_put_off_by_a_clock_that_was_ahead_is_due(with_clock):
    it, clock = with_clock(world=WORLD)
    try:
        it.sync()
        key = next(iter(it.truth()))
        it.query("DELETE FROM messages WHERE external_id = %s RETURNING 1", key)
        it.query(
            "INSERT INTO missing_messages (external_id, thread_external_id, reason, attempts,"
            " first_missed_at, next_try_at, run_id) SELECT %s, external_id, 'not_shown', 1, %s, %s, 1"
            " FROM threads LIMIT 1 RETURNING 1",
            key,
            clock.now + timedelta(days=1),
            clock.now + timedelta(days=1, minutes=10),
        )

        assert it.sync().applied.inserted == 1
        assert_in_step(it)
    finally:
        it.source.close()
