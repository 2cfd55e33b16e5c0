"""The commands about files sent with messages."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from whatsapp_etl import bootstrap
from whatsapp_etl.asked import say, settings_of_person
from whatsapp_etl.attachment_check import Fault, Problem, Remedy, examine, examine_orphans, repair
from whatsapp_etl.attachments.mirror import Mirror
from whatsapp_etl.downloads import DownloadCount, DownloadState, total_by_state
from whatsapp_etl.errors import EXIT_PARTIAL, ConfigurationError
from whatsapp_etl.plain_json import plain
from whatsapp_etl.records import StoredFile
from whatsapp_etl.settings import Settings
from whatsapp_etl.unused_files import remove_unused_files

_MEGABYTE = 1024 * 1024


def status(*, as_json: bool) -> None:
    """Print the ledger's sums."""
    settings = settings_of_person()
    with bootstrap.open_store_to_read(settings) as store:
        counts = store.attachments.counts()
        held = store.attachments.stored_bytes()
    if as_json:
        say(json.dumps(_as_json(counts, held, settings), sort_keys=True))
        return
    if not counts:
        say("No message with a file is stored yet.")
        return
    say(f"{'state':<13}  {'reason':<12}  {'count':>8}  {'MB':>10}  next try (UTC)")
    for each in counts:
        say(
            f"{each.state:<13}  {each.reason or '':<12}  {each.count:>8}  {each.bytes / _MEGABYTE:>10.1f}  "
            f"{_moment(each.next_try_at)}".rstrip()
        )
    limit = settings.attachments_max_bytes
    room = f" of {limit / _MEGABYTE:.1f} MB (ATTACHMENTS_MAX_BYTES)" if limit else ""
    files = total_by_state(counts)[DownloadState.STORED]
    say(f"{held / _MEGABYTE:.1f} MB{room} hold the bytes of {files}.")


def fsck(*, is_repair: bool, as_json: bool) -> int:
    """Look for what is wrong with stored files, and put it right where that is asked for.

    Returns:
        The exit code: 1 when something wrong is left.
    """
    settings = settings_of_person()
    root, waiting = _places(settings)
    wrong = left = 0
    opens = bootstrap.open_store if is_repair else bootstrap.open_store_to_read
    with opens(settings) as store:
        if is_repair:
            store.unused_files()  # as the only writer: a cycle must not take up what is removed here
        found = examine(store, root, waiting)
        if is_repair:
            copies = bootstrap.mirror_of(settings)
            found = repair(list(found), store, root, _restore_from(copies), bootstrap.clock_of(settings)())
        for each in found:
            wrong += 1
            left += each.remedy is Remedy.NONE
            say(json.dumps(_problem(each), sort_keys=True) if as_json else _told(each))
    if not as_json:
        say(
            f"{wrong or 'Nothing'} {'are' if wrong > 1 else 'is'} wrong"
            + (f", {left} left." if wrong else ".")
        )
    return 1 if left else 0


def prune() -> int:
    """Remove what no message has; return the exit code."""
    settings = settings_of_person()
    root, waiting = _places(settings)
    removed = kept = 0
    with bootstrap.open_store(settings) as store:
        kept += len(remove_unused_files(store, bootstrap.remove_file_of(settings), waiting))
        for each in list(examine_orphans(store, root, waiting)):
            if each.fault is not Fault.ORPHAN:
                say(f"{each.path} is no file of this program and stays.")
                continue
            try:
                (root / each.path).unlink(missing_ok=True)
                removed += 1
            except OSError as error:
                say(f"{each.path} cannot be removed ({errno.errorcode.get(error.errno or 0, 'unknown')}).")
                kept += 1
    say(f"{removed} files without a message are removed" + (f", {kept} could not be." if kept else "."))
    return EXIT_PARTIAL if kept else 0


def retry() -> None:
    """Let the next cycles look again for what was given up."""
    settings = settings_of_person()
    with bootstrap.open_store(settings) as store:
        queued = store.attachments.retry_given_up(bootstrap.clock_of(settings)())
    say(f"{queued} {'file is' if queued == 1 else 'files are'} looked for again.")


def mirror(*, is_again: bool) -> None:
    """Copy stored files into the second store.

    Raises:
        ConfigurationError: There is no second store.
        AttachmentStoreError: It refuses or does not answer.
    """
    settings = settings_of_person()
    with bootstrap.open_store(settings) as store:
        mirroring = bootstrap.mirroring_of(settings, store)
        if mirroring is None:
            raise ConfigurationError(
                "ATTACHMENTS_STORE_URL is empty, so there is nowhere to copy to.", "Set it."
            )
        copied = mirroring.run(is_again=is_again, is_patient=True)
    say(f"{copied} {'file is' if copied == 1 else 'files are'} copied.")


def _places(settings: Settings) -> tuple[Path, frozenset[str]]:
    waiting = bootstrap.spool_of(settings).file_paths()
    return settings.attachments_dir, frozenset(waiting)


def _restore_from(copies: Mirror | None) -> Callable[[StoredFile], bytes | None]:
    return lambda file: copies.get(file.file_path, file.checksum) if copies else None


def _told(problem: Problem) -> str:
    done = "" if problem.remedy is Remedy.NONE else f": {problem.remedy}"
    return f"{problem.fault:<10}  {problem.path}{done}"


def _problem(problem: Problem) -> object:
    return {"fault": problem.fault.value, "path": problem.path, "remedy": problem.remedy.value}


def _as_json(counts: Sequence[DownloadCount], held: int, settings: Settings) -> object:
    return {
        "states": dict(total_by_state(counts)),
        "details": [
            {
                "state": each.state.value,
                "reason": each.reason.value if each.reason else None,
                "count": each.count,
                "bytes": each.bytes,
                "next_try_at": plain(each.next_try_at),
            }
            for each in counts
        ],
        "stored_bytes": held,
        "max_bytes": settings.attachments_max_bytes or None,
    }


def _moment(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M}" if instant else ""
