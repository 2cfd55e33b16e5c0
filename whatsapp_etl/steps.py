"""The named steps of a cycle: the moments between which a program that is killed leaves different things.

Whoever does a step announces it to a callable that was injected. It does nothing, unless a test ends the
program there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """Each is announced when it was done, in this order where all of them are."""

    BROWSER_STARTED = "browser_started"  #: Chromium runs; the page is not open yet.
    PAGE_OPENED = "page_opened"  #: The chat list is shown.
    RUN_BEGUN = "run_begun"
    ACCOUNT_CHECKED = "account_checked"
    PEOPLE_STORED = "people_stored"  #: Chats, contacts and groups.
    SPOOLED_CHAT_STORED = "spooled_chat_stored"  #: Committed; its file is still there.
    SPOOLED_CHAT_REMOVED = "spooled_chat_removed"
    COMPARED = "compared"
    PICTURE_WRITTEN = "picture_written"  #: On disk, under a temporary name.
    PICTURE_SAVED = "picture_saved"  #: Under its checksum; no row names it yet.
    CHAT_READ = "chat_read"
    MESSAGES_WRITTEN = "messages_written"  #: In the chat's transaction, before its checkpoint and coverage.
    CHAT_WRITTEN = "chat_written"  #: All of it, before the commit.
    CHAT_STORED = "chat_stored"  #: Committed.
    CHAT_PACKED = "chat_packed"  #: While Postgres is away: on disk, under a temporary name.
    CHAT_SPOOLED = "chat_spooled"
    DOWNLOAD_BEGUN = "download_begun"  #: Noted in the ledger; nothing was asked of the server yet.
    DOWNLOAD_STORED = "download_stored"  #: Its row is committed.
    REACTIONS_STORED = "reactions_stored"
    COVERAGE_STORED = "coverage_stored"  #: Of the chats in which nothing was new.
    MESSAGES_EXPIRED = "messages_expired"
    FILE_REMOVED = "file_removed"  #: One that no message has; the row that says so is still there.
    FILES_REMOVED = "files_removed"
    FILE_COPIED = "file_copied"  #: One, into the second store; the ledger does not say so yet.
    FILES_COPIED = "files_copied"  #: All that were due, and noted.
    RUN_STORED = "run_stored"


class ReadingStep(StrEnum):
    """The same for a worker that reads pictures."""

    PICTURE_LEASED = "picture_leased"
    PICTURE_READ = "picture_read"  #: By the engine; nothing of it is stored.
    TEXT_STORED = "text_stored"  #: Committed.


Announce = Callable[[Step], None]
AnnounceReading = Callable[[ReadingStep], None]


def no_announcement(_step: Step | ReadingStep) -> None:
    """Announce to nobody."""
