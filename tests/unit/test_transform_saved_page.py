"""Snapshots: what of a page stays in one, what does not, and that it can be read like the page."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from tests.transform_values import ROOT, UTC_ZONE, packs
from whatsapp_etl.model import SeenPage
from whatsapp_etl.transform.page_words import PageWords, words_of
from whatsapp_etl.transform.parse import parse_page
from whatsapp_etl.transform.redact import redact_html, redact_id
from whatsapp_etl.transform.saved_page import read_page, write_page

WORDS = words_of(packs().values())
SEEN_AT = datetime(2026, 8, 23, 12, 0, tzinfo=UTC)


def snapshot(html: str, **facts: object) -> str:
    return write_page(SeenPage(html=html, **facts), WORDS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("markup", "kept"),
    [
        ('<div id="pane-side"></div>', 'id="pane-side"'),
        ('<div aria-label="Chat list"></div>', 'aria-label="Chat list"'),
        ('<div title="Download Gehalt.pdf"></div>', 'title="Download xxxxxx.xxx"'),
        ('<div aria-label="3 unread messages"></div>', 'aria-label="9 unread messages"'),
        ('<a href="https://maps.google.com/maps?q=52.5,13.4"></a>', "maps.google.com/maps?x=99.9,99.9"),
        ('<div data-renamed="chat-list"></div>', 'data-renamed="chat-list"'),
        ("<span>Yesterday</span>", "<span>Yesterday</span>"),
        ("<span>TODAY</span>", "<span>TODAY</span>"),
        ("<i>8:19\u202fPM</i>", "<i>9:99\u202fPM</i>"),
        ("<i>오후 8:19</i>", "<i>오후 9:99</i>"),
        ('<p data-pre-plain-text="[8:19 pm, 23/08/2026] Mira: "></p>', '"[9:99 pm, 99/99/9999] xxxx: "'),
    ],
)
def test_the_pages_own_words_stay(markup, kept):
    assert kept in snapshot(markup)


@pytest.mark.parametrize(
    ("markup", "left"),
    [
        ("<span>Yesterday Mira came</span>", "<span>xxxxxxxxx xxxx xxxx</span>"),
        ('<span data-testid="selectable-text">OK</span>', ">xx</span>"),
        ('<span class="selectable-text"><b>Today</b></span>', "<b>xxxxx</b>"),
        ("<i>8:19 Mira</i>", "<i>9:99 xxxx</i>"),
        ('<div aria-label="Mira"></div>', 'aria-label="xxxx"'),
        ('<div id="mira"></div>', f'id="{redact_id("mira")}"'),
    ],
)
def test_what_people_wrote_does_not(markup, left):
    assert left in snapshot(markup)


def test_without_packs_no_word_is_the_pages_own():
    assert redact_html('<p aria-label="Chat list">Today</p>') == '<p aria-label="xxxx xxxx">xxxxx</p>'
    assert PageWords().part_of("aria-label", "Chat list") == (0, 0)


@pytest.mark.parametrize(
    ("shown_id", "form"),
    [
        ("true_4915550001@c.us_3EB0A1B2C3D4E5F6", r"true_0@c\.us_H"),
        ("false_120363000@g.us_3EB0A1B2C3D4_4915550001@c.us", r"false_0@g\.us_H_0@c\.us"),
        ("false_4915550001@c.us_3EB0A1B2C3D4_in", r"false_0@c\.us_H_in"),
        ("album-3EB0A1B2-3EB0A1B3-4", r"album-H-H-9"),
        ("3EB0A1B2C3D4E5F6", "H"),
        ("4915550001", "H"),
    ],
)
def test_an_id_keeps_its_form_and_nobody_can_be_found_by_it(shown_id, form):
    redacted = redact_id(shown_id)

    assert re.fullmatch(form.replace("H", "[0-9a-f]{16}"), redacted)
    assert "4915550001" not in redacted
    assert redact_id(shown_id) == redacted


def test_a_snapshot_says_when_and_of_what_it_was_taken():
    text = snapshot("<p>Hi</p>", build="2.3000.1045818043", language="pt-BR", taken_at=SEEN_AT)

    page = read_page(text)

    assert (page.build, page.language, page.taken_at) == ("2.3000.1045818043", "pt-BR", SEEN_AT)
    assert page.is_snapshot


def test_what_a_page_says_of_itself_cannot_break_out_of_the_head():
    page = read_page(snapshot("<p>Hi</p>", build='"><script>', language="not a language"))

    assert (page.build, page.language, page.taken_at) == (None, None, None)
    assert "<script>" not in page.html


def test_a_file_that_somebody_saved_is_read_as_it_is():
    page = read_page('<html lang="de"><body>9:99</body></html>')

    assert page == SeenPage(html='<html lang="de"><body>9:99</body></html>', language="de")
    assert read_page("<p>part of a page</p>").language is None
    assert read_page('<html lang=""><p></p></html>').language is None


@pytest.mark.parametrize(
    ("redacted", "readable"),
    [
        ("9:99", "9:09"),
        ("99:99:99", "09:09:09"),
        ("99.99", "09.09"),
        ("9/9/9999", "9/9/2009"),
        ("99. 99. 9999", "09. 09. 2009"),
        ("9999-99-99", "2009-09-09"),
        ("9999/9/99", "2009/9/09"),
        ("99/99/99", "09/09/09"),
        ("999:99", "999:99"),
        ("+99 9999 99999", "+99 9999 99999"),
    ],
)
def test_times_of_a_snapshot_become_readable_ones_of_the_same_form(redacted, readable):
    text = snapshot("<p></p>").replace("<p></p>", f"<p>{redacted}</p>")

    assert f"<p>{readable}</p>" in read_page(text).html


@pytest.mark.parametrize(
    "case", sorted((ROOT / "tests/cases/messages").iterdir()), ids=lambda case: case.name
)
def test_a_snapshot_of_a_page_reads_like_the_page(case):
    html = (case / "page.html").read_text(encoding="utf-8")
    pack = packs()["2026-04" if case.name.startswith("apr") else "2026-08"]

    def told(text: str) -> list[tuple[object, ...]]:
        parsed, rejects = parse_page(
            text, pack, zone=UTC_ZONE, locale="en-US", own_name=None, chat_id=None, today=date(2026, 8, 23)
        )
        return [
            *((row.type, row.is_outgoing, row.is_edited, row.is_forwarded, bool(row.text)) for row in parsed),
            *((reject.reason,) for reject in rejects),
        ]

    assert told(read_page(snapshot(html)).html) == told(html)
