"""Compares the structure of two pieces of a page: what was recorded, and what the stand-in draws.

Structure is tags, nesting, texts, readable classes, and the attributes by which a page can be read. Styles,
generated classes, drawings and the bytes of pictures are left aside. Nothing here knows a screen;
`test_golden.py` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

_ATTRIBUTES = {
    "role", "title", "dir", "alt", "href", "tabindex", "type", "id", "contenteditable", "spellcheck",
    "placeholder", "for", "max", "value", "target", "rel",
}  # fmt: skip
#: The readable ones; all others are generated anew with every build.
_CLASS = re.compile(
    r"_[\w-]+|message-(in|out)|focusable-list-item|copyable-(text|area)|(select|read-more)[\w-]+|emoji"
)
#: Ids that React hands out, in the order of drawing.
_REACT_ID = re.compile(r"_r_\w+_|:r\w+:")
_SPACE = re.compile(r"\s+")
_PLAIN = {"div", "span"}
_TEXT = "#text"
_LEVEL = 3  #: What one level more or less costs, where a changed attribute costs 1.

Rewrite = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a piece of a page, with the plain wrappers around it folded into it."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()  #: Sorted; "class" holds the readable classes, sorted.
    text: str = ""  #: Its own text, without that of its children.
    children: tuple[Element, ...] = ()
    wrappers: tuple[str, ...] = ()  #: Tags of the elements that do nothing but hold it, outermost first.

    @property
    def size(self) -> int:
        return 1 + sum(child.size for child in self.children)

    def name(self) -> str:
        """Return the element as a selector-like word: its tag and what identifies it."""
        given = dict(self.attributes)
        marks = "".join(f".{one}" for one in given.pop("class", "").split())
        marks += "".join(f'[{name}="{value}"]' if value else f"[{name}]" for name, value in given.items())
        return f"{self.tag}{marks}" + (f" “{self.text}”" if self.text else "")

    def outline(self) -> str:
        """Return the element with everything in it on one line."""
        inside = ", ".join(child.outline() for child in self.children)
        held = "".join(f"{tag} > " for tag in self.wrappers)
        return held + self.name() + (f" ({inside})" if inside else "")


def elements(html: str, rewrite: Rewrite = lambda _name, value: value) -> Element:
    """Return the structure of a piece of HTML, of which the first element counts.

    Args:
        html: One element as text.
        rewrite: Called with an attribute's name, or "#text", and its value; returns what is compared.
    """
    body = LexborHTMLParser(f"<body>{html}</body>").body
    first = next((node for node in body.iter() if not node.is_comment_node), None) if body else None
    if first is None:
        raise ValueError("There is no element in this piece of HTML.")
    return _element(first, rewrite)


def pieces(html: str, css: str) -> list[str]:
    """Return the HTML of every element that a selector matches, in the order of the page."""
    return [node.html or "" for node in LexborHTMLParser(html).css(css)]


def without(html: str, css: str) -> str:
    """Return the HTML with what is in the matching elements taken out; they themselves stay."""
    tree = LexborHTMLParser(html)
    for node in tree.css(css):
        node.inner_html = ""
    return tree.body.inner_html or "" if tree.body else ""


def differences(recorded: Element, drawn: Element) -> list[str]:
    """Return in sentences what differs, outermost first; nothing when the two are alike."""
    return list(_compare(recorded, drawn))


def _element(node: LexborNode, rewrite: Rewrite) -> Element:
    if node.tag == "svg":
        title = node.css_first("title")
        name = rewrite(_TEXT, title.text().strip()) if title else ""
        return Element("svg", text=name)
    children, texts = [], []
    for child in node.iter(include_text=True):
        if child.is_text_node:
            texts.append(child.text_content or "")
        elif child.is_element_node:
            children.append(_element(child, rewrite))
    text = _SPACE.sub(" ", " ".join(texts)).strip()
    made = Element(
        node.tag or "",
        tuple(sorted(_attributes(node, rewrite))),
        rewrite(_TEXT, text) if text else "",
        tuple(children),
    )
    if made.tag in _PLAIN and not made.attributes and not made.text and len(children) == 1:
        only = children[0]
        return replace(only, wrappers=(made.tag, *only.wrappers))
    return made


def _attributes(node: LexborNode, rewrite: Rewrite) -> Iterator[tuple[str, str]]:
    for name, value in node.attributes.items():
        if name == "class":
            kept = sorted({token for token in (value or "").split() if _CLASS.fullmatch(token)})
            if kept:
                yield name, " ".join(kept)
        elif name in _ATTRIBUTES or name.startswith(("data-", "aria-")):
            yield name, _REACT_ID.sub("<id>", rewrite(name, value or ""))


def _compare(recorded: Element, drawn: Element) -> Iterator[str]:
    where = replace(recorded, text="").name()
    step = _step(recorded, drawn)
    if step == "recorded":
        yield f"{where}: is not here, around {recorded.children[0].name()}"
        yield from _compare(_held(recorded), drawn)
        return
    if step == "drawn":
        yield f"{where}: stands inside {drawn.name()} here"
        yield from _compare(recorded, _held(drawn))
        return
    if recorded.wrappers != drawn.wrappers:
        yield f"{where}: inside {_chain(recorded.wrappers)}, here inside {_chain(drawn.wrappers)}"
    if recorded.tag != drawn.tag:
        yield f"{where}: here {drawn.tag}"
    theirs, ours = dict(recorded.attributes), dict(drawn.attributes)
    for name in sorted({*theirs, *ours}):
        if theirs.get(name) != ours.get(name):
            yield f"{where}: {name} is {_quoted(theirs.get(name))}, here {_quoted(ours.get(name))}"
    if recorded.text != drawn.text:
        yield f"{where}: says “{recorded.text}”, here “{drawn.text}”"
    for one, other in _aligned(recorded.children, drawn.children)[1]:
        if one and other:
            yield from _compare(one, other)
        elif one:
            yield f"{where}: lacks {one.outline()}"
        elif other:
            yield f"{where}: has {other.outline()}"


def _chain(wrappers: Sequence[str]) -> str:
    return " > ".join(wrappers) or "nothing"


def _quoted(value: str | None) -> str:
    return "absent" if value is None else f"“{value}”"


@cache
def _step(recorded: Element, drawn: Element) -> str:
    """Tell whether one of the two has a level more than the other around what is alike."""
    costs = {"none": _distance_level(recorded, drawn)}
    if len(recorded.children) == 1:
        costs["recorded"] = _LEVEL + _distance(_held(recorded), drawn)
    if len(drawn.children) == 1:
        costs["drawn"] = _LEVEL + _distance(recorded, _held(drawn))
    return min(costs, key=costs.__getitem__)


def _held(level: Element) -> Element:
    """Return the only child of an element, with the wrappers around both."""
    child = level.children[0]
    return replace(child, wrappers=(*level.wrappers, *child.wrappers))


@cache
def _distance(recorded: Element, drawn: Element) -> int:
    """Return how much would have to change."""
    match _step(recorded, drawn):
        case "recorded":
            return _LEVEL + _distance(_held(recorded), drawn)
        case "drawn":
            return _LEVEL + _distance(recorded, _held(drawn))
    return _distance_level(recorded, drawn)


@cache
def _distance_level(recorded: Element, drawn: Element) -> int:
    """Return the same, when the two elements stand for each other."""
    if recorded == drawn:
        return 0
    theirs, ours = dict(recorded.attributes), dict(drawn.attributes)
    changed = sum(theirs.get(name) != ours.get(name) for name in {*theirs, *ours})
    return (
        2 * (recorded.tag != drawn.tag)
        + changed
        + (recorded.text != drawn.text)
        + (recorded.wrappers != drawn.wrappers)
        + _aligned(recorded.children, drawn.children)[0]
    )


Pairs = tuple[tuple[Element | None, Element | None], ...]


@cache
def _aligned(recorded: tuple[Element, ...], drawn: tuple[Element, ...]) -> tuple[int, Pairs]:
    """Pair children in order so that the least has to change; return that, and the pairs."""
    rows, columns = len(recorded), len(drawn)
    costs = [[0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows - 1, -1, -1):
        costs[row][columns] = costs[row + 1][columns] + 2 * recorded[row].size
    for column in range(columns - 1, -1, -1):
        costs[rows][column] = costs[rows][column + 1] + 2 * drawn[column].size
    for row in range(rows - 1, -1, -1):
        for column in range(columns - 1, -1, -1):
            costs[row][column] = min(
                costs[row + 1][column + 1] + _distance(recorded[row], drawn[column]),
                costs[row + 1][column] + 2 * recorded[row].size,
                costs[row][column + 1] + 2 * drawn[column].size,
            )
    pairs: list[tuple[Element | None, Element | None]] = []
    row = column = 0
    while row < rows or column < columns:
        one = recorded[row] if row < rows else None
        other = drawn[column] if column < columns else None
        if one and other and costs[row][column] == costs[row + 1][column + 1] + _distance(one, other):
            pairs.append((one, other))
            row, column = row + 1, column + 1
        elif one and costs[row][column] == costs[row + 1][column] + 2 * one.size:
            pairs.append((one, None))
            row += 1
        else:
            pairs.append((None, other))
            column += 1
    return costs[0][0], tuple(pairs)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a difference is there, from the table in docs/conformance.md."""

    screens: str  #: Names of screens, as a glob.
    difference: str  #: The difference, as a glob.
    reason: str


def table_of(document: str) -> list[Explanation]:
    """Read the explained differences between the markers of the document's section."""
    _, _, rest = document.partition("<!-- golden: explained -->")
    table, _, _ = rest.partition("<!-- golden: end -->")
    rows = [line.strip().strip("|").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return [Explanation(*(cell.strip().strip("`") for cell in row)) for row in rows]


def unexplained(
    found: Mapping[str, Sequence[str]], explanations: Sequence[Explanation]
) -> tuple[dict[str, list[str]], list[Explanation]]:
    """Return the differences that no explanation covers, by screen, and the explanations that cover none."""
    left: dict[str, list[str]] = {}
    used: set[Explanation] = set()
    for screen, sentences in found.items():
        for sentence in sentences:
            fitting = [
                each
                for each in explanations
                if matches(each.screens, screen) and matches(each.difference, sentence)
            ]
            used.update(fitting)
            if not fitting:
                left.setdefault(screen, []).append(sentence)
    return left, [each for each in explanations if each not in used]


def matches(pattern: str, text: str) -> bool:
    """Tell whether a text fits a pattern in which `*` stands for anything; brackets are just brackets."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
