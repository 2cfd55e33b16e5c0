"""What a selector pack finds on a page: pure, so that a page in a browser and a file are judged alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from whatsapp_etl.model import SelectorPack

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one name of a pack finds."""

    name: str
    required_on: str | None
    counts: tuple[tuple[str, int], ...]  #: (candidate, elements it matches), best first.

    @property
    def chosen(self) -> str | None:
        """The candidate that serves: the first that matches anything."""
        return next((css for css, count in self.counts if count), None)


@dataclass(frozen=True, slots=True)
class PackCheck:
    """A pack compared with one page."""

    pack_id: str
    fits: bool  #: By its detect rules.
    detect: tuple[tuple[str, bool, int], ...]  #: (selector, whether it must be there, elements it matches).
    findings: tuple[Finding, ...]

    @property
    def lost(self) -> tuple[str, ...]:
        """Names that match nothing, the required ones first."""
        gone = sorted((each for each in self.findings if each.chosen is None), key=_is_optional)
        return tuple(each.name for each in gone)


def check_pack(pack: SelectorPack, count: Count) -> PackCheck:
    """Compare a pack with a page.

    Args:
        pack: The pack.
        count: How many elements of the page a CSS selector matches.
    """
    detect = (
        *((css, True, count(css)) for css in pack.present),
        *((css, False, count(css)) for css in pack.absent),
    )
    return PackCheck(
        pack_id=pack.id,
        fits=all((found > 0) is wanted for _, wanted, found in detect),
        detect=detect,
        findings=tuple(
            Finding(name, selector.required_on, tuple((css, count(css)) for css in selector.candidates))
            for name, selector in pack.selectors.items()
        ),
    )


def nearest(checks: Sequence[PackCheck]) -> PackCheck:
    """Return the first pack that fits, or else the one of which the fewest names are lost."""
    return min(checks, key=lambda check: -1 if check.fits else len(check.lost))


def _is_optional(finding: Finding) -> bool:
    return finding.required_on is None
