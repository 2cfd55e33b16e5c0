"""What the user had erased, as far as the program may remember it: keyed hashes, never an id.

A value like those of `model`: the store makes it, the rules carry it, every step asks it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from whatsapp_etl.model import MessageKey

WishKind = Literal["message", "chat", "contact"]
#: "stanza" is the middle part of a message's key: answers name the message that they quote by it. "text" and
#: "name" tell a quote on a page that names no message.
DigestKind = Literal["message", "chat", "contact", "stanza", "text", "name"]

#: A quote that was cut short is told by so many characters of it.
_HEAD = 100

_KEY = re.compile(r"(true|false)_([^_@]*@[^_]+)_(.+?)(?:_([^_@]*@[^_]+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be forgotten."""

    kind: WishKind
    id: str  #: A message's key, a chat's id, or any id of a person.


@dataclass(frozen=True, slots=True)
class Erasure:
    """What a wish removes, or has removed."""

    counts: Mapping[str, int]  #: Rows by table; tables without any are left out.
    was_forgotten: bool = False  #: The same was wished before.


def forgotten_of(wish: Wish) -> Forgotten:
    """Return what a wish would leave out, as far as its id tells; for a look before anything is erased."""
    key = key_of(wish.id) if wish.kind == "message" else None
    ids: Mapping[DigestKind, str | None] = {
        "message": wish.id if wish.kind == "message" else None,
        "chat": wish.id if wish.kind != "message" else None,
        "contact": wish.id if wish.kind == "contact" else None,
        "stanza": key.stanza_id if key else None,
    }
    secret = b"only for this look"
    return Forgotten(secret, frozenset(digest(secret, kind, each) for kind, each in ids.items() if each))


def digest(key: bytes, kind: DigestKind, some_id: str) -> bytes:
    """Return the HMAC-SHA256 of an id: without `key` nobody can try whether a number is among them."""
    return hmac.digest(key, f"{kind}:{some_id}".encode("utf-8", "surrogatepass"), hashlib.sha256)


def key_of(external_id: str) -> MessageKey | None:
    """Return a canonical key's parts; None for a text that is none."""
    match = _KEY.fullmatch(external_id)
    return None if match is None else MessageKey(match[1] == "true", match[2], match[3], match[4])


def variants(key: MessageKey, ids_of: Callable[[str], Iterable[str]]) -> Iterator[MessageKey]:
    """Yield every key that a message may have: chat and author under each of their ids."""
    for chat_id in ids_of(key.chat_id):
        for participant_id in ids_of(key.participant_id) if key.participant_id else (None,):
            yield MessageKey(key.is_outgoing, chat_id, key.stanza_id, participant_id)


def quotable(text: str | None) -> tuple[str, ...]:
    """Return the forms by which a text is known again in a quote: all of it, and the head of a long one."""
    plain = " ".join((text or "").split())
    return tuple(dict.fromkeys(each for each in (plain, plain[:_HEAD]) if each))


def shown_name(name: str | None) -> tuple[str, ...]:
    """Return the form by which a name is known again: "~" marks one that the person chose."""
    plain = " ".join((name or "").split()).removeprefix("~").strip()
    return (plain,) if plain else ()


@dataclass(frozen=True)
class Forgotten:
    """Tells what must not be read, compared, stored or counted, because it was erased on request."""

    key: bytes = b""
    digests: frozenset[bytes] = frozenset()
    phone_ids: Mapping[str, str] = field(default_factory=dict)  #: Phone number's id by LID.

    def __bool__(self) -> bool:
        return bool(self.digests)

    def has_chat(self, *ids: str) -> bool:
        """Whether a chat was forgotten, under any of its ids."""
        return self._has_any("chat", ids)

    def has_contact(self, *ids: str | None) -> bool:
        """Whether a person was forgotten, under any of their ids."""
        return self._has_any("contact", [each for each in ids if each])

    def has_message(self, key: MessageKey) -> bool:
        """Whether a message was forgotten, or the person who wrote or caused it."""
        if not self.digests:
            return False
        if not key.is_outgoing and self.has_contact(key.participant_id or key.chat_id):
            return True
        # The stanza id first: it answers for nearly every message, under whichever ids the rest is.
        return self._has("stanza", key.stanza_id) and any(
            self._has("message", str(each)) for each in variants(key, self._ids_of)
        )

    def has_key(self, external_id: str) -> bool:
        """Whether a message was forgotten, by its key as text."""
        if not self.digests or (key := key_of(external_id)) is None:
            return False
        return self.has_message(key)

    def has_quoted(self, stanza_id: str | None, participant_id: str | None) -> bool:
        """Whether a quoted message, or the person quoted, was forgotten.

        By the stanza id alone: an answer does not say in which chat the message stood. Somebody who reuses
        one can only hide a quote by it, never a message.
        """
        if not self.digests:
            return False
        return self.has_contact(participant_id) or (stanza_id is not None and self._has("stanza", stanza_id))

    def has_quote(self, text: str | None, name: str | None) -> bool:
        """Whether a quote shows a message or a person that was forgotten, by its words alone.

        Other messages of the same words, and other people of the same name, are taken for them.
        """
        if not self.digests:
            return False
        return any(self._has("text", each) for each in quotable(text)) or any(
            self._has("name", each) for each in shown_name(name)
        )

    def remembered(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Return the people who were not forgotten."""
        return tuple(each for each in ids if not self.has_contact(each))

    def _has_any(self, kind: DigestKind, ids: Iterable[str]) -> bool:
        return bool(self.digests) and any(
            self._has(kind, each) for some in ids for each in self._ids_of(some)
        )

    def _has(self, kind: DigestKind, some_id: str) -> bool:
        return digest(self.key, kind, some_id) in self.digests

    def _ids_of(self, some_id: str) -> tuple[str, ...]:
        phone_id = self.phone_ids.get(some_id, some_id)
        return tuple(dict.fromkeys((some_id, phone_id, *self._lids.get(phone_id, ()))))

    @cached_property
    def _lids(self) -> Mapping[str, tuple[str, ...]]:
        lids: dict[str, tuple[str, ...]] = {}
        for lid, phone_id in self.phone_ids.items():
            lids[phone_id] = (*lids.get(phone_id, ()), lid)
        return lids
