"""What of a captured chat is kept on disk until it can be planned, and what of it is left out on request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.forgotten import Forgotten
from whatsapp_etl.model import ChatBatch, MessageFacts, MessageKey, ParsedRow
from whatsapp_etl.transform.forgetting import is_forgotten, is_shown_forgotten, remembered
from whatsapp_etl.transform.identity import shown_stanza_ids
from whatsapp_etl.transform.joining import FactsIndex
from whatsapp_etl.transform.messages import ChatContext, external_id
from whatsapp_etl.transform.quotes import quotes_forgotten
from whatsapp_etl.transform.redact import redact_html


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is left of a captured chat without what was erased on request."""

    captured: CapturedChat | None  #: None: nothing.
    gone_keys: tuple[str, ...]  #: Of the messages that are left out.
    gone_files: frozenset[str]  #: Pictures that only they show.
    gone_texts: tuple[str, ...] = ()  #: Of the messages that are left out.


def fit_to_keep(captured: CapturedChat) -> CapturedChat:
    """Return the chat as it may lie on disk: its markup redacted, of the people's ids only those in it.

    The rows are understood already; their markup is needed as evidence of what could not be used.
    """
    rows = tuple(replace(row, html=redact_html(row.html)) for row in captured.batch.rows)
    people = {*captured.chat.ids, *captured.participant_ids, captured.account.id, captured.account.lid}
    for facts in captured.facts or ():
        people |= {facts.sender_id, facts.key.participant_id, facts.quoted_participant_id}
    return replace(
        captured,
        batch=replace(captured.batch, rows=rows),
        phone_ids={
            lid: phone for lid, phone in captured.phone_ids.items() if not people.isdisjoint({lid, phone})
        },
    )


def without_forgotten(captured: CapturedChat, forgotten: Forgotten) -> Remainder:
    """Return what is left of a chat; a row goes with any of the messages that it shows.

    Args:
        captured: As it was kept.
        forgotten: Erased on request.
    """
    forgotten = replace(forgotten, phone_ids={**captured.phone_ids, **forgotten.phone_ids})
    facts = captured.facts or ()
    if forgotten.has_chat(*captured.chat.ids):
        keys = {external_id(each.key, captured.account) for each in facts}
        keys |= {str(row.key) for row in captured.parsed if row.key is not None}
        return Remainder(None, tuple(sorted(keys)), captured.file_paths, _texts(captured.parsed))
    context = ChatContext(captured.chat, captured.account, captured.since, forgotten=forgotten)
    gone = {each.key for each in facts if is_forgotten(each, None, context)}
    index = FactsIndex(facts, captured.account)
    lost_rows = {row.shown_id for row in captured.parsed if _shows_any(row, index, gone, context)}
    lost_stanzas = {key.stanza_id for key in gone}
    lost_stanzas |= {row.stanza_id for row in captured.parsed if row.shown_id in lost_rows}
    keys = {external_id(key, captured.account) for key in gone}
    keys |= {str(row.key) for row in captured.parsed if row.shown_id in lost_rows and row.key is not None}
    rejects = tuple(remembered(captured.rejects, captured.batch, context))
    kept = {row.shown_id for row in captured.parsed} - lost_rows
    # A row that was not understood may show anybody: without its reject it goes as well.
    shown = (
        kept
        if len(rejects) < len(captured.rejects)
        else {r.shown_id for r in captured.batch.rows} - lost_rows
    )

    def is_lost(shown_id: str) -> bool:
        return not lost_stanzas.isdisjoint(shown_stanza_ids(shown_id)) or is_shown_forgotten(
            shown_id, context
        )

    left = replace(
        captured,
        facts=None
        if captured.facts is None
        else tuple(_without_others(each, forgotten) for each in facts if each.key not in gone),
        parsed=tuple(
            _without_quote(row, index, forgotten) for row in captured.parsed if row.shown_id in kept
        ),
        rejects=rejects,
        dissents=tuple(each for each in captured.dissents if each.stanza_id not in lost_stanzas),
        batch=_of_others(captured.batch, shown, is_lost),
        diff=replace(
            captured.diff,
            wanted=tuple(key for key in captured.diff.wanted if not forgotten.has_key(key)),
            first_id=_unless_forgotten(captured.diff.first_id, forgotten),
            last_id=_unless_forgotten(captured.diff.last_id, forgotten),
        ),
        participant_ids=forgotten.remembered(captured.participant_ids),
        phone_ids={lid: phone for lid, phone in captured.phone_ids.items() if not forgotten.has_contact(lid)},
    )
    texts = _texts(row for row in captured.parsed if row.shown_id in lost_rows)
    return Remainder(left, tuple(sorted(keys)), captured.file_paths - left.file_paths, texts)


def _texts(rows: Iterable[ParsedRow]) -> tuple[str, ...]:
    return tuple(sorted({row.text for row in rows if row.text}))


def _shows_any(row: ParsedRow, index: FactsIndex, gone: Collection[MessageKey], context: ChatContext) -> bool:
    """Whether a row shows a message that was erased on request."""
    return any(
        (joined.facts is not None and joined.facts.key in gone)
        or (joined.facts is None and is_forgotten(None, row.key, context))
        for joined in index.join(row)
    )


def _without_quote(row: ParsedRow, index: FactsIndex, forgotten: Forgotten) -> ParsedRow:
    if any(quotes_forgotten(row, joined.facts, forgotten) for joined in index.join(row)):
        return replace(row, quoted_text=None, quoted_sender_name=None)
    return row


def _without_others(facts: MessageFacts, forgotten: Forgotten) -> MessageFacts:
    """Return what is listed of a message without whom it quotes, and who deleted it, if they were erased."""
    if _quotes(facts, forgotten):
        facts = replace(facts, quoted_stanza_id=None, quoted_participant_id=None)
    return replace(facts, revoked_by_id=None) if forgotten.has_contact(facts.revoked_by_id) else facts


def _of_others(batch: ChatBatch, shown: Collection[str], is_lost: Callable[[str], bool]) -> ChatBatch:
    """Return the batch with those of its rows that are shown, and no id of the lost ones."""

    def left(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each for each in ids if not is_lost(each))

    return replace(
        batch,
        rows=tuple(
            replace(row, run_head=None) if row.run_head and is_lost(row.run_head) else row
            for row in batch.rows
            if row.shown_id in shown
        ),
        files={key: files for key, files in batch.files.items() if key in shown},
        empty_ids=left(batch.empty_ids),
        shown_ids=left(batch.shown_ids),
        unlisted_ids=left(batch.unlisted_ids),
        pictures_unseen=left(batch.pictures_unseen),
        oldest_shown_id=next(iter(left((batch.oldest_shown_id,))), None) if batch.oldest_shown_id else None,
    )


def _unless_forgotten(key: str | None, forgotten: Forgotten) -> str | None:
    return None if key is not None and forgotten.has_key(key) else key


def _quotes(facts: MessageFacts | None, forgotten: Forgotten) -> bool:
    return facts is not None and forgotten.has_quoted(facts.quoted_stanza_id, facts.quoted_participant_id)
