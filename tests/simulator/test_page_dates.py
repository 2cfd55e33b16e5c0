"""Times, dates and their words in the languages of the page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.fixtures.page import ORDINARY_AGENT
from whatsapp_etl.simulator.serve import RunningSimulator

AFTERNOON = 1_770_127_500  # 2026-02-03 14:05 UTC
MIDNIGHT = 1_770_077_100  # 2026-02-03 00:05 UTC

_WRITE = """async ([seconds, now, config]) => {
    const {createFormat} = await import("/static/format.js");
    const clock = {now: () => new Date(now * 1000)};
    const format = createFormat(() => ({hour12: null, language_variants: [], ...config}), clock);
    return [format.prePlainText(seconds, "Ana"), format.dateMarker(seconds), format.listTime(seconds)];
}"""


@pytest.fixture(scope="module")
def blank(page_browser: Browser, shared_simulator: RunningSimulator) -> Page:
    """The stand-in's own modules, in a browser of UTC; nothing is logged in."""
    page = page_browser.new_page(user_agent=ORDINARY_AGENT, timezone_id="UTC")
    page.goto(f"{shared_simulator.url}/static/unsupported.html")
    return page


def shown(
    page: Page, seconds: int = AFTERNOON, now: int = AFTERNOON + 86_400 * 30, **config: Any
) -> list[str]:
    return page.evaluate(_WRITE, [seconds, now, config])  # type: ignore[no-any-return]


def head(page: Page, seconds: int = AFTERNOON, **config: Any) -> str:
    return shown(page, seconds, **config)[0].removesuffix(" Ana: ")


#: In the language's own habit of 12 or 24 hours.
HEADS = {
    "en-US": "[2:05 PM, 2/3/2026]",
    "en-GB": "[2:05 pm, 03/02/2026]",
    "en-IE": "[14:05, 03/02/2026]",
    "de": "[14:05, 3.2.2026]",
    "fr": "[14:05, 03/02/2026]",
    "es": "[2:05 p. m., 3/2/2026]",
    "pt-BR": "[14:05, 03/02/2026]",
    "it": "[14:05, 03/02/2026]",
    "nl": "[14:05, 03-02-2026]",
    "tr": "[14:05, 03.02.2026]",
    "id": "[14.05, 3/2/2026]",
    "sv": "[14:05, 2026-02-03]",
    "fi": "[14.05, 3.2.2026]",
    "ja": "[午後2:05, 2026/2/3]",
    "ko": "[오후 2:05, 2026. 2. 3.]",
    "zh-CN": "[下午2:05, 2026年2月3日]",
    "zh-TW": "[下午2:05, 2026年2月3日]",
    "ar": "[2:05 م، 2026/2/3]",
    "he": "[14:05, 3.2.2026]",
    "hi": "[दोपहर 2:05 बजे, 3/2/2026]",
    "ur": "[2:05 شام, 3/2/2026]",
    "ta": "[2:05 எற்பாடு, 3/2/2026]",
    "fa": "[۲:۰۵ ب.ظ., ۱۴۰۴/۱۱/۱۴]",  # noqa: RUF001 - its own digits
}


@pytest.mark.parametrize(("locale", "expected"), HEADS.items())
def test_the_head_of_a_copied_message_follows_the_language(blank: Page, locale: str, expected: str):
    assert head(blank, locale=locale) == expected


@pytest.mark.parametrize(
    ("expected", "config"),
    [
        ("[14:05, 03/02/2026]", {"locale": "en-GB", "hour12": False}),
        ("[14:05, 2026年2月3日]", {"locale": "zh-CN", "hour12": False}),
        ("[14:05، 2026/2/3]", {"locale": "ar", "hour12": False}),
        ("[2:05 PM, 3.2.2026]", {"locale": "de", "hour12": True}),
        ("[ÖS 2:05, 03.02.2026]", {"locale": "tr", "hour12": True}),
        ("[2:05\u202fPM, 2/3/2026]", {"locale": "en", "language_variants": ["narrow_space"]}),
        ("[2:05\u202fp.\u00a0m., 3/2/2026]", {"locale": "es", "language_variants": ["narrow_space"]}),
        ("[٢:٠٥ م، ٢٠٢٦/٢/٣]", {"locale": "ar", "language_variants": ["arabic_digits"]}),  # noqa: RUF001 - its own digits
        ("[2:05 م, 3\u200f/2\u200f/2026]", {"locale": "ar", "language_variants": ["intl_only"]}),
        ("[2:05 PM, 2/3/2026]", {"locale": "ur", "language_variants": ["english_urdu"]}),
        ("[14:05, 2/3/2026]", {"locale": "de", "language_variants": ["english_dates"]}),
    ],
)
def test_preferences_and_variants_change_the_head(blank: Page, expected: str, config: dict[str, Any]):
    assert head(blank, **config) == expected


@pytest.mark.parametrize(
    ("expected", "config"),
    [
        ("[00:05, 2/3/2026]", {"locale": "en", "hour12": False}),
        ("[24:05, 2/3/2026]", {"locale": "en", "hour12": False, "language_variants": ["midnight_24"]}),
        ("[00:05, 3.2.2026]", {"locale": "de", "language_variants": ["midnight_24"]}),
        ("[12:05 AM, 2/3/2026]", {"locale": "en-US"}),
    ],
)
def test_midnight_is_the_same_date(blank: Page, expected: str, config: dict[str, Any]):
    assert head(blank, MIDNIGHT, **config) == expected


DAY = 86_400
TRANSLATED = {"language_variants": ["translated_words"]}


@pytest.mark.parametrize(
    ("expected", "config"),
    [
        (["Today", "Yesterday", "Sunday", "Wednesday", "1/27/2026"], {"locale": "en-US"}),
        (["Today", "Yesterday", "Sunday", "Wednesday", "27.1.2026"], {"locale": "de"}),
        (["Heute", "Gestern", "Sonntag", "Mittwoch", "27.1.2026"], {"locale": "de", **TRANSLATED}),
        (["Hoje", "Ontem", "domingo", "quarta-feira", "27/01/2026"], {"locale": "pt-BR", **TRANSLATED}),
        (["Bugün", "Dün", "Pazar", "Çarşamba", "27.01.2026"], {"locale": "tr", **TRANSLATED}),
        (["Hari ini", "Kemarin", "Minggu", "Rabu", "27/1/2026"], {"locale": "id", **TRANSLATED}),
        (["今天", "昨天", "星期日", "星期三", "2026年1月27日"], {"locale": "zh-CN", **TRANSLATED}),
    ],
)
def test_old_days_are_dates_and_near_ones_have_names(
    blank: Page, expected: list[str], config: dict[str, Any]
):
    labels = [shown(blank, AFTERNOON - days * DAY, AFTERNOON, **config)[1] for days in (0, 1, 2, 6, 7)]

    assert labels == expected


def test_the_list_shows_the_clock_of_today(blank: Page):
    assert shown(blank, now=AFTERNOON, locale="de")[2] == "14:05"
