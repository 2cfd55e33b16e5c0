"""The main job on a page in another language: shown times are read, and agree with the listed ones."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from whatsapp_etl.model import RunStatus


@pytest.mark.parametrize(
    ("locale", "zone", "variants"),
    [
        ("ar", "Asia/Kolkata", ("translated_words", "arabic_digits")),
        # Recorded so: the clock is German, dates and words are English.
        pytest.param("de", "Europe/Berlin", ("english_dates",), marks=pytest.mark.matrix),
    ],
)
def test_a_page_in_another_language_is_read_whole(account, locale, zone, variants):
    world = {"locale": locale, "language_variants": variants, "timezone": zone}
    it = account(world, whatsapp_locale=locale, whatsapp_timezone=zone)
    it.simulator.set_config(fiber=False)

    report = it.sync()

    assert (report.status, report.error) == (RunStatus.SUCCESS, None)
    assert it.stored() == it.truth()
    assert report.rejects == report.disagreements == 0
    by_sign = {sign: count for (name, sign), count in report.selector_hits.items() if name == "row_time"}
    assert by_sign["prefix"] > 0
    assert by_sign["marker"] > 0
    assert "model" not in by_sign


@pytest.mark.matrix
def test_a_page_in_another_zone_than_the_browsers_is_counted(account):
    it = account({"chats": 2, "messages": 20}, whatsapp_timezone="Asia/Kolkata")
    it.simulator.set_config(fiber=False)
    it.cycle = replace(it.cycle, zone=ZoneInfo("UTC"))

    report = it.sync()

    assert it.stored() == it.truth()
    assert report.disagreements == report.selector_hits["row_time_dissent", "metadata"] > 0
