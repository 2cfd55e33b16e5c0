"""Reads one row: every fact by the best of several independent signs.

Which sign served is kept in `ParsedRow.signals`, so that a sign that went silent is seen before the
last one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from selectolax.lexbor import LexborNode

from whatsapp_etl.model import MessageKey, MessageType, ParsedReaction, ParsedRow, RawRow, RejectReason
from whatsapp_etl.transform.clocks import PageClock
from whatsapp_etl.transform.identity import collection_bounds, parse_shown_key, shown_stanza_id
from whatsapp_etl.transform.kinds import message_type
from whatsapp_etl.transform.media import attachment
from whatsapp_etl.transform.query import FoundRow
from whatsapp_etl.transform.rules import KindRule, RowRules
from whatsapp_etl.transform.text import clean, lines, render
from whatsapp_etl.transform.timestamps import plain, split_prefix

#: Alignment of the bubble as the browser computed it -> sent by the account.
_BY_ALIGNMENT = {"flex-end": True, "end": True, "flex-start": False, "start": False}
_CENTRED = "center"


def copied_head(found: FoundRow, rules: RowRules) -> tuple[str, str] | None:
    """Return time text and sender of what stands before a copied message; None on rows without."""
    node = found.first("row_prefix")
    return split_prefix(node.attributes.get(rules.prefix_attribute) or "") if node is not None else None


class RowReader:
    """Reads one row after the other with the same pack, clock and account."""

    def __init__(self, rules: RowRules, clock: PageClock, own_name: str | None) -> None:
        self._rules = rules
        self._clock = clock
        self._own_word = plain(own_name or "")
        self._own_name = own_name

    def read(self, row: RawRow, found: FoundRow, head: tuple[str, str] | None) -> ParsedRow | RejectReason:
        """Return what a row says, or why it says nothing.

        Args:
            row: The row as captured.
            found: Its elements.
            head: Time text and sender of the row's copied head, from `copied_head`.
        """
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
        is_outgoing = None
        if not is_system:
            signals["direction"], is_outgoing = next(self._directions(row, found, key, head), ("none", None))
        shown = self._shown(found, meta) if _needs_all(rule, kind) else None
        quote = found.first("row_quote")
        sent_at, ts_raw = self._time(row, head, clock_text, signals)
        return ParsedRow(
            shown_id=row.shown_id,
            key=key,
            stanza_id=key.stanza_id if key else shown_stanza_id(row.shown_id),
            type=kind,
            subtype=None,
            is_outgoing=is_outgoing,
            sender_name=None if is_system else self._sender(found, head, signals, is_outgoing=is_outgoing),
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

    def _directions(
        self, row: RawRow, found: FoundRow, key: MessageKey | None, head: tuple[str, str] | None
    ) -> Iterator[tuple[str, bool]]:
        """Yield whether the account sent it, by one sign after the other, the surest first."""
        if key is not None:
            yield "key", key.is_outgoing
        if (is_out := found.has("row_outgoing")) or found.has("row_incoming"):
            yield "class", is_out
        if row.alignment in _BY_ALIGNMENT:
            yield "alignment", _BY_ALIGNMENT[row.alignment]
        if (is_out := found.has("row_tail_out")) or found.has("row_tail_in"):
            yield "tail", is_out
        if found.has("row_status"):
            yield "status", True
        label = self._label(found)
        if label is not None:
            yield "label", plain(label) in self._rules.own_labels
        if found.has("row_author"):
            yield "author", False
        if head is not None and self._own_word:
            yield "sender_name", plain(head[1]) == self._own_word

    def _sender(
        self,
        found: FoundRow,
        head: tuple[str, str] | None,
        signals: dict[str, str],
        *,
        is_outgoing: bool | None,
    ) -> str | None:
        if head is not None and head[1]:
            signals["sender"] = "prefix"
            return head[1]
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
        self, row: RawRow, head: tuple[str, str] | None, clock_text: str | None, signals: dict[str, str]
    ) -> tuple[datetime | None, str | None]:
        if row.model is not None and row.model.sent_at_seconds:
            sent_at = self._clock.from_seconds(row.model.sent_at_seconds)
            if sent_at is not None:
                signals["time"] = "model"
                return sent_at, str(row.model.sent_at_seconds)
        if head is not None and (sent_at := self._clock.at(head[0])) is not None:
            signals["time"] = "prefix"
            return sent_at, head[0]
        if clock_text and row.date_marker:
            sent_at = self._clock.at_marker(clock_text, row.date_marker)
            if sent_at is not None:
                signals["time"] = "marker"
                return sent_at, f"{clock_text}, {row.date_marker}"
        return None, head[0] if head else clock_text

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
        elif how != "special" and shown is not None:
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
        if node is None:
            return None
        for css in self._rules.candidates(name):
            found = node.css_first(css)
            if found is not None and (text := render(found)):
                return text
        return None


def _needs_all(rule: KindRule | None, kind: MessageType) -> bool:
    if rule is None:
        return kind is MessageType.SYSTEM
    return rule.text in {"shown", "first_line"} or kind in {MessageType.DOCUMENT, MessageType.VIDEO}


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
