"""A first version of a selector pack for a page that none fits: the nearest one, noting what is gone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date

from selectolax.lexbor import LexborHTMLParser

from whatsapp_etl.errors import PackError
from whatsapp_etl.pack_check import Finding, PackCheck
from whatsapp_etl.transform.page_words import PageWords

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_SECTION = re.compile(r"^\[select\.(\w+)\]\n", re.MULTILINE)
_HEAD = re.compile(r"\A(?:#[^\n]*\n)+")
#: Attributes that releases name parts by, those first that change least.
_TELLING = ("data-testid", "role", "aria-label", "id", "data-tab", "data-icon")
_OTHER_DATA = re.compile(r"data-(?!id$|jid$|ref$|computed)[\w-]*")
_TELLS = re.compile(r"(?=.*[a-wyz])[A-Za-z][\w .:-]{2,60}")
_HASH = re.compile(r"[0-9a-f]{16}")
_MOST_NAMES = 80


def draft_pack(
    base: str,
    check: PackCheck,
    *,
    name: str,
    source: str,
    build: str,
    locale: str,
    on: date,
    names: Iterable[str],
) -> str:
    """Return the text of a new pack.

    Args:
        base: Text of the pack's file that it starts from, comments and all.
        check: That pack, compared with the page.
        name: Id of the new pack.
        source: What the page was saved as.
        build: Of WhatsApp Web.
        locale: Language of the page.
        on: The day of saving.
        names: Names on the page that no pack knows.

    Raises:
        PackError: The name cannot be a pack's.
    """
    if not _NAME.fullmatch(name):
        raise PackError(f"{name!r} cannot be a pack's name.", 'Use lower-case letters, digits, "." and "-".')
    text = _HEAD.sub("", base).lstrip("\n")
    text = re.sub(r'(?m)^id = "[^"]*"$', f'id = "{name}"', text, count=1)
    seen = f'observed = {{ whatsapp_web = "{build}", locale = "{locale}", on = {on.isoformat()} }}'
    text = re.sub(r"(?m)^observed = .*$", seen, text, count=1)
    text = re.sub(r"(?m)^priority = (\d+)$", lambda found: f"priority = {int(found[1]) + 10}", text, count=1)
    if not check.fits:
        note = "# TODO: these rules do not hold on the page; name something that only this shape has.\n"
        text = text.replace("[detect]\n", f"{note}[detect]\n", 1)
    lost = {each.name: each for each in check.findings if each.chosen is None}
    text = _SECTION.sub(lambda found: _note(lost.get(found[1])) + found[0], text)
    return f"{_head(name, check, source, names)}\n{text}"


def _head(name: str, check: PackCheck, source: str, names: Iterable[str]) -> str:
    listed = "".join(f"#   {each}\n" for each in names)
    told = (
        f"#\n# Names on the page that no pack knows, and how often they are there:\n{listed}"
        if listed
        else ""
    )
    return (
        f"# Pack {name}, begun from {check.pack_id} for {source}.\n"
        "# Every TODO names what the page no longer shows so, or what other screens show: mend it or delete\n"
        f"# the note, then delete this comment. docs/selector-packs.md shows how.\n{told}"
    )


def _note(lost: Finding | None) -> str:
    if lost is None:
        return ""
    if lost.required_on:
        return (
            f"# TODO: nothing of this is on the page; it is required where the page is {lost.required_on}.\n"
        )
    return "# TODO: nothing of this is on the page.\n"


def new_names(html: str, known: Iterable[str], words: PageWords) -> list[str]:
    """Return CSS for the names on a redacted page that none of the known selectors use, and their counts.

    Args:
        html: The page; what it still says is taken for the page's own.
        known: CSS of all packs.
        words: Names and words of all packs.
    """
    css = "\n".join(known)
    counts: Counter[tuple[str, str]] = Counter()
    for element in LexborHTMLParser(html).css("body *"):
        named = element.attributes
        for attribute, value in named.items():
            # An icon often has its name twice.
            is_twice = attribute == "data-icon" and value == named.get(_TELLING[0])
            if value and not is_twice and _is_name(attribute, value):
                counts[attribute, value] += 1
    found = [
        f'[{attribute}="{value}"] {count}'
        for (attribute, value), count in sorted(counts.items(), key=_by_use)
        if f'[{attribute}="{value}"]' not in css
        and not (attribute in words.conditions and any(words.part_of(attribute, value)))
        and not (attribute == "id" and value in words.names)
    ]
    return found[:_MOST_NAMES]


def _is_name(attribute: str, value: str) -> bool:
    is_telling = attribute in _TELLING or _OTHER_DATA.fullmatch(attribute)
    return bool(is_telling and _TELLS.fullmatch(value) and not _HASH.search(value))


def _by_use(entry: tuple[tuple[str, str], int]) -> tuple[int, str, str]:
    (attribute, value), _ = entry
    return (_TELLING.index(attribute) if attribute in _TELLING else len(_TELLING), attribute, value)
