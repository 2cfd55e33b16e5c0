"""Whatever a page holds, parsing gives rows and rejects and raises nothing."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transform_values import NOW, ROOT, UTC_ZONE, packs, raw
from whatsapp_etl.model import RowModel
from whatsapp_etl.transform.parse import parse_page, parse_rows
from whatsapp_etl.transform.redact import redact_html

PAGES = sorted(
    path.read_text(encoding="utf-8") for path in (ROOT / "tests/cases/messages").glob("*/page.html")
)
PACKS = ["2026-04", "2026-08"]
PIECES = [
    *("<", ">", '"', "</div>", "<!--", "-->", "<table>", "<template>", "<script>", "<plaintext>", "<svg>"),
    *("&#0;", "\0", "</etl-row>", "<etl-row>", "<frameset>", "</body>", "data-id", "[", "]: ", "2026", "🙂"),
    "\u202e",
]


def broken(page, seed):
    """Return `page` with a few pieces cut, doubled or put in."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 6)):
        begin = chance.randrange(len(page) + 1)
        end = min(len(page), begin + chance.randrange(60))
        piece = chance.choice(["", page[begin:end] * 2, chance.choice(PIECES)])
        page = page[:begin] + piece + page[end:]
    return page


@pytest.mark.parametrize("pack_id", PACKS)
@given(st.integers(0, len(PAGES) - 1), st.integers(0, 10**9))
def test_a_broken_page_gives_rows_and_rejects(pack_id, index, seed):
    parsed, rejects = parse_page(
        broken(PAGES[index], seed),
        packs()[pack_id],
        zone=UTC_ZONE,
        locale="en-US",
        own_name="Own Name",
        chat_id=None,
        today=date(2026, 3, 4),
    )

    assert len({row.shown_id for row in parsed}) == len(parsed)
    assert all(reject.evidence is not None for reject in rejects)


models = st.none() | st.builds(
    RowModel,
    key=st.none() | st.text(max_size=20),
    sent_at_seconds=st.none() | st.integers(),
    type=st.none() | st.sampled_from(["chat", "ptt", "new_type"]),
    author=st.none(),
)
rows = st.builds(
    raw,
    st.text(max_size=20),
    st.tuples(st.integers(0, len(PAGES) - 1), st.integers(0, 10**9)).map(
        lambda pick: broken(PAGES[pick[0]], pick[1])
    ),
    alignment=st.none() | st.sampled_from(["flex-end", "flex-start", "center", "odd"]),
    date_marker=st.none() | st.text(max_size=12) | st.sampled_from(["Today", "31/31/2026", "1/1/99999"]),
    run_head=st.none() | st.text(max_size=2),
    model=models,
)


@given(st.lists(rows, max_size=4), st.sampled_from(PACKS), st.sampled_from(["en-US", "de", "", "x-y"]))
def test_every_captured_row_is_a_row_or_a_reject(captured, pack_id, locale):
    parsed, rejects = parse_rows(
        captured, packs()[pack_id], zone=UTC_ZONE, locale=locale, own_name=None, observed_at=NOW
    )

    assert len(parsed) + len(rejects) == len(captured)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12).map("".join))
def test_any_markup_can_be_redacted(source):
    assert isinstance(redact_html(source), str)
