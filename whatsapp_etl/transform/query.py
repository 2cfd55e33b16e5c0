"""Finds what a selector pack names in many rows at once.

All rows are parsed as one document and searched once for everything the pack names by a plain
selector (one element: tag, classes, attributes). What a found element is called is then looked up by
its attributes. That is what makes 10,000 rows a second possible; a search per row and name is ten
times slower. A selector with combinators is allowed, and is searched in its row when asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

#: The element that holds one row in the common document; no browser has an element of this name.
_HOLDER = "etl-row"

#: Elements whose names are kept; a batch adds a few hundred that occur only once.
_MOST_MET = 20_000

#: From so many selectors on, an attribute is looked for by its presence.
_SHARED = 3

_SIMPLE = re.compile(r"[A-Za-z][\w-]*|\.[\w-]+|\[[\w-]+(?:[~^$*|]?=(?:\"[^\"]*\"|'[^']*'|[\w-]+))?\]")
_ATTRIBUTE = re.compile(r"\[([\w-]+)(?:([~^$*|]?=)(?:\"([^\"]*)\"|'([^']*)'|([\w-]+)))?\]")

#: How an attribute's value is compared with a selector's.
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "": lambda _actual, _value: True,
    "=": lambda actual, value: actual == value,
    "~=": lambda actual, value: value in actual.split(),
    "^=": lambda actual, value: actual.startswith(value),
    "$=": lambda actual, value: actual.endswith(value),
    "*=": lambda actual, value: value in actual,
    "|=": lambda actual, value: actual == value or actual.startswith(f"{value}-"),
}

Attributes = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class _Condition:
    attribute: str
    operator: str  #: "", "=", "~=", "^=", "$=", "*=", "|=".
    value: str

    def holds(self, attributes: Attributes) -> bool:
        if self.attribute not in attributes:
            return False
        return _OPERATORS[self.operator](attributes[self.attribute] or "", self.value)


@dataclass(frozen=True, slots=True)
class _Plain:
    """A selector for one element, taken apart so that it can be tested without searching."""

    name: str
    rung: int  #: Place among the candidates of its name; 0 is the best.
    tag: str | None
    conditions: tuple[_Condition, ...]

    @property
    def is_settled(self) -> bool:
        """Whether its one condition is all there is to test."""
        return self.tag is None and len(self.conditions) == 1

    def fits(self, tag: str | None, attributes: Attributes) -> bool:
        return (self.tag is None or self.tag == tag) and all(
            each.holds(attributes) for each in self.conditions
        )


def parse_plain(name: str, rung: int, css: str) -> _Plain | None:
    """Take a selector for one element apart; None when it needs a search (combinators, lists, …)."""
    parts = _SIMPLE.findall(css)
    if not parts or "".join(parts) != css.strip():
        return None
    tag = parts[0].lower() if parts[0][0] not in ".[" else None
    conditions = []
    for part in parts[1:] if tag else parts:
        if part[0] == ".":
            conditions.append(_Condition("class", "~=", part[1:]))
        elif match := _ATTRIBUTE.fullmatch(part):
            conditions.append(_Condition(match[1], match[2] or "", match[3] or match[4] or match[5] or ""))
        else:
            return None
    return _Plain(name, rung, tag, tuple(conditions))


class FoundRow:
    """One row: its elements by the pack's names."""

    __slots__ = ("_complex", "found", "icons", "root", "skipped")

    def __init__(self, root: LexborNode, searched: Mapping[str, Sequence[tuple[int, str]]]) -> None:
        self.root = root
        self.found: dict[str, list[tuple[int, LexborNode]]] = {}
        self.icons: set[str] = set()
        self.skipped: set[int] = set()  #: `mem_id` of the elements that were not looked into.
        self._complex = searched

    def first(self, name: str) -> LexborNode | None:
        """Return the first element of a name in page order, by its best candidate that matches."""
        if name not in self._complex:
            found = self.found.get(name)
            if found is None:
                return None
            if len(found) == 1:
                return found[0][1]
        nodes = self.all(name)
        return nodes[0] if nodes else None

    def earliest(self, name: str) -> LexborNode | None:
        """Return the first element in page order by any candidate: the outermost of nested ones."""
        found = self.found.get(name)
        return found[0][1] if found else self.first(name)

    def all(self, name: str) -> list[LexborNode]:
        """Return the elements of a name in page order, by its best candidate that matches."""
        found = self.found.get(name)
        best = min(rung for rung, _ in found) if found else None
        for rung, css in self._complex.get(name, ()):
            if best is not None and rung > best:
                break
            nodes = self.root.css(css)
            if self.skipped:
                nodes = [node for node in nodes if not self._is_skipped(node)]
            if nodes:
                return nodes
        return [node for rung, node in found if rung == best] if found else []

    def _is_skipped(self, node: LexborNode) -> bool:
        parent = node.parent
        while parent is not None and parent.tag != _HOLDER:
            if parent.mem_id in self.skipped:
                return True
            parent = parent.parent
        return False

    def has(self, name: str) -> bool:
        return name in self.found or (name in self._complex and bool(self.all(name)))


@dataclass(frozen=True, slots=True)
class Query:
    """The pack's names, compiled."""

    css: str  #: Finds every element that any plain selector could mean.
    by_value: Mapping[tuple[str, str], tuple[_Plain, ...]]
    by_attribute: Mapping[str, tuple[_Plain, ...]]
    by_class: Mapping[str, tuple[_Plain, ...]]
    by_tag: Mapping[str, tuple[_Plain, ...]]
    searched: Mapping[str, tuple[tuple[int, str], ...]]
    skipped: frozenset[str]  #: Names whose content is not looked into: a quote, a link preview.
    icon_attribute: str
    icon_element: str
    #: What elements met before are called; rows repeat each other. Emptied when it has grown.
    met: dict[object, list[_Plain]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        names: Mapping[str, Sequence[str]],
        *,
        skipped: Iterable[str],
        icon_attribute: str,
        icon_element: str,
    ) -> Query:
        """Compile the candidates of each name, best first."""
        tables: tuple[dict[object, list[_Plain]], ...] = ({}, {}, {}, {})
        searched: dict[str, list[tuple[int, str]]] = {}
        plains: list[tuple[_Plain, str]] = []
        for name, candidates in names.items():
            for rung, candidate in enumerate(candidates):
                plain = parse_plain(name, rung, candidate)
                if plain is None:
                    searched.setdefault(name, []).append((rung, candidate))
                    continue
                plains.append((plain, candidate))
                table, key = _place(plain)
                tables[table].setdefault(key, []).append(plain)
        by_value, by_attribute, by_class, by_tag = (
            {key: tuple(plains) for key, plains in table.items()} for table in tables
        )
        wanted = dict.fromkeys([_HOLDER, f"[{icon_attribute}]", icon_element, *_filters(plains)])
        return cls(
            # A list by itself finds an element once for each of its selectors that fits.
            css=f":is({', '.join(wanted)})",
            by_value=by_value,  # type: ignore[arg-type]  # the keys are what _place made them
            by_attribute=by_attribute,  # type: ignore[arg-type]
            by_class=by_class,  # type: ignore[arg-type]
            by_tag=by_tag,  # type: ignore[arg-type]
            searched={name: tuple(found) for name, found in searched.items()},
            skipped=frozenset(skipped),
            icon_attribute=icon_attribute,
            icon_element=icon_element,
        )

    def rows(self, htmls: Sequence[str]) -> list[FoundRow]:
        """Return one `FoundRow` for each piece of markup, in order."""
        found = self._together(htmls)
        # Markup cut in the middle swallows what follows it: then each piece is parsed by itself.
        return found if found is not None else [self._alone(html) for html in htmls]

    def _together(self, htmls: Sequence[str]) -> list[FoundRow] | None:
        document = LexborHTMLParser("".join([f"<{_HOLDER}>{html}</{_HOLDER}>" for html in htmls]))
        rows = self._collect(document)
        is_whole = len(rows) == len(htmls) and all(
            row.root.parent is not None and row.root.parent.tag == "body" for row in rows
        )
        return rows if is_whole else None

    def _alone(self, html: str) -> FoundRow:
        rows = self._collect(LexborHTMLParser(f"<{_HOLDER}>{html}</{_HOLDER}>"))
        return rows[0] if rows else FoundRow(LexborHTMLParser(f"<{_HOLDER}>").css(_HOLDER)[0], self.searched)

    def _collect(self, document: LexborHTMLParser) -> list[FoundRow]:
        rows: list[FoundRow] = []
        to_skip = 0
        known = self.met
        if len(known) > _MOST_MET:
            known.clear()
        holder, icon_attribute, icon_element = _HOLDER, self.icon_attribute, self.icon_element
        for node in document.css(self.css):
            tag = node.tag
            if tag == holder:
                rows.append(FoundRow(node, self.searched))
                to_skip = 0
                continue
            if to_skip:
                to_skip -= 1
                continue
            # A document begins with a holder, so there is a row for every other element.
            row = rows[-1]
            if tag == icon_element:
                row.icons.add((node.text() or "").strip())
                continue
            attributes = node.attributes
            icon = attributes.get(icon_attribute)
            if icon:
                row.icons.add(icon)
            looks = (tag, *attributes, *attributes.values())
            names = known.get(looks)
            if names is None:
                names = known[looks] = self._names(tag, attributes)
            for plain in names:
                row.found.setdefault(plain.name, []).append((plain.rung, node))
                if plain.name in self.skipped and not to_skip:
                    row.skipped.add(node.mem_id)
                    to_skip = len(node.css(self.css)) - 1
        return rows

    def _names(self, tag: str | None, attributes: Attributes) -> list[_Plain]:
        names: list[_Plain] = []
        for name, value in attributes.items():
            if candidates := self.by_value.get((name, value or "")):
                names += [each for each in candidates if each.is_settled or each.fits(tag, attributes)]
            if candidates := self.by_attribute.get(name):
                names += [each for each in candidates if each.fits(tag, attributes)]
            if name == "class" and value:
                for token in value.split():
                    if candidates := self.by_class.get(token):
                        names += [each for each in candidates if each.fits(tag, attributes)]
        if tag and (candidates := self.by_tag.get(tag)):
            names += candidates
        return names


def _filters(plains: Sequence[tuple[_Plain, str]]) -> Iterable[str]:
    """Yield few selectors that find all that `plains` mean, and not much more.

    Each selector of a document search costs, above all classes: elements have dozens of them. So a
    selector is looked for by its first class, and an attribute that many name by its presence.
    """
    users = Counter(each.attribute for plain, _ in plains for each in plain.conditions)
    for plain, css in plains:
        classes = [
            each.value for each in plain.conditions if each.attribute == "class" and each.operator == "~="
        ]
        rarest = min((each.attribute for each in plain.conditions), key=lambda name: users[name], default="")
        if classes:
            yield f".{classes[0]}"
        elif users[rarest] >= _SHARED and not plain.tag:
            yield f"[{rarest}]"
        else:
            yield css


def _place(plain: _Plain) -> tuple[int, object]:
    """Return in which table a selector is looked up, and under what: by its rarest condition."""
    for each in plain.conditions:
        if each.operator == "=":
            return 0, (each.attribute, each.value)
    for each in reversed(plain.conditions):
        if each.attribute == "class" and each.operator == "~=":
            return 2, each.value
    for each in plain.conditions:
        return 1, each.attribute
    return 3, plain.tag
