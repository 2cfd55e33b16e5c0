"""What a selector pack says, and by which of its signs a row's facts were told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Selector:
    """A named thing on the page and the CSS candidates for it, best first."""

    name: str
    candidates: tuple[str, ...]
    required_on: str | None = None  #: Page on which zero matches means drift: "ready", "conversation".


@dataclass(frozen=True, slots=True)
class HarmlessDialog:
    """A dialog that only informs. Whole texts, in straight apostrophes."""

    title: str
    press: str  #: What closes it.
    beside: tuple[str, ...] = ()  #: What else may stand there to be pressed.


@dataclass(frozen=True, slots=True)
class SelectorPack:
    """Everything a release of WhatsApp Web is recognised by. Data from `selectors/<id>.toml`.

    `tables` holds the sections that only one reader of the pack knows (row kinds, date words, …),
    as parsed from TOML with lists as tuples.
    """

    id: str
    priority: int
    present: tuple[str, ...]  #: Detect rule: each of these must match something on the page.
    absent: tuple[str, ...]  #: Detect rule: none of these may match.
    selectors: Mapping[str, Selector]
    attributes: Mapping[str, str]
    labels: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Mapping[str, object]]
    harmless: tuple[HarmlessDialog, ...] = ()  #: Dialogs that are closed without a person.

    def __getitem__(self, name: str) -> Selector:
        return self.selectors[name]


#: The signs that tell a fact of a message row, best first. A pack's `[ladder]` may order them otherwise.
IdRung = Literal["packed", "model"]
KindRung = Literal["id", "rule", "body", "model", "alignment"]
DirectionRung = Literal[
    "key", "class", "alignment", "tail", "status", "label", "author", "sender_name", "background", "geometry"
]
SenderRung = Literal["prefix", "own", "author", "label"]
TimeRung = Literal["model", "prefix", "marker"]
