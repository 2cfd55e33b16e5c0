"""Decides what one visit to one chat writes: messages, versions, gaps, checkpoint, coverage."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from whatsapp_etl.downloads import DownloadRules
from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import (
    CapturedFile,
    ChatBatch,
    ChatDiff,
    ChatFacts,
    Coverage,
    Disagreement,
    KnownMessage,
    LoadPlan,
    Message,
    MessageFacts,
    MessageType,
    MessageVersion,
    MissingMessage,
    MissingReason,
    ParsedRow,
    Reject,
    RejectReason,
    StopReason,
    Thread,
    TimeDissent,
)
from whatsapp_etl.transform.checkpoint import next_checkpoint
from whatsapp_etl.transform.cross_check import agreement
from whatsapp_etl.transform.disagreements import of_ids, of_text, of_times
from whatsapp_etl.transform.downloads import PageTries, downloads, lacks_file, page_tries, settled
from whatsapp_etl.transform.forgetting import is_forgotten, remembered
from whatsapp_etl.transform.identity import shown_stanza_id
from whatsapp_etl.transform.joining import Joined, chat_keys, in_order, join_rows, kept_out
from whatsapp_etl.transform.kinds import TEXTLESS_TYPES
from whatsapp_etl.transform.merge import marked, merge
from whatsapp_etl.transform.messages import ChatContext, external_id, in_scope, to_message, unused_files
from whatsapp_etl.transform.missing import NOT_A_TRY, missing_message, missing_reason
from whatsapp_etl.transform.redact import redact_html

#: A time further ahead than this is not believed.
_FUTURE = timedelta(days=1)

#: Reading left nothing out.
COMPLETE = frozenset(
    {
        StopReason.ALL_FOUND,
        StopReason.EDGE_REACHED,
        StopReason.BEGINNING_REACHED,
        StopReason.CHECKPOINT_REACHED,
        StopReason.NOTHING_TO_READ,
    }
)


def plan_load(  # noqa: PLR0917 - the contract of the step: what was seen, listed, known
    batch: ChatBatch,
    parsed: Sequence[ParsedRow],
    facts: Sequence[MessageFacts] | None,
    known: Mapping[str, KnownMessage],
    context: ChatContext,
    now: datetime,
    *,
    rejects: Sequence[Reject] = (),
    dissents: Sequence[TimeDissent] = (),
) -> LoadPlan:
    """Decide what a visit writes. The same visit again writes nothing.

    Args:
        batch: What was captured; of a chat that was not opened, a batch without rows whose stop
            reason says why (`unopened`).
        parsed: The batch's rows, understood.
        facts: What the storage lists of the chat inside the look-back, in the order of the chat; None when
            it was not readable.
        known: What Postgres holds of these messages, by external id.
        context: The chat.
        now: The run's clock.
        rejects: The batch's rows that were not understood.
        dissents: Those that show another time than is listed of them.
    """
    listed = None if facts is None else in_scope(facts, context, now)
    arrived = None if listed is None else in_order(facts, listed)
    joined = join_rows(parsed, arrived, known, context, kept_out=kept_out(facts or (), listed or ()))
    if context.forgotten:
        # Joined first: an album is recognised by all of its pictures.
        joined = [each for each in joined if not is_forgotten(each.facts, each.row.key, context)]
        listed = listed and [each for each in listed if not is_forgotten(each, None, context)]
        rejects = remembered(rejects, batch, context)
    made = _Made(batch, context, known, listed, now, arrival=facts or ())
    for each in joined:
        made.add_row(each)
    for each_facts in listed or ():
        made.add_facts(each_facts)
    tries = made.settle_pictures()
    messages, versions, unchanged, differing = _merged(made.clamped(), known, now, context.downloads)
    missing = made.missing(rejects)
    coverage = made.coverage(missing, len(rejects) + len(made.rejects))
    return LoadPlan(
        thread=thread_of(context.chat),
        messages=messages,
        versions=versions,
        rejects=(*rejects, *made.rejects),
        missing=missing,
        checkpoint=next_checkpoint(
            made.messages.values(),
            context.checkpoint,
            # Without metadata a row that stayed empty is all that tells of a gap.
            is_complete=batch.stop_reason in COMPLETE
            and not missing
            and not (facts is None and batch.empty_ids),
        ),
        coverage=coverage,
        unchanged=unchanged,
        disagreements=(
            *of_ids(batch, in_order(facts, listed), context),
            *of_times(dissents, listed or (), context, batch.observed_at),
            *differing,
        ),
        # What the store tells is no row in which something could be lost from sight.
        agreement=agreement(joined, batch.pictures_unseen) if batch.read_path == "dom" else {},
        downloads=downloads(messages, missing, tries, context.downloads, now),
        unused_files=unused_files(batch, messages),
    )


def unopened(chat_id: str, stop_reason: StopReason, pack_id: str, now: datetime) -> ChatBatch:
    """Return the batch of a chat that was not opened."""
    return ChatBatch(chat_id=chat_id, pack_id=pack_id, rows=(), stop_reason=stop_reason, observed_at=now)


def coverage_unvisited(chat: ChatFacts, diff: ChatDiff, since: datetime, now: datetime) -> Coverage:
    """Return the coverage of a chat in which nothing new was found, so that it was not opened."""
    return Coverage(
        thread_external_id=chat.id,
        expected=diff.expected,
        stored=diff.stored,
        missing={**diff.deferred, **diff.lost},
        stop_reason=StopReason.NOTHING_TO_READ,
        complete_until=None if diff.deferred or diff.lost_unstored else chat.held_since(since),
        history_type=chat.history_type,
        observed_at=now,
        first_external_id=diff.first_id,
        last_external_id=diff.last_id,
    )


class _Made:
    """The messages of one visit while they are being made."""

    def __init__(
        self,
        batch: ChatBatch,
        context: ChatContext,
        known: Mapping[str, KnownMessage],
        listed: Sequence[MessageFacts] | None,
        now: datetime,
        *,
        arrival: Sequence[MessageFacts],
    ) -> None:
        self._batch = batch
        self._context = context
        self._known = known
        self._listed = listed
        self._now = now
        self._arrival = arrival
        self._chat_keys = chat_keys(listed, known)
        self._html = {row.shown_id: row.html for row in batch.rows}
        self._unreadable: set[str] = set()
        self._refused: set[str] = set()  #: Keys of messages whose row says that there is no picture any more.
        self._left: set[str] = set()  #: Keys of messages for whose file there was no room.
        self._oldest_read: datetime | None = None
        self.messages: dict[str, Message] = {}
        self.rejects: list[Reject] = []

    def add_row(self, joined: Joined) -> None:
        """Make the message that a row shows, or a reject that says why there is none."""
        row = joined.row
        instant = joined.facts.sent_at if joined.facts else row.sent_at
        if instant is not None and (self._oldest_read is None or instant < self._oldest_read):
            self._oldest_read = instant
        # An album's messages have no ids of their own on the page.
        is_album = row.type is MessageType.ALBUM
        if joined.facts is None and (is_album or (self._listed is not None and row.key is None)):
            self._reject(row, RejectReason.NOT_IN_METADATA)
            return
        result = to_message(
            row,
            joined.facts,
            self._context,
            self._batch.observed_at,
            files=self._files(joined),
            album_position=joined.album_position,
            chat_keys=self._chat_keys,
            read_path=self._batch.read_path,
        )
        if isinstance(result, Message):
            self.messages[result.external_id] = result
            if row.shown_id in self._batch.pictures_refused:
                self._refused.add(result.external_id)
            if row.shown_id in self._batch.pictures_left:
                self._left.add(result.external_id)
        else:
            self._reject(row, result)

    def add_facts(self, facts: MessageFacts) -> None:
        """Make a message whose row was not read, if its kind shows nothing that could be missed."""
        key = external_id(facts.key, self._context.account)
        known = self._known.get(key)
        if key in self.messages or facts.type not in TEXTLESS_TYPES:
            return
        if known is not None and known.source_revision == facts.source_revision:
            return
        result = to_message(
            None,
            facts,
            self._context,
            self._batch.observed_at,
            chat_keys=self._chat_keys,
            read_path=self._batch.read_path,
        )
        if isinstance(result, Message):
            self.messages[key] = result

    def clamped(self) -> list[Message]:
        """Return the messages, oldest first, with times that lie in the future set to their neighbour's."""
        limit = self._now + _FUTURE
        neighbours = self._neighbours(limit)
        for key, each in self.messages.items():
            if each.ts > limit:
                raw = each.ts_raw or each.ts.isoformat()
                ts = neighbours.get(key, self._now)
                self.messages[key] = replace(each, ts=ts, ts_precision="clamped", ts_raw=raw)
        return sorted(self.messages.values(), key=lambda each: (each.ts, each.external_id))

    def _neighbours(self, limit: datetime) -> Mapping[str, datetime]:
        """Return a believed time for each message, by key: its own, else that of the message before it.

        Those before the first believed one take its time. The order is that of the chat, or of its rows.
        """
        order = [(external_id(each.key, self._context.account), each.sent_at) for each in self._arrival]
        order = order or [(key, each.ts) for key, each in self.messages.items()]
        neighbour = next((ts for _, ts in order if ts <= limit), self._now)
        times: dict[str, datetime] = {}
        for key, ts in order:
            neighbour = ts if ts <= limit else neighbour
            times[key] = neighbour
        return times

    def missing(self, rejects: Sequence[Reject]) -> tuple[MissingMessage, ...]:
        """Return the wanted ids that were not made, oldest first."""
        diff = self._context.diff
        wanted = None if diff is None else frozenset(diff.wanted)
        hashes = {each.shown_id_hash for each in rejects}
        unreadable = self._unreadable | {
            shown_stanza_id(shown_id) for shown_id in self._html if hash_id(shown_id) in hashes
        }
        found = []
        for facts in self._listed or ():
            key = external_id(facts.key, self._context.account)
            known = self._known.get(key)
            if wanted is not None and key not in wanted:
                continue
            if key in self.messages:
                if self._still_lacks_picture(key, known):
                    found.append(
                        self._missing_message(key, MissingReason.PICTURE_NOT_LOADED, facts.expires_at)
                    )
                continue
            if known is not None and known.source_revision == facts.source_revision:
                continue
            reason = missing_reason(
                facts,
                stop_reason=self._batch.stop_reason,
                oldest_read=self._oldest_read,
                empty_stanza_ids={shown_stanza_id(shown_id) for shown_id in self._batch.empty_ids},
                unreadable_stanza_ids=unreadable,
            )
            found.append(self._missing_message(key, reason, facts.expires_at))
        return (*found, *self._unlisted(wanted))

    def _unlisted(self, wanted: Collection[str] | None) -> Iterable[MissingMessage]:
        """Yield what was wanted and is not among what may be stored: gone meanwhile, or kept elsewhere."""
        if not wanted or self._listed is None:
            return
        account = self._context.account
        arrived = {external_id(each.key, account): each for each in self._arrival}
        for key in sorted(set(wanted) - {external_id(each.key, account) for each in self._listed}):
            expires_at = arrived[key].expires_at if key in arrived else None
            if expires_at is None or self._context.disappearing == "keep":
                yield self._missing_message(key, MissingReason.NOT_SHOWN)
            elif self._context.disappearing == "expire" and key not in self._known:
                yield self._missing_message(key, MissingReason.EXPIRED, expires_at)

    def _missing_message(
        self, key: str, reason: MissingReason, expires_at: datetime | None = None
    ) -> MissingMessage:
        return missing_message(
            key,
            reason,
            self._context.attempts,
            self._now,
            stop_reason=self._batch.stop_reason,
            expires_at=expires_at,
        )

    def _still_lacks_picture(self, key: str, known: KnownMessage | None) -> bool:
        """Whether neither this visit nor an earlier one got a picture's bytes."""
        return lacks_file(self.messages[key], self._context.downloads) and not _is_settled(known)

    def settle_pictures(self) -> PageTries:
        """Decide which pictures are not looked for again."""
        # A chat that stayed closed is no try.
        shown = self.messages.values() if self._batch.read_path == "dom" else ()
        tries = page_tries(
            shown,
            {key for key, known in self._known.items() if _is_settled(known)},
            (self._refused, self._left),
            self._context.attempts,
            self._context.downloads,
            is_a_try=self._batch.stop_reason not in NOT_A_TRY,
        )
        self.messages = {key: settled(each, tries) for key, each in self.messages.items()}
        return tries

    def coverage(self, missing: Sequence[MissingMessage], rejected: int) -> Coverage:
        """Return what is known about the chat's completeness after this visit.

        Without metadata nobody lists what is missing: rows that were seen and not read are all that tells.
        """
        diff = self._context.diff
        inserted = sum(key not in self._known for key in self.messages)
        listed = None if self._listed is None else len(self._listed)
        if diff is not None:
            expected: int | None = diff.expected
            stored = min(diff.stored + inserted, diff.expected)
        else:
            expected, stored = listed, len(self._known) + inserted
        reasons: dict[MissingReason, int] = {**diff.deferred, **diff.lost} if diff else {}
        for each in missing:
            reasons[each.reason] = reasons.get(each.reason, 0) + 1
        if self._listed is None:
            unread = {MissingReason.UNREADABLE: rejected, MissingReason.EMPTY_ROW: len(self._batch.empty_ids)}
            reasons.update((reason, count) for reason, count in unread.items() if count)
        return Coverage(
            thread_external_id=self._context.chat.id,
            expected=expected,
            stored=stored,
            missing=reasons,
            stop_reason=self._batch.stop_reason,
            complete_until=self._complete_until(
                missing, has_deferred=bool(diff and (diff.deferred or diff.lost_unstored))
            ),
            history_type=self._context.chat.history_type,
            observed_at=self._now,
            first_external_id=diff.first_id if diff else None,
            last_external_id=diff.last_id if diff else None,
        )

    def _complete_until(self, missing: Sequence[MissingMessage], *, has_deferred: bool) -> datetime | None:
        """Return the oldest instant from which on nothing is missing; None when there is none known."""
        if self._listed is None:
            if self._batch.stop_reason not in COMPLETE:
                return None
            checkpoint = self._context.checkpoint
            is_short = self._batch.stop_reason is StopReason.CHECKPOINT_REACHED and checkpoint is not None
            return checkpoint.sent_at if is_short and checkpoint else self._context.since
        # When the gaps were sent that are not due yet is not known here.
        if has_deferred:
            return None
        lacking = {each.external_id for each in missing}
        since = self._context.since
        # A page of older rows proves the edge. A top with nothing above does not, where the phone has more.
        has_edge = self._batch.stop_reason is StopReason.EDGE_REACHED
        held = since if has_edge else self._context.chat.held_since(since)
        if not lacking or held is None:
            return held
        keyed = [(external_id(each.key, self._context.account), each.sent_at) for each in self._listed]
        if not lacking.issubset(key for key, _ in keyed):
            return None
        newest_gap = max(sent_at for key, sent_at in keyed if key in lacking)
        return min((sent_at for _, sent_at in keyed if sent_at > max(newest_gap, held)), default=None)

    def _files(self, joined: Joined) -> Sequence[CapturedFile]:
        files = self._batch.files.get(joined.row.shown_id, ())
        if joined.album_position is None:
            return files
        # An album shows a few of its pictures, some perhaps not loaded: the checksum tells which is which.
        wanted = joined.facts.file_sha256 if joined.facts else None
        return [file for file in files if wanted is not None and file.sha256 == wanted]

    def _reject(self, row: ParsedRow, reason: RejectReason) -> None:
        self._unreadable.add(row.stanza_id)
        self.rejects.append(
            Reject(
                thread_external_id=self._context.chat.id,
                shown_id_hash=hash_id(row.shown_id),
                reason=reason,
                pack_id=self._batch.pack_id,
                evidence=redact_html(self._html.get(row.shown_id, "")),
                observed_at=self._batch.observed_at,
            )
        )


def _merged(
    messages: Sequence[Message], known: Mapping[str, KnownMessage], now: datetime, rules: DownloadRules
) -> tuple[tuple[Message, ...], tuple[MessageVersion, ...], int, tuple[Disagreement, ...]]:
    changed: list[Message] = []
    versions: list[MessageVersion] = []
    differing: list[Disagreement] = []
    unchanged = 0
    for each in messages:
        old = known.get(each.external_id)
        if old is None:
            changed.append(marked(each, rules))
            continue
        merged = merge(each, old, now, rules)
        if merged.is_disagreement:
            differing.append(of_text(each, old))
        if merged.message is None:
            unchanged += 1
            continue
        changed.append(merged.message)
        if merged.version is not None:
            versions.append(merged.version)
    return tuple(changed), tuple(versions), unchanged, tuple(differing)


def _is_settled(known: KnownMessage | None) -> bool:
    """Whether an earlier visit got the bytes or gave them up."""
    files = known.attachments if known else ()
    return any(each.checksum or each.state == "unavailable" for each in files)


def thread_of(chat: ChatFacts) -> Thread:
    """Return a chat as a row of `threads`; who takes part in it is told by the list of groups."""
    return Thread(
        external_id=chat.id,
        kind=chat.kind,
        title=chat.title,
        participant_ids=(),
        is_archived=chat.is_archived,
        last_activity=chat.last_activity,
    )
