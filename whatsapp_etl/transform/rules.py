"""The row part of a selector pack, compiled: what each name of the page means for a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from whatsapp_etl.errors import PackError
from whatsapp_etl.model import (
    DirectionRung,
    IdRung,
    KindRung,
    MessageType,
    SelectorPack,
    SenderRung,
    ShownDeletion,
    TimeRung,
)
from whatsapp_etl.transform.query import FoundRow, Query
from whatsapp_etl.transform.timestamps import DateWords, plain

#: Selectors of the pack that describe a row begin so.
_ROW = "row_"
_KIND = "kind:"

#: Named for a search inside one element, or outside the rows.
_NOT_IN_ROWS = ("row_list", "row_quote_text", "row_quote_author")

_Rung = TypeVar("_Rung", bound=str)

TextRule = Literal["body", "shown", "first_line", "special", "none"]
_TEXT_RULES: tuple[TextRule, ...] = ("body", "shown", "first_line", "special", "none")

#: Inside these nothing is searched: their texts and icons are another message's or a web page's.
_SKIPPED = ("row_quote", "row_preview")


@dataclass(frozen=True, slots=True)
class KindRule:
    """How one kind of message is recognised, and where its text stands."""

    index: int  #: Place in the pack; the first rule that holds decides.
    type: MessageType
    icons: tuple[str, ...]  #: Names; one that ends with "*" is the beginning of a name.
    text: TextRule
    text_css: tuple[str, ...]  #: Where the text stands instead of the body; the first that says something.
    more_css: tuple[str, ...]  #: Further lines after the text, such as a poll's options.
    is_more_required: bool = False  #: Where the storage lists the message too, it is not understood without.
    #: Who deleted the message, and a line that says so; one that ends with "*" is the beginning of a line.
    deletions: tuple[tuple[ShownDeletion, str], ...] = ()

    @property
    def name(self) -> str:
        return f"{_KIND}{self.index}"

    def deletion(self, shown: Iterable[str]) -> ShownDeletion | None:
        """Return who deleted a message, by the lines that its row shows; None where none says it."""
        said = {plain(line) for line in shown}
        for by, words in self.deletions:
            begin = words.removesuffix("*")
            if words in said or (words != begin and any(line.startswith(begin) for line in said)):
                return by
        return None


@dataclass(frozen=True, slots=True)
class Ladder:
    """For each fact of a row the signs that tell it, in the order in which they are asked."""

    id: tuple[IdRung, ...]
    kind: tuple[KindRung, ...]
    direction: tuple[DirectionRung, ...]
    sender: tuple[SenderRung, ...]
    time: tuple[TimeRung, ...]

    @classmethod
    def of(cls, table: Mapping[str, object]) -> Ladder:
        """Return the ladder of a pack's table; a fact that is not in it has all signs, best first."""
        return cls(
            id=_rungs(table, "id", get_args(IdRung)),
            kind=_rungs(table, "kind", get_args(KindRung)),
            direction=_rungs(table, "direction", get_args(DirectionRung)),
            sender=_rungs(table, "sender", get_args(SenderRung)),
            time=_rungs(table, "time", get_args(TimeRung)),
        )


class RowRules:
    """A pack's row part, ready for use. Make it once for many rows."""

    def __init__(self, pack: SelectorPack) -> None:
        """Compile the pack.

        Raises:
            PackError: A kind rule names an unknown type or text rule.
        """
        names: dict[str, Sequence[str]] = {
            name: selector.candidates for name, selector in pack.selectors.items() if name.startswith(_ROW)
        }
        self.kinds: list[KindRule] = []
        rows = pack.tables.get("rows", {})
        for index, table in enumerate(_tables(pack.tables.get("kinds", {}).get("rules"))):
            rule = _kind_rule(pack, index, table)
            self.kinds.append(rule)
            names[rule.name] = _texts(table.get("css"))
        self._candidates = dict(names)
        for name in _NOT_IN_ROWS:
            names.pop(name, None)
        self.pack_id = pack.id
        self.ladder = Ladder.of(pack.tables.get("ladder", {}))
        self.prefix_attribute = pack.attributes.get("row_prefix", "title")
        self.query = Query.of(
            names,
            skipped=_SKIPPED,
            icon_attribute=str(rows.get("icon_attribute", "")),
            icon_element=str(rows.get("icon_element", "")),
        )
        self.dates = DateWords.of(pack.tables.get("dates", {}))
        self.forwarded_icons = frozenset(_texts(rows.get("forwarded_icons")))
        self.own_labels = _label(pack, "row_you")
        self.edited_labels = _label(pack, "row_edited")
        self._kind_by_icon: dict[str, KindRule | None] = {}
        self._icons: list[tuple[str, KindRule, bool]] = []
        self._searched_kinds = [rule for rule in self.kinds if rule.name in self.query.searched]
        self._kind_by_name = {rule.name: rule for rule in self.kinds}
        for rule in self.kinds:
            for icon in rule.icons:
                self._icons.append((icon.removesuffix("*"), rule, icon.endswith("*")))

    def kind(self, row: FoundRow) -> tuple[KindRule | None, str]:
        """Return the first rule that holds for a row, and by what: "icon" or "selector"."""
        best: KindRule | None = None
        by = "none"
        for name in row.found:
            rule = self._kind_by_name.get(name)
            if rule is not None and (best is None or rule.index < best.index):
                best, by = rule, "selector"
        for icon in row.icons:
            rule = self._of_icon(icon)
            if rule is not None and (best is None or rule.index < best.index):
                best, by = rule, "icon"
        for rule in self._searched_kinds:
            if (best is None or rule.index < best.index) and row.all(rule.name):
                return rule, "selector"
        return best, by

    def candidates(self, name: str) -> Sequence[str]:
        """Return the selectors of a name, for a search inside an element."""
        return self._candidates.get(name, ())

    def _of_icon(self, icon: str) -> KindRule | None:
        """Return the first rule that names an icon, whole or by its beginning."""
        if icon not in self._kind_by_icon:
            self._kind_by_icon[icon] = next(
                (
                    rule
                    for name, rule, is_beginning in self._icons
                    if icon == name or (is_beginning and icon.startswith(name))
                ),
                None,
            )
        return self._kind_by_icon[icon]


def _kind_rule(pack: SelectorPack, index: int, table: Mapping[str, object]) -> KindRule:
    where = f"kinds.rules[{index}]"
    try:
        kind = MessageType(str(table.get("type")))
    except ValueError as error:
        raise PackError(f"Pack {pack.id}: {where}.type is no message type.", "Correct it.") from error
    text = next((each for each in _TEXT_RULES if each == table.get("text", "body")), None)
    if text is None:
        raise PackError(f"Pack {pack.id}: {where}.text is none of {', '.join(_TEXT_RULES)}.", "Correct it.")
    return KindRule(
        index=index,
        type=kind,
        icons=_texts(table.get("icons")),
        text=text,
        text_css=_texts(table.get("text_css")),
        more_css=_texts(table.get("more_css")),
        is_more_required=table.get("more_required") is True,
        deletions=tuple(_deletions(table.get("deleted_by"))),
    )


def _deletions(table: object) -> Iterator[tuple[ShownDeletion, str]]:
    for by in get_args(ShownDeletion):
        for words in _texts(table.get(by)) if isinstance(table, Mapping) else ():
            yield by, plain(words)


def _rungs(table: Mapping[str, object], fact: str, known: tuple[_Rung, ...]) -> tuple[_Rung, ...]:
    listed = _texts(table.get(fact))
    return tuple(rung for name in listed for rung in known if rung == name) or known


def _label(pack: SelectorPack, name: str) -> frozenset[str]:
    return frozenset(plain(text) for text in pack.labels.get(name, ()))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, (list, tuple)) else ()


def _tables(value: object) -> tuple[Mapping[str, object], ...]:
    tables = value if isinstance(value, (list, tuple)) else ()
    return tuple(each for each in tables if isinstance(each, Mapping))
