"""What the log says, and what it never says."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.logs import configure_logs, describe, redact_numbers
from whatsapp_etl.model import SessionState

LogLines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def log_lines() -> Iterator[LogLines]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config())
    stream = io.StringIO()
    configure_logs("INFO", "json", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    logging.getLogger("whatsapp_etl").setLevel(logging.NOTSET)
    structlog.configure(**before[2])


def own_logger() -> structlog.stdlib.BoundLogger:
    return structlog.get_logger("whatsapp_etl.test")


def test_an_event_is_one_json_line_with_its_fields(log_lines: LogLines):
    own_logger().info("chat_loaded", messages=12, seconds=0.5, state=SessionState.READY)

    (line,) = log_lines()
    assert line["event"] == "chat_loaded"
    assert (line["messages"], line["seconds"], line["state"]) == (12, 0.5, "ready")
    assert (line["level"], line["logger"]) == ("info", "whatsapp_etl.test")
    assert str(line["timestamp"]).endswith("Z")


def test_events_below_the_level_are_not_written(log_lines: LogLines):
    own_logger().debug("detail")

    assert log_lines() == []


@pytest.mark.parametrize(
    "field", ["text", "content_snippet", "chat_title", "push_name", "sender_id", "qr_payload"]
)
def test_a_field_named_after_content_is_withheld(log_lines: LogLines, field: str):
    own_logger().info("seen", **{field: "Wren"})

    assert log_lines()[0][field] == "[withheld]"


def test_a_sentence_in_an_unknown_field_is_withheld(log_lines: LogLines):
    own_logger().info("seen", thing="see you at the harbour")

    assert log_lines()[0]["thing"] == "[withheld 22 characters]"


def test_a_sentence_inside_a_list_or_a_mapping_is_withheld(log_lines: LogLines):
    own_logger().info("seen", things=["see you soon"], more={"inner": "at the harbour", "title": "x"})

    line = log_lines()[0]
    assert line["things"] == ["[withheld 12 characters]"]
    assert line["more"] == {"inner": "[withheld 14 characters]", "title": "[withheld]"}


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("from 15550001111@c.us", "from [id]"),
        ("from 15550001111:12@s.whatsapp.net now", "from [id] now"),
        ("in 120363000000000001@g.us", "in [id]"),
        ("false_15550001111@c.us_3EB0AA", "[id]_3EB0AA"),
        ("call +1 (555) 000-1111 back", "call [number] back"),
        ("call 555.000.1111", "call [number]"),
        ("call +49\u00a0170\u00a01234567", "call [number]"),
    ],
)
def test_numbers_and_ids_are_replaced_wherever_they_stand(said: str, written: str):
    assert redact_numbers(said) == written


@pytest.mark.parametrize(
    "said",
    [
        "2026-08-23",
        "2026-08-23T12:00:00Z",
        "2026-08-23 12:00:00",
        "http://192.168.100.200:8080/health",
        "12 chats in 31.5 s",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_dates_addresses_and_hashes_are_kept(said: str):
    assert redact_numbers(said) == said


def test_an_error_of_ours_is_told_with_its_text(log_lines: LogLines):
    def read() -> None:
        raise ConfigurationError("PORT: must be a number", "Set it.")

    try:
        read()
    except ConfigurationError:
        own_logger().exception("failed")

    told = str(log_lines()[0]["exception"])
    assert told.startswith("ConfigurationError: PORT: must be a number Set it. (test_logs.py:")


def test_the_text_of_any_other_error_is_left_out_and_its_place_told():
    def read() -> None:
        raise ValueError("see you at the harbour")

    try:
        try:
            read()
        except ValueError as error:
            raise ConfigurationError("PORT: wrong") from error
    except ConfigurationError as error:
        told = describe(error)

    assert "harbour" not in told
    assert "ValueError (test_logs.py:" in told
    assert " read < " in told


def test_logs_of_libraries_pass_the_guard(log_lines: LogLines):
    logging.getLogger("apscheduler.executors.default").warning("Job for %s failed", "15550001111@c.us")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")

    assert [line["event"] for line in log_lines()] == [
        "Job for [id] failed",
        "Invalid HTTP request received.",
    ]


def test_chatter_of_libraries_and_the_access_log_are_silent(log_lines: LogLines):
    logging.getLogger("apscheduler.scheduler").info("Added job")
    logging.getLogger("uvicorn.access").warning("GET /?token=secret")

    assert log_lines() == []


def test_times_and_paths_are_written_as_text(log_lines: LogLines):
    own_logger().info(
        "saved", at=datetime(2026, 8, 23, 12, tzinfo=UTC), took=timedelta(seconds=2), path=Path("/data/a b")
    )

    line = log_lines()[0]
    assert (line["at"], line["took"], line["path"]) == ("2026-08-23T12:00:00+00:00", 2.0, "/data/a b")


def test_an_unknown_object_shows_only_its_class(log_lines: LogLines):
    own_logger().info("seen", thing=object())

    assert log_lines()[0]["thing"] == "[object]"


def test_the_text_style_writes_lines_for_people(log_lines: LogLines):
    stream = io.StringIO()
    configure_logs("INFO", "text", stream)

    own_logger().info("chat_loaded", messages=12, note="at the harbour")

    assert "chat_loaded" in stream.getvalue()
    assert "messages=12" in stream.getvalue()
    assert "harbour" not in stream.getvalue()
