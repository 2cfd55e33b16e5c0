"""What the page writes as time and date is read back to the minute: every language, zone and edge.

The stand-in's own module writes, in the real browser. The table is made once for all tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser

from tests.fixtures.page import ORDINARY_AGENT
from tests.transform_values import words
from whatsapp_etl.model import RejectReason
from whatsapp_etl.simulator.serve import RunningSimulator
from whatsapp_etl.transform.clocks import PageClock
from whatsapp_etl.transform.date_order import PageLanguage

LOCALES = (
    "en-US", "en-GB", "en-IE", "de", "fr", "es", "pt-BR", "it", "nl", "tr", "id", "sv", "fi", "ja", "ko",
    "zh-CN", "zh-TW", "ar", "he", "hi", "ur", "ta", "fa", "th", "pl", "bg", "cs",
)  # fmt: skip
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe",
    "Africa/Casablanca",
)  # fmt: skip
VARIANTS = {
    "en-US": ("narrow_space", "midnight_24"),
    "en-GB": ("narrow_space", "midnight_24"),
    "es": ("narrow_space", "english_dates"),
    "ar": ("arabic_digits", "intl_only"),
    "nl": ("intl_only",),
    "zh-CN": ("intl_only",),
    "hi": ("intl_only",),
    "ta": ("intl_only",),
    "ur": ("intl_only", "english_urdu"),
    "de": ("english_dates",),
    "tr": ("english_dates",),
    "fa": ("english_dates",),
    "id": ("english_dates",),
}
TODAY = date(2026, 11, 20)

_WRITE = """async (asked) => {
    const {createFormat} = await import("/static/format.js");
    return JSON.stringify(asked.forms.map(([locale, hour12, variant]) => {
        const config = {locale, hour12, language_variants: variant ? [variant] : []};
        const format = createFormat(() => config, {now: () => new Date()});
        return asked.seconds.map(each => format.prePlainText(each, "").slice(1, -4));
    }));
}"""


@dataclass(frozen=True)
class Form:
    locale: str
    hour12: bool | None
    variant: str | None


@dataclass(frozen=True)
class Written:
    form: Form
    zone: str
    instants: Sequence[datetime]
    texts: Sequence[str]


FORMS = [
    Form(locale, hour12, variant)
    for locale in LOCALES
    for hour12 in (None, True, False)
    for variant in (None, *VARIANTS.get(locale, ()))
]


def instants(zone_name: str) -> list[datetime]:
    """Return days all over the year at all hours, and the minutes around every change of the clocks."""
    # Later, Morocco's clocks depend on how new the zone data of the browser and of Python are.
    begin, end = datetime(2024, 11, 1, 0, 5, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
    found = [begin + timedelta(hours=331 * step, minutes=37 * step % 60) for step in range(50)]
    zone, hour = ZoneInfo(zone_name), timedelta(hours=1)
    local_midnights = [datetime(2026, month, month, tzinfo=zone) for month in range(1, 11)]
    for each in local_midnights:
        found += [each.astimezone(UTC), each.astimezone(UTC) - timedelta(minutes=1)]
    at = begin.replace(minute=0)
    while at < end:
        if at.astimezone(zone).utcoffset() != (at + hour).astimezone(zone).utcoffset():
            found += [at + timedelta(minutes=minutes) for minutes in range(-60, 150, 15)]
            found += [at + hour - timedelta(minutes=1)]
        at += hour
    if zone_name == "America/Sao_Paulo":  # It had daylight saving time then; the page does not know.
        found.append(datetime(2018, 12, 1, 12, 0, tzinfo=UTC))
    return sorted(each for each in found if each < end)


@pytest.fixture(scope="module")
def table(page_browser: Browser, shared_simulator: RunningSimulator) -> list[Written]:
    """Everything that the page writes: one call of its own module for each zone."""
    page = page_browser.new_page(user_agent=ORDINARY_AGENT)
    page.goto(f"{shared_simulator.url}/static/unsupported.html")
    control = page.context.new_cdp_session(page)
    return [each for zone in ZONES for each in _write(page, control, zone)]


def _write(page, control, zone: str) -> Iterator[Written]:
    control.send("Emulation.setTimezoneOverride", {"timezoneId": zone})
    asked = instants(zone)
    told = page.evaluate(
        _WRITE,
        {
            "forms": [[form.locale, form.hour12, form.variant] for form in FORMS],
            "seconds": [int(each.timestamp()) for each in asked],
        },
    )
    for form, texts in zip(FORMS, json.loads(told), strict=True):
        yield Written(form, zone, asked, texts)


def shown_minute(instant: datetime, zone_name: str) -> datetime:
    """Return the instant to the minute; the first of two where the local time occurs twice."""
    zone = words().zone(ZoneInfo(zone_name))
    local = instant.astimezone(zone).replace(second=0, microsecond=0, fold=0)
    return local.astimezone(UTC)


def clock(written: Written, texts: Sequence[str]) -> PageClock:
    language = PageLanguage(written.form.locale, written.form.locale.partition("-")[0])
    heads = [(text, None) for text in texts]
    return PageClock(words(), zone=ZoneInfo(written.zone), language=language, today=TODAY, heads=heads)


def test_every_time_of_a_page_is_read_back_to_the_minute(table: list[Written]):
    wrong = []
    for written in table:
        page = clock(written, written.texts)
        wrong += [
            (written.form, written.zone, text, page.at(text))
            for instant, text in zip(written.instants, written.texts, strict=True)
            if page.at(text) != shown_minute(instant, written.zone)
        ]

    assert sum(len(written.texts) for written in table) > 50_000
    assert wrong[:10] == []


def test_a_single_date_is_read_right_or_not_at_all(table: list[Written]):
    """One message is all that is known of the account: its date could be two days."""
    outcomes: dict[object, int] = {"right": 0, RejectReason.DATE_UNCLEAR: 0}
    wrong = []
    for written in table:
        if written.zone != "UTC":
            continue
        for instant, text in zip(written.instants, written.texts, strict=True):
            read = clock(written, [text]).at(text)
            if read == shown_minute(instant, written.zone):
                outcomes["right"] += 1
            elif read is RejectReason.DATE_UNCLEAR:
                outcomes[RejectReason.DATE_UNCLEAR] += 1
            else:
                wrong.append((written.form, text, read))

    assert wrong[:10] == []
    assert outcomes["right"] > outcomes[RejectReason.DATE_UNCLEAR] > 0
