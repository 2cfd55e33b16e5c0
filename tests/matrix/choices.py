"""What the matrix runs through, read from the stand-in: what it learns to show is judged from then on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from random import Random

from whatsapp_etl.simulator import options
from whatsapp_etl.simulator.behaviours import Behaviour

#: Of the languages that the stand-in speaks, one for each sort of date, clock and direction of writing.
LOCALES = ("en-US", "en-GB", "de", "pt-BR", "ar", "zh-CN")
MIXTURES = 20
_SEED = 20260823

_OPTIONS = {field.name for field in fields(options.SimulatorOptions)}

#: The shapes of the page.
PROFILES: tuple[str, ...] = tuple(getattr(options, "PROFILES", ("aug26",)))
#: What is described in two forms, each other form by itself.
PAGE_VARIANTS = options.PAGE_VARIANTS

#: A language in which each variant makes a difference, and whether its clock has 12 hours.
LANGUAGE_VARIANTS: dict[str, tuple[str, bool | None]] = {
    **dict.fromkeys(options.LANGUAGE_VARIANTS, ("de", None)),
    "translated_words": ("pt-BR", None),
    "midnight_24": ("en-US", False),
    "narrow_space": ("es", True),
    "arabic_digits": ("ar", None),
    "intl_only": ("ar", None),
    "english_urdu": ("ur", None),
    "full_lang_tag": ("pt-BR", None),
}


def page_options(profile: str, locale: str) -> dict[str, object]:
    """Return the simulator's options for a page, with everything in it that the simulator can invent."""
    chosen: dict[str, object] = {"locale": locale, "profile": profile, "repertoire": "everything"}
    return {name: value for name, value in chosen.items() if name in _OPTIONS}


def mixtures(behaviours: Mapping[str, Behaviour], count: int = MIXTURES) -> list[tuple[str, ...]]:
    """Return combinations of two to five behaviours that do not hide each other: the same in every run.

    Each behaviour is in at least one; of those that stand in the way, one at most is in each.
    """
    chance = Random(_SEED)
    left: list[str] = []
    found = []
    for _ in range(count):
        names: list[str] = []
        size = chance.randint(2, 5)
        while len(names) < size:
            if not left:
                left = chance.sample(sorted(behaviours), len(behaviours))
            shown = any(behaviours[name].dialog != "none" for name in names)
            fitting = [
                name
                for name in left
                if name not in names and not (shown and behaviours[name].dialog != "none")
            ]
            if not fitting:
                left = []
                continue
            names.append(fitting[0])
            left.remove(fitting[0])
        found.append(tuple(sorted(names)))
    assert {name for names in found for name in names} == behaviours.keys()
    return found
