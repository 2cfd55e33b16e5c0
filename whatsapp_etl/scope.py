"""What of the account is read and stored: its chats and people by the rules, as they stand now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from whatsapp_etl.extract.source import Source
from whatsapp_etl.forgotten import Forgotten
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import (
    Account,
    ChatDiff,
    ChatFacts,
    ContactFacts,
    GroupFacts,
    MessageIndexEntry,
    Reaction,
    ReactionFacts,
    SkipRule,
)
from whatsapp_etl.tally import Tally
from whatsapp_etl.transform.messages import external_id
from whatsapp_etl.transform.plan import coverage_unvisited, thread_of
from whatsapp_etl.transform.visits import (
    Rules,
    allowed_contacts,
    allowed_groups,
    is_allowed,
    list_positions,
    skipped_by,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Directory:
    """Chats, people and groups as the browser lists them, without what must not be stored."""

    account: Account
    chats: tuple[ChatFacts, ...]  #: In scope.
    positions: Mapping[str, int]  #: Of all chats, by id: where the chat list shows them.
    contacts: tuple[ContactFacts, ...]
    groups: Mapping[str, GroupFacts]
    rules: Rules
    skipped: Mapping[SkipRule, int]  #: Chats that are left out, by rule: all that is kept of them.

    @property
    def chat_ids(self) -> Mapping[str, str]:
        """Return the id of each chat by each of its ids: messages may be kept under a former one."""
        return {some_id: chat.id for chat in self.chats for some_id in chat.ids}

    @property
    def fleeting(self) -> frozenset[str]:
        """Return the chats whose messages disappear from the browser and are kept here, without their end."""
        if self.rules.disappearing != "keep":
            return frozenset()
        return frozenset(chat.id for chat in self.chats if chat.disappearing_seconds)

    def current(self, chat: ChatFacts) -> ChatFacts:
        """Return a chat that was listed earlier as it is listed now; as it was when it is not any more."""
        now_id = self.chat_ids.get(chat.id)
        return next((each for each in self.chats if each.id == now_id), chat)

    def participants(self, chat_id: str) -> tuple[str, ...]:
        """Return a group's participants or a list's recipients; none for other chats."""
        group = self.groups.get(chat_id)
        return group.participant_ids if group else ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What Postgres says about the account as a whole; it holds on while Postgres is away."""

    account_id: str | None  #: Of the account that is read; None: another one is pinned.
    is_shield_alarmed: bool
    forgotten: Forgotten


def standing_of(store: Store, account: Account, now: datetime) -> Standing:
    """Ask Postgres; the first account that it is asked for is pinned."""
    is_ours = store.pin_account(account, now)
    return Standing(account.id if is_ours else None, store.has_shield_alarm(), store.forgotten())


def rules_now(source: Source, standing: Standing, rules: Rules) -> Rules:
    """Add to the settings' rules what is known only now: numbers of LIDs, an alarm, what was forgotten."""
    phone_ids = source.lid_map()
    return replace(
        rules,
        phone_ids=phone_ids,
        # Some releases keep a LID's number in the list of contacts only.
        knows_phone_ids=source.unreadable_parts.keys().isdisjoint({"lids", "contacts"}),
        is_shield_alarmed=standing.is_shield_alarmed,
        forgotten=replace(standing.forgotten, phone_ids=phone_ids),
    )


def read_directory(source: Source, account: Account, rules: Callable[[], Rules]) -> Directory:
    """List the account; the chats first, since what cannot be read of them ends it."""
    chats = source.chats(account)
    known = rules()
    return Directory(
        account=account,
        chats=tuple(chat for chat in chats if is_allowed(chat, known)),
        positions=list_positions(chats),
        contacts=allowed_contacts(source.contacts(), chats, known),
        groups=allowed_groups(source.groups(), chats, known),
        rules=known,
        skipped=Counter(rule for chat in chats if (rule := skipped_by(chat, known)) is not None),
    )


def index_in_scope(
    source: Source, directory: Directory, since: datetime
) -> Iterator[Sequence[MessageIndexEntry]]:
    """Stream the ids of chats in scope: nothing of any other chat is written anywhere.

    What was erased on request is not compared, so that it is neither read nor missed.
    """
    in_scope = entries_in_scope(directory)
    for page in source.index(since):
        yield in_scope(page)


def entries_in_scope(
    directory: Directory,
) -> Callable[[Sequence[MessageIndexEntry]], Sequence[MessageIndexEntry]]:
    """Return what leaves out of a page of the list what is not compared."""
    allowed = directory.chat_ids
    forgotten = directory.rules.forgotten
    skips = directory.rules.disappearing == "skip"

    def in_scope(page: Sequence[MessageIndexEntry]) -> Sequence[MessageIndexEntry]:
        return [
            entry if (chat_id := allowed[entry.chat_id]) == entry.chat_id else replace(entry, chat_id=chat_id)
            for entry in page
            if entry.chat_id in allowed
            and not (skips and entry.expires_at is not None)
            and not forgotten.has_key(entry.external_id)
        ]

    return in_scope


def compare(
    store: Store,
    pages: Iterable[Sequence[MessageIndexEntry]],
    directory: Directory,
    since: datetime,
    tally: Tally,
) -> Mapping[str, ChatDiff]:
    """Compare the list with Postgres, and with what it held before."""
    diffs = store.diff(
        pages,
        since,
        tally.started_at,
        tally.run_id,
        chats=directory.chat_ids,
        fleeting=directory.fleeting,
        is_rewound=tally.compared_with_before,
    )
    if tally.is_rewound:
        log.warning("storage_rewound", detail="the browser lists less than it did; the gaps are kept")
    return diffs


def reactions_in_scope(given: Iterable[ReactionFacts], directory: Directory) -> Iterator[Reaction]:
    """Stream the reactions of chats in scope, without those of who was forgotten."""
    chat_ids = directory.chat_ids
    forgotten = directory.rules.forgotten
    for each in given:
        if each.message_key.chat_id in chat_ids and not forgotten.has_contact(each.sender_id):
            message_id = external_id(each.message_key, directory.account)
            yield Reaction(message_id, each.sender_id, each.emoji, each.reacted_at)


def store_people(store: Store, directory: Directory, *, run_id: int, now: datetime) -> None:
    """Store chats and people."""
    threads = [thread_of(chat) for chat in directory.chats]
    people = (directory.contacts, directory.groups.values())
    store.apply_directory(threads, *people, (), run_id=run_id, now=now)


def record_unvisited(
    store: Store,
    directory: Directory,
    diffs: Mapping[str, ChatDiff],
    *,
    since: datetime,
    now: datetime,
    run_id: int,
) -> None:
    """Keep the coverage of the chats in which nothing was new."""
    settled = [chat for chat in directory.chats if chat.id in diffs and not diffs[chat.id].wanted]
    store.record_coverage([coverage_unvisited(chat, diffs[chat.id], since, now) for chat in settled], run_id)
