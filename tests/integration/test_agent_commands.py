"""`whatsapp-etl agent`: what a person is told of the agent's chat, without texts unless asked."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from tests.fixtures.agent import thread
from tests.fixtures.load import ACCOUNT, ANA, BEN, NOW, make_message, make_plan, make_thread, rows
from whatsapp_etl import bootstrap
from whatsapp_etl.agent import AgentWish, Proposal, Routing
from whatsapp_etl.cli import app
from whatsapp_etl.model import AgentState, ContactFacts
from whatsapp_etl.service.health import ReasonCode
from whatsapp_etl.settings import Settings
from whatsapp_etl.stored_health import stored_health

WISH = AgentWish(contact="Ana")


@pytest.fixture
def run(database, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PG_URL", database.url)
    monkeypatch.setenv("WHATSAPP_AGENT_CONTACT", "Ana")
    monkeypatch.setenv("WHATSAPP_AGENT_WEBHOOKS", "https://agent.example/token")
    monkeypatch.setenv("WHATSAPP_ETL_NOW", NOW.isoformat())

    def run(*arguments, code=0):
        done = CliRunner().invoke(app, ["agent", *arguments])
        assert done.exit_code == code, done.output
        return done.output

    return run


@pytest.fixture
def handed_over(run, database):
    """Two messages in the agent's chat, of which the first was given up; their ids."""
    with bootstrap.open_store(Settings(_env_file=None)) as store:
        store.pin_account(ACCOUNT, NOW)
        store.apply_directory(
            [make_thread()], [ContactFacts(ANA, "Ana", None, None)], (), (), run_id=1, now=NOW
        )
        store.agent.follow(thread(ANA, wish=WISH.digest(ACCOUNT.id)), 1)
        store.apply(make_plan(make_message(1), make_message(2)), 2)
    with database.connect() as connection:
        connection.execute(
            "UPDATE agent_deliveries SET state = 'dead', attempts = 20, last_error = 'http_500'"
            " WHERE agent_message_id = (SELECT id FROM agent_messages ORDER BY seq LIMIT 1)"
        )
    return [str(row[0]) for row in rows(database, "SELECT id FROM agent_messages ORDER BY seq")]


def test_the_status_names_the_chat_and_counts(run, handed_over):
    said = run("status")

    assert f"{ANA}  Ana" in said
    assert "2 messages of its chat" in said
    assert "settings have changed" not in said
    told = json.loads(run("status", "--json"))
    assert (told["state"], told["thread"]["id"], told["settings_changed"]) == ("thread", ANA, False)


def test_the_status_says_that_the_next_cycle_follows_other_settings(run, handed_over, monkeypatch):
    monkeypatch.setenv("WHATSAPP_AGENT_CONTACT", "Ben")
    assert "The settings have changed" in run("status")

    monkeypatch.setenv("WHATSAPP_AGENT_CONTACT", "")
    assert json.loads(run("status", "--json"))["settings_changed"]


def test_the_status_lists_candidates_and_what_to_do_and_health_says_so(run, store, database):
    people = [ContactFacts(each, "Kenny", None, None) for each in (ANA, BEN)]
    store.apply_directory([make_thread(title="Kenny")], people, (), (), run_id=1, now=NOW)
    store.agent.follow(Routing(AgentState.AMBIGUOUS, "x", candidates=(ANA, BEN)), 1)

    said = run("status")

    assert said.count("candidate   ") == 2
    assert f"{BEN}  Kenny" in said
    assert "WHATSAPP_AGENT_CONTACT" in said
    settings = Settings(_env_file=None, pg_url=database.url)
    assert ReasonCode.AGENT_AMBIGUOUS in {each.code for each in stored_health(store, settings).reasons}
    store.agent.follow(Routing(AgentState.NOT_FOUND, "x"), 1)
    assert ReasonCode.AGENT_NOT_FOUND in {each.code for each in stored_health(store, settings).reasons}


def test_an_agent_that_was_never_set_is_said(run, store):
    assert "No chat is the agent's" in run("status")


def test_messages_are_listed_without_their_text_unless_it_is_asked_for(run, handed_over):
    listed = run("list")

    assert listed.index(handed_over[1]) < listed.index(handed_over[0])
    assert "agent.example#" in listed
    assert "dead, attempts 20, http_500" in listed
    assert "kettle" not in listed
    assert "token" not in listed
    assert "kettle" in run("list", "--text")
    (line,) = run("list", "--dead", "--json").splitlines()
    assert json.loads(line)["id"] == handed_over[0]
    assert handed_over[0] not in run("list", "--pending")


def test_what_was_handed_over_is_replayed(run, handed_over, database):
    assert run("replay", "--dead").startswith("1 delivery")
    assert run("replay", handed_over[1]).startswith("1 delivery")
    assert run("replay", "--since", "2026-08-23T11:00:00Z").startswith("2 deliveries")
    assert rows(database, "SELECT DISTINCT state FROM agent_deliveries") == [("pending",)]


@pytest.mark.parametrize(
    ("arguments", "why"), [([], "One of them"), (["00000000-0000-0000-0000-000000000000"], "no message")]
)
def test_what_cannot_be_replayed_is_said(run, handed_over, arguments, why):
    assert why in str(CliRunner().invoke(app, ["agent", "replay", *arguments]).exception)


def test_proposals_are_listed(run, handed_over, store):
    proposals = store.agent_proposals()
    answers = rows(store._database, "SELECT id FROM agent_messages ORDER BY seq")[0][0]
    proposal = Proposal(answers, "invoice.create", {"about": "kettle"}, "key-1")
    for each in (proposal, replace(proposal, kind="note", key="key-2")):
        proposals.take(each, NOW)
    proposals.close()

    assert "invoice.create" in run("proposals")
    assert "kettle" not in run("proposals")
    told = [json.loads(line) for line in run("proposals", "--json", "--text").splitlines()]
    assert {each["kind"] for each in told} == {"invoice.create", "note"}
    assert {each["payload"]["about"] for each in told} == {"kettle"}
