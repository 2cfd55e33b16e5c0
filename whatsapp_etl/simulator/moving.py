"""How ids change: a chat's phone id becomes a LID, and the account is linked again.

What the real client does with the rows it holds when a chat's id changes is not known for certain, so both
ways exist: all of a chat's rows are written anew under the new id, or only new rows get it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from whatsapp_etl.simulator.feed import Feed
from whatsapp_etl.simulator.world import FIRST_ROW, Contact, Message, Reaction, World

_LID_DIGITS = 10
_DAY = 24 * 60 * 60


def migrate_chat(world: World, chat_id: str, *, rewrites: bool) -> str:
    """Give a person's chat its LID as id, or let a group name its members by LIDs; return the chat's id.

    Args:
        world: The account.
        chat_id: The chat as it is called now.
        rewrites: Whether the rows that are there get the new ids too.
    """
    chat = world.chats[chat_id]
    if chat.kind == "group":
        group = world.groups[chat_id]
        world.put_group(
            replace(
                group,
                participant_ids=tuple(sorted(lid_of(world, person) for person in group.participant_ids)),
                admin_ids=tuple(lid_of(world, person) for person in group.admin_ids),
                owner_id=lid_of(world, group.owner_id),
                uses_lids=True,
            )
        )
        new_id = chat_id
    else:
        new_id = lid_of(world, chat_id)
        world.rename_chat(chat_id, new_id)
    if rewrites:
        _rewrite(world, new_id)
    return new_id


def link_again(world: World, *, uses_lids: bool) -> None:
    """Let a newly linked device get everything as history: other rows, and with `uses_lids` other ids."""
    if uses_lids:
        for chat_id, chat in list(world.chats.items()):
            if chat.kind in {"person", "group", "self"}:
                migrate_chat(world, chat_id, rewrites=True)
    world.next_row, world.next_history_row = FIRST_ROW, FIRST_ROW - 1
    for chat_id in sorted(world.chats, key=lambda chat_id: -(world.last_activity(chat_id) or 0)):
        messages = world.messages_of(chat_id)
        for index, message in reversed(list(enumerate(messages))):
            row_id = 0 if message.is_on_phone else world.next_history_row
            world.next_history_row -= not message.is_on_phone
            world.messages[message.external_id] = replace(
                message, order=FIRST_ROW - len(messages) + index, row_id=row_id
            )
    world.feed = Feed()
    world.announce_all()


def hand_over_less(world: World, days: float) -> int:
    """Let only the phone have what is older; return how many messages that is.

    How much history a newly linked device gets is decided when it is linked; the rest can be asked for.
    """
    cut = world.clock() - days * _DAY
    left = {key for key, message in world.messages.items() if message.t < cut and not message.is_on_phone}
    for key in left:
        world.messages[key] = replace(world.messages[key], is_on_phone=True)
    for chat_id in {world.chat_of(world.messages[key]).id for key in left}:
        world.chats[chat_id] = replace(world.chats[chat_id], history_type=0)
    return len(left)


def hold_history(world: World, days: float) -> dict[str, int | None]:
    """Let what is older come later: it is not on this device yet; return the chats' types of history.

    A newly linked device gets its history in portions; until the last one no chat is known to be complete.
    """
    cut = world.clock() - days * _DAY
    left_out = {world.chat_of(message).id for message in world.messages.values() if message.is_on_phone}
    held = [
        message
        for message in world.messages.values()
        if message.order < FIRST_ROW and message.t < cut and message.album is None
        if world.chat_of(message).id not in left_out
    ]
    for message in held:
        world.messages[message.external_id] = replace(message, is_on_phone=True)
        world.feed.delete("message", message.external_id, world.row_key(message))
    chat_ids = sorted({world.chat_of(message).id for message in held})
    types = {chat_id: world.chats[chat_id].history_type for chat_id in chat_ids}
    for chat_id in types:
        world.put_chat(replace(world.chats[chat_id], history_type=None))
    return types


def release_history(world: World, types: Mapping[str, int | None]) -> int:
    """Let what was held come, chat by chat, newest first, in rows below all others; return how many came."""
    came = 0
    for chat_id, history_type in types.items():
        held = [message for message in reversed(world.messages_of(chat_id)) if message.is_on_phone]
        came += world.bring(held)
        world.put_chat(replace(world.chats[chat_id], history_type=history_type))
    return came


def restore_older(world: World, days: float) -> int:
    """Let this device be as an older copy of its profile: without what came since; return how many that is.

    The server has delivered it once and does not do so again.
    """
    cut = world.clock() - days * _DAY
    gone = [key for key, message in world.messages.items() if message.t >= cut and not message.is_on_phone]
    world.take_reactions([each for each in world.reactions.values() if each.external_id in set(gone)])
    for key in gone:
        world.remove_message(key)
    for chat_id in world.chats:
        world.put_chat(world.chats[chat_id])
    return len(gone)


def lid_of(world: World, person_id: str) -> str:
    """Return a person's LID; who has none gets one, and the account learns whose it is."""
    if person_id.endswith("@lid"):
        return person_id
    if person_id == world.me.id:
        if world.me.lid not in world.contacts:
            world.put_contact(Contact(world.me.lid, None, world.me.push_name, phone_id=person_id))
        return world.me.lid
    for contact in world.contacts.values():
        if contact.phone_id == person_id:
            return contact.id
    known = world.contacts.get(person_id)
    lid = f"5544{person_id.partition('@')[0][-_LID_DIGITS:]}@lid"
    world.put_contact(Contact(lid, None, known.push_name if known else None, phone_id=person_id))
    return lid


def _rewrite(world: World, chat_id: str) -> None:
    """Write all rows of a chat anew, with the ids that it uses now."""
    is_group = world.chats[chat_id].kind == "group"
    reactions: dict[str, list[Reaction]] = {}
    for reaction in world.reactions.values():
        reactions.setdefault(reaction.external_id, []).append(reaction)

    def renamed(person_id: str | None) -> str | None:
        return person_id and lid_of(world, person_id)

    for old in world.messages_of(chat_id):
        new = _renamed(old, chat_id, renamed, own_id=None if is_group else world.me.id)
        if new == old:
            continue
        standing = reactions.get(old.external_id, [])
        world.take_reactions(standing)
        world.rekey_message(old, new)
        for reaction in standing:
            sender = (
                reaction.sender_id if reaction.sender_id == world.me.id else lid_of(world, reaction.sender_id)
            )
            world.put_reaction(replace(reaction, external_id=new.external_id, sender_id=sender))


def _renamed(
    message: Message, chat_id: str, renamed: Callable[[str | None], str | None], own_id: str | None
) -> Message:
    author = message.author_id if message.author_id == own_id else renamed(message.author_id)
    quoted = message.quoted_author if message.quoted_author == own_id else renamed(message.quoted_author)
    body = message.body
    if body.get("quoted"):
        body = {**body, "quoted": {**body["quoted"], "author": quoted}}
    revoker = message.revoked_by if message.revoked_by == own_id else renamed(message.revoked_by)
    edit_key = message.edit_key and message.edit_key.replace(message.chat_id, chat_id)
    return replace(
        message, chat_id=chat_id, author_id=author, quoted_author=quoted, body=body, edit_key=edit_key,
        revoked_by=revoker,
    )  # fmt: skip
