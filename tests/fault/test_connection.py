"""The connection to Postgres ends, stalls or goes silent at any message of the protocol."""

import itertools
import shutil
import time

import pytest

from tests.fault.recovery import assert_recovered, assert_told_as_unreachable
from tests.fixtures.postgres import empty_tables
from tests.fixtures.proxy import Fault, next_after, nth, numbered
from whatsapp_etl.model import RunStatus

WORLD = {"chats": 4, "messages": 60}
#: Messages from one fault to the next. Most have a period of five (parse, bind, describe, execute, sync),
#: so that this meets each of them.
STRIDE = 28


@pytest.mark.parametrize(
    ("fault", "when"),
    [
        pytest.param(Fault.CUT, lambda: nth(1, "Q BEGIN"), id="at the first begin", marks=pytest.mark.matrix),
        pytest.param(Fault.CUT, lambda: nth(2, "d"), id="in the rows of a chat", marks=pytest.mark.matrix),
        pytest.param(
            Fault.CUT,
            lambda: next_after("Q COPY messages", "Q COMMIT"),
            id="before a commit",
            marks=pytest.mark.matrix,
        ),
        pytest.param(Fault.CUT_ANSWER, lambda: next_after("Q COPY messages", "Q COMMIT"), id="in a commit"),
    ],
)
def test_a_connection_that_is_cut_is_one_cause_and_loses_nothing(behind_proxy, proxy, fault, when):
    it = behind_proxy(world=WORLD)
    proxy.arm(fault, when())

    report = it.sync()

    assert proxy.struck is not None
    assert_told_as_unreachable(report)
    assert_recovered(it)


@pytest.mark.parametrize(
    "start", ["d", *(pytest.param(start, marks=pytest.mark.matrix) for start in ("Q BEGIN", "Q COMMIT"))]
)
def test_a_server_that_goes_silent_ends_the_cycle_with_an_error(behind_proxy, proxy, start):
    it = behind_proxy(world=WORLD)
    proxy.arm(Fault.SWALLOW, nth(3, start))

    begun_at = time.monotonic()
    report = it.sync()

    assert time.monotonic() - begun_at < 30
    assert proxy.struck is not None
    assert_told_as_unreachable(report)
    assert_recovered(it)


@pytest.mark.matrix
def test_a_slow_answer_changes_nothing(behind_proxy, proxy):
    it = behind_proxy(world=WORLD)
    proxy.arm(Fault.DELAY, next_after("Q COPY messages", "Q COMMIT"))

    assert_recovered(it)

    assert proxy.struck == "Q COMMIT"


def test_a_server_that_refuses_connections_is_told_and_the_next_cycle_is_whole(behind_proxy, proxy):
    it = behind_proxy(world=WORLD)
    proxy.refuses = True

    assert_told_as_unreachable(it.sync())

    proxy.refuses = False
    assert_recovered(it)


@pytest.mark.matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("fault", "first"),
    [(Fault.CUT, 0), (Fault.CUT, 14), (Fault.CUT_ANSWER, 7), (Fault.SWALLOW, 21), (Fault.DELAY, 0)],
)
def test_no_step_of_the_protocol_is_one_where_a_fault_loses_anything(behind_proxy, proxy, fault, first):
    it = behind_proxy(world=WORLD)
    for step in itertools.count(first, STRIDE):
        proxy.arm(fault, numbered(step))
        report = it.sync()
        if proxy.struck is None:
            break
        # An idle connection is opened anew, and the run's own row may be closed by the next one.
        if report.status is not RunStatus.SUCCESS:
            assert fault is not Fault.DELAY
            assert_told_as_unreachable(report)
        assert_recovered(it)
        empty_tables(it.database)
        shutil.rmtree(it.settings.attachments_dir)
    assert step > STRIDE * 10
