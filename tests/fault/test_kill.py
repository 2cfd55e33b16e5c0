"""Whatever is killed, whenever: one clean cycle later the database equals the truth."""

import os
import random
import signal
import threading

import pytest

from tests.fault.recovery import assert_program_recovered
from tests.fixtures.program import end_hard

#: Kill moments, spread over a cycle of this world; fixed, so that a failure can be repeated.
SEED = 20260315
KILLS = 10
LONGEST_SECONDS = 2.5


@pytest.mark.matrix
@pytest.mark.timeout(400)
def test_kills_in_the_middle_of_cycles_lose_and_double_nothing(program, database):
    it, simulator = program(world={"chats": 10, "messages": 200})
    moments = random.Random(SEED)
    never = threading.Event()
    interrupted = 0
    for attempt in range(KILLS):
        process = it.start("sync", "--json")
        browser = it.wait_for_browser(process)
        never.wait(moments.uniform(0, LONGEST_SECONDS))
        what = ("both", "browser", "program")[attempt % 3]
        if what in {"program", "both"}:
            os.kill(process.pid, signal.SIGKILL)
        if what in {"browser", "both"} and browser is not None:
            end_hard(browser)
        process.communicate(timeout=60)
        interrupted += process.returncode != 0

    assert interrupted >= KILLS // 2
    assert_program_recovered(it, simulator, database)


@pytest.mark.matrix
def test_the_browser_of_a_killed_program_does_not_stay(program):
    it, _ = program(world={"chats": 2, "messages": 10})
    process = it.start("sync", "--json")
    assert it.wait_for_browser(process) is not None
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)

    it.sync()

    assert it.browsers() == []
