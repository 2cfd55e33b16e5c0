"""The direct way: fetching what the ledger has due from WhatsApp's server, one file at a time."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from whatsapp_etl.attachments.server import MediaServer
from whatsapp_etl.downloads import (
    KIND_OF,
    Download,
    DownloadReason,
    DownloadRules,
    DueDownload,
    MediaFacts,
)
from whatsapp_etl.errors import MetadataUnreadableError
from whatsapp_etl.extract.source import Source
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import Account, Attachment, CapturedFile, ChatFacts
from whatsapp_etl.steps import Announce, Step
from whatsapp_etl.transform.downloads import after_failure, begun
from whatsapp_etl.transform.identity import canonical_key, parse_key

log = structlog.get_logger(__name__)

#: Files of one look at the ledger, and how long a cycle may spend; the rest waits for the next one.
_AT_ONCE = 50
_BUDGET = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of a cycle's fetching."""

    files: int = 0  #: Newly held.
    jobs: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Fetching:
    """Fetches files; every outcome is in the ledger before the next file begins."""

    source: Source
    store: Store
    rules: DownloadRules
    server: Callable[[], MediaServer]  #: Opens a connection for one cycle.
    save: Callable[[bytes], CapturedFile]
    clock: Callable[[], datetime]
    announce: Announce
    is_stopping: Callable[[], bool]

    def run(self, chats: Sequence[ChatFacts], account: Account, since: datetime, run_id: int) -> Fetched:
        """Fetch what is due of these chats, newest first, until nothing is left or time is up."""
        end = time.monotonic() + _BUDGET.total_seconds()
        by_id = {some_id: chat for chat in chats for some_id in chat.ids}
        kinds = [name for name in KIND_OF if self.rules.chooses(name)]
        tried: set[int] = set()
        files = jobs = failed = 0
        with self.server() as server:
            while due := self.store.attachments.due(kinds, since, self.clock(), tried=tried, limit=_AT_ONCE):
                facts = self._facts(due, by_id, account, since)
                for each in due:
                    if self.is_stopping() or time.monotonic() > end:
                        return Fetched(files, jobs, failed)
                    tried.add(each.attachment_id)
                    stored = self._one(server, each, facts.get(each.attachment_id), run_id)
                    files, jobs, failed = files + stored[0], jobs + stored[1], failed + stored[2]
        return Fetched(files, jobs, failed)

    def _one(
        self, server: MediaServer, due: DueDownload, facts: MediaFacts | None, run_id: int
    ) -> tuple[int, int, int]:
        """Fetch one file; return whether it is newly held, jobs enqueued, and whether it failed."""
        entry = begun(due.download, self.clock())
        self.store.attachments.note([entry], run_id, self.clock())
        self.announce(Step.DOWNLOAD_BEGUN)
        got = self._bytes(server, due, facts)
        if isinstance(got, DownloadReason):
            return self._failed(entry, got, run_id)
        try:
            file = self.save(got)
        except OSError as error:
            is_full = error.errno == errno.EDQUOT
            log.warning("attachment_not_saved", reason=errno.errorcode.get(error.errno or 0, "unknown"))
            return self._failed(entry, DownloadReason.TOTAL_SIZE if is_full else DownloadReason.DISK, run_id)
        held = Attachment(
            position=due.download.position,
            media_type=file.media_type,
            state="stored",
            file_path=file.relative_path,
            checksum=file.sha256,
            is_verified=True if facts and facts.file_sha256 else None,
            size_bytes=file.size_bytes,
        )
        files, jobs = self.store.attachments.settle(due, held, run_id, self.clock())
        if not files:
            self.store.note_unused([file.relative_path], self.clock())  # erased meanwhile
        self.announce(Step.DOWNLOAD_STORED)
        return files, jobs, 0

    def _failed(self, entry: Download, reason: DownloadReason, run_id: int) -> tuple[int, int, int]:
        now = self.clock()
        self.store.attachments.note([after_failure(entry, reason, now)], run_id, now)
        log.info("attachment_not_fetched", reason=reason.value, attempts=entry.attempts)
        return 0, 0, 1

    def _bytes(
        self, server: MediaServer, due: DueDownload, facts: MediaFacts | None
    ) -> bytes | DownloadReason:
        if facts is None:
            return DownloadReason.NO_KEY
        if self.rules.is_too_large(due.message_type, facts.size_bytes):
            return DownloadReason.FILE_SIZE
        kind = KIND_OF[due.message_type]
        return server.fetch(facts, kind, self.rules.limits.bytes[kind])

    def _facts(
        self,
        due: Collection[DueDownload],
        chats: Mapping[str, ChatFacts],
        account: Account,
        since: datetime,
    ) -> Mapping[int, MediaFacts]:
        """Return by attachment what the browser's storage tells of files; without those it does not list."""
        by_chat: dict[str, list[DueDownload]] = {}
        for each in due:
            if (chat := chats.get(parse_key(each.download.external_id).chat_id)) is not None:
                by_chat.setdefault(chat.id, []).append(each)
        found: dict[int, MediaFacts] = {}
        for chat_id, wanted in by_chat.items():
            stanzas = {parse_key(each.download.external_id).stanza_id for each in wanted}
            try:
                listed = self.source.storage.media(chats[chat_id].ids, stanzas, since)
            except MetadataUnreadableError as unreadable:
                log.warning("metadata_unreadable", part=unreadable.part, reason=unreadable.reason)
                continue
            for each in wanted:
                if (facts := _matching(each, listed, account)) is not None:
                    found[each.attachment_id] = facts
        return found


def _matching(due: DueDownload, listed: Sequence[MediaFacts], account: Account) -> MediaFacts | None:
    """Return the facts of one message: by its key, or by the only one of that id and direction.

    A chat that changed from phone id to LID lists its messages under keys that are not theirs here.
    """
    key = due.download.external_id
    exact = [each for each in listed if str(canonical_key(parse_key(each.external_id), account.id)) == key]
    own = parse_key(key)
    alike = [
        each
        for each in listed
        if (other := parse_key(each.external_id)).stanza_id == own.stanza_id
        and other.is_outgoing == own.is_outgoing
    ]
    return exact[0] if exact else alike[0] if len(alike) == 1 else None
