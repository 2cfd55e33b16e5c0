"""The soak's short form: every fault once, in one process after another, and nothing of it stays."""

from __future__ import annotations

import pytest

from tests.soak.faults import FAULTS
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


def test_the_slope_is_the_growth_a_cycle():
    assert slope([5, 7, 9, 11]) == 2
    assert slope([5]) == 0
