"""Builds a world from its options: the same options and clock give the same world, byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from whatsapp_etl.simulator import bodies, repertoire
from whatsapp_etl.simulator.bodies import Draft, Scene
from whatsapp_etl.simulator.cast import DAY, WEEK, Cast, Casting, own_account
from whatsapp_etl.simulator.compose import compose, quote
from whatsapp_etl.simulator.crowd import Crowd
from whatsapp_etl.simulator.media import MediaLibrary
from whatsapp_etl.simulator.options import SimulatorOptions
from whatsapp_etl.simulator.people import REACTIONS
from whatsapp_etl.simulator.world import FIRST_ROW, Chat, Message, Reaction, World

#: What came before the device was linked arrived as history, the rest live.
_LIVE_DAYS = 20
_SHOWCASE_DAYS = 18  #: The showcase lies inside every look-back.
_SHOWCASE_FROM = 150  #: Smaller worlds have no room for it beside ordinary talk.
_NEWEST_CHUNK = 40  #: Per chat, what history brings first; the rest follows, chat by chat.
_MEDIA_DAYS = 33  #: Some older pictures are no longer on the server.
_QUIET_SECONDS = 120  #: Nothing is said in the last two minutes before now.
_E2E = (
    "Messages and calls are end-to-end encrypted. Only people in this chat can read, listen to, or share "
    "them. Click to learn more"
)
#: Messages that a chat needs to show all its kinds, by its role.
_RESERVE = {"person_showcase": 72, "group_showcase": 36}
_RESERVE_FOR_EVERYTHING = {"person_showcase": 152, "group_showcase": 56}
_KEEP_NAMES = frozenset({"person_showcase", "group_showcase", "namesake"})
_PICTURE_TYPES = frozenset({"image", "sticker"})
_PICTURE_MAKERS = frozenset({bodies.image, bodies.view_once, bodies.sticker})
_EDGE_TYPES = frozenset({"revoked", "ciphertext", "call_log"})


def build_world(options: SimulatorOptions) -> tuple[World, MediaLibrary]:
    """Return a filled world and the files in it."""
    random = Random(options.seed)  # noqa: S311 - reproducible, not secret
    now = int(options.clock().timestamp())
    world = World(own_account(), clock=lambda: int(options.clock().timestamp()))
    library = MediaLibrary(random)
    cast = Cast(world, random, now)
    castings = cast.assemble(options.chats)
    reserve = _RESERVE
    if options.repertoire == "everything":
        _rename(world, castings)
        reserve = _RESERVE_FOR_EVERYTHING
    author = _Author(world, library, random, options, now)
    for casting, count in zip(castings, _shares(castings, options.messages, reserve), strict=True):
        author.write(casting, count)
    for casting in cast.extras() if options.extras and options.chats > 1 else []:
        author.write(casting, 3)
    if options.repertoire == "everything":
        linked_at = now - min(_LIVE_DAYS, options.phone_only_days) * DAY
        for chat, messages in Crowd(world, cast, library, random, options, now).assemble():
            world.load_history(chat.id, _ordered(messages, linked_at))
    _number_rows(world)
    world.announce_messages()
    author.react()
    return world, library


@dataclass(slots=True)
class _Author:
    """Writes the talk of one chat after the other."""

    world: World
    library: MediaLibrary
    random: Random
    options: SimulatorOptions
    now: int
    _spoken: list[str] = field(default_factory=list)  #: Stanza ids that may be used again elsewhere.

    def write(self, casting: Casting, count: int) -> None:
        chat = casting.chat
        scene = Scene(self.random, self.library, self.world, chat, self._others(chat))
        opening = self._opening(scene)[: max(0, count - 1)]
        showcase = self._showcase(casting, scene)
        if len(showcase) > count - len(opening) or self.options.messages < _SHOWCASE_FROM:
            showcase = []
        talk = count - len(opening) - len(showcase)
        drafts = [*opening, *self._talk(scene, talk), *showcase]
        times = self._times(casting, count, len(showcase))
        messages = self._spell_out(scene, casting, drafts, times)
        messages = _ordered(
            self._on_phone(casting, messages), self.now - min(_LIVE_DAYS, self.options.phone_only_days) * DAY
        )
        self.world.put_chat(chat)
        self.world.load_history(chat.id, messages)
        self._leave_unread(casting, messages)

    def react(self) -> None:
        """Let one message in twenty-five, and those of the showcase more often, have reactions."""
        for message in list(self.world.messages.values()):
            if message.body.get("body") == repertoire.EVERYBODY_REACTS:
                senders: Sequence[str] = [self.world.me.id, *self._others(self.world.chats[message.chat_id])]
            elif message.is_notice or message.type in _EDGE_TYPES or self.random.randrange(25):
                continue
            else:
                senders = self._reactors(message)
            for sender_id in senders:
                emoji = self.random.choice(REACTIONS)
                key = bodies.fresh_key(self.random, message.chat_id, from_me=False)
                at = min(self.now, message.t + self.random.randrange(5, 3000))
                reaction = Reaction(message.external_id, sender_id, emoji, at, key)
                self.world.reactions[message.external_id, sender_id] = reaction
                if not message.is_on_phone:
                    self.world.put_reaction(reaction)

    def _reactors(self, message: Message) -> Sequence[str]:
        others = self._others(self.world.chats[message.chat_id])
        everyone = sorted({self.world.me.id, *others})
        return self.random.sample(everyone, self.random.randrange(1, min(4, len(everyone)) + 1))

    # --- what is said --------------------------------------------------------------------------

    def _opening(self, scene: Scene) -> list[Draft]:
        if scene.chat.kind in {"status", "channel", "bot"}:
            return []
        drafts = [bodies.notice("e2e_notification", "encrypt", _E2E)]
        if scene.chat.kind == "group":
            group = self.world.groups[scene.chat.id]
            founder = self.world.name_of(group.owner_id)
            drafts.append(bodies.notice("gp2", "create", f"{founder} created group “{group.subject}”"))
            drafts.append(bodies.notice("gp2", "add", f"{founder} added you"))
        if scene.chat.ephemeral_seconds:
            words = "You turned on disappearing messages. New messages will disappear from this chat "
            drafts.append(
                bodies.notice(
                    "notification_template", "disappearing_mode", words + "7 days after they're sent."
                )
            )
        return drafts

    def _showcase(self, casting: Casting, scene: Scene) -> list[Draft]:
        is_all = self.options.repertoire == "everything"
        if casting.role == "person_showcase":
            return self._admitted(
                bodies.person_showcase(scene) + (repertoire.person(scene) if is_all else [])
            )
        if casting.role == "group_showcase":
            return self._admitted(bodies.group_showcase(scene) + (repertoire.group(scene) if is_all else []))
        return []

    def _admitted(self, drafts: list[Draft]) -> list[Draft]:
        if self.options.pictures:
            return drafts
        return [draft for draft in drafts if draft.type not in _PICTURE_TYPES]

    def _talk(self, scene: Scene, count: int) -> list[Draft]:
        if scene.chat.kind in {"self", "status", "channel", "bot"}:
            kinds = bodies.PLAIN
        else:
            own = bodies.ONLY_GROUP if scene.chat.kind == "group" else bodies.ONLY_PERSON
            kinds = bodies.KINDS + own
        if not self.options.pictures:
            kinds = tuple(kind for kind in kinds if kind[0] not in _PICTURE_MAKERS)
        makers: list[Callable[[Scene], Draft]] = [maker for maker, _ in kinds]
        weights = [weight for _, weight in kinds]
        return [maker(scene) for maker in self.random.choices(makers, weights, k=max(0, count))]

    # --- when and by whom ----------------------------------------------------------------------

    def _times(self, casting: Casting, count: int, showcase: int) -> list[int]:
        span = self.options.days * DAY
        begin = self.now - int(span * casting.first_day) + 600
        end = self.now - int(span * casting.last_day) - _QUIET_SECONDS
        if casting.chat.ephemeral_seconds:
            begin = max(begin, self.now - WEEK + DAY)
        shown_from = max(begin, end - min(_SHOWCASE_DAYS, self.options.days) * DAY)
        early = self._spread(begin, shown_from if showcase else end, count - showcase)
        return early + self._spread(shown_from, end, showcase)

    def _spread(self, begin: int, end: int, count: int) -> list[int]:
        """Spread instants over a span; four in ten follow another within the same minute."""
        anchors = [self.random.randrange(begin, max(begin + 1, end)) for _ in range(count - count * 4 // 10)]
        others = [
            self.random.choice(anchors) + self.random.randrange(50) for _ in range(count - len(anchors))
        ]
        times = sorted(min(t, end) for t in anchors + others)
        for index in range(8, count, 40):  # now and then two in the same second
            times[index] = times[index - 1]
        return times

    def _spell_out(
        self, scene: Scene, casting: Casting, drafts: list[Draft], times: list[int]
    ) -> list[Message]:
        messages: list[Message] = []
        unread_from = len(drafts) - casting.unread
        speaker: str | None = None
        for index, (draft, t) in enumerate(zip(drafts, times, strict=True)):
            if speaker is None or self.random.randrange(5) < 2:  # noqa: PLR2004 - people go on talking
                speaker = self._speaker(scene, must_be_other=False)
            if index >= unread_from:
                speaker = self._speaker(scene, must_be_other=True)
            message = self._message(scene, draft, t, speaker)
            if draft.quotes:
                message = self._quoting(message, messages)
            messages.append(message)
        if casting.role == "person_showcase":
            self._spoken = [message.stanza_id for message in messages if message.type == "chat"][-3:]
        elif casting.role == "namesake" and messages and self._spoken:
            index = next((i for i, m in enumerate(messages) if m.type == "chat"), 0)
            messages[index] = replace(messages[index], stanza_id=self._spoken[0])
        return messages

    def _message(self, scene: Scene, draft: Draft, t: int, speaker: str) -> Message:
        speaker = self._plausible(scene, draft, speaker)
        message = compose(scene, draft, t, speaker)
        old = self.now - _MEDIA_DAYS * DAY
        if draft.type == "image" and t < old and self.random.randrange(3) == 0:
            message = replace(message, is_expired=True)
        return message

    def _plausible(self, scene: Scene, draft: Draft, speaker: str) -> str:
        """Put another speaker where the drawn one cannot have sent this."""
        own = self.world.me.id
        is_missed = draft.type == "call_log" and draft.body["outcome"] == "missed"
        if draft.type == "call_log" and draft.body["outcome"] == "no_answer":
            return own
        # Own messages are never waited for, and an admin deletes what somebody else wrote.
        if is_missed or draft.type == "ciphertext" or (draft.type == "revoked" and draft.subtype == "admin"):
            return scene.others[-1] if speaker == own else speaker
        return speaker

    def _quoting(self, message: Message, earlier: list[Message]) -> Message:
        answerable = [m for m in earlier[-30:] if not m.is_notice and m.type not in _EDGE_TYPES]
        return quote(self.world, message, self.random.choice(answerable)) if answerable else message

    def _speaker(self, scene: Scene, *, must_be_other: bool) -> str:
        chat, own = scene.chat, self.world.me.id
        if chat.kind == "self":
            return own
        if chat.kind in {"status", "channel"} or chat.is_read_only:
            return scene.others[0]
        if must_be_other or self.random.randrange(2):
            return self.random.choice(scene.others)
        return own

    def _others(self, chat: Chat) -> Sequence[str]:
        if chat.kind == "group":
            return [
                person for person in self.world.groups[chat.id].participant_ids if person != self.world.me.id
            ]
        if chat.kind == "status":
            return [next(person for person in self.world.contacts if person != self.world.me.id)]
        return [] if chat.kind == "self" else [chat.id]

    # --- where it lies ---------------------------------------------------------------------------

    def _on_phone(self, casting: Casting, messages: list[Message]) -> list[Message]:
        if casting.role != "more_on_phone":
            return messages
        edge = self.now - self.options.phone_only_days * DAY
        return [replace(message, is_on_phone=message.t < edge) for message in messages]

    def _leave_unread(self, casting: Casting, messages: list[Message]) -> None:
        unread = messages[len(messages) - casting.unread :] if casting.unread else []
        keys = [message.external_id for message in unread if not message.is_notice and not message.from_me]
        self.world.set_unread(casting.chat.id, keys)
        if casting.is_marked_unread:
            self.world.mark_unread(casting.chat.id)


def _rename(world: World, castings: Sequence[Casting]) -> None:
    """Give people and groups without a role, and the account itself, names made to be misread."""
    world.me = replace(world.me, push_name=repertoire.OWN_NAME)
    world.put_contact(replace(world.contacts[world.me.id], push_name=repertoire.OWN_NAME))
    chats = [casting.chat for casting in castings if casting.role not in _KEEP_NAMES]
    persons = [chat for chat in chats if chat.kind == "person" and world.contacts[chat.id].saved_name]
    for chat, name in zip(persons, repertoire.NAMES, strict=False):
        world.put_contact(replace(world.contacts[chat.id], saved_name=name))
    groups = [chat for chat in chats if chat.kind == "group"]
    for chat, subject in zip(groups, repertoire.SUBJECTS, strict=False):
        world.put_group(replace(world.groups[chat.id], subject=subject))
    members = [
        person
        for chat in groups
        for person in world.groups[chat.id].participant_ids
        if person not in world.chats
    ]
    for person, name in zip(reversed(members), repertoire.NAMES, strict=False):
        contact = world.contacts[person]
        if person != world.me.id and contact.saved_name:
            world.put_contact(replace(contact, saved_name=name))


def _shares(castings: Sequence[Casting], total: int, reserve: Mapping[str, int]) -> list[int]:
    """Divide the messages among the chats: the showcases first, the rest by weight, none lost."""
    is_roomy = total >= _SHOWCASE_FROM
    shares = [reserve.get(casting.role, 0) if is_roomy and len(castings) > 1 else 0 for casting in castings]
    left = max(0, total - sum(shares))
    weights = [casting.weight for casting in castings]
    exact = [left * weight / sum(weights) for weight in weights]
    shares = [share + int(part) for share, part in zip(shares, exact, strict=True)]
    by_rest = sorted(range(len(exact)), key=lambda index: (int(exact[index]) - exact[index], index))
    for index in by_rest[: left - sum(int(part) for part in exact)]:
        shares[index] += 1
    return shares


def _ordered(messages: list[Message], linked_at: int) -> list[Message]:
    """Number a chat's messages: history counts down from where the live ones begin."""
    history = sum(message.t < linked_at for message in messages)
    return [
        replace(
            message, order=FIRST_ROW - history + index, is_on_phone=message.is_on_phone and index < history
        )
        for index, message in enumerate(messages)
    ]


def _number_rows(world: World) -> None:
    """Number the rows as they came: history newest first in two chunks, then the live ones by time."""
    newest: list[Message] = []
    older: list[Message] = []
    live: list[Message] = []
    for chat_id in sorted(world.chats, key=lambda chat_id: -(world.last_activity(chat_id) or 0)):
        messages = world.messages_of(chat_id)
        past = [m for m in reversed(messages) if m.order < FIRST_ROW and not m.is_on_phone]
        newest.extend(past[:_NEWEST_CHUNK])
        older.extend(past[_NEWEST_CHUNK:])
        live.extend(m for m in messages if m.order >= FIRST_ROW)
    for message in newest + older:
        world.messages[message.external_id] = replace(message, row_id=world.next_history_row)
        world.next_history_row -= 1
    for message in sorted(live, key=lambda message: message.t):
        world.messages[message.external_id] = replace(message, row_id=world.next_row)
        world.next_row += 1
