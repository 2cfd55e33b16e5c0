"""Captured rows as parsed rows: every fact by the best of several independent signs.

Which sign served is kept in `ParsedRow.signals`, so that a sign that went silent is seen before the
last one does. A row that is not understood becomes a reject; nothing is raised and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborNode

from whatsapp_etl.model import (
    MessageKey,
    MessageType,
    ParsedReaction,
    ParsedRow,
    RawRow,
    Reject,
    RejectReason,
    SelectorPack,
)
from whatsapp_etl.transform.clocks import PageClock
from whatsapp_etl.transform.identity import collection_bounds, parse_shown_key, shown_stanza_id
from whatsapp_etl.transform.kinds import message_type
from whatsapp_etl.transform.media import attachment
from whatsapp_etl.transform.query import FoundRow
from whatsapp_etl.transform.redact import hash_id, redact_html
from whatsapp_etl.transform.rows import split_page
from whatsapp_etl.transform.rules import KindRule, RowRules
from whatsapp_etl.transform.text import clean, lines, render
from whatsapp_etl.transform.timestamps import plain, split_prefix

#: Evidence is for repairing a selector; a row's beginning is enough.
_EVIDENCE_CHARACTERS = 8_000
_NOON = time(12)

#: Alignment of the bubble as the browser computed it -> sent by the account.
_BY_ALIGNMENT = {"flex-end": True, "end": True, "flex-start": False, "start": False}
_CENTRED = "center"


def parse_rows(
    rows: Sequence[RawRow],
    pack: SelectorPack | RowRules,
    *,
    zone: ZoneInfo,
    locale: str,
    own_name: str | None,
    observed_at: datetime,
    chat_id: str | None = None,
) -> tuple[tuple[ParsedRow, ...], tuple[Reject, ...]]:
    """Parse captured rows.

    Args:
        rows: In page order, oldest first.
        pack: The page's selector pack, or its rules where many batches are parsed.
        zone: The browser's time zone.
        locale: Language of the interface.
        own_name: The account's name as the page writes it before own messages; None when unknown.
        observed_at: When the rows were captured: what "Today" means.
        chat_id: The chat, for the rejects.

    Returns:
        What was understood, in the same order, and what was not. Each row is in one of them.
    """
    rules = pack if isinstance(pack, RowRules) else RowRules(pack)
    found = rules.query.rows([row.html for row in rows])
    prefixes = [_prefix(each, rules.prefix_attribute) for each in found]
    clock = PageClock(
        rules.dates,
        zone=zone,
        locale=locale,
        today=observed_at.astimezone(zone).date(),
        samples=_date_texts(rows, prefixes),
    )
    reader = _Reader(rules, clock, plain(own_name or ""), own_name)
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
    """
    return parse_rows(
        split_page(html, pack),
        pack,
        zone=zone,
        locale=locale,
        own_name=own_name,
        observed_at=datetime.combine(today, _NOON, tzinfo=zone).astimezone(UTC),
        chat_id=chat_id,
    )


class _Reader:
    """Reads one row after the other with the same pack, clock and account."""

    def __init__(self, rules: RowRules, clock: PageClock, own_word: str, own_name: str | None) -> None:
        self._rules = rules
        self._clock = clock
        self._own_word = own_word
        self._own_name = own_name

    def read(self, row: RawRow, found: FoundRow, prefix: tuple[str, str] | None) -> ParsedRow | RejectReason:
        if not row.shown_id.strip():
            return RejectReason.NO_ID
        if found.has("row_emptied"):
            return RejectReason.NO_CONTENT
        signals: dict[str, str] = {}
        rule, kind = self._kind(row, found, signals)
        if kind is None:
            return RejectReason.NO_CONTENT
        key = self._key(row, signals)
        meta, clock_text, labels = self._meta(found)
        is_system = kind is MessageType.SYSTEM
        is_outgoing = None if is_system else self._direction(row, found, key, prefix, signals)
        shown = self._shown(found, meta) if _needs_all(rule, kind) else None
        quote = found.first("row_quote")
        sent_at, ts_raw = self._time(row, prefix, clock_text, signals)
        return ParsedRow(
            shown_id=row.shown_id,
            key=key,
            stanza_id=key.stanza_id if key else shown_stanza_id(row.shown_id),
            type=kind,
            subtype=None,
            is_outgoing=is_outgoing,
            sender_name=None if is_system else self._sender(found, prefix, is_outgoing, signals),
            text=self._text(found, rule, kind, shown, signals),
            sent_at=sent_at,
            ts_raw=ts_raw,
            quoted_text=self._inside(quote, "row_quote_text"),
            quoted_sender_name=self._inside(quote, "row_quote_author"),
            is_forwarded=not self._rules.forwarded_icons.isdisjoint(found.icons)
            and found.has("row_forwarded"),
            is_edited=not self._rules.edited_labels.isdisjoint(labels),
            is_truncated=found.has("row_read_more"),
            attachment=attachment(found, kind, row.shown_id, shown),
            reactions=_reactions(found.first("row_reactions")),
            signals=signals,
        )

    def _kind(
        self, row: RawRow, found: FoundRow, signals: dict[str, str]
    ) -> tuple[KindRule | None, MessageType | None]:
        if collection_bounds(row.shown_id):
            signals["kind"] = "id"
            return None, MessageType.ALBUM
        rule, signals["kind"] = self._rules.kind(found)
        if rule is not None:
            return rule, rule.type
        if found.has("row_text"):
            signals["kind"] = "body"
            return None, MessageType.TEXT
        if row.model is not None and row.model.type:
            signals["kind"] = "model"
            return None, message_type(row.model.type, None)
        if row.alignment == _CENTRED:
            signals["kind"] = "alignment"
            return None, MessageType.SYSTEM
        return None, None

    def _key(self, row: RawRow, signals: dict[str, str]) -> MessageKey | None:
        key = parse_shown_key(row.shown_id)
        if key is not None:
            signals["id"] = "packed"
            return key
        signals["id"] = "bare"
        if row.model is not None and row.model.key:
            key = parse_shown_key(row.model.key)
            # A model of another row would prove the wrong chat.
            if key is not None and key.stanza_id == shown_stanza_id(row.shown_id):
                signals["id"] = "model"
                return key
        return None

    def _meta(self, found: FoundRow) -> tuple[LexborNode | None, str | None, set[str]]:
        """Return the corner of the bubble with its clock, the clock's text, and the words beside it."""
        for node in reversed(found.all("row_meta")):
            texts = [
                text
                for leaf in node.traverse(include_text=True)
                if leaf.tag == "-text" and (text := (leaf.text_content or "").strip())
            ]
            if texts and self._clock.is_clock(texts[-1]):
                return node, texts[-1], {plain(text) for text in texts[:-1]} if len(texts) > 1 else set()
        return None, None, set()

    def _direction(
        self,
        row: RawRow,
        found: FoundRow,
        key: MessageKey | None,
        prefix: tuple[str, str] | None,
        signals: dict[str, str],
    ) -> bool | None:
        if key is not None:
            signals["direction"] = signals["id"]
            return key.is_outgoing
        for sign, outgoing, incoming in (
            ("class", "row_outgoing", "row_incoming"),
            ("tail", "row_tail_out", "row_tail_in"),
        ):
            if (is_out := found.has(outgoing)) or found.has(incoming):
                signals["direction"] = sign
                return is_out
            if sign == "class" and row.alignment in _BY_ALIGNMENT:
                signals["direction"] = "alignment"
                return _BY_ALIGNMENT[row.alignment or ""]
        if found.has("row_status"):
            signals["direction"] = "status"
            return True
        label = self._label(found)
        if label is not None:
            signals["direction"] = "label"
            return plain(label) in self._rules.own_labels
        if found.has("row_author"):
            signals["direction"] = "author"
            return False
        if prefix is not None and self._own_word:
            signals["direction"] = "sender_name"
            return plain(prefix[1]) == self._own_word
        return None

    def _sender(
        self,
        found: FoundRow,
        prefix: tuple[str, str] | None,
        is_outgoing: bool | None,
        signals: dict[str, str],
    ) -> str | None:
        if prefix is not None and prefix[1]:
            signals["sender"] = "prefix"
            return prefix[1]
        if is_outgoing and self._own_name:
            signals["sender"] = "own"
            return self._own_name
        # Of an unknown sender the page gives the number elsewhere, so the number is taken here too.
        author = found.first("row_author_phone") or found.first("row_author")
        if author is not None and (name := render(author)):
            signals["sender"] = "author"
            return name.removeprefix("~").strip()
        label = self._label(found)
        if label and plain(label) not in self._rules.own_labels:
            signals["sender"] = "label"
            return label
        return None

    def _label(self, found: FoundRow) -> str | None:
        """Return the name in the bubble's invisible label, "Ana:"."""
        node = found.first("row_label")
        if node is None:
            return None
        return clean((node.attributes.get("aria-label") or "").strip().removesuffix(":"))

    def _time(
        self, row: RawRow, prefix: tuple[str, str] | None, clock_text: str | None, signals: dict[str, str]
    ) -> tuple[datetime | None, str | None]:
        if row.model is not None and row.model.sent_at_seconds:
            sent_at = self._clock.from_seconds(row.model.sent_at_seconds)
            if sent_at is not None:
                signals["time"] = "model"
                return sent_at, str(row.model.sent_at_seconds)
        if prefix is not None and (sent_at := self._clock.at(prefix[0])) is not None:
            signals["time"] = "prefix"
            return sent_at, prefix[0]
        if clock_text and row.date_marker:
            sent_at = self._clock.at_marker(clock_text, row.date_marker)
            if sent_at is not None:
                signals["time"] = "marker"
                return sent_at, f"{clock_text}, {row.date_marker}"
        return None, prefix[0] if prefix else clock_text

    def _text(
        self,
        found: FoundRow,
        rule: KindRule | None,
        kind: MessageType,
        shown: str | None,
        signals: dict[str, str],
    ) -> str | None:
        how = rule.text if rule else "shown" if kind is MessageType.SYSTEM else "body"
        if kind is MessageType.ALBUM or how == "none":
            return None
        text: str | None = None
        if how == "body":
            node = found.earliest("row_text")
            text = render(node) if node is not None else None
        elif shown is not None:
            text = lines(shown)[0] if how == "first_line" else shown
        signals["text"] = how if text else "none"
        if rule is None:
            return text
        for css in rule.text_css if text is None else ():
            if text := _joined(found.root.css(css)):
                signals["text"] = "special"
                break
        for css in rule.more_css:
            if more := _joined(found.root.css(css)):
                text = f"{text}\n{more}" if text else more
                break
        return text

    def _shown(self, found: FoundRow, meta: LexborNode | None) -> str | None:
        """Return all that a row says, without clock, names, quote, "Forwarded" and reactions."""
        around = ("row_author", "row_author_phone", "row_quote", "row_forwarded", "row_reactions")
        skip = {node.mem_id for name in around for node in found.all(name)}
        if meta is not None:
            skip.add(meta.mem_id)
        return render(found.root, skip)

    def _inside(self, node: LexborNode | None, name: str) -> str | None:
        for css in self._rules.candidates(name) if node is not None else ():
            found = node.css_first(css)  # type: ignore[union-attr]  # no candidates without a node
            if found is not None and (text := render(found)):
                return text
        return None


def _needs_all(rule: KindRule | None, kind: MessageType) -> bool:
    if rule is None:
        return kind is MessageType.SYSTEM
    return rule.text in {"shown", "first_line"} or kind in {MessageType.DOCUMENT, MessageType.VIDEO}


def _prefix(found: FoundRow, attribute: str) -> tuple[str, str] | None:
    node = found.first("row_prefix")
    return split_prefix(node.attributes.get(attribute) or "") if node is not None else None


def _date_texts(rows: Sequence[RawRow], prefixes: Sequence[tuple[str, str] | None]) -> Iterable[str]:
    for row, prefix in zip(rows, prefixes, strict=True):
        if prefix is not None:
            yield PageClock.date_text(prefix[0])
        elif row.date_marker:
            yield row.date_marker


def _joined(nodes: Iterable[LexborNode]) -> str | None:
    return clean("\n".join(text for node in nodes if (text := render(node))))


def _reactions(node: LexborNode | None) -> tuple[ParsedReaction, ...]:
    """Return the emoji under a message. Of several only the total is shown: each counts once then."""
    if node is None:
        return ()
    shown = [image.attributes.get("alt") or "" for image in node.css("img")]
    emoji = list(dict.fromkeys(text for text in shown if text))
    numbers = [line for line in lines(render(node)) if line.isdecimal()]
    total = int(numbers[-1]) if numbers else 1
    return tuple(ParsedReaction(text, total if len(emoji) == 1 else 1) for text in emoji)


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
        if each.type is MessageType.SYSTEM or row.run_head is None:
            continue
        is_outgoing, sender_name = runs[row.run_head]
        if each.is_outgoing is None and is_outgoing is not None:
            signals = {**each.signals, "direction": "run"}
            parsed[index] = replace(parsed[index], is_outgoing=is_outgoing, signals=signals)
        if each.sender_name is None and sender_name:
            signals = {**parsed[index].signals, "sender": "run"}
            parsed[index] = replace(parsed[index], sender_name=sender_name, signals=signals)
    for index, each in enumerate(parsed):
        if each.sent_at is None and (sent_at := _neighbour_time(parsed, rows, index, clock)) is not None:
            parsed[index] = replace(each, sent_at=sent_at, signals={**each.signals, "time": "neighbour"})
    return tuple(parsed)


def _neighbour_time(
    parsed: Sequence[ParsedRow], rows: Sequence[RawRow], index: int, clock: PageClock
) -> datetime | None:
    """Return the time of the row above or else below under the same date, or else the date's beginning."""
    marker = rows[index].date_marker
    for other in (*range(index - 1, -1, -1), *range(index + 1, len(parsed))):
        if rows[other].date_marker == marker and (sent_at := parsed[other].sent_at) is not None:
            return sent_at
    return clock.day_begin(marker) if marker else None
