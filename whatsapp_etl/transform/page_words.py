"""What of a page is the page's own: the names and words by which its selector packs find things.

Nobody wrote them, so a redacted page keeps them: what is left of it can be searched and parsed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from whatsapp_etl.model import SelectorPack

#: One condition on an attribute in CSS, such as [title^="Download "], and an element's id.
_CONDITION = re.compile(r"\[\s*([\w-]+)\s*([~|^$*]?=)\s*(?:\"([^\"]+)\"|'([^']+)')")
_ELEMENT_ID = re.compile(r"#([A-Za-z][\w-]*)")
#: Tables of a pack whose texts are words that the page writes.
_WORD_TABLES = ("words", "day_parts")

_WRITTEN = ("row_text", "row_quote_text")

_EMPTY: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PageWords:
    """Names and words of a page; none of them unless packs say so."""

    conditions: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=lambda: _EMPTY)
    names: frozenset[str] = frozenset()  #: Whole values of any attribute, and ids of elements.
    texts: frozenset[str] = frozenset()  #: Whole texts.
    written: tuple[str, ...] = ()  #: CSS of what people write: "OK" there is an answer, not a button.

    def __contains__(self, text: str) -> bool:
        return text.strip() in self.texts

    def part_of(self, attribute: str, value: str) -> tuple[int, int]:
        """Return from where to where an attribute's value is the page's own; (0, 0) for nowhere."""
        if value in self.names:
            return 0, len(value)
        for operator, known in self.conditions.get(attribute, ()):
            if operator == "^=" and value.startswith(known):
                return 0, len(known)
            if operator == "$=" and value.endswith(known):
                return len(value) - len(known), len(value)
            if operator == "*=" and (begin := value.find(known)) >= 0:
                return begin, begin + len(known)
        return 0, 0


def words_of(packs: Iterable[SelectorPack]) -> PageWords:
    """Return what the packs' selectors, labels and date words say of the page."""
    conditions: dict[str, list[tuple[str, str]]] = defaultdict(list)
    names: set[str] = set()
    texts: set[str] = set()
    written: list[str] = []
    for pack in packs:
        for css in _selectors_of(pack):
            names.update(_ELEMENT_ID.findall(css))
            for attribute, operator, *quoted in _CONDITION.findall(css):
                known = "".join(quoted)
                if operator == "=":
                    names.add(known)
                else:
                    conditions[attribute].append((operator, known))
        written += [css for name in _WRITTEN if name in pack.selectors for css in pack[name].candidates]
        for label in pack.labels.values():
            texts.update(label)
        for dialog in pack.harmless:
            texts.update((dialog.title, dialog.press, *dialog.beside))
        for table in _WORD_TABLES:
            texts.update(_forms(_texts_in(pack.tables.get("dates", {}).get(table, {}))))
    longest_first = {
        name: tuple(sorted(found, key=_length, reverse=True)) for name, found in conditions.items()
    }
    return PageWords(
        MappingProxyType(longest_first),
        frozenset(names),
        frozenset(texts),
        tuple(dict.fromkeys(written)),
    )


def _selectors_of(pack: SelectorPack) -> Iterator[str]:
    yield from pack.present
    yield from pack.absent
    for selector in pack.selectors.values():
        yield from selector.candidates
    yield from _texts_in(pack.tables.get("kinds", {}))


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts_in(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from _texts_in(each)


def _forms(words: Iterable[str]) -> Iterator[str]:
    """Yield the forms in which a page may write words that packs know in one form of them."""
    for word in words:
        yield from (word, word.upper(), word.capitalize())


def _length(condition: tuple[str, str]) -> int:
    return len(condition[1])
