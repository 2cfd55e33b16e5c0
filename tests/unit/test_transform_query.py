from dataclasses import replace
from types import MappingProxyType

import pytest

from tests.transform_values import packs
from whatsapp_etl.errors import PackError
from whatsapp_etl.model import MessageType, SelectorPack
from whatsapp_etl.transform.query import Query, parse_plain
from whatsapp_etl.transform.rules import RowRules


def query(skipped=(), **names):
    return Query.of(names, skipped=skipped, icon_attribute="data-icon", icon_element="title")


def found(html, **names):
    return query(**names).rows([html])[0]


HTML = '<div class="a b" title="Open x"><i data-k="one two" lang="en-GB"></i><b data-k="one">t</b></div>'


@pytest.mark.parametrize(
    "css",
    [
        "div",
        ".a",
        ".a.b",
        "div.b",
        "[title]",
        '[title="Open x"]',
        "[title^='Open ']",
        '[title$="x"]',
        '[title*="pen"]',
        "[data-k~=two]",
        "[lang|=en]",
        "i[data-k]",
        "div > i",
        "b:not(.a)",
    ],
)
def test_selectors_find_what_a_browser_would(css):
    row = found(HTML, it=[css])

    assert row.has("it")
    assert row.first("it") is not None


@pytest.mark.parametrize(
    "css", [".c", "p.a", '[title="x"]', "[data-k=two]", "[lang|=de]", "div > b > i", "[rel]"]
)
def test_selectors_find_nothing_else(css):
    row = found(HTML, it=[css])

    assert not row.has("it")
    assert row.first("it") is None
    assert row.earliest("it") is None


def test_the_best_candidate_that_matches_serves():
    row = found(HTML, it=[".none", "[data-k=one]", "[data-k]"])

    assert [node.tag for node in row.all("it")] == ["b"]
    assert row.earliest("it").tag == "i"


def test_a_searched_candidate_keeps_its_place_among_the_plain_ones():
    assert found(HTML, it=["div > i", "b"]).first("it").tag == "i"
    assert found(HTML, it=["b", "div > i"]).first("it").tag == "b"
    assert found(HTML, it=["p > i", "b"]).first("it").tag == "b"


def test_a_list_of_selectors_is_searched():
    assert parse_plain("it", 0, "a, b") is None
    assert parse_plain("it", 0, "[title='a']b") is None


def test_what_is_skipped_is_not_looked_into():
    html = '<q class="quote"><i class="x" data-icon="mic"></i></q><p><i class="y"></i></p>'
    rows = query(skipped=["quote"], quote=[".quote"], it=["i"], deep=["q > i"], wide=["i:not(.z)"]).rows(
        [html]
    )

    assert [node.attributes["class"] for node in rows[0].all("it")] == ["y"]
    assert not rows[0].has("deep")
    assert [node.attributes["class"] for node in rows[0].all("wide")] == ["y"]
    assert rows[0].icons == set()


def test_icons_are_known_by_name_or_by_the_title_of_the_drawing():
    row = found('<i data-icon="tail-in"></i><svg><title> ic-x </title></svg><i data-icon=""></i>')

    assert row.icons == {"tail-in", "ic-x"}


def test_cut_markup_does_not_swallow_the_rows_behind_it():
    rows = query(it=["b"]).rows(["<div><b></b><!-- cut", "<b></b>", "<div><b>", "<b></b></etl-row><b></b>"])

    assert [len(row.all("it")) for row in rows] == [1, 1, 1, 2]


def test_no_rows_are_no_rows():
    assert query(it=["b"]).rows([]) == []


def test_markup_that_closes_everything_is_an_empty_row():
    assert query(it=["b"]).rows(["</etl-row></body></html>"])[0].all("it") == []


def test_what_was_met_is_forgotten_before_it_fills_the_memory():
    asked = query(it=["[data-k]"])
    asked.rows([f'<i data-k="{number}"></i>' for number in range(20_001)])
    assert len(asked.met) > 20_000

    assert asked.rows(['<i data-k="x"></i>'])[0].has("it")
    assert len(asked.met) == 1


def pack(**kinds):
    base = packs()["2026-08"]
    return replace(base, tables=MappingProxyType({"kinds": {"rules": (kinds,)}}))


def test_an_unknown_kind_in_a_pack_is_an_error_that_names_it():
    with pytest.raises(PackError, match=r"kinds\.rules\[0\]\.type"):
        RowRules(pack(type="poem"))


def test_an_unknown_text_rule_in_a_pack_is_an_error_that_names_it():
    with pytest.raises(PackError, match=r"kinds\.rules\[0\]\.text"):
        RowRules(pack(type="text", text="sung"))


def test_a_pack_without_a_row_part_recognises_nothing():
    bare = SelectorPack("bare", 0, (), (), {}, {}, {}, {})

    rules = RowRules(bare)

    assert rules.kind(rules.query.rows(["<p></p>"])[0]) == (None, "none")
    assert rules.candidates("row_text") == ()


def test_the_first_rule_decides_whatever_sign_it_has():
    both = replace(
        packs()["2026-08"],
        tables=MappingProxyType(
            {
                "rows": packs()["2026-08"].tables["rows"],
                "kinds": {
                    "rules": (
                        {"type": "deleted", "css": ("p > i",)},
                        {"type": "voice", "icons": ("mic*", "mic-on")},
                        {"type": "image", "css": (".x",)},
                        {"type": "video", "css": ("b",)},
                    )
                },
            }
        ),
    )
    rules = RowRules(both)

    def kind(html):
        rule, by = rules.kind(rules.query.rows([html])[0])
        return (rule.type if rule else None, by)

    assert kind('<b class="x"></b>') == (MessageType.IMAGE, "selector")
    assert kind('<b class="x" data-icon="mic-on"></b>') == (MessageType.VOICE, "icon")
    assert kind('<p><i data-icon="mic-off"></i></p>') == (MessageType.DELETED, "selector")
    assert kind('<b></b><i class="x"></i>') == (MessageType.IMAGE, "selector")
