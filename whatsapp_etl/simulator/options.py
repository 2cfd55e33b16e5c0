"""What a simulated account looks like and where it is served: one value, decided once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

Repertoire = Literal["usual", "everything"]

#: What releases and languages of the page differ in; docs/simulator.md says what each one does.
LANGUAGE_VARIANTS = (
    "translated_words", "english_dates", "midnight_24", "narrow_space", "arabic_digits", "intl_only",
    "english_urdu", "full_lang_tag",
)  # fmt: skip

#: What is described in two forms and decided by no release; docs/simulator.md says what each one does.
PAGE_VARIANTS = (
    "album_first_id", "album_tile_ids", "application_role", "no_row_role", "no_prefix", "many_rows",
    "context_cards", "grouped_stickers",
)  # fmt: skip


def check_variants(variants: Iterable[str], known: Iterable[str] = LANGUAGE_VARIANTS) -> None:
    """Refuse a variant that does not exist, by a `ValueError`."""
    unknown = sorted(set(variants) - set(known))
    if unknown:
        raise ValueError(f"No such variant: {', '.join(unknown)}; there are {', '.join(known)}.")


#: Releases of the page, the oldest first; static/era.js says what differs between them.
PROFILES = ("y2024", "apr26", "may26", "aug26", "nov26")


def check_profiles(names: object) -> None:
    """Refuse what names no release of the page, or several of which one is unknown."""
    wrong = [name for name in str(names).split(",") if name not in PROFILES]
    if wrong:
        raise ValueError(f"`profile` is one or several of {', '.join(PROFILES)}; not {', '.join(wrong)!r}.")


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """Everything that decides the world, byte by byte, and the address it is served on."""

    port: int = 0  #: 0: any free port.
    host: str = "127.0.0.1"
    chats: int = 40  #: Rows of the chat list, archived and locked ones among them.
    messages: int = 4000  #: Over all these chats, notices included.
    days: int = 45  #: How far back the oldest message lies.
    seed: int = 7
    locale: str = "en-US"
    hour12: bool | None = None  #: The stored preference; None: the language's habit.
    language_variants: tuple[str, ...] = ()  #: Of `LANGUAGE_VARIANTS`.
    page_variants: tuple[str, ...] = ()  #: Of `PAGE_VARIANTS`.
    timezone: str = "UTC"  #: Zone in which the page writes its clock times.
    linked: bool = False  #: Any browser profile counts as linked; no QR code.
    now: datetime | None = None  #: Fixed clock of world and page; None: the real one.
    phone_only_days: int = 36  #: In chats with more on the phone, what is older is only there.
    profile: str = "aug26"  #: The page's release; several, separated by commas, take turns by page load.
    behaviours: tuple[str, ...] = ()  #: What the page does badly from the start; see behaviours.py.
    repertoire: Repertoire = "usual"  #: With "everything" also what is rare, and what is made to be misread.
    pictures: bool = (
        True  #: Whether ordinary talk has pictures and stickers; a large world is faster without.
    )
    extras: bool = True  #: A status entry, a channel and an assistant beside the listed chats.

    def __post_init__(self) -> None:
        if self.chats < 1 or self.messages < 0 or self.days < 1:
            raise ValueError("A world needs at least one chat and one day, and no negative count.")
        if self.now is not None and self.now.tzinfo is None:
            raise ValueError("`now` needs a time zone.")
        check_profiles(self.profile)

        check_variants(self.language_variants)
        check_variants(self.page_variants, PAGE_VARIANTS)
        if self.repertoire not in get_args(Repertoire):
            raise ValueError(f"No such repertoire: {self.repertoire}.")

    def clock(self) -> datetime:
        """Return the world's current instant in UTC, whole seconds."""
        return (self.now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
