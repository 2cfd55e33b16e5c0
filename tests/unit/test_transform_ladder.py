"""The order in which the signs of a fact are asked is the pack's, and contradiction is counted."""

from dataclasses import replace

import pytest

from tests.transform_values import NOW, UTC_ZONE, packs, raw
from whatsapp_etl.errors import PackError
from whatsapp_etl.extract.packs import load_packs
from whatsapp_etl.model import RowModel, SelectorPack
from whatsapp_etl.transform.parse import parse_rows, signal_counts

BODY = '<span data-testid="selectable-text">hello</span>'
HEAD = f'<div data-pre-plain-text="[10:00 AM, 3/4/2026] Mira Vogel: ">{BODY}</div>'
META = '<div data-testid="msg-meta"><span>{}</span></div>'
OUT_TAIL = '<span data-icon="tail-out"></span>'


def with_ladder(**facts: tuple[str, ...]) -> SelectorPack:
    pack = packs()["2026-08"]
    return replace(pack, tables={**pack.tables, "ladder": {**pack.tables["ladder"], **facts}})


def one(row, pack=None):
    parsed, rejects = parse_rows(
        [row], pack or packs()["2026-08"], zone=UTC_ZONE, locale="en-US", own_name="Own Name", observed_at=NOW
    )
    assert rejects == ()
    return parsed[0]


def test_the_packs_order_decides_which_sign_is_believed():
    row = raw(html=OUT_TAIL + HEAD, alignment="flex-start")

    by_alignment = one(row)
    by_tail = one(row, with_ladder(direction=("tail", "alignment")))

    assert (by_alignment.is_outgoing, by_alignment.signals["direction"]) == (False, "alignment")
    assert (by_tail.is_outgoing, by_tail.signals["direction"]) == (True, "tail")


def test_a_sign_that_says_otherwise_is_counted_and_does_not_win():
    row = one(raw(html=OUT_TAIL + HEAD, alignment="flex-start"))

    assert row.dissents == (("direction", "tail"),)
    assert signal_counts([row])["row_direction_dissent", "tail"] == 1


def test_signs_that_agree_are_no_dissent():
    assert one(raw(html=OUT_TAIL + HEAD, alignment="flex-end")).dissents == ()


def test_a_label_in_another_language_contradicts_nothing():
    html = f'<span aria-label="Du:"></span>{BODY}'

    assert one(raw(html=html, alignment="flex-end")).dissents == ()


def test_the_colour_and_then_the_place_of_a_bubble_are_the_last_to_be_asked():
    by_colour = one(raw(html=f'<div class="x1 x1g5lz36">{BODY}</div>'))
    by_place = one(replace(raw(html=f"<div>{BODY}</div>"), side="start"))

    assert (by_colour.is_outgoing, by_colour.signals["direction"]) == (True, "background")
    assert (by_place.is_outgoing, by_place.signals["direction"]) == (False, "geometry")


def test_another_clock_in_the_corner_than_in_the_copied_head_is_a_dissent():
    same, other = one(raw(html=HEAD + META.format("10:00 AM"))), one(raw(html=HEAD + META.format("9:41 PM")))

    assert same.dissents == ()
    assert other.dissents == (("time", "clock"),)
    assert other.sent_at == same.sent_at


def test_a_sign_left_out_of_the_ladder_is_not_asked():
    model = RowModel(key=None, sent_at_seconds=1772618400, type=None, author=None)
    row = replace(raw(html=HEAD), model=model)

    assert one(row).signals["time"] == "model"
    assert one(row, with_ladder(time=("prefix",))).signals["time"] == "prefix"


def test_what_proves_the_chat_is_counted():
    packed = one(raw("false_4915550001@c.us_3EB0AA", HEAD))

    assert packed.signals["chat"] == "packed"
    assert "chat" not in one(raw("3EB0AA", HEAD)).signals


@pytest.mark.parametrize("rung", ["colour", "Key"])
def test_a_ladder_with_an_unknown_rung_is_refused(tmp_path, rung):
    text = (
        'format = 1\nid = "x"\nobserved = { whatsapp_web = "1", locale = "en", on = 2026-01-01 }\n'
        '[detect]\npriority = 1\npresent = ["a"]\nabsent = []\n[select.a]\ncandidates = ["a"]\n'
        f'[ladder]\ndirection = ["key", "{rung}"]\n'
    )
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")

    with pytest.raises(PackError, match=r"ladder\.direction\.1"):
        load_packs(tmp_path)
