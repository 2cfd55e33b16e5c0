"""Decides which chats to open, in which order, and why the others are not."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from whatsapp_etl.downloads import DownloadRules
from whatsapp_etl.forgotten import Forgotten
from whatsapp_etl.model import (
    BODILESS_TYPES,
    Account,
    ChatDiff,
    ChatFacts,
    ChatKind,
    ChatVisit,
    ContactFacts,
    GroupFacts,
    MessageFacts,
    MessageType,
    SkipRule,
    StopReason,
)
from whatsapp_etl.transform.messages import Disappearing, external_id

IN_SCOPE = frozenset({ChatKind.PERSON, ChatKind.GROUP, ChatKind.SELF, ChatKind.BROADCAST})

#: Stored messages that are compared with the page when a chat is opened anyway.
_CHECKED = 5

#: So many of the newest messages are shown as soon as a chat is open.
_ON_OPENING = 40

#: A number shorter than this is no phone number that could be meant.
_SHORTEST_NUMBER = 6


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings and the state of the session say about opening chats."""

    exclude: tuple[str, ...] = ()  #: Chat ids, titles or phone numbers.
    disappearing: Disappearing = "expire"
    is_shield_alarmed: bool = False  #: Unread counts fell unexplained: unread chats stay closed.
    first: frozenset[str] = frozenset()  #: Chats that ran out of their time budget last time.
    last: frozenset[str] = frozenset()  #: Chats at which the page failed last time.
    phone_ids: Mapping[str, str] = field(default_factory=dict)  #: "@lid" -> phone number's id.
    knows_phone_ids: bool = True  #: False when the browser's storage does not tell `phone_ids`.
    forgotten: Forgotten = field(default_factory=Forgotten)  #: Erased on request.
    downloads: DownloadRules = field(default_factory=DownloadRules)


@dataclass(frozen=True, slots=True)
class Planned:
    """What is decided about one chat in which something is missing or changed."""

    visit: ChatVisit
    unopened: StopReason | None = None  #: Why it is loaded from metadata only; None: it is opened.


def visiting_order(
    diffs: Mapping[str, ChatDiff], chats: Sequence[ChatFacts], rules: Rules
) -> tuple[ChatFacts, ...]:
    """Return the chats with something wanted, in the order in which they are read.

    Those that ran out of time come first, then the chat list from top to bottom, then the archive, and
    those at which the page failed last.
    """
    places = list_positions(chats)
    due = [chat for chat in chats if chat.id in diffs and diffs[chat.id].wanted]
    return tuple(
        sorted(
            due,
            key=lambda chat: (
                chat.id in rules.last,
                chat.id not in rules.first,
                chat.is_archived,
                places[chat.id],
            ),
        )
    )


def plan_visit(
    chat: ChatFacts,
    diff: ChatDiff,
    facts: Sequence[MessageFacts],
    rules: Rules,
    account: Account,
    *,
    list_position: int,
    turn: int = 0,
) -> Planned:
    """Decide whether a chat is opened, and what to look for there.

    Args:
        chat: A chat in scope.
        diff: How it compares with Postgres; something is wanted.
        facts: What the storage lists of it.
        rules: Settings and the shield's state.
        account: The linked account.
        list_position: Where the chat list shows it, 0-based.
        turn: Number of the run: which stored messages are compared with the page goes round with it.
    """
    wanted = _wanted(diff, facts, rules, account)
    visit = ChatVisit(chat, wanted, list_position, checked=_checked(facts, wanted, turn))
    if all(each.type in BODILESS_TYPES for each in wanted):
        return Planned(visit, StopReason.NOTHING_TO_READ)
    if rules.is_shield_alarmed and chat.unread_count != 0:
        return Planned(visit, StopReason.SHIELDED)
    return Planned(visit)


def is_allowed(chat: ChatFacts, rules: Rules) -> bool:
    """Whether a chat may be read and stored at all."""
    return skipped_by(chat, rules) is None


def skipped_by(chat: ChatFacts, rules: Rules) -> SkipRule | None:
    """Return the rule by which nothing of a chat is read or stored; None where it may be.

    Of several the one that was asked for comes first: an exclusion says that the chat is known to nobody.
    """
    if is_named(chat.id, chat.title, rules):
        return SkipRule.EXCLUDED
    if chat.kind not in IN_SCOPE:
        return SkipRule.OUT_OF_SCOPE
    if chat.is_locked:
        return SkipRule.LOCKED
    return SkipRule.FORGOTTEN if rules.forgotten.has_chat(*chat.ids) else None


def _may_be_known(chat: ChatFacts, rules: Rules) -> bool:
    return skipped_by(chat, rules) in {None, SkipRule.FORGOTTEN}


def allowed_contacts(
    contacts: Sequence[ContactFacts], chats: Sequence[ChatFacts], rules: Rules
) -> tuple[ContactFacts, ...]:
    """Return the people who may be stored.

    Nobody whose chat is left out, under whichever of their ids, or whom the exclusion list names, or who
    was forgotten. Who only had their chat forgotten may still be known from groups.
    """
    left_out = {chat.id for chat in chats if not _may_be_known(chat, rules)}
    left_out |= {each.id for each in contacts if is_named(each.id, each.saved_name, rules)}
    left_out |= {rules.phone_ids[some_id] for some_id in left_out if some_id in rules.phone_ids}
    return tuple(
        each
        for each in contacts
        if left_out.isdisjoint({each.id, each.phone_id, rules.phone_ids.get(each.id)})
        and not rules.forgotten.has_contact(each.id, each.phone_id)
    )


def allowed_groups(
    groups: Iterable[GroupFacts], chats: Sequence[ChatFacts], rules: Rules
) -> Mapping[str, GroupFacts]:
    """Return the groups that may be stored, by id, without participants who were forgotten."""
    left_out = {chat.id for chat in chats if not is_allowed(chat, rules)}
    return {
        group.id: replace(group, participant_ids=rules.forgotten.remembered(group.participant_ids))
        for group in groups
        if group.id not in left_out
    }


def is_named(some_id: str, title: str | None, rules: Rules) -> bool:
    """Whether the exclusion list names, or may name, a person or group."""
    phone_id = rules.phone_ids.get(some_id, some_id)
    number = phone_id.partition("@")[0] if phone_id.endswith("@c.us") else None
    names = {some_id.casefold(), phone_id.casefold(), *([_fold(title)] if title else [])}
    for entry in rules.exclude:
        if not entry.strip():
            continue
        digits = _digits(entry)
        if _fold(entry) in names or (digits is not None and digits == number):
            return True
        # Nobody knows whose LID it is: it may be the person whom the entry names by number.
        names_number = digits is not None or entry.strip().endswith("@c.us")
        if not rules.knows_phone_ids and names_number and phone_id.endswith("@lid"):
            return True
    return False


def list_positions(chats: Sequence[ChatFacts]) -> dict[str, int]:
    """Return where each chat is expected in its list: pinned first, then the latest activity.

    Archived chats have a list of their own.
    """
    places: dict[str, int] = {}
    for is_archived in (False, True):
        listed = [chat for chat in chats if chat.is_archived == is_archived]
        listed.sort(key=_place)
        places.update((chat.id, position) for position, chat in enumerate(listed))
    return places


def _place(chat: ChatFacts) -> tuple[bool, float]:
    return (not chat.is_pinned, -chat.last_activity.timestamp() if chat.last_activity else 0.0)


def _wanted(
    diff: ChatDiff, facts: Sequence[MessageFacts], rules: Rules, account: Account
) -> tuple[MessageFacts, ...]:
    """Return the facts of what is wanted, newest first."""
    wanted = frozenset(diff.wanted)
    found = [
        each
        for each in facts
        if external_id(each.key, account) in wanted
        and each.type is not MessageType.ALBUM
        and not (rules.disappearing == "skip" and each.expires_at is not None)
    ]
    return tuple(sorted(found, key=lambda each: each.sent_at, reverse=True))


def _checked(
    facts: Sequence[MessageFacts], wanted: Sequence[MessageFacts], turn: int
) -> tuple[MessageFacts, ...]:
    """Return a few stored texts that are shown on the way to what is wanted, others with each turn."""
    left = frozenset(each.key for each in wanted)
    oldest = min((each.sent_at for each in wanted), default=None)
    newest_first = sorted(facts, key=lambda each: each.sent_at, reverse=True)
    candidates = [
        each
        for place, each in enumerate(newest_first)
        if each.type is MessageType.TEXT
        and each.key not in left
        and each.expires_at is None
        and (place < _ON_OPENING or (oldest is not None and each.sent_at >= oldest))
    ]
    begin = turn * _CHECKED % max(len(candidates), 1)
    return tuple((candidates[begin:] + candidates[:begin])[:_CHECKED])


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()


def _digits(entry: str) -> str | None:
    """Return the digits of an entry that is a phone number, "+49 30 1234567"; None for other texts."""
    if any(character.isalpha() or character == "@" for character in entry):
        return None
    digits = "".join(character for character in entry if character.isdecimal()).removeprefix("00")
    return digits if len(digits) >= _SHORTEST_NUMBER else None
