"""How many captured rows one core parses in a second: 3 kB each, a mix as in ordinary chats.

Run it by itself with `python -m benchmarks.parse_rows`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from whatsapp_etl.extract.packs import load_packs
from whatsapp_etl.model import RawRow, SelectorPack
from whatsapp_etl.transform.parse import parse_rows
from whatsapp_etl.transform.rules import RowRules

ROOT = Path(__file__).parents[1]
PACK = "2026-08"
LIMIT_ROWS_PER_SECOND = 10_000
ROWS = 6_000
BATCH = 50  #: A page of history.
RUNS = 5
OBSERVED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)

#: Elements of a bubble carry several generated classes each.
ATOMS = "x9f619 x1hx0egp x1yrsyyn xizg8k x1mzt3pk x6ikm8r x10wlt62"


def run() -> dict[str, object]:
    """Measure, and return what the bench runner prints."""
    pack = next(pack for pack in load_packs(ROOT / "selectors") if pack.id == PACK)
    rows = list(_rows(ROWS))
    best = max(_rate(rows, pack) for _ in range(RUNS))
    return {
        "rows": len(rows),
        "bytes_per_row": round(sum(len(row.html) for row in rows) / len(rows)),
        "rows_per_second": round(best),
        "limits": {"rows_per_second": f">= {LIMIT_ROWS_PER_SECOND}"},
    }


def _rate(rows: list[RawRow], pack: SelectorPack) -> float:
    rules = RowRules(pack)
    begin = time.process_time()
    for first in range(0, len(rows), BATCH):
        parsed, rejects = parse_rows(
            rows[first : first + BATCH],
            rules,
            zone=ZoneInfo("UTC"),
            locale="en-US",
            own_name="Own Name",
            observed_at=OBSERVED_AT,
        )
        assert len(parsed) == len(rows[first : first + BATCH]), rejects
    return len(rows) / (time.process_time() - begin)


def _rows(count: int) -> Iterator[RawRow]:
    """Yield seven texts to one picture, one voice note and one answer, as chats commonly run."""
    bodies = (_text, _text, _text, _picture, _text, _answer, _text, _voice, _text, _text)
    for number in range(count):
        is_own = number % 3 == 0
        stanza_id = f"3EB0{number:016X}"
        clock = f"{number // 60 % 12 or 12}:{number % 60:02} PM"
        body = bodies[number % len(bodies)](number, clock, "Own Name" if is_own else "Mira Vogel")
        yield RawRow(
            shown_id=stanza_id,
            html=_frame(stanza_id, body, is_own=is_own, is_first=number % 4 == 0),
            alignment="flex-end" if is_own else "flex-start",
            date_marker="3/2/2026",
            run_position=number % 4,
            run_head=None,
        )


def _frame(stanza_id: str, body: str, *, is_own: bool, is_first: bool) -> str:
    side = "out" if is_own else "in"
    tail = _icon(f"tail-{side}") if is_first else ""
    label = (
        f'<span class="{ATOMS}" aria-label="{"You:" if is_own else "Mira Vogel:"}"></span>'
        if is_first
        else ""
    )
    buttons = _box(_box(f'<div role="button" class="{ATOMS}" aria-label="React">{_icon("react")}</div>'))
    return (
        f'<div class="{ATOMS}" tabindex="-1" data-id="{stanza_id}" data-testid="conv-msg-{stanza_id}">'
        f'<div data-virtualized="false" class="{ATOMS}" style="min-height: 34px">'
        f'<div class="focusable-list-item {ATOMS}"><span class="{ATOMS}"></span>'
        f'<div data-testid="msg-container" class="{ATOMS}">{tail}'
        f"{_box(_box(label + body))}{_box('<span></span>')}{_box('')}</div>{buttons}</div></div></div>"
    )


def _box(inner: str) -> str:
    return f'<div class="{ATOMS}">{inner}</div>'


def _icon(name: str) -> str:
    return (
        f'<span aria-hidden="true" data-icon="{name}" data-testid="{name}" class="{ATOMS}">'
        f'<svg viewBox="0 0 8 13" height="13" width="8"><title>{name}</title>'
        '<path d="M5.188 1H0v11.193l6.467-8.625C7.526 2.156 6.958 1 5.188 1z"></path></svg></span>'
    )


def _meta(clock: str) -> str:
    return (
        f'<div data-testid="msg-meta" class="{ATOMS}" role="button"><span dir="auto" class="{ATOMS}">'
        f"<span>{clock}</span></span>{_box(_icon('msg-dblcheck'))}</div>"
    )


def _copied(clock: str, who: str, inner: str) -> str:
    head = f"[{clock}, 3/2/2026] {who}: "
    return f'<div class="copyable-text {ATOMS}" data-pre-plain-text="{head}">{inner}</div>{_meta(clock)}'


def _body(clock: str, inner: str) -> str:
    spacer = (
        f'<span class="{ATOMS}"><span aria-hidden="true" class="{ATOMS}"><span>{clock}</span></span></span>'
    )
    return (
        f'<div class="{ATOMS}"><span data-testid="selectable-text" dir="ltr" style="min-height: 0px" '
        f'class="selectable-text copyable-text {ATOMS}"><span>{inner}</span></span>{spacer}</div>'
    )


def _text(number: int, clock: str, who: str) -> str:
    emoji = f'<img alt="🙂" data-plain-text="🙂" class="emoji {ATOMS}" src="data:image/gif;base64,…">'
    words = f"Message number {number}: see you at the station, I bring <strong>two</strong> tickets {emoji}"
    return _copied(clock, who, _body(clock, words))


def _answer(number: int, clock: str, who: str) -> str:
    quote = (
        f'<div data-testid="quoted-message" class="{ATOMS}"><div role="button" aria-label="Quoted message" '
        f'class="{ATOMS}"><span dir="auto">Mira Vogel</span><span data-testid="selectable-text" '
        f'class="quoted-mention {ATOMS}">which of the {number} do you mean</span></div></div>'
    )
    return _copied(clock, who, quote + _body(clock, "the second one"))


def _picture(number: int, clock: str, who: str) -> str:
    picture = (
        f'<div data-testid="image-thumb" role="button" aria-label="Open picture" class="{ATOMS}">'
        f'<img class="{ATOMS}" alt="at the lake" src="blob:https://web.whatsapp.com/{number}">'
        f"{_icon('media-check')}</div>"
    )
    return _copied(clock, who, picture + _body(clock, "at the lake"))


def _voice(number: int, clock: str, _who: str) -> str:
    slider = f'<div role="slider" aria-valuetext="0:00/0:{number % 60:02}" class="{ATOMS}"></div>'
    return _box(slider + _icon("ptt-status") + _icon("audio-play") + _box(_box(""))) + _meta(clock)


if __name__ == "__main__":
    print(json.dumps(run()))
