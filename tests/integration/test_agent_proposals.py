"""`POST /agent/proposals`: taken once, from whom has the token, and kept for others to act on."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.fixtures.agent import thread
from tests.fixtures.load import ANA, NOW, make_message, make_plan, rows
from tests.fixtures.postgres import end_sessions
from tests.fixtures.service import FixedClock, ask, healthy_state
from whatsapp_etl.errors import DatabaseUnreachableError
from whatsapp_etl.forgotten import Wish
from whatsapp_etl.retention import parse_retention
from whatsapp_etl.service.app import ServiceOptions, create_app
from whatsapp_etl.service.proposals import LONGEST_BODY

TOKEN = "a long invented token"


@pytest.fixture
def message_id(store, database):
    """A message that was handed over."""
    store.agent.follow(thread(ANA), 1)
    store.apply(make_plan(make_message(1)), 2)
    return str(rows(database, "SELECT id FROM agent_messages")[0][0])


@pytest.fixture
def app(store):
    proposals = store.agent_proposals()
    yield create_app(
        healthy_state(),
        ServiceOptions(token=TOKEN),
        FixedClock(),
        take_proposal=lambda proposal: proposals.take(proposal, NOW),
    )
    proposals.close()


def post(app, answers, key="key-1", **changes):
    content = json.dumps({"answers": answers, "kind": "note", "payload": {"a": 1}, **changes})
    return ask(
        app,
        "/agent/proposals",
        method="POST",
        content=content,
        authorization=f"Bearer {TOKEN}",
        content_type="application/json",
        idempotency_key=key,
    )


def kept(database):
    return rows(
        database, "SELECT id::text, kind, payload, state FROM agent_proposals ORDER BY created_at, id"
    )


def test_a_proposal_is_kept_and_answered_with_its_id(app, database, message_id):
    answer = post(app, message_id)

    assert answer.status_code == 201
    assert kept(database) == [(answer.json()["id"], "note", {"a": 1}, "proposed")]


def test_the_same_proposal_again_is_the_same_and_tells_its_state(app, database, message_id):
    first = post(app, message_id)
    with database.connect() as connection:
        connection.execute("UPDATE agent_proposals SET state = 'done'")

    again = post(app, message_id)

    assert (again.status_code, again.json()) == (200, {"id": first.json()["id"], "state": "done"})
    assert len(kept(database)) == 1


def test_another_proposal_under_the_same_key_is_refused(app, database, message_id):
    post(app, message_id)

    assert post(app, message_id, payload={"a": 2}).status_code == 409
    assert post(app, message_id, key="key-2", payload={"a": 2}).status_code == 201
    assert len(kept(database)) == 2


def test_many_at_once_under_one_key_are_kept_once(database, store, message_id):
    def propose(_number):
        proposals = store.agent_proposals()
        mine = create_app(
            healthy_state(),
            ServiceOptions(token=TOKEN),
            FixedClock(),
            take_proposal=lambda proposal: proposals.take(proposal, NOW),
        )
        try:
            return post(mine, message_id).status_code
        finally:
            proposals.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(propose, range(8))) == [200] * 7 + [201]
    assert len(kept(database)) == 1


def test_an_unknown_message_is_said(app, database):
    answer = post(app, "00000000-0000-0000-0000-000000000000")

    assert (answer.status_code, answer.json()["error"]) == (404, "no_such_message")
    assert kept(database) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": ""}, 401),
        ({"content_type": "text/plain"}, 415),
        ({"idempotency_key": ""}, 422),
        ({"content": "{"}, 422),
        ({"content": b"x" * (LONGEST_BODY + 1)}, 413),
        ({"method": "PUT"}, 405),
    ],
)
def test_what_is_refused_leaves_nothing(app, database, message_id, changes, status):
    request = {
        "method": "POST",
        "content": json.dumps({"answers": message_id, "kind": "note", "payload": {}}),
        "authorization": f"Bearer {TOKEN}",
        "content_type": "application/json",
        "idempotency_key": "key-1",
        **changes,
    }

    assert ask(app, "/agent/proposals", **request).status_code == status
    assert kept(database) == []


def test_a_cookie_is_not_enough(app, database, message_id):
    cookie = ask(app, f"/?token={TOKEN}").headers["set-cookie"].partition(";")[0]
    assert ask(app, "/health", cookie=cookie).status_code == 200

    answer = ask(app, "/agent/proposals", method="POST", content="{}", cookie=cookie)

    assert answer.status_code == 401


def test_without_a_token_in_the_settings_nothing_is_taken(message_id):
    assert post(create_app(healthy_state(), ServiceOptions(), FixedClock()), message_id).status_code == 403


def test_while_postgres_is_away_the_caller_is_told_to_come_again(message_id):
    def away(_proposal):
        raise DatabaseUnreachableError("Postgres does not answer.")

    app = create_app(healthy_state(), ServiceOptions(token=TOKEN), FixedClock(), take_proposal=away)

    answer = post(app, message_id)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_a_connection_that_was_cut_is_opened_again(app, database, message_id):
    post(app, message_id)
    end_sessions(database)

    assert post(app, message_id, key="key-2").status_code == 201


def test_proposals_go_with_their_message_and_when_they_were_kept_long_enough(
    app, database, store, message_id
):
    post(app, message_id)
    store.retain(parse_retention("agent_proposals=30"), NOW + timedelta(days=29))
    assert len(kept(database)) == 1
    store.retain(parse_retention("agent_proposals=30"), NOW + timedelta(days=31))
    assert kept(database) == []

    # The message's copy went with it: bookkeeping is kept 90 days, unless told otherwise.
    post(app, message_id, key="key-2")
    store.erase(Wish("chat", ANA), NOW)
    assert kept(database) == []
