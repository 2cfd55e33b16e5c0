"""Cuts a saved page into rows, with the same context that a live capture gives.

Only what needs a rendered page is missing: the rows' models, and the alignment of the bubbles where the
page was not saved by this program, which notes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from whatsapp_etl.model import COMPUTED_ALIGNMENT, RawRow, SelectorPack
from whatsapp_etl.transform.text import render
from whatsapp_etl.transform.timestamps import DateWords, is_marker

#: White space that a formatter put between two tags. A page of its own accord has none there: blank
#: lines inside a message are not followed by indentation.
_INDENTATION = re.compile(r">\n[ \t]+<")
_FORMATTED = re.compile(r"<div[^>]*>\n[ \t]+<div[^>]*>\n[ \t]+<div")
_DATA_URI = re.compile(r"(=\"data:[^\";,]{0,60})[^\"]{200,}\"")


def split_page(html: str, pack: SelectorPack) -> tuple[RawRow, ...]:
    """Return the message rows of a saved page, oldest first.

    Args:
        html: The page or a part of it; indented by a formatter or not.
        pack: Names the message list, its rows and its date markers.

    Returns:
        One `RawRow` per outermost row with an id. Without a recognisable message list the rows have
        no date marker and no run.
    """
    if _FORMATTED.search(html):
        html = _INDENTATION.sub("><", html)
    document = LexborHTMLParser(html)
    words = DateWords.of(pack.tables.get("dates", {}))
    attribute = pack.attributes["row_id"]
    rows: list[RawRow] = []
    seen: set[str] = set()
    marker: str | None = None
    for block in _blocks(document, pack):
        nodes = list(_outermost(block, attribute))
        if not nodes:
            text = render(block)
            if text and is_marker(text, words):
                marker = text
            continue
        ids = [node.attributes.get(attribute) or "" for node in nodes]
        for position, (shown_id, node) in enumerate(zip(ids, nodes, strict=True)):
            if shown_id in seen:
                continue
            seen.add(shown_id)
            rows.append(
                RawRow(
                    shown_id=shown_id,
                    html=_DATA_URI.sub(r'\1…"', node.html or ""),
                    alignment=_alignment(node, pack),
                    date_marker=marker,
                    run_position=position,
                    run_head=ids[0],
                )
            )
    return tuple(rows)


def _alignment(row: LexborNode, pack: SelectorPack) -> str | None:
    """Return the alignment that was noted on the row's bubble, which may be the row itself."""
    selector = pack.selectors.get("bubble")
    for candidate in selector.candidates if selector else ():
        bubble = row.css_first(candidate)  # the row itself counts
        if bubble is not None:
            return bubble.attributes.get(COMPUTED_ALIGNMENT)
    return None


def _blocks(document: LexborHTMLParser, pack: SelectorPack) -> list[LexborNode]:
    """Return the children of the message list: runs, date markers, dividers, notices."""
    selector = pack.selectors.get("row_list")
    for candidate in selector.candidates if selector else ():
        found = document.css_first(candidate)
        if found is not None:
            return list(found.iter())
    attribute = pack.attributes["row_id"]
    return list(_outermost(document.body, attribute)) if document.body is not None else []


def _outermost(node: LexborNode, attribute: str) -> Iterator[LexborNode]:
    """Yield the elements with the attribute that have none of their kind around them."""
    inside = 0
    for found in node.css(f"[{attribute}]"):
        if inside:
            inside -= 1
            continue
        yield found
        inside = len(found.css(f"[{attribute}]")) - 1
