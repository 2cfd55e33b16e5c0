"""The agent's settings: what they say, what is refused with one line, and how its messages are written."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import jsonschema
import pytest

from tests.fixtures.load import ANA, NOW, OWN
from whatsapp_etl import receivers
from whatsapp_etl.agent import AgentKind, AgentMessage
from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.events.formats import write_agent_message
from whatsapp_etl.settings import read_settings

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/agent-message.schema.json").read_text())
URL = "https://agent.example/hook/token"


@pytest.fixture
def settings_of(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def read(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return read_settings()

    return read


def test_names_and_numbers_are_read_from_lists(settings_of):
    wish = receivers.agent_wish_of(
        settings_of(
            WHATSAPP_AGENT_KEYWORDS="Kenny, @Agent 7 ,Kenny",
            WHATSAPP_AGENT_ALLOWED="+49 1555 000001, 0049-1555-000001, 77000000000001@lid",
        )
    )

    assert wish.keywords == ("Kenny", "Agent 7")
    assert wish.allowed == ("491555000001@c.us", "77000000000001@lid")
    assert not wish.names_thread


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WHATSAPP_AGENT_KEYWORDS", "Kenny,!"),
        ("WHATSAPP_AGENT_ALLOWED", "01555 000001"),
        ("WHATSAPP_AGENT_ALLOWED", "Secret Name"),
        ("WHATSAPP_AGENT_ALLOWED", "120363000000000001@g.us"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_repeated(settings_of, variable, value):
    with pytest.raises(ConfigurationError, match=f"^{variable}") as refused:
        settings_of(**{variable: value})

    assert value.rpartition(",")[2] not in str(refused.value)


def test_no_setting_means_the_accounts_own_calls_only(settings_of):
    assert receivers.agent_wish_of(settings_of()).allowed == ()


@pytest.mark.parametrize(
    "url", ["https://hooks.slack.com/services/T/B/secret", "ntfy+https://a.example/topic"]
)
def test_messages_go_to_programs_only(settings_of, url):
    with pytest.raises(ConfigurationError, match=r"^WHATSAPP_AGENT_WEBHOOKS: URL 1 is for") as refused:
        receivers.agent_targets_of(settings_of(WHATSAPP_AGENT_WEBHOOKS=url))

    assert "secret" not in str(refused.value)


def test_plain_http_needs_a_word_and_urls_are_masked(settings_of):
    settings = settings_of(WHATSAPP_AGENT_WEBHOOKS=URL.replace("https", "http"))

    with pytest.raises(ConfigurationError, match="is not https"):
        receivers.agent_targets_of(settings)
    assert "/hook" not in repr(settings)


@pytest.mark.parametrize("kind", AgentKind)
@pytest.mark.parametrize("text", [None, "Bitte ablegen 🫖"])
def test_every_message_fits_the_published_schema(settings_of, kind, text):
    (target,) = receivers.agent_targets_of(settings_of(WHATSAPP_AGENT_WEBHOOKS=URL))
    message = AgentMessage(
        id=UUID(int=1),
        seq=7,
        type=kind,
        thread_id=ANA,
        external_id=f"true_{ANA}_3EB0",
        sender_id=OWN,
        is_outgoing=True,
        is_agent_channel=True,
        message_type="image",
        text=text,
        sent_at=NOW - timedelta(minutes=1),
        attachments=[
            {
                "position": 0,
                "media_type": "image/jpeg",
                "file_name": None,
                "file_path": None,
                "sha256": None,
                "size_bytes": None,
                "is_stored": False,
            }
        ],
        occurred_at=NOW,
    )

    post = write_agent_message(message, target, "/whatsapp-etl/public")

    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(
        json.loads(post.body), SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    assert post.url == URL
    assert json.loads(post.body)["data"]["text"] == text
