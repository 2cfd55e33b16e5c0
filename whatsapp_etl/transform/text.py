"""The one renderer: what a piece of the page says to the person who looks at it.

Emoji are images on the page and characters here. Formatting marks, icons and what is hidden are left
out. Line breaks are those that the person sees.
"""

from __future__ import annotations

from collections.abc import Collection

from selectolax.lexbor import LexborNode

_TEXT = "-text"
#: Elements that stand on lines of their own.
_BLOCKS = frozenset(
    {"div", "p", "ul", "ol", "li", "blockquote", "pre", "h1", "h2", "h3", "h4", "section", "table", "tr"}
)
#: Elements whose content nobody sees as text. An icon's name stands in a <title> inside its <svg>.
_UNSEEN = frozenset({"svg", "title", "script", "style", "template", "canvas", "-comment"})
#: Deeper inside a text everything is one run of words. A browser nests no element deeper than 512, a message
#: hardly ten; only a page made to break readers goes further.
_DEEPEST = 150


def clean(text: str) -> str | None:
    """Return text without NUL and without white space at both ends; None when nothing is left."""
    return text.replace("\0", "").strip() or None


def render(node: LexborNode, skip: Collection[int] = ()) -> str | None:
    """Return what `node` shows, or None when it shows no text.

    List items begin with "- " or their number. Block quotes have no mark.

    Args:
        node: The element; its own tag adds nothing.
        skip: `mem_id` of elements inside it to leave out, e.g. the clock.
    """
    out: list[str] = []
    _walk(node, out, skip)
    return clean("".join(out))


def lines(text: str | None) -> list[str]:
    """Return the lines of a rendered text that are not empty."""
    return [line.strip() for line in (text or "").split("\n") if line.strip()]


def _walk(node: LexborNode, out: list[str], skip: Collection[int], depth: int = 0) -> None:
    is_list = node.tag in {"ul", "ol"}
    number = 0
    image_before: tuple[str, str | None] | None = None
    for child in node.iter(include_text=True):
        tag = child.tag
        if tag == _TEXT:
            # White space between list items is not shown.
            if not is_list:
                out.append(child.text_content or "")
            image_before = None
            continue
        if tag in _UNSEEN:
            continue
        attributes = child.attributes
        if attributes.get("aria-hidden") == "true" or (skip and child.mem_id in skip):
            continue
        if tag == "img":
            image = (
                attributes.get("data-plain-text") or attributes.get("alt") or "",
                attributes.get("class"),
            )
            # A large emoji is drawn by two images of different classes, one over the other.
            if image_before is None or image_before[0] != image[0] or image_before[1] == image[1]:
                out.append(image[0])
                image_before = image
            continue
        image_before = None
        if tag == "br":
            out.append("\n")
        elif tag in _BLOCKS:
            number = _walk_block(child, out, skip, number, depth)
        else:
            _walk_into(child, out, skip, depth)


def _walk_into(node: LexborNode, out: list[str], skip: Collection[int], depth: int) -> None:
    if depth < _DEEPEST:
        _walk(node, out, skip, depth + 1)
    else:
        leaves = node.traverse(include_text=True)
        out.extend(leaf.text_content or "" for leaf in leaves if leaf.tag == _TEXT)


def _walk_block(node: LexborNode, out: list[str], skip: Collection[int], number: int, depth: int) -> int:
    """Write an element that stands on lines of its own; return the number of a list's item."""
    _break_line(out)
    if node.tag == "li":
        value = node.attributes.get("value") or ""
        number = int(value) if value.isdecimal() else number + 1
        is_numbered = node.parent is not None and node.parent.tag == "ol"
        out.append(f"{number}. " if is_numbered else "- ")
    _walk_into(node, out, skip, depth)
    _break_line(out)
    return number


def _break_line(out: list[str]) -> None:
    """Begin a new line, unless nothing is written yet or one has just begun."""
    for part in reversed(out):
        if part:
            if not part.endswith("\n"):
                out.append("\n")
            return
