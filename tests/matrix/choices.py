"""What the matrix runs through, read from the stand-in: what it learns to show is judged from then on."""

from __future__ import annotations

from dataclasses import fields
from random import Random

from whatsapp_etl.simulator import options

#: Of the languages that the stand-in speaks, one for each sort of date, clock and direction of writing.
LOCALES = ("en-US", "en-GB", "de", "pt-BR", "ar", "zh-CN")
MIXTURES = 20
_SEED = 20260823

_OPTIONS = {field.name for field in fields(options.SimulatorOptions)}

#: The shapes of the page.
PROFILES: tuple[str, ...] = tuple(getattr(options, "PROFILES", ("aug26",)))


def page_options(profile: str, locale: str) -> dict[str, object]:
    """Return the simulator's options for a page, with everything in it that the simulator can invent."""
    chosen: dict[str, object] = {"locale": locale, "profile": profile, "repertoire": "everything"}
    return {name: value for name, value in chosen.items() if name in _OPTIONS}


def mixtures(names: list[str], count: int = MIXTURES) -> list[tuple[str, ...]]:
    """Return combinations of two to five behaviours: the same ones in every run."""
    chance = Random(_SEED)
    return [tuple(sorted(chance.sample(names, chance.randint(2, min(5, len(names)))))) for _ in range(count)]
