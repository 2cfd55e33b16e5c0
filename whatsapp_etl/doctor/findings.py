"""What a check tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from whatsapp_etl.errors import WhatsappEtlError
from whatsapp_etl.settings import Settings


class Outcome(StrEnum):
    OK = "ok"
    NOTICE = "notice"  #: Worth knowing; nothing has to be done.
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check, or of its look at one place."""

    check: str  #: Of a small closed set; see docs/operations.md.
    outcome: Outcome
    told: str
    remedy: str | None = None
    place: str | None = None  #: The setting or thing that it is about, where a check looks at several.
    code: str | None = None  #: Stable; of a reason as in /health, or of a kind of damage.
    exit_code: int = 0  #: 0 unless wrong.
    count: int | None = None  #: How many files are meant.
    files: tuple[str, ...] = ()  #: The first of them.


Check = Callable[[Settings], Iterator[Finding]]


def good(check: str, told: str, place: str | None = None) -> Finding:
    return Finding(check, Outcome.OK, told, place=place)


def notice(check: str, told: str, remedy: str | None = None, place: str | None = None) -> Finding:
    return Finding(check, Outcome.NOTICE, told, remedy, place=place)


def wrong(check: str, told: str, remedy: str, place: str | None = None, *, exit_code: int = 1) -> Finding:
    return Finding(check, Outcome.WRONG, told, remedy, place=place, exit_code=exit_code)


def findings_of(name: str, check: Check, settings: Settings) -> Iterator[Finding]:
    """Yield what a check finds; the error that ends it is what it found last."""
    try:
        yield from check(settings)
    except WhatsappEtlError as error:
        yield Finding(name, Outcome.WRONG, error.what, error.remedy, exit_code=error.exit_code or 1)
    except OSError as error:
        told = f"{error.filename or 'Something'} cannot be looked at ({error.strerror})."
        yield wrong(name, told, "Run the doctor as the user who runs the program.")


def exit_code_of(findings: list[Finding]) -> int:
    """Return 0, or the exit code of the first finding that is wrong."""
    return next((finding.exit_code for finding in findings if finding.outcome is Outcome.WRONG), 0)
