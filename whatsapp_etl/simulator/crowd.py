"""Whom and when a usual account rarely has: chats beside the usual ones, a few words in each.

Ids of every shape, people under hidden numbers, lists, communities and very large groups, chats that look
the same, and messages whose times are odd.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from whatsapp_etl.simulator import bodies, people
from whatsapp_etl.simulator.bodies import Scene
from whatsapp_etl.simulator.cast import DAY, OWN_ID, OWN_LID, Cast
from whatsapp_etl.simulator.compose import compose
from whatsapp_etl.simulator.media import MediaLibrary
from whatsapp_etl.simulator.options import SimulatorOptions
from whatsapp_etl.simulator.world import Chat, Contact, Group, Message, World

_MINUTE = 60
_HOUR = 3_600
_VERY_LARGE = 500
#: Message ids as the clients make them: web of three ages, Android, iOS, notices and cards, and odd ones.
_STANZA_IDS = (
    "3EB0F7C2A915D0E4B86B", "3EB0F7C2A915D0E4", "3EB0F7C2A915D0E4B86B11", "AC2F7C2A915D0E4B86B113355778899A",
    "A51F7C2A915D0E4B86B113355778899A", "3A1F7C2A915D0E4B86B1", "3B1F7C2A915D0E4B86B1",
    "5E1F7C2A915D0E4B86B1", "123456789012345678", "12345678901234567890", "false-start.2-b", "zq9",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Said:
    """One text: by whom, when, and what is unusual about it."""

    by: str
    t: int
    text: str | None = None  #: None: any.
    unusual: dict[str, Any] = field(default_factory=dict)  #: Fields of the message.
    is_picture: bool = False
    is_sticker: bool = False


@dataclass(slots=True)
class Crowd:
    """Adds the unusual chats to a world."""

    world: World
    cast: Cast
    library: MediaLibrary
    random: Random
    options: SimulatorOptions
    now: int

    def assemble(self) -> Iterator[tuple[Chat, list[Message]]]:
        """Yield each chat with its messages in their order in the chat."""
        for chats in (
            self._twins(), self._groups_of_lids(), self._old_group(), self._community(),
            self._very_large_group(), self._list(), self._own_lid(), self._stanza_ids(),
            self._clocks(), self._wrong_clocks(), self._albums(),
        ):  # fmt: skip
            for chat, said in chats:
                scene = Scene(self.random, self.library, self.world, chat, self._others(chat))
                self.world.put_chat(chat)
                yield chat, [self._message(scene, each) for each in said]

    # --- chats that look the same --------------------------------------------------------------

    def _twins(self) -> Iterator[tuple[Chat, Sequence[_Said]]]:
        """Three people with one name, whose chats end with the same words in the same minute."""
        for index in range(3):
            person = self.cast.person(name="Sam Doe").id
            talk = self._talk([person, OWN_ID], 4 + index, begin=20, end=2)
            last = _Said(person, self.now - 2 * _HOUR, "See you there")
            yield Chat(person, "person", history_type=1), [*talk, last]
        for _ in range(2):
            group = self.cast.group("Sam Doe", [self.cast.person()])
            talk = self._talk(list(group.participant_ids), 4, begin=20, end=2)
            yield Chat(group.id, "group", history_type=1), talk

    # --- groups and lists ------------------------------------------------------------------------

    def _groups_of_lids(self) -> Iterator[tuple[Chat, Sequence[_Said]]]:
        """A group that names everybody by LID, oneself too; another with nothing but hidden numbers."""
        known = [self._lid_of(self.cast.person()) for _ in range(2)]
        hidden = [self.cast.hidden() for _ in range(3)]
        self.world.put_contact(Contact(OWN_LID, None, self.world.me.push_name, phone_id=OWN_ID))
        for subject, members in (("Night shift", [*known, *hidden]), ("Strangers", hidden)):
            group = self.cast.group(subject, members)
            ids = tuple(sorted({OWN_LID, *group.participant_ids} - {OWN_ID}))
            self.world.put_group(replace(group, participant_ids=ids, uses_lids=True))
            yield (
                Chat(group.id, "group", history_type=1),
                self._talk([OWN_ID, *(each for each in ids if each != OWN_LID)], 12),
            )

    def _old_group(self) -> Iterator[tuple[Chat, Sequence[_Said]]]:
        """A group of the years when its id named the founder, with members whose ids name a device."""
        members = [self.cast.person() for _ in range(3)]
        made = self.cast.group("Since 2020", members)
        group = replace(made, id=f"{members[0].id.partition('@')[0]}-1600000000@g.us")
        self._rename_group(made, group)
        one, other, *_ = (member.id for member in members)
        devices = [
            _Said(other, self.now - 5 * DAY, unusual={"raw_author": other.replace("@", ":12@")}),
            _Said(one, self.now - 4 * DAY, unusual={"raw_author": one.replace("c.us", "s.whatsapp.net")}),
        ]
        yield Chat(group.id, "group", history_type=1), [*self._talk([one, other, OWN_ID], 5, end=8), *devices]

    def _community(self) -> Iterator[tuple[Chat, Sequence[_Said]]]:
        """A community: its announcements and two of its groups are chats, itself is not."""
        members = [self.cast.person() for _ in range(4)]
        parent = self.cast.group("The whole street", members)
        self.world.put_group(replace(parent, is_parent=True))
        for subject in ("The whole street", "Garden tools", "Lost and found"):
            is_announcement = subject == parent.subject
            group = self.cast.group(subject, members)
            self.world.put_group(replace(group, parent_id=parent.id, is_announcement=is_announcement))
            speakers = [group.owner_id] if is_announcement else list(group.participant_ids)
            chat = Chat(group.id, "group", is_read_only=is_announcement, history_type=1)
            yield chat, self._talk(speakers, 6)

    def _very_large_group(self) -> Iterator[tuple[Chat, Sequence[_Said]]]:
        members = [self.cast.person(is_saved=index % 9 == 0) for index in range(_VERY_LARGE - 1)]
        group = self.cast.group("City runners", members)
        yield Chat(group.id, "group", history_type=1), self._talk([m.id for m in members[:20]], 10)

    def _list(self) -> Iterator[tuple[Chat, Sequence[_Said]]]:
        """A list of the account's own; and what a friend's list brought, in the chat with the friend."""
        members = tuple(sorted(self.cast.person().id for _ in range(3)))
        chat = Chat("1600000000777@broadcast", "broadcast", name="Newsletter to friends", history_type=1)
        self.world.put_list(chat.id, members)
        yield chat, self._talk([OWN_ID], 5)
        friend = self.cast.person().id
        by_list = {"is_by_list": True}
        said = [*self._talk([friend, OWN_ID], 3, end=5), _Said(friend, self.now - 4 * DAY, unusual=by_list)]
        yield Chat(friend, "person", history_type=1), said

    def _own_lid(self) -> Iterator[tuple[Chat, Sequence[_Said]]]:
        """People whom the account knows by LID only, with and without their number."""
        known = self._lid_of(self.cast.person())
        yield Chat(known.id, "person", history_type=1), self._talk([known.id, OWN_ID], 6)
        unknown = Contact("998877999001@lid", None, "no number")
        self.world.put_contact(unknown)
        yield Chat(unknown.id, "person", history_type=1), self._talk([unknown.id, OWN_ID], 6)

    # --- ids ----------------------------------------------------------------------------------------

    def _stanza_ids(self) -> Iterator[tuple[Chat, Sequence[_Said]]]:
        """Every shape of a message id; the next chat has messages with the same ids."""
        for _ in range(2):
            person = self.cast.person().id
            yield (
                Chat(person, "person", history_type=1),
                [
                    replace(said, unusual={"stanza_id": stanza_id})
                    for said, stanza_id in zip(
                        self._talk([person, OWN_ID], len(_STANZA_IDS)), _STANZA_IDS, strict=True
                    )
                ],
            )

    # --- times ---------------------------------------------------------------------------------------

    def _clocks(self) -> Iterator[tuple[Chat, Sequence[_Said]]]:
        """Out of order within a minute, around midnight, and around the change of the clocks."""
        person = self.cast.person(name="Dana Clock").id
        zone = ZoneInfo(self.options.timezone)
        midnight = datetime.fromtimestamp(self.now - 3 * DAY, zone).replace(hour=0, minute=0, second=0)
        around = int(midnight.timestamp())
        times = [around - 61, around - 1, around, around + 1, around + 5 * _MINUTE]
        for change in clock_changes(zone, self.now - min(self.options.days, 29) * DAY, self.now):
            times += [change + offset * _MINUTE for offset in (-90, -45, -30, -1, 0, 1, 30, 45, 90)]
        minute = self.now - 2 * DAY - self.now % _MINUTE
        times = [*sorted(times), minute + 40, minute + 5, minute + 50, minute + 10]
        speakers = (person, OWN_ID)
        yield (
            Chat(person, "person", history_type=1),
            [_Said(speakers[index % 3 == 2], t) for index, t in enumerate(times)],  # noqa: PLR2004 - every third
        )

    def _wrong_clocks(self) -> Iterator[tuple[Chat, Sequence[_Said]]]:
        """A phone that lives in the future, and one that woke up in 2010."""
        person = self.cast.person(name="Max Wrong").id
        future = int((datetime.fromtimestamp(self.now, UTC) + timedelta(days=400)).timestamp())
        past = int(datetime(2010, 1, 1, 0, 3, tzinfo=UTC).timestamp())
        talk = self._talk([person, OWN_ID], 6)
        odd = [_Said(person, future, "Hello from tomorrow"), _Said(person, past, "Hello from yesterday")]
        yield Chat(person, "person", history_type=1), [*talk[:3], *odd, *talk[3:]]

    # --- what they have in common ---------------------------------------------------------------------

    def _talk(self, speakers: Sequence[str], count: int, *, begin: float = 18, end: float = 1) -> list[_Said]:
        """Return `count` texts between `begin` and `end` days ago, in the order of time."""
        first, last = self.now - int(begin * DAY), self.now - int(end * DAY)
        times = sorted(self.random.randrange(first, last) for _ in range(count))
        return [_Said(self.random.choice(speakers), t) for t in times]

    # --- pictures sent together -----------------------------------------------------------------

    def _albums(self) -> Iterator[tuple[Chat, Sequence[_Said]]]:
        """Albums of four to six, received and sent, with and without a message that holds them; stickers."""
        friend = self.cast.person(name="Album Friend").id
        group = self.cast.group("Album club", [self.cast.person() for _ in range(3)])
        one, other, *_ = (each for each in group.participant_ids if each != OWN_ID)
        yield (
            Chat(friend, "person", history_type=1),
            [
                *self._talk([friend, OWN_ID], 2, begin=5, end=4),
                *self._album(friend, 4, days=3, has_parent=False),
                *self._talk([friend, OWN_ID], 2, begin=2, end=1),
                *self._album(OWN_ID, 5, days=1, has_parent=True),
            ],
        )
        yield (
            Chat(group.id, "group", history_type=1),
            [
                *self._album(one, 6, days=4, has_parent=True),
                *self._album(other, 4, days=4, has_parent=False),
                _Said(other, self.now - 3 * DAY),
                *(_Said(other, self.now - 2 * DAY + number, is_sticker=True) for number in range(3)),
            ],
        )

    def _album(self, by: str, count: int, *, days: int, has_parent: bool) -> Iterator[_Said]:
        word = f"album of {by} {days}"
        t = self.now - days * DAY
        if has_parent:
            yield _Said(by, t, unusual={"album": word, "type": "album", "body": {}})
        for number in range(count):
            yield _Said(by, t + number // 3, unusual={"album": word}, is_picture=True)

    def _message(self, scene: Scene, said: _Said) -> Message:
        text = said.text or people.sentence(self.random)
        draft = bodies.chat_text(text)
        if said.is_picture:
            draft = bodies.picture(scene, caption=None, form="JPEG")
        elif said.is_sticker:
            draft = bodies.sticker(scene)
        return replace(compose(scene, draft, said.t, said.by), **said.unusual)

    def _others(self, chat: Chat) -> Sequence[str]:
        if chat.kind != "group":
            return [] if chat.kind == "broadcast" else [chat.id]
        members = self.world.groups[chat.id].participant_ids
        return [each for each in members if each not in {OWN_ID, OWN_LID}]

    def _lid_of(self, person: Contact) -> Contact:
        contact = Contact(
            f"6677{person.id.partition('@')[0]}@lid", None, person.push_name, phone_id=person.id
        )
        self.world.put_contact(contact)
        return contact

    def _rename_group(self, old: Group, new: Group) -> None:
        del self.world.groups[old.id]
        self.world.feed.delete("group-metadata", old.id, old.id)
        self.world.feed.delete("participant", old.id, old.id)
        self.world.put_group(new)


def clock_changes(zone: ZoneInfo, begin: int, end: int) -> list[int]:
    """Return the instants between two at which the zone's clocks are put forward or back."""
    changes = []
    hours = range(begin - begin % _HOUR, end, _HOUR)
    for before, after in pairwise(hours):
        offsets = {datetime.fromtimestamp(t, zone).utcoffset() for t in (before, after)}
        if len(offsets) > 1:
            changes.append(after)
    return changes
