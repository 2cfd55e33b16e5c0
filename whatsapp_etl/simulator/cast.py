"""Who is in the account: people, groups and the chats with them, in a fixed order of roles.

The first chats each play one role that a reader must cope with, so that a small world holds them
all; what comes after is ordinary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from whatsapp_etl.simulator import people
from whatsapp_etl.simulator.world import Chat, Contact, Group, Me, World

OWN_ID = "15550001111@c.us"
OWN_LID = "77001100220033@lid"
OWN_NAME = "Robin Sample"
DAY = 86_400
WEEK = 7 * DAY
_BIG_GROUP = 24


@dataclass(frozen=True, slots=True)
class Casting:
    """One chat and how much is said in it."""

    chat: Chat
    weight: float = 1.0  #: Share of the world's messages.
    role: str = ""
    first_day: float = 1.0  #: Begin of the talk: share of the world's days before now.
    last_day: float = 0.0  #: End of the talk, the same way.
    unread: int = 0
    is_marked_unread: bool = False


@dataclass(slots=True)
class Cast:
    """Fills a world with people and returns the chats in the order of their roles."""

    world: World
    random: Random
    now: int
    castings: list[Casting] = field(default_factory=list)
    _people: int = 0
    _groups: int = 0

    def assemble(self, chats: int) -> list[Casting]:
        self.world.put_contact(Contact(OWN_ID, OWN_NAME, OWN_NAME))
        roles = self._roles()
        for index in range(chats):
            play = roles[index] if index < len(roles) else self._ordinary
            self.castings.append(play())
        return self.castings

    def extras(self) -> list[Casting]:
        """What a client's storage lists beside the chats a sync is meant to read."""
        assistant = Contact("13135550002@bot", "Helper AI", None)
        self.world.put_contact(assistant)
        return [
            Casting(Chat("status@broadcast", "status"), role="status", first_day=0.03),
            Casting(Chat("120363000000777001@newsletter", "channel", name="Harbour news"), role="channel"),
            Casting(Chat(assistant.id, "bot"), role="bot", first_day=0.5),
        ]

    # --- roles -------------------------------------------------------------------------------

    def _roles(self) -> list[Callable[[], Casting]]:
        return [
            self._showcase_person,
            self._showcase_group,
            self._self,
            self._archived,
            self._big_group,
            self._namesake,
            self._disappearing,
            self._pinned_muted_group,
            self._right_to_left,
            self._locked,
            self._unsaved,
            self._same_subject,
            self._hidden_number,
            self._read_only_group,
            self._old_pinned,
            self._marked_unread,
            self._cut_history,
            self._empty,
        ]

    def _showcase_person(self) -> Casting:
        person = self.person(name="Alma Brisk")
        return Casting(Chat(person.id, "person", history_type=1), weight=3, role="person_showcase")

    def _showcase_group(self) -> Casting:
        group = self.group(
            "Allotment 12", [self.person() for _ in range(3)] + [self.hidden() for _ in range(2)]
        )
        return Casting(Chat(group.id, "group", history_type=1), weight=3, role="group_showcase")

    def _self(self) -> Casting:
        return Casting(Chat(OWN_ID, "self", history_type=1), weight=0.5, role="self")

    def _archived(self) -> Casting:
        chat = Chat(self.person().id, "person", is_archived=True, history_type=0)
        return Casting(chat, role="more_on_phone")

    def _big_group(self) -> Casting:
        members = [self.person(is_saved=self.random.randrange(3) > 0) for _ in range(_BIG_GROUP - 1)]
        chat = Chat(self.group("Street party", members).id, "group", history_type=1)
        return Casting(chat, weight=2, first_day=0.6, unread=1)

    def _namesake(self) -> Casting:
        return Casting(Chat(self.person(name="Alma Brisk").id, "person"), role="namesake", unread=2)

    def _disappearing(self) -> Casting:
        chat = Chat(self.person().id, "person", ephemeral_seconds=WEEK, history_type=1)
        return Casting(chat, role="disappearing")

    def _pinned_muted_group(self) -> Casting:
        group = self.group(people.EMOJI_SUBJECTS[0], [self.person() for _ in range(4)])
        chat = Chat(group.id, "group", pinned_at=self.now - 9 * DAY, mute_expiration=-1, history_type=1)
        return Casting(chat)

    def _right_to_left(self) -> Casting:
        chat = Chat(self.person(name=people.RTL_NAMES[0]).id, "person", history_type=1)
        return Casting(chat, first_day=0.5)

    def _locked(self) -> Casting:
        return Casting(Chat(self.person().id, "person", is_locked=True, history_type=1), weight=0.5)

    def _unsaved(self) -> Casting:
        return Casting(
            Chat(self.person(is_saved=False).id, "person", history_type=1), first_day=0.3, unread=3
        )

    def _same_subject(self) -> Casting:
        group = self.group("Allotment 12", [self.person() for _ in range(2)])
        return Casting(Chat(group.id, "group", is_archived=True, history_type=1), weight=0.5)

    def _hidden_number(self) -> Casting:
        return Casting(Chat(self.hidden().id, "person", history_type=1), first_day=0.4)

    def _read_only_group(self) -> Casting:
        group = self.group("Building notices", [self.person() for _ in range(3)])
        return Casting(Chat(group.id, "group", is_read_only=True, history_type=1), weight=0.5)

    def _old_pinned(self) -> Casting:
        chat = Chat(self.person().id, "person", pinned_at=self.now - 40 * DAY, history_type=1)
        return Casting(chat, weight=0.5, last_day=0.8)

    def _marked_unread(self) -> Casting:
        chat = Chat(self.person().id, "person", mute_expiration=self.now + WEEK, history_type=1)
        return Casting(chat, is_marked_unread=True)

    def _cut_history(self) -> Casting:
        return Casting(Chat(self.person().id, "person", history_type=2), role="more_on_phone")

    def _empty(self) -> Casting:
        return Casting(Chat(self.person().id, "person"), weight=0, role="empty")

    def _ordinary(self) -> Casting:
        random = self.random
        first_day = random.choice((1.0, 1.0, 0.8, 0.4, 0.15))
        last_day = random.choice((0.0, 0.0, 0.0, 0.0, 0.05, 0.2, 0.9)) * first_day
        unread = random.choice((0, 0, 0, 0, 0, 1, 4))
        weight = 0.3 + random.expovariate(1.0)
        if random.randrange(3) == 0:
            subject = random.choice(people.GROUP_SUBJECTS + people.EMOJI_SUBJECTS)
            members = [self.person(is_saved=random.randrange(4) > 0) for _ in range(random.randrange(2, 9))]
            chat = Chat(self.group(subject, members).id, "group", history_type=random.choice((1, None)))
        else:
            name = random.choice(people.RTL_NAMES) if random.randrange(15) == 0 else None
            person = self.person(name=name, is_saved=random.randrange(6) > 0)
            chat = Chat(person.id, "person", history_type=random.choice((1, 1, None)))
        chat = replace(chat, is_archived=random.randrange(12) == 0)
        return Casting(chat, weight, first_day=first_day, last_day=last_day, unread=unread)

    # --- people and groups ---------------------------------------------------------------------

    def person(self, *, name: str | None = None, is_saved: bool = True) -> Contact:
        self._people += 1
        number = f"1555{200 + self._people // 1000:03d}{self._people % 1000 + 1000:04d}"
        saved = (name or people.person_name(self.random)) if is_saved else None
        pushed = self.random.choice(people.PUSH_NAMES) if not is_saved or self.random.randrange(2) else None
        has_picture = self.random.randrange(3) == 0
        contact = Contact(f"{number}@c.us", saved, pushed, has_picture=has_picture)
        self.world.put_contact(contact)
        return contact

    def hidden(self) -> Contact:
        """Add somebody known by a hidden-number id; the account knows some of the numbers."""
        self._people += 1
        known = sum(contact.id.endswith("@lid") for contact in self.world.contacts.values()) % 2 == 0
        phone = f"1555900{self._people + 1000:04d}@c.us" if known else None
        pushed = self.random.choice(people.PUSH_NAMES)
        contact = Contact(f"99887766{self._people:06d}@lid", None, pushed, phone_id=phone)
        self.world.put_contact(contact)
        return contact

    def group(self, subject: str, members: list[Contact]) -> Group:
        self._groups += 1
        ids = tuple(sorted({OWN_ID, *(member.id for member in members)}))
        founder = members[0].id
        group = Group(
            id=f"120363{self._groups:012d}@g.us",
            subject=subject,
            owner_id=founder,
            created_at=self.now - 400 * DAY - self._groups * 1000,
            participant_ids=ids,
            admin_ids=(founder,),
            description="What this group is about.",
            uses_lids=any(member.id.endswith("@lid") for member in members),
        )
        self.world.put_group(group)
        return group


def own_account() -> Me:
    return Me(OWN_ID, OWN_LID, OWN_NAME)
