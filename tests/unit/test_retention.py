"""How long rows are kept: read from one setting, refused in one clear line."""

from datetime import timedelta

import pytest

from tests.transform_values import NOW
from whatsapp_etl.errors import ConfigurationError, exit_code_of
from whatsapp_etl.load.tables import metadata
from whatsapp_etl.retention import BOOKKEEPING, CONTENT, Retention, parse_retention
from whatsapp_etl.settings import read_settings

FOR_ALL = dict.fromkeys(
    (
        "sync_runs",
        "rejects",
        "disagreements",
        "session_events",
        "events",
        "sync_coverage_history",
        "agent_messages",
        "agent_proposals",
    ),
    90,
)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", FOR_ALL),
        ("30", dict.fromkeys(FOR_ALL, 30)),
        ("messages=365,rejects=30", FOR_ALL | {"messages": 365, "rejects": 30}),
        (" rejects = 7 , 30 ,", dict.fromkeys(FOR_ALL, 30) | {"rejects": 7}),
        ("message_versions=1", FOR_ALL | {"message_versions": 1}),
    ],
)
def test_days_are_read_by_table_and_a_number_alone_is_for_all_bookkeeping(text, days):
    assert parse_retention(text) == Retention(days)


def test_what_is_shown_is_what_is_read():
    retention = parse_retention("30,messages=365")

    assert str(retention) == (
        "sync_runs=30,rejects=30,disagreements=30,session_events=30,events=30,sync_coverage_history=30,"
        "agent_messages=30,agent_proposals=30,messages=365"
    )
    assert parse_retention(str(retention)) == retention


def test_every_table_that_can_be_named_is_one():
    assert {*BOOKKEEPING, *CONTENT} <= set(metadata.tables)


def test_what_has_no_days_never_gets_old():
    retention = parse_retention("messages=365")

    assert retention.edge("messages", NOW) == NOW - timedelta(days=365)
    assert retention.edge("message_versions", NOW) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("message=365", '"message" is none of messages, '),
        ("messages=", '"messages=" has no whole number of days'),
        ("messages=1.5", '"messages=1.5" has no whole number of days'),
        ("messages=0", '"messages=0" has no whole number of days'),
        ("messages=-3", '"messages=-3" has no whole number of days'),
        ("messages=٣٠", "has no whole number of days"),
        ("messages=99999", "has no whole number of days from 1 to 36500"),
        ("messages", '"messages" has no whole number of days'),
        ("=30", '"" is none of'),
        ("rejects=30,rejects=40", '"rejects=40" tells the days of rejects once more'),
        ("30,40", '"40" tells the days of all bookkeeping once more'),
        ("messages=29", "messages=29 is shorter than WHATSAPP_SYNC_LOOKBACK_DAYS (30)"),
    ],
)
def test_a_wrong_value_is_one_clear_line_that_names_the_variable(monkeypatch, tmp_path, text, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETENTION_DAYS", text)

    with pytest.raises(ConfigurationError) as refused:
        read_settings()

    line = str(refused.value)
    assert line.startswith("RETENTION_DAYS: ")
    assert said in line
    assert "\n" not in line
    assert exit_code_of(line and f"{type(refused.value).__name__}: {line}") == 2


def test_messages_may_be_kept_as_long_as_the_lookback_is(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETENTION_DAYS", "messages=30")

    assert read_settings().retention_days.days["messages"] == 30
