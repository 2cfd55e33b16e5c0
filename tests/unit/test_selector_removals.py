"""Every selector, kind rule and rung of a pack is taken away in turn: equal messages, or a named loss.

The rows are those of `tests/cases/messages`, each kind in each observed shape. What the browser's storage
lists of them is made of what the whole pack reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any

import pytest

from tests.transform_values import OTHER, ROOT, UTC_ZONE, batch, context, group_context, packs
from whatsapp_etl.model import (
    LoadPlan,
    Message,
    MessageFacts,
    MessageKey,
    MessageType,
    ParsedRow,
    RawRow,
    Reject,
    Selector,
    SelectorPack,
)
from whatsapp_etl.transform.parse import parse_rows
from whatsapp_etl.transform.plan import plan_load
from whatsapp_etl.transform.rows import split_page
from whatsapp_etl.transform.rules import RowRules

#: Looked for in saved pages only; a live page is cut into rows by the page's own selectors.
_NOT_IN_ROWS = {"row_list"}
#: What the storage cannot tell and no other sign of the row does: kept here, so that the list cannot grow
#: unseen. A live place without the map's link looks like a place without it; a document has no copied head,
#: so that nothing says that it has a caption (text messages say that the text is lost).
_UNTOLD = {
    ("location-bare", "kind location whole"),
    ("location-bare", "kind location css whole"),
    ("location-with-address", "kind location whole"),
    ("location-with-address", "kind location css whole"),
    ("document", "row_text whole"),
    ("document", 'row_text [data-testid="selectable-text"]'),
}


@dataclass(frozen=True)
class Case:
    """One page fragment: its rows, and what the storage lists of them."""

    name: str
    wanted: dict[str, Any]
    rows: tuple[RawRow, ...]

    @property
    def observed_at(self) -> datetime:
        return datetime.combine(datetime.fromisoformat(self.wanted["today"]), time(23), tzinfo=UTC)

    def read(self, rules: RowRules) -> tuple[tuple[ParsedRow, ...], tuple[Reject, ...]]:
        return parse_rows(
            self.rows,
            rules,
            zone=UTC_ZONE,
            locale=self.wanted["locale"],
            own_name=self.wanted["own_name"],
            observed_at=self.observed_at,
        )

    def load(self, rules: RowRules, facts: tuple[MessageFacts, ...]) -> LoadPlan:
        parsed, rejects = self.read(rules)
        assert len(parsed) + len(rejects) == len(self.rows)
        captured = replace(batch(observed_at=self.observed_at), rows=self.rows)
        since = self.observed_at - timedelta(days=400)
        is_group = any("@g.us" in row.shown_id for row in self.rows)
        where = group_context(since=since) if is_group else context(since=since)
        return plan_load(captured, parsed, facts, {}, where, self.observed_at, rejects=rejects)


@cache
def cases(pack_id: str) -> tuple[tuple[Case, tuple[MessageFacts, ...], LoadPlan], ...]:
    rules = RowRules(packs()[pack_id])
    found = []
    for folder in sorted((ROOT / "tests/cases/messages").iterdir()):
        wanted = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        if wanted["pack"] == pack_id:
            html = (folder / "page.html").read_text(encoding="utf-8")
            case = Case(folder.name, wanted, split_page(html, packs()[pack_id]))
            facts = tuple(listed(row) for row in case.read(rules)[0] if row.type is not MessageType.ALBUM)
            found.append((case, facts, case.load(rules, facts)))
    return tuple(found)


def listed(row: ParsedRow) -> MessageFacts:
    """Return what the storage would list of a message that the whole pack reads so."""
    key = row.key or MessageKey(bool(row.is_outgoing), OTHER, row.stanza_id)
    sender_id = key.participant_id or OTHER
    assert row.sent_at is not None
    return MessageFacts(
        key=key,
        type=row.type,
        subtype=None,
        wa_type="",
        sent_at=row.sent_at + timedelta(seconds=7),
        sender_id=None if row.type is MessageType.SYSTEM else sender_id,
        source_revision="",
        is_forwarded=row.is_forwarded,
        latest_edit_key="edit" if row.is_edited else None,
        quoted_stanza_id="3EB0QUOTED" if row.quoted_text else None,
        file_name=row.attachment.file_name if row.attachment else None,
        mimetype=row.attachment.media_type if row.attachment else None,
        size_bytes=row.attachment.size_bytes if row.attachment else None,
        duration_seconds=row.attachment.duration_seconds if row.attachment else None,
    )


def removals(pack: SelectorPack) -> Iterator[tuple[str, SelectorPack]]:
    """Yield the pack without each of its parts that reads rows, and what is gone."""
    for name, selector in pack.selectors.items():
        if not name.startswith("row_") or name in _NOT_IN_ROWS:
            continue
        for index, css in enumerate(selector.candidates):
            rest = (*selector.candidates[:index], *selector.candidates[index + 1 :])
            yield f"{name} {css}", _with_selector(pack, replace(selector, candidates=rest))
        yield f"{name} whole", _with_selector(pack, replace(selector, candidates=()))
    rules = pack.tables["kinds"]["rules"]
    assert isinstance(rules, tuple)
    for index, rule in enumerate(rules):
        others = rules[:index], rules[index + 1 :]
        yield f"kind {rule['type']} whole", _with_rules(pack, (*others[0], *others[1]))
        for part in ("icons", "css", "text_css", "more_css"):
            for place, name in enumerate(rule.get(part, ())):
                rest = (*rule[part][:place], *rule[part][place + 1 :])
                without = (*others[0], {**rule, part: rest}, *others[1])
                yield f"kind {rule['type']} {part} {name}", _with_rules(pack, without)
            if rule.get(part):
                yield (
                    f"kind {rule['type']} {part} whole",
                    _with_rules(pack, (*others[0], {**rule, part: ()}, *others[1])),
                )
    for fact, rungs in pack.tables["ladder"].items():
        assert isinstance(rungs, tuple)
        for rung in rungs:
            ladder = {**pack.tables["ladder"], fact: tuple(each for each in rungs if each != rung)}
            yield f"rung {fact} {rung}", replace(pack, tables={**pack.tables, "ladder": ladder})


def _with_selector(pack: SelectorPack, selector: Selector) -> SelectorPack:
    return replace(pack, selectors={**pack.selectors, selector.name: selector})


def _with_rules(pack: SelectorPack, rules: object) -> SelectorPack:
    return replace(pack, tables={**pack.tables, "kinds": {"rules": rules}})


REMOVALS = [
    pytest.param(pack_id, gone, broken, id=f"{pack_id} {gone}")
    for pack_id, pack in packs().items()
    if any(cases(pack_id))
    for gone, broken in removals(pack)
]


def content(plan: LoadPlan) -> list[Message]:
    """Return the messages without the text that their time was read from, which is for diagnosis only."""
    return [replace(each, ts_raw=None) for each in plan.messages]


def lost(plan: LoadPlan) -> set[tuple[str, str]]:
    return {key for key in plan.agreement if key[1] != "shown"}


@pytest.mark.parametrize(("pack_id", "gone", "broken"), REMOVALS)
def test_whatever_is_gone_messages_are_equal_or_the_loss_is_named(
    pack_id: str, gone: str, broken: SelectorPack
):
    rules = RowRules(broken)
    for case, facts, whole in cases(pack_id):
        plan = case.load(rules, facts)

        is_named = len(plan.rejects) > len(whole.rejects) or lost(plan) > lost(whole)
        is_untold = (case.name.partition("-")[2], gone) in _UNTOLD
        assert is_named or is_untold or content(plan) == content(whole), case.name
        # Nothing disappears: what is not among the messages is among the missing.
        assert {each.external_id for each in whole.messages} <= (
            {each.external_id for each in plan.messages} | {each.external_id for each in plan.missing}
        ), case.name


@pytest.mark.parametrize("pack_id", ["2026-04", "2026-08"])
def test_the_whole_pack_reads_every_case_and_contradicts_no_list(pack_id: str):
    for case, facts, whole in cases(pack_id):
        is_cut = case.name.endswith("read-more")
        assert len(whole.messages) == (0 if is_cut else len(facts)), case.name
        allowed = {("time", "lost"), ("sender", "lost")} | ({("text", "lost")} if is_cut else set())
        assert lost(whole) <= allowed, case.name
