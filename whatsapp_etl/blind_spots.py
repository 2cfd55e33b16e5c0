"""What earlier cycles of this process no longer saw in rows, though the browser's storage lists it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from whatsapp_etl.transform.cross_check import Agreement, lost_facts

#: A fact missed so often, with nothing to the contrary between, is not shown under any name known.
_MISSED = 3


@dataclass
class BlindSpots:
    """Facts that rows are missed to show, over several cycles: a quiet account has few of them in one."""

    _missed: Counter[str] = field(default_factory=Counter)

    @property
    def facts(self) -> tuple[str, ...]:
        """Return what is not shown any more, by name."""
        return tuple(sorted(fact for fact, times in self._missed.items() if times >= _MISSED))

    def note(self, counts: Mapping[Agreement, int]) -> None:
        """Take over what one cycle compared."""
        for fact, (shown, not_shown) in lost_facts(counts).items():
            if shown > not_shown:
                self._missed.pop(fact, None)
            else:
                self._missed[fact] += not_shown
