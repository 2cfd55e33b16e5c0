"""The part of the store that knows files: their rows, and the ledger of their bytes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.downloads import Download, DownloadCount, DueDownload
from whatsapp_etl.load import downloads, files
from whatsapp_etl.model import Attachment
from whatsapp_etl.records import StoredFile

_FILES_PAGE = 500
_Opens = Callable[[], AbstractContextManager[Cursor[TupleRow]]]


@dataclass(frozen=True, slots=True)
class AttachmentStore:
    """Each method is one transaction, unless it says otherwise; raises what `Store` raises."""

    _writing: _Opens
    _reading: _Opens
    _agent_targets: Sequence[str] = ()  #: Names of those to whom the agent's messages are.

    # --- the ledger ---

    def due(
        self,
        kinds: Collection[str],
        since: datetime,
        now: datetime,
        *,
        tried: Collection[int] = (),
        limit: int = 100,
    ) -> tuple[DueDownload, ...]:
        """Return what is to be fetched from the server now; see `load.downloads`."""
        with self._reading() as cursor:
            return downloads.due_downloads(cursor, kinds, since, now, tried=tried, limit=limit)

    def note(self, entries: Sequence[Download], run_id: int, now: datetime) -> None:
        """Write entries of the ledger."""
        with self._writing() as cursor:
            downloads.write_downloads(cursor, entries, run_id, now)

    def settle(self, due: DueDownload, file: Attachment, run_id: int, now: datetime) -> tuple[int, int]:
        """Write that the bytes are held; return how many files are newly held and jobs enqueued."""
        with self._writing() as cursor:
            return downloads.settle_stored(cursor, due, file, run_id, now, agent_targets=self._agent_targets)

    def choose_again(self, most_bytes: Mapping[str, int], run_id: int, now: datetime) -> int:
        """Let files be looked for that settings left out when they were seen; see `load.downloads`."""
        with self._writing() as cursor:
            return downloads.choose_again(cursor, most_bytes, run_id, now)

    def retry_given_up(self, now: datetime) -> int:
        """Let files be looked for again that were given up; return how many."""
        with self._writing() as cursor:
            return downloads.retry_given_up(cursor, now)

    def counts(self) -> tuple[DownloadCount, ...]:
        """Return how many attachments stand alike."""
        with self._reading() as cursor:
            return downloads.download_counts(cursor)

    def stored_bytes(self) -> int:
        """Return the bytes of all stored files, each counted once."""
        with self._reading() as cursor:
            return downloads.stored_bytes(cursor)

    # --- copies ---

    def without_copy(self, after: str, limit: int) -> tuple[str, ...]:
        """Return paths of stored files of which no copy is noted, in their order."""
        with self._reading() as cursor:
            return downloads.without_copy(cursor, after, limit)

    def note_copies(self, file_paths: Collection[str], now: datetime) -> None:
        """Note that files have a copy."""
        with self._writing() as cursor:
            downloads.note_copies(cursor, file_paths, now)

    def forget_copies(self) -> None:
        """Count no file as copied."""
        with self._writing() as cursor:
            downloads.forget_copies(cursor)

    # --- files ---

    def lose(self, file: StoredFile, now: datetime) -> int:
        """Let a file that is gone be looked for again; return by how many messages."""
        with self._writing() as cursor:
            return downloads.lose_file(cursor, file, now)

    def rename(self, file: StoredFile, file_path: str) -> None:
        """Note that a file lies under another name."""
        with self._writing() as cursor:
            downloads.rename_file(cursor, file, file_path)

    def by_checksum(self, checksum: str) -> StoredFile | None:
        """Return the stored file with a checksum."""
        with self._reading() as cursor:
            return files.by_checksum(cursor, checksum)

    def count_files(self) -> int:
        with self._reading() as cursor:
            return files.count_stored_files(cursor)

    def files(self) -> Iterator[StoredFile]:
        """Yield each stored file once; each page is a transaction of its own, so that none stays open."""
        after = ("", "")
        while True:
            with self._reading() as cursor:
                page = files.stored_files(cursor, after, _FILES_PAGE)
            yield from page
            if len(page) < _FILES_PAGE:
                return
            after = (page[-1].checksum, page[-1].file_path)

    def has_file(self, file: StoredFile) -> bool:
        """Return whether a row still names the file."""
        with self._reading() as cursor:
            return files.has_file(cursor, file)

    def known_files(self, paths: Collection[str]) -> frozenset[str]:
        """Return which of these files a row names."""
        with self._reading() as cursor:
            return files.known_files(cursor, paths)
