"""One chat's transaction, spoilt at every single message of the protocol."""

import itertools

import pytest

from tests.fixtures.load import NOW, make_chat_plan, rows
from tests.fixtures.proxy import Fault, nth, numbered
from whatsapp_etl.errors import DatabaseUnreachableError
from whatsapp_etl.load.database import Database
from whatsapp_etl.load.store import Store

MESSAGES = 5


def test_a_connection_cut_before_a_chat_begins_costs_nothing(database, proxy):
    with Store(Database(proxy.url, database.schema)) as store:
        store.apply(make_chat_plan(1, MESSAGES), 1)
        for wanted in itertools.count(1):
            proxy.arm(Fault.CUT, nth(wanted, "Q SELECT 1"))
            assert store.apply(make_chat_plan(1 + wanted, MESSAGES), 1).inserted == MESSAGES
            if proxy.struck is None:
                break
    assert wanted > 1


@pytest.mark.matrix
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.CUT_ANSWER])
@pytest.mark.parametrize("is_first", [True, False], ids=["on a new connection", "on one in use"])
def test_a_chat_cut_at_any_message_is_stored_whole_or_not_and_whole_the_next_time(
    database, proxy, fault, is_first
):
    for step in itertools.count():
        with Store(Database(proxy.url, database.schema)) as store:
            if not is_first:
                store.begin_run(NOW)
                store.apply(make_chat_plan(10_000 + step, MESSAGES), 1)
            proxy.arm(fault, numbered(step))
            try:
                inserted = store.apply(make_chat_plan(step, MESSAGES), 1).inserted
            except DatabaseUnreachableError:
                inserted = store.apply(make_chat_plan(step, MESSAGES), 1).inserted
                is_stored_already = proxy.struck == "Q COMMIT" and fault is Fault.CUT_ANSWER
                assert inserted in ({0, MESSAGES} if is_stored_already else {MESSAGES})
            else:
                assert inserted == MESSAGES
            if proxy.struck is None:
                break
    assert step > 40
    found = rows(
        database,
        "SELECT t.external_id, count(m.id), max(m.ts) = max(t.checkpoint_ts), max(c.stored) FROM threads t"
        " LEFT JOIN messages m ON m.thread_external_id = t.external_id"
        " LEFT JOIN sync_coverage c ON c.thread_external_id = t.external_id GROUP BY 1",
    )
    assert len(found) == (step + 1) * (1 if is_first else 2)
    assert {row[1:] for row in found} == {(MESSAGES, True, MESSAGES)}
