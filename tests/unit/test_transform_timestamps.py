from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from tests.transform_values import UTC_ZONE, words
from whatsapp_etl.errors import MessageParseError
from whatsapp_etl.transform import timestamps
from whatsapp_etl.transform.timestamps import DateOrder, DateWords

TODAY = date(2026, 11, 20)  # a Friday


def sent_at(text, order=DateOrder.DAY_FIRST, zone=UTC_ZONE):
    clock, day = timestamps.split_time(text)
    return timestamps.at_zone(timestamps.parse_date(day, order), timestamps.parse_clock(clock, words()), zone)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("8:19 PM, 6/13/2026", DateOrder.MONTH_FIRST),
        ("8:19\u202fPM, 6/13/2026", DateOrder.MONTH_FIRST),
        ("20:19, 13/06/2026", DateOrder.DAY_FIRST),
        ("8:19 pm, 13/06/2026", DateOrder.DAY_FIRST),
        ("8:19 p.\u00a0m., 13/6/2026", DateOrder.DAY_FIRST),
        ("20:19, 13.6.2026", DateOrder.DAY_FIRST),
        ("20.19, 13.6.2026", DateOrder.DAY_FIRST),
        ("ÖS 8:19, 13.06.2026", DateOrder.DAY_FIRST),
        ("20:19, 2026年6月13日", DateOrder.MONTH_FIRST),
        ("下午8:19, 2026年6月13日", DateOrder.MONTH_FIRST),
        ("PM 8:19, 2026. 6. 13.", DateOrder.MONTH_FIRST),
        ("오후 8:19, 2026. 6. 13.", DateOrder.MONTH_FIRST),
        ("20:19, 2026/6/13", DateOrder.MONTH_FIRST),
        ("20:19, 2026-06-13", DateOrder.DAY_FIRST),
        ("8:19 م، 2026/6/13", DateOrder.DAY_FIRST),
        ("8:19 م، 13\u200f/6\u200f/2026", DateOrder.DAY_FIRST),
        ("٨:١٩ م، ٢٠٢٦/٦/١٣", DateOrder.DAY_FIRST),
        ("रात 8:19 बजे, 13/6/2026", DateOrder.DAY_FIRST),
        ("8 h 19 p.m., 2026-06-13", DateOrder.DAY_FIRST),
        ("20:19, 13-06-2026", DateOrder.DAY_FIRST),
        ("20:19, 13.06.26", DateOrder.DAY_FIRST),
    ],
)
def test_every_languages_time_and_date_is_read(text, order):
    assert sent_at(text, order) == datetime(2026, 6, 13, 20, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("24:05", time(0, 5)),
        ("00:05", time(0, 5)),
        ("12:05 AM", time(0, 5)),
        ("12:05 PM", time(12, 5)),
        ("中午11:30", time(11, 30)),
        ("中午12:30", time(12, 30)),
        ("中午1:30", time(13, 30)),
        ("रात 2:00 बजे", time(2, 0)),
        ("凌晨12:10", time(0, 10)),
    ],
)
def test_midnight_and_noon_are_told_apart(text, clock):
    assert timestamps.parse_clock(text, words()) == clock


@pytest.mark.parametrize("text", ["", "soon", "25:00", "10:61", "13:00 PM", "8:19 gestern", "0:37/1:00"])
def test_other_texts_are_no_clock(text):
    assert not timestamps.is_clock(text, words())


@pytest.mark.parametrize(
    "text",
    [
        "8:19 PM",
        "8:19 PM, someday",
        "8:19 PM, 1/2",
        "8:19 PM, 31/2/2026",
        "8:19 PM, 1/2/1405",
        "8:19, 1/2/3/2026",
    ],
)
def test_a_date_that_does_not_exist_is_an_error_without_its_text(text):
    with pytest.raises(MessageParseError) as error:
        sent_at(text)

    assert not any(character.isdigit() for character in str(error.value))


def test_a_local_time_that_occurs_twice_is_the_first():
    assert sent_at("02:30, 25/10/2026", zone=ZoneInfo("Europe/Berlin")) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_a_local_time_that_never_was_is_moved_forward():
    moved = sent_at("02:30, 29/03/2026", zone=ZoneInfo("Europe/Berlin"))

    assert moved == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert moved.astimezone(ZoneInfo("Europe/Berlin")).time() == time(3, 30)


def test_an_instant_outside_the_calendar_is_an_error():
    with pytest.raises(MessageParseError):
        timestamps.at_zone(date.max, time(23, 59), ZoneInfo("America/Los_Angeles"))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Today", TODAY),
        ("HEUTE", TODAY),
        ("Yesterday", date(2026, 11, 19)),
        ("Monday", date(2026, 11, 16)),
        ("Sonntag", date(2026, 11, 15)),
        ("Friday", date(2026, 11, 13)),
        ("2/3/2026", date(2026, 2, 3)),
    ],
)
def test_a_date_marker_is_counted_from_today(text, day):
    near = timestamps.near_day(text, words(), TODAY)

    assert (near or timestamps.parse_date(text, DateOrder.MONTH_FIRST)) == day
    assert timestamps.is_marker(text, words())


@pytest.mark.parametrize("text", ["2 unread messages", "hello", "1 2 3"])
def test_other_lines_are_no_date_marker(text):
    assert not timestamps.is_marker(text, words())


def test_a_copied_head_is_split_into_time_and_sender():
    assert timestamps.split_prefix("[14:05, 23/08/2026] Ana: B: ") == ("14:05, 23/08/2026", "Ana: B")
    assert timestamps.split_prefix("- ") is None


def test_words_of_a_pack_without_dates_are_empty():
    assert DateWords.of({}) == DateWords()
