"""What a pack finds on a page, and the draft of a new one."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest

from tests.transform_values import ROOT, packs
from whatsapp_etl.errors import PackError
from whatsapp_etl.extract.packs import read_pack
from whatsapp_etl.pack_check import check_pack, nearest
from whatsapp_etl.pack_draft import draft_pack, new_names
from whatsapp_etl.transform.page_words import words_of

NEW = packs()["2026-08"]
OLD = packs()["2026-04"]
BASE = (ROOT / "selectors/2026-08.toml").read_text(encoding="utf-8")


def draft(check, **changes):
    values = {
        "name": "2026-12", "source": "page.html", "build": "2.3000.9", "locale": "de",
        "on": date(2026, 12, 1), "names": ['[data-testid="new"] 2'],
    }  # fmt: skip
    return draft_pack(BASE, check, **(values | changes))


def test_the_first_candidate_that_matches_serves():
    check = check_pack(NEW, lambda css: 3 if css == 'div[data-tab="8"]' else 0)

    finding = next(each for each in check.findings if each.name == "message_list")

    assert finding.chosen == 'div[data-tab="8"]'
    assert dict(finding.counts) == {NEW["message_list"].candidates[0]: 0, 'div[data-tab="8"]': 3}
    assert "message_list" not in check.lost
    required = {name for name, selector in NEW.selectors.items() if selector.required_on}
    assert set(check.lost[: len(required) - 1]) == required - {"message_list"}


def test_a_pack_fits_by_its_detect_rules():
    assert check_pack(NEW, lambda _css: 1).fits
    assert not check_pack(NEW, lambda _css: 0).fits


def test_the_nearest_pack_is_one_that_fits_or_else_has_lost_the_least():
    nothing, much = check_pack(NEW, lambda _css: 0), check_pack(OLD, lambda css: int(css.startswith("span")))
    fitting, all_fit = (
        check_pack(NEW, lambda css: int(css == NEW.present[0])),
        check_pack(OLD, lambda _css: 1),
    )

    assert nearest([nothing, much]) is much
    assert nearest([much, fitting, nothing]) is fitting
    assert nearest([fitting, all_fit]) is fitting  # the higher priority comes first


def test_a_draft_is_a_pack_with_a_note_at_each_name_that_is_lost(tmp_path):
    check = check_pack(NEW, lambda css: int("pane-side" in css))
    path = tmp_path / "2026-12.toml"
    path.write_text(draft(check), encoding="utf-8")

    pack = read_pack(path)

    assert (pack.id, pack.priority) == ("2026-12", NEW.priority + 10)
    assert pack.selectors.keys() == NEW.selectors.keys()
    text = path.read_text(encoding="utf-8")
    assert text.count("# TODO: nothing of this is on the page") == len(check.lost)
    assert "# TODO: these rules do not hold on the page" in text
    assert '#   [data-testid="new"] 2\n' in text
    observed = tomllib.loads(text)["observed"]
    assert observed == {"whatsapp_web": "2.3000.9", "locale": "de", "on": date(2026, 12, 1)}


def test_a_draft_for_a_page_that_fits_has_no_note_at_its_rules():
    text = draft(check_pack(NEW, lambda _css: 1), names=())

    assert "TODO: these rules" not in text
    assert "Names on the page" not in text


@pytest.mark.parametrize("name", ["", "Mine", "../up", "a b"])
def test_a_name_that_no_pack_can_have_is_refused(name):
    with pytest.raises(PackError, match="cannot be a pack's name"):
        draft(check_pack(NEW, lambda _css: 1), name=name)


def test_new_names_are_those_that_no_pack_uses():
    html = (
        '<div data-testid="chat-list"><p data-testid="fresh-name"></p><p data-testid="fresh-name"></p>'
        '<i data-icon="fresh" data-testid="fresh"></i><i role="doc-tip" id="pane-side"></i>'
        '<b data-testid="conv-msg-9xx9"></b><b data-testid="conv-0123456789abcdef"></b>'
        '<b title="xxxx xx"></b><b aria-label="xxx xxx"></b>'
        '<b data-virtualized="true" data-id="name"></b></div>'
    )
    known = [css for selector in NEW.selectors.values() for css in selector.candidates]

    assert new_names(html, known, words_of([NEW])) == [
        '[data-testid="fresh"] 1',
        '[data-testid="fresh-name"] 2',
        '[role="doc-tip"] 1',
    ]
