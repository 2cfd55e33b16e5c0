"""The soak's short form: every fault once, in one process after another, and nothing of it stays."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.soak.faults import FAULTS
from tests.soak.kills import NEVER, open_kills
from tests.soak.run import open_soak, slope


@pytest.fixture
def soak(start_simulator, database):
    with open_soak(start_simulator(chats=6, messages=60, linked=True), database, seed=7) as soak:
        yield soak


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("answer cut", "program killed", "no file may grow"), id="some"),
        pytest.param(tuple(FAULTS), id="all", marks=pytest.mark.matrix),
    ],
)
def test_after_each_fault_the_database_equals_the_truth(soak, database, names):
    for name in names:
        soak.people.live()
        soak.one(name)
        soak.heal()
        assert soak.judged[-1].is_equal, f"{name}: {soak.judged[-1]} ({soak.last_error})"

    assert soak.end() == 0
    assert soak.orphans() == []
    assert soak.receipts == 0
    assert soak.simulator.ledger()["receipts"] == 0

    with database.connect() as connection:
        connection.execute("DELETE FROM messages WHERE id = (SELECT max(id) FROM messages)")
    assert len(soak.compared().absent) == 1  # what is lost would have been told


@pytest.fixture
def start_kills(start_simulator, database):
    with ExitStack() as stack:

        def start(seed, **options):
            # On the real clock: how long a browser that ended stays closed goes by it.
            simulator = start_simulator(chats=2, messages=20, linked=False, now=None)
            return stack.enter_context(open_kills(simulator, database, seed, **options))

        yield start


@pytest.mark.timeout(600)
def test_a_login_lives_on_in_its_profile_alone_whenever_browser_and_service_are_killed(start_kills):
    world = start_kills(seed=3, has_vault=False)
    world.cycle_seconds = 1.5

    world.run(3, check_every=100)  # which is once, in the end

    told = world.figures()
    assert {name: told[name] for name in NEVER if told[name]} == {}, world.troubles
    assert min(told["browsers_killed"], told["services_killed"]) >= 3
    assert told["checks"] == 1
    assert told["messages"] > 0


@pytest.mark.timeout(1200)
@pytest.mark.matrix
@pytest.mark.parametrize("kills", [1, 10])
def test_a_login_lives_on_with_a_vault_whenever_browser_and_service_are_killed(start_kills, kills):
    world = start_kills(seed=kills)

    world.run(kills, check_every=3)

    told = world.figures()
    assert {name: told[name] for name in NEVER if told[name]} == {}, world.troubles
    assert min(told["browsers_killed"], told["services_killed"]) >= kills


def test_the_slope_is_the_growth_a_cycle():
    assert slope([5, 7, 9, 11]) == 2
    assert slope([5]) == 0
