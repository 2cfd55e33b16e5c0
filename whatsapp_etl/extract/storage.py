"""The browser's own storage (IndexedDB `model-storage`) as values: everything but message bodies.

It costs no click, changes nothing, and says exactly which messages exist and when they were sent.
Each read opens the database beside the running page, in a read-only transaction, and closes it.
Message rows come in pages, so that memory stays flat however large the account is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page

from whatsapp_etl.downloads import MediaFacts
from whatsapp_etl.errors import MetadataUnreadableError
from whatsapp_etl.extract.page_script import GRACE, read_answer
from whatsapp_etl.extract.scripts import with_text
from whatsapp_etl.extract.titles import same_person, title_of
from whatsapp_etl.extract.watchdog import Watchdog
from whatsapp_etl.model import (
    PHONE_HAS_MORE,
    Account,
    ChatFacts,
    ChatKind,
    ContactFacts,
    GroupFacts,
    MessageFacts,
    MessageIndexEntry,
    MessageKey,
    MessageType,
    ReactionFacts,
)
from whatsapp_etl.store_records import ListedRow

DATABASE = "model-storage"

#: Rows of the `message` store that are no messages: carriers of edits, votes, reactions, albums.
SKIPPED_TYPES = (
    "protocol",
    "reaction",
    "reaction_enc",
    "enc_reaction",
    "poll_update",
    "poll_add_option",
    "event_response",
    "event_edit_encrypted",
    "comment",
    "keep_in_chat",
    "message_history_bundle",
    "message_history_notice",
    "unknown_addon",
    "album",
    "debug",
    "debug_placeholder",
    "edited_message",
    "bot_request_welcome",
)

PAGE_ROWS = 1000

#: Rows of a chat that are read beside those that are wanted: an album has up to 30 pictures or so.
_AROUND = 60

_ONE_PAGE = timedelta(seconds=30)
_ONE_CHAT = timedelta(seconds=120)

_REMEDIES = {
    "missing_database": "WhatsApp Web has not filled its storage yet, or keeps it elsewhere now.",
    "missing_store": "WhatsApp Web has probably changed its storage.",
    "missing_index": "WhatsApp Web has probably changed its storage.",
    "missing_field": "WhatsApp Web has probably changed its storage.",
    "blocked": "The page is upgrading its storage; the next cycle tries again.",
    "timed_out": "The storage is locked or slow; the next cycle tries again.",
}


class Storage:
    """Reads `model-storage` of the page.

    Args:
        page: The page of the session, on WhatsApp Web's origin.
        watchdog: The browser's watchdog.
        classify: WhatsApp's type and subtype to ours.
        kind_of: A chat id and the own id to the chat's kind.
        own: The linked account, once known: completes the keys of own messages in groups.
    """

    def __init__(
        self,
        page: Page,
        watchdog: Watchdog,
        *,
        classify: Callable[[str, str | None], MessageType],
        kind_of: Callable[[str, str], ChatKind],
        own: Account | None = None,
    ) -> None:
        self._page = page
        self._watchdog = watchdog
        self._classify = classify
        self._kind_of = kind_of
        self.own = own
        self.version: int | None = None  #: Of the database, once read.
        self.unreadable_parts: dict[str, str] = {}  #: What it can do without and could not read -> why.
        self.rows_looked_at = 0  #: Of messages, whatever was asked of them, since the start.
        self.unreadable_rows = 0  #: Rows without a key or time of a known shape, since the start.

    def chats(self, account: Account) -> tuple[ChatFacts, ...]:
        """Return every chat, in the order of the chat list: pinned first, then newest first."""
        rows = self.ask("chats")
        short = [row["id"] for row in rows if row["history"] in PHONE_HAS_MORE and row["id"] is not None]
        oldest = self._ask_spare("oldest", {}, chats=short) if short else {}
        groups = {group["id"]: group for group in self._ask_spare("groups", [])}
        contacts = {contact["id"]: contact for contact in self._ask_spare("contacts", [])}
        lids = dict(self.lid_map()) | ({account.lid: account.id} if account.lid else {})
        listed = {row["id"] for row in rows}
        chats = [
            replace(
                self._chat(row, account, contacts, groups, lids),
                oldest_at=_instant_or_none(oldest.get(row["id"])),
                other_ids=tuple(sorted(same_person(row["id"], lids) - listed)),
            )
            for row in rows
            if row["id"] is not None  # a row without an id stands for no chat that could be opened
        ]
        self.unreadable_rows += len(rows) - len(chats)
        return tuple(
            sorted(
                chats,
                key=lambda chat: (not chat.is_pinned, -(chat.last_activity or _EPOCH).timestamp(), chat.id),
            )
        )

    def contacts(self) -> tuple[ContactFacts, ...]:
        """Return the people known, each LID with its phone number's id; the own pair among them."""
        rows = self._ask_spare("contacts", [])
        phones = dict(self.lid_map())
        if self.own is not None and self.own.lid is not None:
            phones[self.own.lid] = self.own.id
        named = tuple(
            ContactFacts(
                id=row["id"],
                saved_name=row["name"],
                push_name=row["push"],
                phone_id=phones.pop(row["id"], None) or row["phone"],
                is_saved=row["saved"],
            )
            for row in rows
            if row["id"] is not None
        )
        return (*named, *(ContactFacts(lid, None, None, phone) for lid, phone in phones.items()))

    def groups(self) -> tuple[GroupFacts, ...]:
        """Return the groups and broadcast lists; the own LID among their people is written as the own id."""
        own = {self.own.lid: self.own.id} if self.own and self.own.lid else {}
        return tuple(
            GroupFacts(
                id=row["id"],
                subject=row["subject"],
                participant_ids=tuple(sorted({own.get(member, member) for member in row["participants"]})),
                is_complete=row["size"] is None or len(row["participants"]) >= row["size"],
                owner_id=row["owner"],
            )
            for row in self._ask_spare("groups", [])
            if row["id"] is not None
        )

    def lid_map(self) -> Mapping[str, str]:
        """Return phone number ids by LID, as far as the browser knows them."""
        pairs: Mapping[str, str] = self._ask_spare("lids", {})
        return pairs

    def reactions(self, since: datetime) -> Iterator[ReactionFacts]:
        """Yield the reactions given or taken back at or after `since`."""
        self.unreadable_parts.pop("reactions", None)
        try:
            for rows in self._pages("reactions", since):
                for row in rows:
                    yield reaction_of(row)
        except MetadataUnreadableError as unreadable:
            self.unreadable_parts[unreadable.part] = unreadable.reason

    def index(self, since: datetime) -> Iterator[Sequence[MessageIndexEntry]]:
        """Yield all messages sent at or after `since`, page by page, in no order of time.

        Every stored row is looked at: history arrives late and out of order, so neither insertion
        order nor a page of old rows proves that nothing newer follows.
        """
        for rows in self._pages("index", since):
            yield entries_of(rows)

    def media(
        self, chat_ids: Iterable[str], stanzas: Collection[str], since: datetime
    ) -> tuple[MediaFacts, ...]:
        """Return how files of one chat's messages are fetched from the server, of those with such stanza ids.

        Raises:
            MetadataUnreadableError: The storage cannot be read.
        """
        rows = [
            row
            for chat_id in chat_ids
            for row in self.ask(
                "media", _ONE_CHAT, chat=chat_id, stanzas=sorted(stanzas), since=since.timestamp()
            )
        ]
        return tuple(
            MediaFacts(
                external_id=str(_key(row["key"])),
                direct_path=row["path"],
                media_key=base64.b64decode(row["media_key"]),
                file_sha256=row["sha256"],
                encrypted_sha256=row["enc_sha256"],
                size_bytes=row["size"],
            )
            for row in rows
        )

    def messages(
        self, chat_ids: Iterable[str], since: datetime, wanted: Collection[str] | None = None
    ) -> tuple[MessageFacts, ...]:
        """Return the messages of one chat, under any of its ids, sent at or after `since`.

        They come in the order of the chat, which is the order of arrival and not always that of time.

        Args:
            chat_ids: Every id of the chat.
            since: The look-back's edge.
            wanted: The keys that matter: what is older than all of them, but for what is near, is left out.
        """
        return self.messages_of([(tuple(chat_ids), wanted)], since)[0]

    def messages_of(
        self, chats: Sequence[tuple[Sequence[str], Collection[str] | None]], since: datetime
    ) -> Sequence[tuple[MessageFacts, ...]]:
        """Return the same of several chats, in one answer: of each all its ids, and the keys that matter."""
        asked: list[tuple[int, Mapping[str, object]]] = []
        for number, (chat_ids, wanted) in enumerate(chats):
            for place, chat_id in reversed(tuple(enumerate(chat_ids))):  # former ids first
                # What a chat has under former ids is little, and an answer may mean any of it.
                keys = None if wanted is None or place else sorted(wanted)
                asked.append((number, {"chat": chat_id, "wanted": keys}))
        question = {"asked": [each for _, each in asked], "since": since.timestamp(), "around": _AROUND}
        answer = self.ask("messages", _ONE_CHAT, **question)
        self.unreadable_rows += answer["unreadable"]
        facts: list[list[MessageFacts]] = [[] for _ in chats]
        for (number, _), rows in zip(asked, answer["chats"], strict=True):
            facts[number] += [self._message(row) for row in rows]
        return [tuple(each) for each in facts]

    def stanza_times(self, chat_ids: Iterable[str]) -> Mapping[str, datetime]:
        """Return the time of everything stored of one chat by stanza id, whatever type or age.

        A row shown in this chat has one of these ids; it decides whether the chat is the one meant. Of each
        chat id they come in the order in which the page shows them, oldest first.
        """
        times: dict[str, datetime] = {}
        for chat_id in chat_ids:
            found: Mapping[str, float] = self.ask("times", _ONE_CHAT, chat=chat_id)
            times.update((stanza_id, _instant(seconds)) for stanza_id, seconds in found.items())
        return times

    def unread_count(self, chat_id: str) -> int | None:
        """Return the chat's unread count (-1: marked by hand); None when the chat is not stored."""
        answer: int | None = self.ask("unread", chat=chat_id)
        return answer

    def newest_row(self) -> ListedRow | None:
        """Return the row that came last, of whatever chat and kind; None in an empty storage."""
        row = self.ask("newest")
        return None if row is None else ListedRow(row["id"], row["row"], row["t"], row["type"])

    # --- asking ------------------------------------------------------------------------------

    def _pages(self, question: str, since: datetime) -> Iterator[list[Any]]:
        after: object = None
        while True:
            answer = self.ask(question, since=since.timestamp(), after=after)
            self.unreadable_rows += answer["unreadable"]
            if answer["rows"]:
                yield answer["rows"]
            after = answer["next"]
            if after is None:
                return

    def _ask_spare(self, question: str, nothing: Any, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Ask for what reading can do without: `nothing` when it cannot be read, and that is noted."""
        try:
            answer = self.ask(question, _ONE_PAGE, **arguments)
        except MetadataUnreadableError as unreadable:
            self.unreadable_parts[question] = unreadable.reason
            return nothing
        self.unreadable_parts.pop(question, None)
        return answer

    def ask(self, question: str, limit: timedelta = _ONE_PAGE, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        argument = {
            "question": question,
            "database": DATABASE,
            "page": PAGE_ROWS,
            "skipped_types": SKIPPED_TYPES,
            "own": self.own.id if self.own else None,
            "deadline_ms": round(limit.total_seconds() * 1000),
            "since": 0,
            **arguments,
        }
        name = f"storage {question}"
        with self._watchdog.step(name, limit + GRACE):
            answer = read_answer(self._page.evaluate(with_text("storage"), json.dumps(argument)))
        if "error" in answer:
            reason, detail = answer["error"], answer["detail"]
            raise MetadataUnreadableError(
                f"The browser's storage cannot be read at {question}: {reason}"
                + (f" ({detail})." if detail else "."),
                _REMEDIES.get(reason),
                part=question,
                reason=reason,
            )
        self.version = answer["version"]
        self.rows_looked_at += answer["looked"]
        return answer["ok"]

    # --- values ------------------------------------------------------------------------------

    def _chat(
        self,
        row: Mapping[str, Any],
        account: Account,
        contacts: Mapping[str, Mapping[str, Any]],
        groups: Mapping[str, Mapping[str, Any]],
        lids: Mapping[str, str],
    ) -> ChatFacts:
        chat_id: str = row["id"]
        kind = self._kind_of(chat_id, account.id)
        if account.lid is not None and chat_id == account.lid:
            kind = ChatKind.SELF
        group = groups.get(chat_id, {})
        ephemeral = row["ephemeral"] if row["ephemeral"] is not None else group.get("ephemeral")
        return ChatFacts(
            id=chat_id,
            kind=kind,
            title=title_of(row, kind, account=account, contacts=contacts, group=group, lids=lids),
            last_activity=_instant_or_none(row["t"]),
            unread_count=row["unread"] or 0,
            is_archived=row["archived"],
            is_pinned=row["pinned"],
            is_muted=row["muted"],
            is_locked=row["locked"],
            is_readonly=row["readonly"],
            disappearing_seconds=ephemeral,
            history_type=row["history"],
        )

    def _message(self, row: Mapping[str, Any]) -> MessageFacts:
        key = _key(row["key"])
        kind = self._classify(row["type"], row["subtype"])
        if kind is MessageType.SYSTEM:
            sender = None
        elif key.is_outgoing and self.own is not None:
            sender = self.own.id
        else:
            sender = row["sender"]
        return MessageFacts(
            key=key,
            type=kind,
            subtype=row["subtype"],
            wa_type=row["type"],
            sent_at=_instant(row["t"]),
            sender_id=sender,
            source_revision=row["revision"],
            is_forwarded=row["forwarded"],
            latest_edit_key=row["edit"],
            quoted_stanza_id=row["quoted"],
            quoted_participant_id=row["quoted_by"],
            mimetype=row["mimetype"],
            file_sha256=row["sha256"],
            file_name=row["name"],
            size_bytes=row["size"],
            width=row["width"],
            height=row["height"],
            duration_seconds=row["duration"],
            expires_at=_instant_or_none(row["expires"]),
            parent_stanza_id=row["parent"],
            revoked_at=_instant_or_none(row["revoked"]),
            revoked_by_id=row["revoked_by"],
            stored_id=row["id"],
        )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(3000, 1, 1, tzinfo=UTC).timestamp()


def entries_of(rows: Iterable[Sequence[Any]]) -> list[MessageIndexEntry]:
    return [
        MessageIndexEntry(
            external_id=external_id,
            chat_id=chat_id,
            sent_at=_instant(seconds),
            source_revision=revision,
            expires_at=_instant_or_none(expires),
        )
        for external_id, chat_id, seconds, revision, expires in rows
    ]


def reaction_of(row: Sequence[Any]) -> ReactionFacts:
    parent, sender, emoji, seconds = row
    return ReactionFacts(_key(parent), sender, emoji, _instant(seconds))


def _key(parts: Sequence[Any]) -> MessageKey:
    is_outgoing, chat_id, stanza_id, participant_id = parts
    return MessageKey(is_outgoing, chat_id, stanza_id, participant_id)


def _instant(seconds: float) -> datetime:
    """Return an instant that one can reckon with; of reactions, a sender may have written any number."""
    return datetime.fromtimestamp(min(max(seconds, 0), _LATEST), UTC)


def _instant_or_none(seconds: float | None) -> datetime | None:
    return None if not seconds else _instant(seconds)
