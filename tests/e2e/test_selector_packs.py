"""A page that changed, and the guide that says how to mend it: done as it is written."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.fixtures.cycle import assert_in_step
from whatsapp_etl import bootstrap
from whatsapp_etl.errors import SelectorDriftError
from whatsapp_etl.model import StopReason
from whatsapp_etl.pack_commands import begin_pack, check_selectors, parse

GUIDE = Path(__file__).parents[2] / "docs" / "selector-packs.md"
#: What the release of the guide's example calls otherwise.
RENAMED = [
    {
        "select": '[data-testid="conversation-panel-messages"]',
        "values": {"data-testid": "message-scroll"},
        "remove": ["data-scrolltracepolicy"],
    }
]


def mended_by_the_guide(text: str) -> str:
    """Return a pack in which the guide's own lines replace those of the same names."""
    (block,) = re.findall(r"```toml mended\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    for section, mended in re.findall(r"(\[select\.\w+\]\n)(candidates = .*\n)", block):
        before, _, after = text.partition(section)
        text = before + section + mended + after.partition("\n")[2]
    return text


@pytest.mark.usefixtures("impatience")
def test_the_guide_mends_a_page_that_changed_from_its_snapshot_alone(account, tmp_path, capsys, monkeypatch):
    it = account(world={"chats": 1, "messages": 60})
    it.simulator.set_config(mutations=RENAMED)

    drifted = it.sync()

    assert drifted.stop_reasons[StopReason.DRIFT] == 1
    (snapshot,) = (tmp_path / "snapshots").glob("*message_scroller.html")
    bodies = " ".join(row["content_snippet"] or "" for row in it.truth().values())
    shown = LexborHTMLParser(snapshot.read_text(encoding="utf-8")).text(separator=" ")
    assert set(re.findall(r"[A-Za-z]{5,}", bodies)) & set(shown.split()) == set()

    monkeypatch.setenv("COLUMNS", "200")
    begin_pack("2026-12", snapshot, base="auto", folder=tmp_path)

    pack = tmp_path / "2026-12.toml"
    assert "Required, and gone: message_scroller." in capsys.readouterr().out
    draft = pack.read_text(encoding="utf-8")
    assert '#   [data-testid="message-scroll"] 1\n' in draft
    assert re.search(r"# TODO: nothing .* required .* conversation\.\n\[select\.message_scroller\]", draft)

    pack.write_text(mended_by_the_guide(draft), encoding="utf-8")
    check_selectors(snapshot, str(pack))
    checked = capsys.readouterr().out
    assert re.search(r"message_scroller .*conversation.*message-scroll.* 1 .*yes", checked)
    assert re.search(r"direction\W+alignment\W+[1-9]", checked)

    parse(
        [snapshot],
        locale="en-US", timezone="UTC", own_name=None, chat_id=None, own_id=None, today=None, pack=str(pack),
    )  # fmt: skip
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    understood = [row for row in rows if "reject" not in row]
    assert {row["is_outgoing"] for row in understood if row["type"] == "text"} == {True, False}
    assert {row["sent_at"] for row in understood} == {None}
    assert {row["reject"] for row in rows if "reject" in row} <= {"no_content"}

    it.source.close()
    settings = it.settings.model_copy(update={"whatsapp_selector_pack": str(pack)})
    with closing(bootstrap.source_of(settings, it.stop)) as source:
        bootstrap.cycle_of(settings, source, it.store).run()
    assert_in_step(it)


@pytest.mark.matrix
def test_a_pack_is_never_begun_over_another_file(program):
    it, _ = program(world={"chats": 1, "messages": 1})
    page = it.folder / "page.html"
    page.write_text('<div id="pane-side"></div>', encoding="utf-8")
    (it.folder / "mine.toml").write_text("kept", encoding="utf-8")

    refused = it.run("selectors", "new", "mine", "--from", str(page))
    misnamed = it.run("selectors", "new", "Mine!", "--from", str(page))

    assert (refused.returncode, misnamed.returncode) == (2, 2)
    assert "There is a file mine.toml" in refused.stderr
    assert "cannot be a pack's name" in misnamed.stderr
    assert (it.folder / "mine.toml").read_text(encoding="utf-8") == "kept"


@pytest.mark.usefixtures("impatience")
def test_check_shows_what_is_there_although_something_required_is_gone(program, lender, capsys, monkeypatch):
    lender.close()  # the command opens a browser of its own in this thread
    it, simulator = program(world={"chats": 1, "messages": 1}, COLUMNS="200")
    simulator.set_config(
        mutations=[{"select": "[role=grid], [aria-label]", "remove": ["role", "aria-label"]}]
    )
    for name, value in it.environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SelectorDriftError, match="nothing matches chat_list"):
        check_selectors(None, None)

    assert re.search(r"chat_list .*ready .*#pane-side .* 0 ", capsys.readouterr().out)
