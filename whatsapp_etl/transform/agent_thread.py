"""Decides which chat is the agent's. Once decided it stays: names and ids may change afterwards.

What strangers choose must not decide. Names are looked for among contacts that the person saved and among
groups; a business' own name and push names count for nothing. A group's subject may be a stranger's choice,
so a group counts only where the account has written, or that the account or a saved contact made. One that
does not count keeps the routing off all the same: strangers may at most do that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from whatsapp_etl.addressing import folded
from whatsapp_etl.agent import AgentWish, Routing, ThreadChoice
from whatsapp_etl.model import Account, AgentState, ChatFacts, ContactFacts, GroupFacts
from whatsapp_etl.phone_numbers import numbers_of
from whatsapp_etl.transform.identity import normalise_id

_ID = re.compile(r"[0-9-]+@(c\.us|g\.us|lid)")
_PERSON = ("@c.us", "@lid")
#: Fewer digits are no phone number that could be meant.
_SHORTEST_NUMBER = 6


@dataclass(frozen=True, slots=True)
class People:
    """Whom a name may mean: only those who may be stored."""

    account: Account
    chats: Sequence[ChatFacts]
    contacts: Sequence[ContactFacts]
    groups: Sequence[GroupFacts]
    phone_ids: Mapping[str, str] = field(default_factory=dict)  #: Phone number's id by LID.
    written_in: frozenset[str] = frozenset()  #: Groups where the account has written.
    may_be_stored: Callable[[str], bool] = lambda _id: True  #: By id; for people whom nothing lists.


def next_routing(
    before: Routing, wish: AgentWish, account: Account, choose: Callable[[], ThreadChoice], now: datetime
) -> Routing:
    """Return what is in force from now on.

    Args:
        before: What is in force.
        wish: What the settings say.
        account: Whose chats they are.
        choose: Tells which chat is meant; asked only while none is pinned.
        now: The time.
    """
    digest = wish.digest(account.id)
    if wish.names_thread:
        if before.state is AgentState.THREAD and before.wish == digest:
            return before
        choice = choose()
        since = now if choice.state is AgentState.THREAD else None
        return Routing(choice.state, digest, choice.thread_id, candidates=choice.candidates, since=since)
    if not wish.keywords:
        return Routing(AgentState.OFF)
    return Routing(
        AgentState.KEYWORDS, keywords=wish.keywords, allowed_ids=tuple(sorted(wish.allowed)), since=now
    )


def is_outdated(routing: Routing, wish: AgentWish, account_id: str) -> bool:
    """Whether the settings say something else by now than what is in force was made of."""
    if wish.names_thread:
        return routing.wish != wish.digest(account_id)
    return (
        routing.keywords != wish.keywords
        or not set(wish.allowed).issubset(routing.allowed_ids)
        or bool(routing.wish)
    )


def groups_named(wish: AgentWish, groups: Iterable[GroupFacts]) -> tuple[str, ...]:
    """Return the groups whose subject the wish names: of these it must be known who writes there."""
    return tuple(group.id for group in groups if _is_called(group.subject, wish.thread_name))


def choose_thread(wish: AgentWish, people: People) -> ThreadChoice:
    """Return the chat that the settings name.

    With both settings it is the chat of that name that is the contact's own, or a group with them in it.
    """
    contact, name = wish.contact.strip(), wish.thread_name.strip()
    if not name:
        return _choice(_people(contact, people))
    if not contact:
        return _of_name(name, _people(name, people), groups_named(wish, people.groups), people)
    persons = _people(contact, people)
    if len(persons) != 1:
        return _choice(persons)
    ids = _ids_of(persons[0], people)
    own = [each for each in _people(name, people) if each in persons]
    groups = [
        group.id
        for group in people.groups
        if group.id in groups_named(wish, people.groups) or group.id == _id(name)
        if not ids.isdisjoint(group.participant_ids)
    ]
    choice = _of_name(name, own, groups, people)
    others = (*persons, *groups_named(wish, people.groups))
    return choice if choice.candidates or choice.thread_id else _choice((), others)


def _of_name(name: str, persons: Sequence[str], groups: Sequence[str], people: People) -> ThreadChoice:
    exact = _id(name)
    if exact is not None and exact.endswith("@g.us"):
        # The person named the very chat, so whoever made it does not matter.
        return _choice([exact] if any(group.id == exact for group in people.groups) else [])
    if len(persons) + len(groups) != 1:
        return _choice((*persons, *groups))
    if groups and not _counts(groups[0], people):
        return _choice((), groups)
    return _choice((*persons, *groups))


def _choice(found: Sequence[str], others: Collection[str] = ()) -> ThreadChoice:
    if len(found) == 1:
        return ThreadChoice(AgentState.THREAD, found[0])
    state = AgentState.AMBIGUOUS if found else AgentState.NOT_FOUND
    return ThreadChoice(state, candidates=tuple(sorted({*found, *others})))


def _counts(group_id: str, people: People) -> bool:
    """Whether a group is one that the person knows, and not one that a stranger named."""
    owner = next((group.owner_id for group in people.groups if group.id == group_id), None)
    known = {people.account.id, people.account.lid}
    known |= {some_id for each in _saved(people) for some_id in _ids_of(each.id, people)}
    return group_id in people.written_in or (owner is not None and owner in known)


def _people(entry: str, people: People) -> tuple[str, ...]:
    """Return the people whom an entry means: by id, by number, or by the name under which they are saved."""
    exact = _id(entry)
    if exact is not None:
        person = _person(exact, people)
        return (person,) if exact.endswith(_PERSON) and people.may_be_stored(person) else ()
    if sum(character.isdecimal() for character in entry) >= _SHORTEST_NUMBER:
        own_digits = people.account.id.partition("@")[0]
        spellings = [f"{digits}@c.us" for digits in numbers_of(entry, own_digits)]
        if spellings:
            return _of_spellings(spellings, people)
    named = (each for each in _saved(people) if _is_called(each.saved_name, entry))
    return tuple(dict.fromkeys(_person(each.id, people) for each in named))


def _of_spellings(spellings: Sequence[str], people: People) -> tuple[str, ...]:
    """Return whom a number means; a number says by itself whose it is, so nobody needs to have saved it."""
    listed = {some_id for chat in people.chats for some_id in chat.ids}
    listed |= {some_id for each in people.contacts for some_id in (each.id, each.phone_id) if some_id}
    listed |= {phone_id for lid, phone_id in people.phone_ids.items() if lid in listed}
    known = [each for each in spellings if each in listed]
    return tuple(each for each in known or spellings[:1] if people.may_be_stored(each))


def _saved(people: People) -> list[ContactFacts]:
    return [
        each for each in people.contacts if each.saved_name and each.is_saved and each.id.endswith(_PERSON)
    ]


def _person(some_id: str, people: People) -> str:
    """Return the one id that a person is pinned by: the phone number's, where it is known."""
    phone_id = next((each.phone_id for each in people.contacts if each.id == some_id and each.phone_id), None)
    return phone_id or people.phone_ids.get(some_id, some_id)


def _ids_of(some_id: str, people: People) -> set[str]:
    person = _person(some_id, people)
    lids = {lid for lid, phone_id in people.phone_ids.items() if phone_id == person}
    return {some_id, person, *lids, *(each.id for each in people.contacts if each.phone_id == person)}


def _id(entry: str) -> str | None:
    some_id = normalise_id(entry)
    return some_id if _ID.fullmatch(some_id) else None


def _is_called(name: str | None, entry: str) -> bool:
    return bool(name and entry.strip()) and _plain(name or "") == _plain(entry)


def _plain(name: str) -> str:
    """Return a name as it is compared: what looks the same is the same, so that it counts as ambiguous."""
    visible = "".join(each for each in name if unicodedata.category(each) != "Cf")
    return " ".join(folded(visible).split())
