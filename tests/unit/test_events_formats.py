"""How events are written: CloudEvents by the published schema, and a few lines for people."""

import email.policy
import json
from email.header import decode_header, make_header
from pathlib import Path

import jsonschema
import pytest

from tests.fixtures.events import NOW, make_event
from tests.fixtures.load import make_report
from whatsapp_etl.announcing import cycle_ended, session_became, time_passed
from whatsapp_etl.events.formats import Context, cloud_event, write
from whatsapp_etl.events.targets import parse_targets
from whatsapp_etl.happenings import EventType, Told
from whatsapp_etl.model import RunStatus, SessionState
from whatsapp_etl.qr_code import qr_png

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/event.schema.json").read_text())
CONTEXT = Context("/whatsapp-etl/public", "https://status.example/")
OUTAGE = Told(outage=(make_event(EventType.SYNC_FAILED),))


def happenings():
    """Return each event as the decisions make it."""
    failed = make_report(
        4, status=RunStatus.FAILED, error="SelectorDriftError: Pack 2026-08 lacks chat_list.", wa_version=None
    )
    yield from (
        happening
        for state in (SessionState.QR, SessionState.READY, SessionState.LOGGED_OUT, SessionState.CONFLICT)
        for happening in session_became(state)(Told())
    )
    yield from cycle_ended(failed)(Told())
    yield from cycle_ended(make_report(5, lost_facts=("edited",)))(OUTAGE)
    for told in (Told(first_run_at=NOW.replace(year=2025)), Told(last_success_at=NOW.replace(year=2025))):
        yield from time_passed(
            NOW,
            started_at=NOW.replace(year=2025),
            stale_after=NOW - NOW.replace(day=22),
            grace=NOW - NOW,
        )(told)


HAPPENINGS = list(happenings())


def as_event(happening):
    return make_event(happening.type, data=happening.data)


def written(url, event=None, context=CONTEXT):
    (target,) = parse_targets(url, allows_private=False)
    post = write(event or make_event(), target, context)
    return post, json.loads(post.body)


def test_every_type_is_among_the_examples():
    assert {each.type for each in HAPPENINGS} == set(EventType)


@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda each: each.type.value)
@pytest.mark.parametrize("context", [CONTEXT, Context("/whatsapp-etl/public", qr="2@invented")])
def test_every_event_fits_the_published_schema(happening, context):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(
        cloud_event(as_event(happening), context),
        SCHEMA,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def test_the_schema_names_every_type_and_no_other():
    assert set(SCHEMA["properties"]["type"]["enum"]) == set(EventType)


def test_the_schema_refuses_what_it_does_not_describe():
    event = cloud_event(make_event(), CONTEXT)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**event, "data": {**event["data"], "text": "The kettle"}}, SCHEMA)


def test_a_program_gets_a_cloud_event():
    post, event = written("https://example.org/hook")

    assert (post.url, post.content_type) == (
        "https://example.org/hook",
        "application/cloudevents+json; charset=utf-8",
    )
    assert event["specversion"] == "1.0"
    assert event["id"] == "00000000-0000-0000-0000-000000000001"
    assert (event["type"], event["subject"], event["source"]) == ("sync.failed", "sync", CONTEXT.source)
    assert event["time"] == "2026-08-23T12:01:00.000Z"
    assert event["sequence"] == "00000000000000000001"
    assert event["data"]["status_url"] == CONTEXT.status_url


def test_the_code_is_sent_with_the_one_event_that_asks_for_it_and_only_when_allowed():
    with_qr = Context("x", qr="2@invented")

    assert "qr" not in cloud_event(make_event(EventType.SESSION_QR_REQUIRED), CONTEXT)["data"]
    assert "qr" not in cloud_event(make_event(EventType.SYNC_FAILED), with_qr)["data"]
    assert cloud_event(make_event(EventType.SESSION_QR_REQUIRED), with_qr)["data"]["qr"] == "2@invented"


PEOPLE = {
    "https://hooks.slack.com/services/T0/B0/x": "text",
    "https://discord.com/api/webhooks/1/x": "content",
    "https://api.telegram.org/bot1:x/sendMessage?chat_id=5": "text",
    "https://ntfy.sh/topic": "message",
}


@pytest.mark.parametrize(("url", "key"), PEOPLE.items())
@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda each: each.type.value)
def test_a_person_is_told_what_happened_and_what_to_do(url, key, happening):
    post, message = written(
        url, as_event(happening), Context("x", "https://status.example/", qr="2@invented")
    )

    assert happening.data["summary"] in message[key].replace("&gt;", ">")
    assert (happening.data["remedy"] or "") in message[key]
    assert "https://status.example/" in post.body.decode()
    assert "2@invented" not in post.body.decode()


@pytest.mark.parametrize(("url", "key"), PEOPLE.items())
def test_without_a_public_url_there_is_no_link(url, key):
    post, message = written(url, context=Context("x"))

    assert "It did not appear." in message[key]
    assert "http" not in post.body.decode()


def test_slack_reads_no_markup_out_of_a_text():
    event = make_event(data={"summary": "<!channel> & <b>", "remedy": None})

    _, message = written("https://hooks.slack.com/services/T0/B0/x", event)

    assert "&lt;!channel&gt; &amp; &lt;b&gt;" in message["text"]
    assert "<https://status.example/|Status page>" in message["text"]


def test_discord_calls_nobody():
    _, message = written("https://discord.com/api/webhooks/1/x", make_event(data={"summary": "@everyone"}))

    assert message["allowed_mentions"] == {"parse": []}


def test_telegram_gets_its_options_in_the_body():
    post, message = written("https://api.telegram.org/bot1:x/sendMessage?chat_id=-5&message_thread_id=7")

    assert post.url == "https://api.telegram.org/bot1:x/sendMessage"
    assert (message["chat_id"], message["message_thread_id"]) == ("-5", "7")


def test_ntfy_gets_topic_urgency_and_a_link_to_click():
    post, message = written("ntfy+https://example.org/behind/a/proxy/topic?auth=x")

    assert post.url == "https://example.org/behind/a/proxy/?auth=x"
    assert (message["topic"], message["priority"], message["click"]) == ("topic", 4, CONTEXT.status_url)
    _, good = written("https://ntfy.sh/topic", make_event(EventType.SYNC_RECOVERED))
    assert good["priority"] == 3


# --- the code as a picture -------------------------------------------------------------------

PNG = qr_png("2@invented")
WITH_QR = Context("x", "https://status.example/", qr="2@invented", qr_png=PNG)


def asked(url, context=WITH_QR, type_=EventType.SESSION_QR_REQUIRED):
    (target,) = parse_targets(url, allows_private=False)
    event = make_event(type_, data={"summary": "No account is linked…", "remedy": "Scan."})
    return write(event, target, context)


def parts_of(post):
    """Read a form with the standard library's reader of mails."""
    head = f"content-type: {post.content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + post.body, policy=email.policy.HTTP)
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in message.iter_parts()
    }


def test_discord_gets_the_code_as_a_file():
    parts = parts_of(asked("https://discord.com/api/webhooks/1/x"))

    assert "No account is linked…" in json.loads(parts["payload_json"])["content"]
    assert parts["files[0]"] == PNG


def test_telegram_gets_the_code_as_a_photo():
    post = asked("https://api.telegram.org/bot1:x/sendMessage?chat_id=-5")

    parts = parts_of(post)
    assert post.url == "https://api.telegram.org/bot1:x/sendPhoto"
    assert (parts["chat_id"], parts["photo"]) == (b"-5", PNG)
    assert "No account is linked…" in parts["caption"].decode()


def test_ntfy_gets_the_code_as_an_attachment():
    post = asked("https://ntfy.sh/topic")

    assert (post.url, post.content_type, post.body) == ("https://ntfy.sh/topic", "image/png", PNG)
    assert post.headers["click"] == "https://status.example/"
    assert str(make_header(decode_header(post.headers["message"]))) == "No account is linked… Scan."


@pytest.mark.parametrize("url", PEOPLE)
def test_no_picture_goes_with_another_event(url):
    assert asked(url, type_=EventType.SYNC_FAILED).content_type == "application/json"


def test_slack_takes_no_pictures_so_it_gets_the_link():
    assert "https://status.example/" in json.loads(asked("https://hooks.slack.com/services/x").body)["text"]
