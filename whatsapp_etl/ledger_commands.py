"""The commands that tell what the program did: cycles, one cycle, one message."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime

from rich.console import Console
from rich.table import Table

from whatsapp_etl import bootstrap
from whatsapp_etl.asked import settings_of_person
from whatsapp_etl.errors import ConfigurationError, MessageParseError, UnknownRunError
from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import RunStatus
from whatsapp_etl.plain_json import plain
from whatsapp_etl.records import RunDetails, RunRecord, StoredFacts, Whereabouts
from whatsapp_etl.transform.identity import canonical_key, parse_key
from whatsapp_etl.transform.whereabouts import next_step, state_of

_SIGNS = "how often each sign told a fact of the run's rows; which one told a single row's is not kept"
_GONE = "no longer kept"
_ZERO_WIDTH_JOINER = "\u200d"  # holds emoji together


def list_runs(last: int, *, as_json: bool) -> None:
    """Print the last cycles, one a line, newest first."""
    with bootstrap.open_store_to_read(settings_of_person()) as store:
        runs = store.last_runs(last)
    if as_json:
        for run in runs:
            _print_json(_run_as_json(run))
        return
    _print(
        f"{'run':>6}  {'status':<11}  {'started (UTC)':<16}  {'seconds':>7}  {'opened':>6}  {'new':>6}  "
        f"{'changed':>7}  {'missing':>7}  {'rejects':>7}  pack, error"
    )
    for run in runs:
        seconds = "" if run.seconds is None else f"{run.seconds:.1f}"
        kind = "" if run.kind == "sync" else run.kind
        told = " ".join(filter(None, (kind, run.pack_id, (run.error or "").partition(":")[0])))
        _print(
            f"{run.run_id:>6}  {run.status:<11}  {run.started_at:%Y-%m-%d %H:%M}  {seconds:>7}  "
            f"{run.chats_opened:>6}  {run.applied.inserted:>6}  {run.applied.updated:>7}  "
            f"{_known(run, run.missing):>7}  {run.applied.rejects:>7}  {told}".rstrip()
        )


def show_run(run_id: int, *, as_json: bool) -> None:
    """Print everything about one cycle.

    Raises:
        UnknownRunError: It is not there.
    """
    with bootstrap.open_store_to_read(settings_of_person()) as store:
        details = store.run_details(run_id)
        kept = None if details else store.kept_runs()
    if details is None:
        there = f"Runs {kept[0]} to {kept[1]} are kept" if kept else "No run is kept yet"
        raise UnknownRunError(
            f"There is no run {run_id}.", f"{there} (RETENTION_DAYS); `whatsapp-etl runs` lists them."
        )
    if as_json:
        found = plain(details)
        assert isinstance(found, dict)
        _print_json({**found, "run": _run_as_json(details.run)})
        return
    console = Console(highlight=False)
    console.print(_run_table(details), markup=False)
    if details.chats:
        console.print(_chats_table(details), markup=False)


def explain(external_id: str, *, as_json: bool, with_text: bool) -> None:
    """Print where a message is, how it came there, and what will happen next.

    Raises:
        ConfigurationError: The text is no message key.
    """
    settings = settings_of_person()
    try:
        key = parse_key(external_id)
    except MessageParseError as error:
        raise ConfigurationError(
            str(error), "Take it from `messages.external_id`, or from the view `coverage_gaps`."
        ) from error
    with bootstrap.open_store_to_read(settings) as store:
        account = store.account()
        whole = str(canonical_key(key, account.id) if account else key)
        keys = tuple(dict.fromkeys((whole, str(key), external_id.strip())))
        hashes = {hash_id(each) for each in (*keys, key.stanza_id)}
        found = store.whereabouts(keys, key.chat_id, hashes, with_text=with_text)
    now = bootstrap.clock_of(settings)()
    if as_json:
        _print_json(_whereabouts_as_json(found, now, with_text=with_text))
        return
    for label, value in _told(found, now):
        _print(f"{label}: {value}")


# --- one cycle ---------------------------------------------------------------------------------


def _run_table(details: RunDetails) -> Table:
    run = details.run
    stages = run.stages
    table = Table("run", f"{run.run_id}: {run.status}", show_lines=False)
    table.columns[1].overflow = "fold"
    for label, value in (
        ("kind", run.kind),
        ("begun, ended", f"{_at(run.started_at)}, {_at(run.finished_at)}"),
        ("looked back to", _at(run.lookback_begin)),
        ("decided by", _decided_by(run)),
        ("WhatsApp Web, pack", f"{run.wa_version or 'unknown'}, {run.pack_id or 'unknown'}"),
        ("session at its end", run.session_state or "unknown"),
        ("chats listed, opened", f"{run.chats_listed}, {run.chats_opened}"),
        ("chats left alone", _counts(run.chats_skipped)),
        ("storage set back", "yes" if run.is_rewound else "no"),
        ("newest listed", _at(run.newest_listed_at)),
        ("rows seen", f"{stages.seen}"),
        ("… with an id", f"{stages.id_found}"),
        ("… matched", f"{stages.matched}"),
        ("… with a body", f"{stages.body_found}"),
        ("… written", f"{stages.written}"),
        ("inserted, updated", f"{run.applied.inserted}, {run.applied.updated}"),
        ("read and unchanged", f"{run.applied.unchanged}"),
        ("expected, missing", f"{_known(run, run.expected)}, {_known(run, run.missing)}"),
        ("rejects", _counts(details.rejected, total=run.applied.rejects)),
        ("not found by it last", _counts(details.looked_for)),
        ("images saved, queued", f"{run.applied.attachments_saved}, {run.applied.jobs_enqueued}"),
        ("read receipts", f"{run.receipts_observed}"),
        ("rows compared", f"{run.rows_compared}"),
        ("disagreements", _counts(run.disagreed, total=run.disagreements)),
        ("other keys noted", f"{details.aliases}"),
        ("facts lost", ", ".join(run.lost_facts) or "none"),
        ("listed by", run.listed_by or "not known"),
        ("rows of the storage looked at", f"{run.rows_looked_at}"),
        ("told by the message store", f"{run.rows_by_store}"),
        ("message store left", _left_store(run)),
        ("storage unreadable", ", ".join(run.metadata_unreadable) or "none"),
        ("stop reasons", _counts(run.stop_reasons)),
        ("seconds by stage", ", ".join(f"{name} {n:.1f}" for name, n in run.stage_seconds.items()) or "none"),
        ("seconds", "unknown" if run.seconds is None else f"{run.seconds:.1f}"),
        ("error", run.error or "none"),
    ):
        table.add_row(label, _printable(value))
    return table


def _left_store(run: RunRecord) -> str:
    return " ".join(filter(None, (run.store_unavailable, run.store_detail))) or "no"


def _chats_table(details: RunDetails) -> Table:
    table = Table(
        "chat", "new", "changed", "coverage", title="Changed in it, where no later run did", title_style=""
    )
    table.columns[0].overflow = "fold"
    for chat in details.chats:
        coverage = ""
        if chat.coverage_changed:
            expected = "unknown" if chat.expected is None else chat.expected
            gaps = f" ({_counts(chat.missing)})" if chat.missing else ""
            coverage = f"{chat.stored} of {expected}, {chat.stop_reason}{gaps}"
        table.add_row(_printable(chat.thread_external_id), str(chat.inserted), str(chat.changed), coverage)
    return table


def _run_as_json(run: RunRecord) -> dict[str, object]:
    facts = plain(run)
    assert isinstance(facts, dict)
    return {**facts, "seconds": run.seconds}


# --- one message -------------------------------------------------------------------------------


def _told(found: Whereabouts, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield what is known of a message as label and value, the answer first."""
    yield "state", state_of(found)
    yield "next", next_step(found, now)
    if found.stored is not None:
        yield from _told_of_stored(found.stored, found.runs)
    if (missing := found.missing) is not None:
        times = f"first missed {_at(missing.first_missed_at)}, next try {_at(missing.next_try_at)}"
        tries = f"looked for {missing.attempts} times, last in run {missing.run_id}"
        yield "missing", f"{missing.reason}, {tries}, {times}"
    if (removed := found.removed) is not None:
        yield "removed", f"{removed.reason}, {_at(removed.removed_at)}"
    for reject in found.rejects:
        times = f"from {_at(reject.first_seen_at)} to {_at(reject.last_seen_at)}"
        runs = f"in {reject.times_seen} runs, last in run {reject.last_run_id}"
        yield "rejected", f"{reject.reason}, pack {reject.pack_id}, {runs}, {times}"
    if (chat := found.chat) is not None:
        expected = "an unknown number" if chat.expected is None else chat.expected
        counts = f"{chat.stored} stored of {expected} expected, {chat.stop_reason}"
        times = f"complete from {_at(chat.complete_until)}, as of {_at(chat.observed_at)}"
        yield "its chat", f"{chat.thread_external_id}, {counts}, {times}"


def _told_of_stored(stored: StoredFacts, runs: Mapping[int, RunRecord]) -> Iterator[tuple[str, str]]:
    yield "key", stored.external_id
    yield "kind", f"{stored.message_type}, sent {_at(stored.ts)} (to the {stored.ts_precision})"
    yield "path", _path(stored)
    yield "first run", _run_line(stored.first_run_id, runs)
    yield "last run that changed it", _run_line(stored.last_run_id, runs)
    yield "content seen", _at(stored.observed_at)
    yield "stored, changed", f"{_at(stored.created_at)}, {_at(stored.updated_at)}"
    for label, instant in (
        ("edit seen", stored.edited_seen_at),
        ("deletion seen", stored.deleted_seen_at),
        ("deleted", stored.deleted_at),
        ("disappears", stored.expires_at),
    ):
        if instant is not None:
            yield label, _at(instant)
    if stored.deleted_by is not None:
        yield "deleted by", stored.deleted_by
    if stored.text is not None:
        yield "text", stored.text
    for version in stored.versions:
        text = "" if version.text is None else f": {version.text}"
        seen = f"seen {_at(version.replaced_seen_at)} in run {version.run_id}"
        yield "earlier version", f"{version.message_type}, replaced by {version.replaced_by}, {seen}{text}"
    for alias in stored.aliases:
        yield "other key", alias
    for each in stored.attachments:
        size = "size unknown" if each.size_bytes is None else f"{each.size_bytes} bytes"
        checked = {None: "", True: ", checksum verified", False: ", checksum differs"}[each.is_verified]
        file = f"{each.media_type or 'kind unknown'}, {size}{checked}"
        yield "attachment", f"{each.position}: {each.state}, {file}, changed in run {each.last_run_id}"
    last = runs.get(stored.last_run_id)
    if last is not None and last.signs:
        yield f"signs in run {last.run_id}", f"({_SIGNS})"
        for fact, counts in last.signs.items():
            yield f"  {fact}", _counts(counts)


def _whereabouts_as_json(found: Whereabouts, now: datetime, *, with_text: bool) -> dict[str, object]:
    facts = plain(found)
    assert isinstance(facts, dict)
    if found.stored is not None:
        facts["stored"]["path"] = _path(found.stored)
        if not with_text:  # a null would look like a message without a text
            for each in (facts["stored"], *facts["stored"]["versions"]):
                del each["text"]
    facts["runs"] = {
        str(run_id): {
            "status": run.status,
            "started_at": plain(run.started_at),
            "read_by": run.read_by,
            "pack_id": run.pack_id,
            "wa_version": run.wa_version,
            "signs": plain(dict(run.signs)),
        }
        for run_id, run in found.runs.items()
    }
    return {"state": state_of(found), "next": next_step(found, now), "signs_are": _SIGNS, **facts}


def _path(stored: StoredFacts) -> str:
    return "storage and page" if stored.is_listed else "page alone, found by the chat list"


def _run_line(run_id: int, runs: Mapping[int, RunRecord]) -> str:
    run = runs.get(run_id)
    if run is None:
        return f"{run_id} ({_GONE})"
    return (
        f"{run_id} ({run.status}, begun {_at(run.started_at)}, decided by {_decided_by(run)}, "
        f"pack {run.pack_id or 'unknown'}, WhatsApp Web {run.wa_version or 'unknown'})"
    )


# --- words -------------------------------------------------------------------------------------


def _decided_by(run: RunRecord) -> str:
    return {"metadata": "the browser's storage", "chat_list": "the chat list"}.get(
        run.read_by or "", "unknown"
    )


def _known(run: RunRecord, count: int) -> str:
    """Return a count that only the browser's storage tells, and only to a cycle that came to its end."""
    has_ended = run.status in {RunStatus.SUCCESS, RunStatus.PARTIAL}
    return str(count) if has_ended and run.read_by == "metadata" else "unknown"


def _at(instant: datetime | None) -> str:
    return "unknown" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _counts(counts: Mapping[str, int], *, total: int | None = None) -> str:
    listed = ", ".join(f"{name} {count}" for name, count in counts.items())
    if total is None:
        return listed or "none"
    return f"{total} ({listed} last in it)" if listed else f"{total}"


def _printable(text: str) -> str:
    """Return a text in one line that no terminal takes for commands."""
    return "".join(
        each if each.isprintable() or each == _ZERO_WIDTH_JOINER else each.encode("unicode_escape").decode()
        for each in text
    )


def _print(line: str) -> None:
    sys.stdout.write(f"{_printable(line)}\n")


def _print_json(value: Mapping[str, object]) -> None:
    _print(json.dumps(value, sort_keys=True))
