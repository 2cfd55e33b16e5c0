from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.transform_values import NOW, UTC_ZONE, context, facts, raw, row, words
from tests.transform_values import packs as all_packs
from whatsapp_etl.model import MessageKey, RejectReason, TimeDissent
from whatsapp_etl.transform.calendars import solar_hijri
from whatsapp_etl.transform.clocks import PageClock
from whatsapp_etl.transform.date_order import (
    DateHabit,
    OrderDecision,
    PageLanguage,
    decide_order,
    learned,
    time_dissents,
)
from whatsapp_etl.transform.messages import to_message
from whatsapp_etl.transform.parse import parse_rows
from whatsapp_etl.transform.timestamps import DateOrder

TODAY = date(2026, 11, 20)  # a Friday
DAY_FIRST, MONTH_FIRST = DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST


def decide(*dates, setting="en-US", shown=None, today=TODAY, habit=None):
    samples = [each if isinstance(each, tuple) else (each, None) for each in dates]
    language = PageLanguage(setting, shown)
    return decide_order(samples, language=language, words=words(), today=today, habit=habit)


def clock(*heads, setting="en-US", shown=None, habit=None, zone=UTC_ZONE):
    return PageClock(
        words(),
        zone=zone,
        language=PageLanguage(setting, shown),
        today=TODAY,
        heads=[each if isinstance(each, tuple) else (each, None) for each in heads],
        habit=habit,
    )


# --- proofs ---------------------------------------------------------------------------------------


def test_a_number_above_twelve_proves_the_order_against_the_language():
    assert decide("2/3/2026", "13/3/2026") == OrderDecision(DAY_FIRST, "number")
    assert decide("2/3/2026", "3/13/2026", setting="en-GB") == OrderDecision(MONTH_FIRST, "number")


def test_a_date_under_a_near_marker_proves_the_order_against_the_language():
    today = date(2026, 3, 4)

    assert decide(("3/3/2026", "Yesterday"), ("2/3/2026", "Monday"), today=today) == OrderDecision(
        DAY_FIRST, "marker"
    )
    assert decide(("3/2/2026", "Monday"), setting="es", today=today) == OrderDecision(MONTH_FIRST, "marker")


def test_proofs_that_contradict_each_other_decide_nothing():
    assert decide("13/3/2026", "3/13/2026") == OrderDecision(None, "contradicted")


def test_a_marker_that_fits_neither_order_proves_nothing():
    # It was "Today" when the row was captured, and midnight passed.
    assert decide(("3/4/2026", "Today"), today=date(2026, 3, 5)).sign == "language"


# --- the language ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dates", "setting", "shown", "expected"),
    [
        (["2/3/2026"], "en-US", "en", (MONTH_FIRST, "language")),
        (["2/3/2026"], "en-US", None, (MONTH_FIRST, "language")),
        (["02/03/2026"], "en-GB", "en", (DAY_FIRST, "language")),
        (["02/03/2026"], "en-US", "en", (DAY_FIRST, "language")),
        (["02/03/2026"], "pt-BR", "pt", (DAY_FIRST, "language")),
        (["02/03/2026"], "en-US", "fr", (DAY_FIRST, "language")),
        # The recorded page of a language that is not translated.
        (["2/3/2026"], "de", "de", (MONTH_FIRST, "english")),
        (["02/03/2026"], "de", "de", (DAY_FIRST, "english")),
        (["2.3.2026"], "de", "de", (DAY_FIRST, "form")),
        (["2-3-2026"], "en_US", None, (DAY_FIRST, "form")),
        (["2026/3/2"], "ja", "ja", (DAY_FIRST, "none")),
        (["Yesterday", "20263"], "en", "en", (DAY_FIRST, "none")),
        ([], "de", "de", (DAY_FIRST, "none")),
    ],
)
def test_without_a_proof_the_language_whose_form_the_dates_have_decides(dates, setting, shown, expected):
    assert decide(*dates, setting=setting, shown=shown) == OrderDecision(*expected)


@pytest.mark.parametrize(
    ("dates", "setting", "shown"),
    [
        (["2/3/2026"], "es", "es"),  # Spanish, or English that was not translated
        (["2/3/2026"], "en-US", "es"),  # the page is in another language than was asked for
        (["2/3/2026"], "en-IN", "en"),
        (["11/12/2025"], "en-US", "en"),  # American or British
        (["2/3/2026"], "xx", "xx"),
    ],
)
def test_dates_that_two_languages_write_are_not_decided(dates, setting, shown):
    assert decide(*dates, setting=setting, shown=shown) == OrderDecision(None, "unclear")


@pytest.mark.parametrize(
    "dates",
    [
        ["12/2/2026"],  # in the future
        ["5/1/2026", "4/2/2026"],  # backwards
    ],
)
def test_dates_that_speak_against_the_language_are_not_decided(dates):
    turned = [f"{second}/{first}/{year}" for first, second, year in (each.split("/") for each in dates)]

    assert decide(*dates) == OrderDecision(None, "contradicted")
    assert decide(*turned) == OrderDecision(MONTH_FIRST, "language")


def test_a_row_out_of_order_does_not_contradict_the_language():
    assert decide("1/5/2026", "3/4/2026", "2/6/2026", "3/7/2026").order is MONTH_FIRST


# --- the account's habit --------------------------------------------------------------------------


def shown_row(text, stanza_id="3EB0A1", **changes):
    signals = {"time": "prefix", "date_order": "number"}
    return row(stanza_id, ts_raw=text, **{"signals": signals, **changes})


def habit_of(*rows, listed=None, language=None):
    return learned(
        DateHabit(), language or PageLanguage("es", "es"), rows, listed, zone=UTC_ZONE, words=words()
    )


def test_what_one_chat_proves_decides_the_next():
    habit = habit_of(shown_row("9:00, 13/3/2026", sent_at=datetime(2026, 3, 13, 9, tzinfo=UTC)))

    assert decide("2/3/2026", setting="es", shown="es", habit=habit) == OrderDecision(DAY_FIRST, "account")


def test_a_habit_of_another_language_or_form_decides_nothing():
    habit = habit_of(shown_row("9:00, 13/3/2026", sent_at=datetime(2026, 3, 13, 9, tzinfo=UTC)))

    assert decide("2/3/2026", setting="es", shown="pt", habit=habit).sign != "account"
    assert decide("02/03/2026", setting="es", shown="es", habit=habit).sign != "account"


def test_the_exact_time_that_is_listed_proves_the_order():
    key = MessageKey(is_outgoing=False, chat_id=context().chat.id, stanza_id="3EB0A1")
    listed = [facts(key=key, sent_at=datetime(2026, 3, 2, 9, 0, 17, tzinfo=UTC))]
    unread = shown_row("9:00, 2/3/2026", sent_at=None, signals={"time": RejectReason.DATE_UNCLEAR})

    habit = habit_of(unread, listed=listed)

    assert decide("5/4/2026", setting="es", shown="es", habit=habit) == OrderDecision(DAY_FIRST, "account")


def test_what_was_only_believed_is_no_proof():
    believed = shown_row(
        "9:00, 2/3/2026",
        sent_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
        signals={"time": "prefix", "date_order": "language"},
    )

    assert habit_of(believed).orders == {}


def test_a_habit_is_kept_by_rows_that_show_no_time_of_their_own():
    language = PageLanguage("es", "es")
    first = habit_of(shown_row("9:00, 13/3/2026", sent_at=datetime(2026, 3, 13, 9, tzinfo=UTC)))
    silent = [shown_row(None), shown_row("9:00, 2/3/2026", signals={"time": "neighbour"})]

    assert learned(first, language, silent, None, zone=UTC_ZONE, words=words()) == first


def test_another_language_begins_a_new_habit():
    first = habit_of(shown_row("9:00 PM, 13/3/2026", sent_at=datetime(2026, 3, 13, 21, tzinfo=UTC)))

    second = learned(first, PageLanguage("es", "pt"), [], None, zone=UTC_ZONE, words=words())

    assert first.has_day_parts is True
    assert second == DateHabit("pt")


def test_a_shown_time_that_is_not_the_listed_one_is_counted():
    key = MessageKey(is_outgoing=False, chat_id=context().chat.id, stanza_id="3EB0A1")
    zone = ZoneInfo("Europe/Berlin")
    twice = datetime(2026, 10, 25, 1, 30, 5, tzinfo=UTC)  # 02:30 for the second time
    row_ = shown_row("02:30, 25.10.2026", sent_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC))

    assert time_dissents([row_], [facts(key=key, sent_at=twice)], zone=zone) == ()
    late = facts(key=key, sent_at=twice + timedelta(minutes=1))
    assert time_dissents([row_], [late], zone=zone) == (TimeDissent("3EB0A1", late.sent_at, row_.sent_at),)
    assert time_dissents([row_], None, zone=zone) == ()


# --- the page's clock -----------------------------------------------------------------------------


def test_a_date_that_could_be_two_days_is_not_read():
    page = clock("9:00, 2/3/2026", setting="es", shown="es")

    assert page.at("9:00, 2/3/2026") is RejectReason.DATE_UNCLEAR
    assert page.at("9:00, 3/3/2026") == datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert page.at("9:00, 2026/3/2") == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert page.at_marker("9:00", "2/3/2026") is RejectReason.DATE_UNCLEAR
    assert page.at_marker("9:00", "Yesterday") == datetime(2026, 11, 19, 9, tzinfo=UTC)
    assert page.day_begin("2/3/2026") is None


def test_a_bare_hour_beside_words_for_the_half_of_the_day_is_not_read():
    page = clock("8:19 PM, 3/13/2026", "8:19, 3/13/2026")

    assert page.at("8:19, 3/13/2026") is RejectReason.DATE_UNCLEAR
    assert page.at("20:19, 3/13/2026") == datetime(2026, 3, 13, 20, 19, tzinfo=UTC)
    assert page.at("8:19 PM, 3/13/2026") == datetime(2026, 3, 13, 20, 19, tzinfo=UTC)


def test_a_page_of_twelve_hours_that_lost_its_words_is_not_read_until_it_proves_another_clock():
    habit = DateHabit("en", has_day_parts=True)

    lost = clock("8:19, 3/13/2026", shown="en", habit=habit)
    changed = clock("8:19, 3/13/2026", "20:20, 3/13/2026", shown="en", habit=habit)

    assert lost.at("8:19, 3/13/2026") is RejectReason.DATE_UNCLEAR
    assert changed.at("8:19, 3/13/2026") == datetime(2026, 3, 13, 8, 19, tzinfo=UTC)


def test_a_year_of_another_calendar_is_read_where_the_language_names_it_and_else_refused():
    assert clock(setting="fa", shown="fa").at("۱۴:۰۵, ۱۴۰۴/۱۱/۱۴") == datetime(  # noqa: RUF001 - its digits
        2026, 2, 3, 14, 5, tzinfo=UTC
    )
    assert clock(setting="th", shown="th").at("14:05, 13/2/2569") == datetime(2026, 2, 13, 14, 5, tzinfo=UTC)
    assert clock(setting="ar", shown="ar").at("14:05, 1447/8/15") is RejectReason.OTHER_CALENDAR


@pytest.mark.parametrize(
    ("year", "month", "day", "expected"),
    [
        (1388, 1, 1, date(2009, 3, 21)),
        (1399, 12, 30, date(2021, 3, 20)),
        (1400, 1, 1, date(2021, 3, 21)),
        (1403, 12, 30, date(2025, 3, 20)),
        (1404, 7, 1, date(2025, 9, 23)),
    ],
)
def test_solar_hijri_dates_are_ours(year, month, day, expected):
    assert solar_hijri(year, month, day) == expected


@pytest.mark.parametrize(("month", "day"), [(12, 30), (7, 31), (13, 1), (0, 1), (1, 0)])
def test_a_solar_hijri_day_that_does_not_exist_is_an_error(month, day):
    with pytest.raises(ValueError, match="does not exist"):
        solar_hijri(1404, month, day)


def test_zones_for_which_the_page_takes_another_are_read_so():
    page = clock("9:00 AM, 12/31/2018", zone=ZoneInfo("America/Sao_Paulo"))

    # Sao Paulo had daylight saving time then.
    assert page.at("9:00 AM, 12/31/2018") == datetime(2018, 12, 31, 12, tzinfo=UTC)


def test_a_pages_clock_says_why_it_does_not_read():
    page = clock()

    assert page.at("never") is RejectReason.NO_TIME
    assert page.at("never") is RejectReason.NO_TIME
    assert page.at_marker("never", "Today") is RejectReason.NO_TIME
    assert (page.is_clock("8:19 PM"), page.is_clock("8:19 PM"), page.is_clock("soon")) == (True, True, False)
    assert page.day_begin("never") is None
    assert page.day_begin("Today") == datetime(2026, 11, 20, tzinfo=UTC)
    assert PageClock.from_seconds(10**20) is None
    assert PageClock.from_seconds(0) == datetime(1970, 1, 1, tzinfo=UTC)


# --- rows -----------------------------------------------------------------------------------------


def one(head, **changes):
    html = (
        f'<div data-pre-plain-text="[{head}] Mira Vogel: "><span class="selectable-text">hello</span></div>'
    )
    key = f"false_{context().chat.id}_3EB0A1"
    parsed, rejects = parse_rows(
        [raw(key, html, **changes)],
        all_packs()["2026-08"],
        zone=UTC_ZONE,
        locale="es",
        page_language="es",
        own_name=None,
        observed_at=NOW,
    )
    assert rejects == ()
    return parsed[0]


def test_a_row_whose_date_is_unclear_is_a_reject_and_not_its_neighbours_time():
    unclear = one("9:00, 2/3/2026", date_marker="2/3/2026")

    assert (unclear.sent_at, unclear.ts_raw) == (None, "9:00, 2/3/2026")
    assert unclear.signals["date_order"] == "unclear"
    assert to_message(unclear, None, context(), NOW) is RejectReason.DATE_UNCLEAR


def test_a_row_under_yesterday_proves_its_own_date():
    read = one("9:00, 3/3/2026", date_marker="Yesterday")

    assert read.sent_at == datetime(2026, 3, 3, 9, tzinfo=UTC)


def test_a_row_whose_date_is_unclear_is_written_with_the_listed_time():
    key = MessageKey(is_outgoing=False, chat_id=context().chat.id, stanza_id="3EB0A1")
    listed = facts(key=key, sent_at=datetime(2026, 3, 2, 9, 0, 17, tzinfo=UTC))

    message = to_message(one("9:00, 2/3/2026"), listed, context(), NOW)

    assert message.ts == listed.sent_at


@pytest.mark.parametrize("day", ["3/4/1447", "3/4/99999"])
def test_a_year_of_another_calendar_is_told_whether_or_not_the_order_is_known(day):
    known, unknown = clock("8:19 PM, 13/3/2026"), clock("5:05 PM, 3/4/2026", setting="xx")
    assert (known.order, unknown.order) == (DAY_FIRST, None)
    for page in (known, unknown):
        assert page.at(f"8:19 PM, {day}") is RejectReason.OTHER_CALENDAR


def test_a_date_that_exists_in_neither_order_is_not_guessed():
    assert clock("5:05 PM, 3/4/2026", setting="xx").at("8:19 PM, 31/31/2026") is RejectReason.DATE_UNCLEAR
