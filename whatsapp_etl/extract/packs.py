"""Selector packs: read from TOML, checked against their format, chosen by what the page shows.

The format is `PackFile`; `selectors/schema.json` is its published form.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whatsapp_etl.errors import PackError, SelectorDriftError
from whatsapp_etl.model import (
    DirectionRung,
    HarmlessDialog,
    IdRung,
    KindRung,
    Selector,
    SelectorPack,
    SenderRung,
    TimeRung,
)

#: The value of WHATSAPP_SELECTOR_PACK that leaves the choice to the detect rules.
AUTO = "auto"

#: Id of the pack that `merge_packs` makes.
MERGED = "all"

#: Tables that reach `SelectorPack.tables` as they are.
_TABLES = ("ladder", "rows", "kinds", "dates")

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Text = Annotated[str, Field(min_length=1)]
_STRICT = ConfigDict(extra="forbid", strict=True)


class _Observed(BaseModel):
    model_config = _STRICT

    whatsapp_web: _Text
    locale: _Text
    on: date


class _Detect(BaseModel):
    model_config = _STRICT

    priority: int
    present: list[_Text] = Field(min_length=1)
    absent: list[_Text]


class _Select(BaseModel):
    model_config = _STRICT

    candidates: list[_Text] = Field(min_length=1)
    required_on: Literal["ready", "conversation"] | None = None


class _Harmless(BaseModel):
    """A dialog that only informs: its whole title, what closes it, and what else stands there."""

    model_config = _STRICT

    title: _Text
    press: _Text
    beside: list[_Text] = Field(default_factory=list)


class _Dialogs(BaseModel):
    model_config = _STRICT

    harmless: list[_Harmless] = Field(default_factory=list)


class _Ladder(BaseModel):
    """By which signs each fact of a message row is told, best first; a fact not listed has all signs."""

    model_config = _STRICT

    id: list[IdRung] = Field(default_factory=list)
    kind: list[KindRung] = Field(default_factory=list)
    direction: list[DirectionRung] = Field(default_factory=list)
    sender: list[SenderRung] = Field(default_factory=list)
    time: list[TimeRung] = Field(default_factory=list)


class PackFile(BaseModel):
    """The format of `selectors/<id>.toml`; see `selectors/README.md`."""

    model_config = ConfigDict(extra="forbid", strict=True, title="Selector pack")

    format: Literal[1]
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    observed: _Observed
    detect: _Detect
    select: dict[_Name, _Select]
    attribute: dict[_Name, _Text] = Field(default_factory=dict)
    label: dict[_Name, Annotated[list[_Text], Field(min_length=1)]] = Field(default_factory=dict)
    dialogs: _Dialogs = Field(default_factory=_Dialogs)
    ladder: _Ladder = Field(default_factory=_Ladder)
    # Their contents belong to the parser of message rows, the only one that knows them.
    rows: dict[str, Any] = Field(default_factory=dict)
    kinds: dict[str, Any] = Field(default_factory=dict)
    dates: dict[str, Any] = Field(default_factory=dict)


class HitCounter:
    """Counts which candidate of which selector served, so that a fallback in use is visible."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def hit(self, selector: str, candidate: str) -> None:
        self._counts[selector, candidate] += 1

    def counts(self) -> Mapping[tuple[str, str], int]:
        """Return the hits by (selector, candidate) since the start."""
        return dict(self._counts)


def load_packs(folder: Path) -> tuple[SelectorPack, ...]:
    """Read every pack in `folder`, the highest priority first.

    Raises:
        PackError: A file is no TOML, does not fit the format, or an id occurs twice.
    """
    packs = [read_pack(path) for path in sorted(folder.glob("*.toml"))]
    if not packs:
        raise PackError(f"There is no selector pack in {folder}.", "Install the program again.")
    doubled = [pack_id for pack_id, count in Counter(pack.id for pack in packs).items() if count > 1]
    if doubled:
        raise PackError(f"Two selector packs in {folder} have the id {doubled[0]!r}.", "Rename one.")
    return tuple(sorted(packs, key=lambda pack: (pack.priority, pack.id), reverse=True))


def choose_pack(
    packs: Sequence[SelectorPack], matches: Callable[[str], bool], forced: str = AUTO
) -> SelectorPack:
    """Return the pack that fits the page.

    Args:
        packs: The packs to choose from.
        matches: Whether a CSS selector matches anything on the page.
        forced: The id of the pack to take without looking, or "auto".

    Raises:
        PackError: `forced` names no pack.
        SelectorDriftError: No pack's detect rules hold.
    """
    if forced != AUTO:
        return _named(packs, forced)
    for pack in sorted(packs, key=lambda pack: pack.priority, reverse=True):
        if all(map(matches, pack.present)) and not any(map(matches, pack.absent)):
            return pack
    tried = ", ".join(pack.id for pack in packs)
    raise SelectorDriftError(
        f"No selector pack fits the page; tried: {tried}.",
        "WhatsApp Web has probably changed. Run `whatsapp-etl selectors check`, then add a pack.",
    )


def usable_packs(packs: Sequence[SelectorPack], forced: str = AUTO) -> tuple[SelectorPack, ...]:
    """Return the packs that may be used: all, or only the forced one.

    Raises:
        PackError: `forced` names no pack.
    """
    return tuple(packs) if forced == AUTO else (_named(packs, forced),)


def merge_packs(packs: Sequence[SelectorPack]) -> SelectorPack:
    """Return one pack that tries the candidates of all, the highest priority first.

    The screens before the chat list (QR code, loading, a blocking dialog) do not tell the page's
    shape and hardly differ between shapes, so there every known candidate is tried. Nothing is
    required of such a page.
    """
    ordered = sorted(packs, key=lambda pack: pack.priority, reverse=True)
    selectors = {
        name: Selector(name, _distinct(c for pack in having for c in pack.selectors[name].candidates))
        for name in _distinct(name for pack in ordered for name in pack.selectors)
        if (having := [pack for pack in ordered if name in pack.selectors])
    }
    labels = {
        name: _distinct(text for pack in ordered for text in pack.labels.get(name, ()))
        for name in _distinct(name for pack in ordered for name in pack.labels)
    }
    attributes = {name: value for pack in reversed(ordered) for name, value in pack.attributes.items()}
    return SelectorPack(
        id=MERGED,
        priority=ordered[0].priority,
        present=(),
        absent=(),
        selectors=MappingProxyType(selectors),
        attributes=MappingProxyType(attributes),
        labels=MappingProxyType(labels),
        tables=MappingProxyType({}),
        harmless=tuple(dict.fromkeys(each for pack in ordered for each in pack.harmless)),
    )


def _named(packs: Sequence[SelectorPack], pack_id: str) -> SelectorPack:
    for pack in packs:
        if pack.id == pack_id:
            return pack
    known = ", ".join(sorted(pack.id for pack in packs))
    raise PackError(
        f"WHATSAPP_SELECTOR_PACK names no selector pack: {pack_id!r}.", f'Use "auto" or one of: {known}.'
    )


def read_pack(path: Path) -> SelectorPack:
    """Read one pack.

    Raises:
        PackError: The file cannot be read, is no TOML, or does not fit the format; names file and key.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PackError(f"{path} cannot be read: {error.strerror}.", "Name a pack's file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError(f"{path} is not a TOML file: {error}.", "Correct it.") from error
    try:
        file = PackFile.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise PackError(
            f"{path}: {key}: {first['msg']}.", "Correct the key; selectors/README.md describes the format."
        ) from error
    tables = file.model_dump(include=set(_TABLES))
    return SelectorPack(
        id=file.id,
        priority=file.detect.priority,
        present=tuple(file.detect.present),
        absent=tuple(file.detect.absent),
        selectors=MappingProxyType(
            {
                name: Selector(name, tuple(select.candidates), select.required_on)
                for name, select in file.select.items()
            }
        ),
        attributes=MappingProxyType(dict(file.attribute)),
        labels=MappingProxyType({name: tuple(texts) for name, texts in file.label.items()}),
        tables=MappingProxyType({name: _frozen_table(tables[name]) for name in _TABLES}),
        harmless=tuple(
            HarmlessDialog(each.title, each.press, tuple(each.beside)) for each in file.dialogs.harmless
        ),
    )


def _frozen_table(table: Mapping[str, object]) -> Mapping[str, object]:
    return MappingProxyType({key: _frozen(value) for key, value in table.items()})


def _frozen(value: object) -> object:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return _frozen_table(value)
    return value


def _distinct(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def page_parts(pack: SelectorPack, labels: Sequence[str]) -> dict[str, object]:
    """Return the pack as the page scripts take it, with some of its labels."""
    return {
        "select": {name: list(selector.candidates) for name, selector in pack.selectors.items()},
        "label": {name: list(pack.labels.get(name, ())) for name in labels},
        "attribute": dict(pack.attributes),
    }
