"""Every state of the session is known wherever states are told: a new one cannot be forgotten anywhere."""

import json
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fixtures.service import FixedClock, ask, healthy_state, ready_session
from whatsapp_etl.model import NEEDS_PERSON, SessionState
from whatsapp_etl.service.health import SESSION_WORDS, SessionWord
from whatsapp_etl.service.page import SESSION_TEXTS
from whatsapp_etl.transitions import ALLOWED

DOCS = Path(__file__).parents[2] / "docs"


def shown(state):
    service = healthy_state(FixedClock())
    service.show_session(ready_session(state=state))
    return service


def in_schema(schema):
    """Yield every list of allowed values in a schema."""
    if isinstance(schema, dict):
        if "enum" in schema:
            yield set(schema["enum"])
        for value in schema.values():
            yield from in_schema(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from in_schema(value)


@pytest.mark.parametrize("state", SessionState)
def test_a_state_is_told_alike_by_table_health_metrics_page_and_documents(state):
    word, code = SESSION_WORDS[state]
    health = ask(shown(state), "/health").json()
    gauges = {
        sample.labels["state"]: sample.value
        for family in text_string_to_metric_families(ask(shown(state), "/metrics").text)
        for sample in family.samples
        if sample.name == "whatsapp_session_state"
    }

    assert state in ALLOWED
    assert any(state in following for following in ALLOWED.values())
    assert health["session"] == word
    assert gauges == {each: float(each == word) for each in SessionWord}
    assert SESSION_TEXTS[word] in ask(shown(state), "/").text
    assert f"`{word}`" in (DOCS / "health.md").read_text()
    allowed = list(in_schema(json.loads((DOCS / "health.schema.json").read_text())))
    assert set(SessionWord) in allowed
    if code is not None:
        assert code in [reason["code"] for reason in health["reasons"]]
        assert f"| `{code}` |" in (DOCS / "health.md").read_text()
        assert any(code in values for values in allowed)


@pytest.mark.parametrize("state", NEEDS_PERSON)
def test_a_state_that_only_a_person_ends_is_degraded_and_says_what_to_do(state):
    answer = ask(shown(state), "/health")
    code = SESSION_WORDS[state][1]

    assert answer.status_code == 503
    (remedy,) = [each["remedy"] for each in answer.json()["reasons"] if each["code"] == code]
    assert remedy
