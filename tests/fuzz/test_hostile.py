"""Pages made to break a reader: each gives rows or rejects, within seconds of computing time."""

import time
from datetime import date

import pytest

from tests.transform_values import UTC_ZONE, packs
from whatsapp_etl.transform.parse import parse_page
from whatsapp_etl.transform.redact import redact_html

#: Of this process, so that a busy machine is no failure. The slowest takes a tenth of it.
_SECONDS = 5
_DEEP = 3000


def page(*rows):
    return f'<div id="main"><div data-testid="conversation-panel-messages">{"".join(rows)}</div></div>'


def row(body, stanza="3EB0AA01"):
    return (
        f'<div role="row"><div data-id="{stanza}" data-testid="conv-msg-{stanza}">'
        f'<div data-virtualized="false"><div class="focusable-list-item">'
        f'<div data-testid="msg-container">{body}</div></div></div></div></div>'
    )


def text(body, prefix="[2:05 PM, 3/2/2026] Mira Vogel: "):
    shown = f'<span data-testid="selectable-text" class="selectable-text copyable-text">{body}</span>'
    return f'<div class="copyable-text" data-pre-plain-text="{prefix}">{shown}</div>'


HOSTILE = {
    "nested boxes": page(row("<div>" * _DEEP + text("x"))),
    "nested spans in a text": page(row(text("<span>" * _DEEP + "x"))),
    "nested lists in a text": page(row(text("<ul><li>" * (_DEEP // 4) + "x"))),
    "nested formatting": page(row(text("<a><b><i>" * (_DEEP // 3) + "x"))),
    "nested rows": page('<div data-id="A1" data-testid="conv-msg-A1">' * _DEEP),
    "nested quotes": page(row('<div data-testid="quoted-message">' * _DEEP + text("x"))),
    "nested corners": page(row(text("x") + '<div data-testid="msg-meta"><span dir="auto">' * _DEEP + "x")),
    "many corners": page(row(text("x") + '<div data-testid="msg-meta"><span>2:05 PM</span></div>' * 20_000)),
    "tags that never close": '<div data-id="A1"' * _DEEP,
    "three thousand rows": page(*(row(text("x"), f"3EB0{number:08X}") for number in range(3000))),
    "one id three thousand times": page(*[row(text("x"))] * 3000),
    "a head of brackets": page(row(text("x", "[" * 200_000))),
    "a head of heads": page(row(text("x", "[2:05 PM, 3/2/2026] " * 20_000 + ": "))),
    "a head of digits": page(row(text("x", f"[{'9' * 200_000}, 1/1/2026] a: "))),
    "a text of two million letters": page(row(text("a" * 2_000_000))),
    "a text of line feeds": page(row(text("a\n" * 200_000))),
    "a text of emoji": page(row(text('<img alt="x" data-plain-text="x">' * 50_000))),
    "a text of NUL": page(row(text("\0" * 200_000))),
    "many attributes": page(f"<div {' '.join(f'a{number}' for number in range(5000))}>"),
}


@pytest.mark.parametrize("pack_id", ["2026-04", "2026-08"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_is_read_in_bounded_time(name, pack_id):
    begin = time.process_time()

    parsed, rejects = parse_page(
        HOSTILE[name],
        packs()[pack_id],
        zone=UTC_ZONE,
        locale="en-US",
        own_name="Own Name",
        chat_id=None,
        today=date(2026, 3, 4),
    )
    redacted = redact_html(HOSTILE[name])

    assert time.process_time() - begin < _SECONDS
    assert len({each.shown_id for each in parsed}) == len(parsed)
    assert all(each.evidence is not None for each in rejects)
    assert "Mira" not in redacted


def test_words_are_kept_however_deep_they_are_nested():
    ((read,), _) = parse_page(
        page(row(text("one <b>" * 400 + "two"))),
        packs()["2026-08"],
        zone=UTC_ZONE,
        locale="en-US",
        own_name=None,
        chat_id=None,
        today=date(2026, 3, 4),
    )

    assert read.text == "one " * 400 + "two"
