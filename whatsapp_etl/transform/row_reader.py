"""Reads one row: every fact by the best of several independent signs.

The pack's `[ladder]` says in which order the signs are asked. Which one served is kept in
`ParsedRow.signals`, so that a sign that went silent is seen before the last one does; one that says
otherwise than a better one is kept in `ParsedRow.dissents`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from selectolax.lexbor import LexborNode

from whatsapp_etl.model import (
    DirectionRung,
    MessageKey,
    MessageType,
    ParsedAttachment,
    ParsedReaction,
    ParsedRow,
    RawRow,
    RejectReason,
    TimeRung,
)
from whatsapp_etl.transform.clocks import PageClock
from whatsapp_etl.transform.identity import collection_bounds, parse_shown_key, shown_stanza_id
from whatsapp_etl.transform.kinds import message_type
from whatsapp_etl.transform.media import album_count, attachment
from whatsapp_etl.transform.query import FoundRow
from whatsapp_etl.transform.rules import KindRule, RowRules
from whatsapp_etl.transform.text import clean, lines, render
from whatsapp_etl.transform.timestamps import plain, split_prefix

#: Alignment of the bubble as the browser computed it -> sent by the account.
_BY_ALIGNMENT = {"flex-end": True, "end": True, "flex-start": False, "start": False}
_CENTRED = "center"

#: Where a bubble is drawn -> sent by the account.
_BY_SIDE = {"end": True, "start": False}

#: Signs that depend on names and on the page's language: asked last, and too weak to contradict others.
_BY_WORDS = frozenset({"label", "author", "sender_name"})

_SEVERAL = 2

#: Characters of a long text that the page shows at first, and with each "Read more" beyond. It counts a
#: little otherwise than we do: formatting marks, white space, emoji. Seen 2026-04-27.
_FIRST_CUT = 768
_NEXT_CUT = 3072
_CUT_SLACK = 48

#: Kinds of which several may stand in one row.
_IN_ALBUMS = frozenset({MessageType.IMAGE, MessageType.VIDEO})

#: Kinds whose row has a copied head only where it has a caption.
_HEAD_MEANS_CAPTION = frozenset({MessageType.IMAGE, MessageType.VIDEO, MessageType.GIF})

#: The clock is the last thing in a bubble: what stands so far before the end is none.
_CORNERS = 20

_NUMBERS = re.compile(r"\d+")


@dataclass(slots=True)
class _Seen:
    """Which sign served for which fact of a row, and which said otherwise."""

    signals: dict[str, str]
    dissents: list[tuple[str, str]] = field(default_factory=list)


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
        seen = _Seen(signals)
        rule, kind = self._kind(row, found, signals)
        if kind is None:
            return RejectReason.NO_CONTENT
        key = self._key(row, signals)
        meta, clock_text, labels = self._meta(found)
        is_system = kind is MessageType.SYSTEM
        is_outgoing = None if is_system else self._direction(row, found, key, head, seen)
        shown = self._shown(found, meta) if _needs_all(rule, kind) else None
        quote = found.first("row_quote")
        text = self._text(found, rule, kind, shown, seen)
        if quote is None and _has_several_texts(found):
            seen.dissents.append(("text", "several"))
        if text is None and head is not None and kind in _HEAD_MEANS_CAPTION:
            seen.dissents.append(("text", "caption"))
        sent_at, ts_raw = self._time(row, head, clock_text, seen)
        return ParsedRow(
            shown_id=row.shown_id,
            key=key,
            stanza_id=key.stanza_id if key else shown_stanza_id(row.shown_id),
            type=kind,
            subtype=None,
            is_outgoing=is_outgoing,
            sender_name=None if is_system else self._sender(found, head, signals, is_outgoing=is_outgoing),
            text=text,
            sent_at=sent_at,
            ts_raw=ts_raw,
            quoted_text=self._inside(quote, "row_quote_text"),
            quoted_sender_name=self._inside(quote, "row_quote_author"),
            is_forwarded=not self._rules.forwarded_icons.isdisjoint(found.icons)
            and found.has("row_forwarded"),
            is_edited=not self._rules.edited_labels.isdisjoint(labels),
            is_truncated=found.has("row_read_more") or _looks_cut(text),
            attachment=ParsedAttachment(count=album_count(found, row.shown_id, self._places(found)))
            if kind is MessageType.ALBUM
            else attachment(found, kind, shown),
            reactions=_reactions(found.first("row_reactions")),
            deletion=rule.deletion(lines(self._shown(found, meta))) if rule and rule.deletions else None,
            signals=signals,
            dissents=tuple(seen.dissents),
        )

    def _kind(
        self, row: RawRow, found: FoundRow, signals: dict[str, str]
    ) -> tuple[KindRule | None, MessageType | None]:
        for rung in self._rules.ladder.kind:
            match rung:
                case "id" if collection_bounds(row.shown_id):
                    signals["kind"] = "id"
                    return None, MessageType.ALBUM
                case "rule" if (told := self._kind_by_rule(found)) is not None:
                    rule, kind, signals["kind"] = told
                    return rule, kind
                case "body" if found.has("row_text"):
                    signals["kind"] = "body"
                    return None, MessageType.TEXT
                case "model" if row.model is not None and row.model.type:
                    signals["kind"] = "model"
                    return None, message_type(row.model.type, None)
                case "alignment" if row.alignment == _CENTRED:
                    signals["kind"] = "alignment"
                    return None, MessageType.SYSTEM
        return None, None

    def _kind_by_rule(self, found: FoundRow) -> tuple[KindRule | None, MessageType, str] | None:
        rule, by = self._rules.kind(found)
        if rule is None:
            return None
        if rule.type in _IN_ALBUMS and self._places(found) >= _SEVERAL:
            return None, MessageType.ALBUM, "places"
        return rule, rule.type, by

    def _places(self, found: FoundRow) -> int:
        """Return how many pictures and videos a row has a place for; several are an album."""
        return sum(len(found.all(rule.name)) for rule in self._rules.kinds if rule.type in _IN_ALBUMS)

    def _key(self, row: RawRow, signals: dict[str, str]) -> MessageKey | None:
        for rung in self._rules.ladder.id:
            key = parse_shown_key(row.shown_id) if rung == "packed" else _model_key(row)
            if key is not None:
                signals["id"] = signals["chat"] = rung
                return key
        signals["id"] = "bare"
        return None

    def _meta(self, found: FoundRow) -> tuple[LexborNode | None, str | None, set[str]]:
        """Return the corner of the bubble with its clock, the clock's text, and the words beside it."""
        for node in found.all("row_meta")[: -_CORNERS - 1 : -1]:
            texts = [
                text
                for leaf in node.traverse(include_text=True)
                # An icon's name is text too: after the clock of own messages stands their status.
                if leaf.tag == "-text"
                and not _names_icon(leaf)
                and (text := (leaf.text_content or "").strip())
            ]
            if texts and self._clock.is_clock(texts[-1]):
                return node, texts[-1], {plain(text) for text in texts[:-1]} if len(texts) > 1 else set()
        return None, None, set()

    def _direction(
        self,
        row: RawRow,
        found: FoundRow,
        key: MessageKey | None,
        head: tuple[str, str] | None,
        seen: _Seen,
    ) -> bool | None:
        """Return whether the account sent it, by the best sign there is; the others are asked as well."""
        said: bool | None = None
        for rung in self._rules.ladder.direction:
            if said is not None and rung in _BY_WORDS:
                continue
            also = self._direction_by(rung, row, found, key, head)
            if said is None and also is not None:
                said = also
                seen.signals["direction"] = rung
            elif also is not None and also is not said:
                seen.dissents.append(("direction", rung))
        if said is None:
            seen.signals["direction"] = "none"
        return said

    def _direction_by(  # noqa: PLR0911 - one line for each sign
        self,
        rung: DirectionRung,
        row: RawRow,
        found: FoundRow,
        key: MessageKey | None,
        head: tuple[str, str] | None,
    ) -> bool | None:
        """Return what one sign says; None where it is not there."""
        match rung:
            case "key":
                return key.is_outgoing if key is not None else None
            case "class":
                return _either(found, "row_outgoing", "row_incoming")
            case "alignment":
                return _BY_ALIGNMENT.get(row.alignment or "")
            case "tail":
                return _either(found, "row_tail_out", "row_tail_in")
            case "status":
                return True if found.has("row_status") else None
            case "label":
                label = self._label(found)
                return plain(label) in self._rules.own_labels if label is not None else None
            case "author":
                return False if found.has("row_author") else None
            case "sender_name":
                return plain(head[1]) == self._own_word if head is not None and self._own_word else None
            case "background":
                return _either(found, "row_background_out", "row_background_in")
            case _:  # "geometry": the rules know no other
                return _BY_SIDE.get(row.side or "")

    def _sender(
        self,
        found: FoundRow,
        head: tuple[str, str] | None,
        signals: dict[str, str],
        *,
        is_outgoing: bool | None,
    ) -> str | None:
        for rung in self._rules.ladder.sender:
            name: str | None = None
            match rung:
                case "prefix":
                    name = head[1] if head is not None else None
                case "own":
                    name = self._own_name if is_outgoing else None
                case "author":
                    # Of an unknown sender the page gives the number elsewhere, so it is taken here too.
                    author = found.first("row_author_phone") or found.first("row_author")
                    shown = render(author) if author is not None else None
                    name = shown.removeprefix("~").strip() if shown else None
                case _:  # "label": the rules know no other
                    label = self._label(found)
                    name = label if label and plain(label) not in self._rules.own_labels else None
            if name:
                signals["sender"] = rung
                return name
        return None

    def _label(self, found: FoundRow) -> str | None:
        """Return the name in the bubble's invisible label, "Ana:"."""
        node = found.first("row_label")
        if node is None:
            return None
        return clean((node.attributes.get("aria-label") or "").strip().removesuffix(":"))

    def _time(
        self, row: RawRow, head: tuple[str, str] | None, clock_text: str | None, seen: _Seen
    ) -> tuple[datetime | None, str | None]:
        if head is not None and clock_text and not _is_within(clock_text, head[0]):
            seen.dissents.append(("time", "clock"))
        why: RejectReason | None = None
        for rung in self._rules.ladder.time:
            told, raw = self._time_by(rung, row, head, clock_text)
            if rung == "prefix" and told is not None:
                seen.signals["date_order"] = self._clock.order_sign
            if isinstance(told, datetime):
                seen.signals["time"] = rung
                return told, raw
            why = why or told
        if why is not None:
            seen.signals["time"] = why
        return None, head[0] if head else clock_text

    def _time_by(
        self, rung: TimeRung, row: RawRow, head: tuple[str, str] | None, clock_text: str | None
    ) -> tuple[datetime | RejectReason | None, str | None]:
        """Return what one sign says or why it was not read, and the text that it was read from."""
        match rung:
            case "model" if row.model is not None and row.model.sent_at_seconds:
                seconds = row.model.sent_at_seconds
                return self._clock.from_seconds(seconds), str(seconds)
            case "prefix" if head is not None:
                return self._clock.at(head[0]), head[0]
            case "marker" if clock_text and row.date_marker:
                sent_at = self._clock.at_marker(clock_text, row.date_marker)
                return sent_at, f"{clock_text}, {row.date_marker}"
        return None, None

    def _text(
        self,
        found: FoundRow,
        rule: KindRule | None,
        kind: MessageType,
        shown: str | None,
        seen: _Seen,
    ) -> str | None:
        signals = seen.signals
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
        if text is None and (text := _first_joined(found, rule.text_css)):
            signals["text"] = "special"
        more = _first_joined(found, rule.more_css)
        if more is not None:
            if text is None and rule.is_more_required:
                seen.dissents.append(("text", "more"))
            text = f"{text}\n{more}" if text else more
        elif rule.is_more_required:
            seen.dissents.append(("text", "more"))
        if how == "special" and not set(lines(shown or "")) <= set(lines(text or "")):
            seen.dissents.append(("text", "leftover"))
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


def _model_key(row: RawRow) -> MessageKey | None:
    """Return the key that the row's model tells; a model of another row would prove the wrong chat."""
    key = parse_shown_key(row.model.key) if row.model is not None and row.model.key else None
    return key if key is not None and key.stanza_id == shown_stanza_id(row.shown_id) else None


def _has_several_texts(found: FoundRow) -> bool:
    """Whether the row has texts beside each other, not only parts of one text."""
    texts = found.found.get("row_text")
    if texts is None or len(texts) < _SEVERAL:
        return False
    first, node = texts[0][1].mem_id, texts[-1][1].parent
    while node is not None and node.mem_id != found.root.mem_id:
        if node.mem_id == first:
            return False
        node = node.parent
    return True


def _looks_cut(text: str | None) -> bool:
    """Whether a text ends like one that the page shows in part, at a length where the page cuts."""
    if text is None or not text.endswith("…") or len(text) < _FIRST_CUT - _CUT_SLACK:
        return False
    beyond = (len(text) - _FIRST_CUT + _CUT_SLACK) % _NEXT_CUT
    return beyond <= 2 * _CUT_SLACK


def _either(found: FoundRow, yes: str, no: str) -> bool | None:
    is_yes = found.has(yes)
    return is_yes if is_yes or found.has(no) else None


def _is_within(clock_text: str, head: str) -> bool:
    """Whether the numbers of a clock are among those of a copied head, which shows the same time."""
    if clock_text in head:
        return True
    numbers = _NUMBERS.findall(head)
    return all(number in numbers for number in _NUMBERS.findall(clock_text))


def _names_icon(text: LexborNode) -> bool:
    return text.parent is not None and text.parent.tag == "title"


def _needs_all(rule: KindRule | None, kind: MessageType) -> bool:
    if rule is None:
        return kind is MessageType.SYSTEM
    return rule.text in {"shown", "first_line", "special"} or kind in {
        MessageType.DOCUMENT,
        MessageType.VIDEO,
    }


def _first_joined(found: FoundRow, candidates: Iterable[str]) -> str | None:
    """Return the lines that the first selector gives that matches something with text."""
    return next((text for css in candidates if (text := _joined(found.root.css(css)))), None)


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
