"""Captured rows as parsed rows: what many rows tell together.

A row that is not understood becomes a reject; nothing is raised and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import MessageType, ParsedRow, RawRow, Reject, RejectReason, SelectorPack
from whatsapp_etl.transform.clocks import PageClock
from whatsapp_etl.transform.date_order import DateHabit, PageLanguage
from whatsapp_etl.transform.identity import sender
from whatsapp_etl.transform.redact import redact_html
from whatsapp_etl.transform.row_reader import RowReader, copied_head
from whatsapp_etl.transform.rows import split_page
from whatsapp_etl.transform.rules import RowRules

#: Evidence is for repairing a selector; a row's beginning is enough.
_EVIDENCE_CHARACTERS = 8_000
_NOON = time(12)


def parse_rows(
    rows: Sequence[RawRow],
    pack: SelectorPack | RowRules,
    *,
    zone: ZoneInfo,
    locale: str,
    own_name: str | None,
    observed_at: datetime,
    chat_id: str | None = None,
    page_language: str | None = None,
    habit: DateHabit | None = None,
) -> tuple[tuple[ParsedRow, ...], tuple[Reject, ...]]:
    """Parse captured rows.

    Args:
        rows: In page order, oldest first.
        pack: The page's selector pack, or its rules where many batches are parsed.
        zone: The browser's time zone.
        locale: Language that the page was asked for.
        own_name: The account's name as the page writes it before own messages; None when unknown.
        observed_at: When the rows were captured: what "Today" means.
        chat_id: The chat, for the rejects.
        page_language: Language in which the page says it is; None when unknown.
        habit: How the account's page was proven to write dates before.

    Returns:
        What was understood, in the same order, and what was not. Each row is in one of them.
    """
    rules = pack if isinstance(pack, RowRules) else RowRules(pack)
    found = rules.query.rows([row.html for row in rows])
    prefixes = [copied_head(each, rules) for each in found]
    clock = PageClock(
        rules.dates,
        zone=zone,
        language=PageLanguage(locale, page_language),
        today=observed_at.astimezone(rules.dates.zone(zone)).date(),
        heads=[
            (prefix[0] if prefix else None, row.date_marker)
            for row, prefix in zip(rows, prefixes, strict=True)
        ],
        habit=habit,
    )
    reader = RowReader(rules, clock, own_name)
    parsed: list[ParsedRow] = []
    rejects: list[Reject] = []
    sources: list[RawRow] = []
    for row, each, prefix in zip(rows, found, prefixes, strict=True):
        result = reader.read(row, each, prefix)
        if isinstance(result, ParsedRow):
            parsed.append(result)
            sources.append(row)
        else:
            rejects.append(_reject(row, result, chat_id, rules.pack_id, observed_at))
    return _with_neighbours(parsed, sources, clock), tuple(rejects)


def parse_page(
    html: str,
    pack: SelectorPack,
    *,
    zone: ZoneInfo,
    locale: str,
    own_name: str | None,
    chat_id: str | None,
    today: date,
    page_language: str | None = None,
) -> tuple[tuple[ParsedRow, ...], tuple[Reject, ...]]:
    """Parse the HTML of a saved page.

    Args:
        html: The page or a part of it.
        pack: The page's selector pack.
        zone: The browser's time zone.
        locale: Language of the interface.
        own_name: The account's name as the page writes it; None when unknown.
        chat_id: The chat, for the rejects.
        today: The local date when the page was saved.
        page_language: Language in which the page says it is; None when unknown.
    """
    return parse_rows(
        split_page(html, pack),
        pack,
        zone=zone,
        locale=locale,
        own_name=own_name,
        observed_at=datetime.combine(today, _NOON, tzinfo=zone).astimezone(UTC),
        chat_id=chat_id,
        page_language=page_language,
    )


def _reject(
    row: RawRow, reason: RejectReason, chat_id: str | None, pack_id: str, observed_at: datetime
) -> Reject:
    return Reject(
        thread_external_id=chat_id,
        shown_id_hash=hash_id(row.shown_id),
        reason=reason,
        pack_id=pack_id,
        evidence=redact_html(row.html[:_EVIDENCE_CHARACTERS]),
        observed_at=observed_at,
    )


def signal_counts(rows: Iterable[ParsedRow]) -> Mapping[tuple[str, str], int]:
    """Count which sign served for which fact, e.g. ("row_direction", "alignment"): drift shows here first.

    A sign that said otherwise than the one that served counts as ("row_direction_dissent", "tail").
    """
    served: dict[tuple[str, str], int] = {}
    dissents: dict[tuple[str, str], int] = {}
    for row in rows:
        # By hand: a Counter takes many times as long for the few signs of one row.
        for sign in row.signals.items():
            served[sign] = served.get(sign, 0) + 1
        for sign in row.dissents:
            dissents[sign] = dissents.get(sign, 0) + 1
    return {(f"row_{fact}", sign): count for (fact, sign), count in served.items()} | {
        (f"row_{fact}_dissent", sign): count for (fact, sign), count in dissents.items()
    }


def _with_neighbours(parsed: list[ParsedRow], rows: list[RawRow], clock: PageClock) -> tuple[ParsedRow, ...]:
    """Fill in what only the rows around tell: a run has one sender, a timeless row its neighbour's time."""
    runs: dict[str, tuple[bool | None, str | None]] = {}
    for each, row in zip(parsed, rows, strict=True):
        if row.run_head and each.type is not MessageType.SYSTEM:
            known = runs.get(row.run_head, (None, None))
            runs[row.run_head] = (
                known[0] if known[0] is not None else each.is_outgoing,
                known[1] or each.sender_name,
            )
    for index, (each, row) in enumerate(zip(parsed, rows, strict=True)):
        if each.type is MessageType.SYSTEM or not row.run_head:
            continue
        is_outgoing, sender_name = runs[row.run_head]
        if each.is_outgoing is None and is_outgoing is not None:
            signals = {**each.signals, "direction": "run"}
            parsed[index] = replace(parsed[index], is_outgoing=is_outgoing, signals=signals)
        if each.sender_name is None and sender_name:
            signals = {**parsed[index].signals, "sender": "run"}
            parsed[index] = replace(parsed[index], sender_name=sender_name, signals=signals)
    _fill_names(parsed)
    _fill_times(parsed, rows, clock)
    return tuple(parsed)


def _fill_names(parsed: list[ParsedRow]) -> None:
    """Name the sender of a row as another row of the same sender does, where keys tell who that is."""
    names: dict[str | bool, str] = {}
    for each in parsed:
        if each.sender_name and (who := _who(each)) is not None:
            names.setdefault(who, each.sender_name)
    for index, each in enumerate(parsed):
        who = _who(each) if each.sender_name is None else None
        if who is not None and (name := names.get(who)):
            parsed[index] = replace(each, sender_name=name, signals={**each.signals, "sender": "same_sender"})


def _who(row: ParsedRow) -> str | bool | None:
    """Return what tells senders apart: True for the account, an id for others; None when unproven."""
    if row.type is MessageType.SYSTEM:
        return None
    if row.is_outgoing:
        return True
    return sender(row.key, "") if row.key else None


def _fill_times(parsed: list[ParsedRow], rows: Sequence[RawRow], clock: PageClock) -> None:
    """Give a timeless row the time of the row above or else below under its date, or the date's begin."""
    above: list[datetime | None] = []
    last: dict[str | None, datetime] = {}
    for each, row in zip(parsed, rows, strict=True):
        if each.sent_at is not None:
            last[row.date_marker] = each.sent_at
        above.append(last.get(row.date_marker))
    below: dict[str | None, datetime] = {}
    for index in reversed(range(len(parsed))):
        each, marker = parsed[index], rows[index].date_marker
        if each.sent_at is not None:
            below[marker] = each.sent_at
            continue
        if "time" in each.signals:
            continue  # It shows a time of its own, which was not read: another's would be wrong.
        sent_at = above[index] or below.get(marker) or (clock.day_begin(marker) if marker else None)
        if sent_at is not None:
            parsed[index] = replace(each, sent_at=sent_at, signals={**each.signals, "time": "neighbour"})
