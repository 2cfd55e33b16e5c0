"""What a source is made of: where the page is, how it is read, whom it asks, who keeps its profile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from whatsapp_etl.downloads import DownloadRules
from whatsapp_etl.extract.browser import BrowserOptions
from whatsapp_etl.extract.limits import Limits
from whatsapp_etl.extract.upkeep import UpkeepRules
from whatsapp_etl.model import CapturedFile, ChatKind, MessageType, SeenPage, SelectorPack


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Where the page is and how it is read."""

    profile: Path
    browser: BrowserOptions
    url: str
    packs: tuple[SelectorPack, ...]
    snapshots: Path  #: Folder for redacted snapshots of pages that were not understood.
    forced_pack: str = "auto"
    upkeep: UpkeepRules = field(default_factory=UpkeepRules)
    takes_over: bool = False  #: The session is taken over when another window uses it.
    ready_within: timedelta = timedelta(minutes=3)  #: Loading the chats may take so long.
    chats_per_minute: float = 20  #: 0 for no limit.
    scrolls_per_second: float = 4  #: 0 for no limit.
    downloads_per_minute: float = 20  #: Presses of the page's download buttons; 0 for no limit.
    downloads: DownloadRules = field(default_factory=DownloadRules)

    def limits(self, stop: threading.Event) -> Limits:
        """Return the paces of reading; a wait for them ends when `stop` is set."""
        return Limits.of(
            chats_per_minute=self.chats_per_minute,
            scrolls_per_second=self.scrolls_per_second,
            downloads_per_minute=self.downloads_per_minute,
            stop=stop,
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """The pure functions that reading needs; `extract` imports no other package."""

    classify: Callable[[str, str | None], MessageType]  #: WhatsApp's type and subtype to ours.
    kind_of: Callable[[str, str], ChatKind]  #: A chat id and the own id to the chat's kind.
    redact: Callable[[SeenPage], str]  #: Turns a page into a snapshot in which nobody can be read.
    save_file: Callable[[bytes], CapturedFile]  #: Keeps a picture's bytes.


class SessionKeeper(Protocol):
    """Who keeps the profile outside of this machine; called while no browser is open."""

    @property
    def has_failed(self) -> bool: ...
    def before_start(self) -> None: ...
    def after_close(self, *, is_worth_keeping: bool, is_last: bool) -> None: ...
