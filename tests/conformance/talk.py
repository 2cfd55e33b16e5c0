"""Two chats whose every message the tests know: what was sent, by whom, and how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from whatsapp_etl.simulator.serve import RunningSimulator

PERSON = "Wilma Conway"
GROUP = "Lighthouse crew"
COUNT = 200  #: Messages in the person's chat.
_GROUP_COUNT = 40


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as it was sent, and as the page must tell it."""

    external_id: str
    kind: str  #: What it is scored as: own, received, group, image, reply, deleted, edited, emoji …
    is_outgoing: bool
    sender: str
    text: str  #: Empty where there is none.
    at: datetime

    @property
    def stanza_id(self) -> str:
        return self.external_id.split("_")[2]


def talk_with_person(simulator: RunningSimulator) -> list[Sent]:
    """Let two people say 200 things, most of them plain."""
    chat = simulator.add_chat(kind="person", name=PERSON)
    own_name = simulator.world()["me"]["push_name"]
    begin = simulator.options.clock() - timedelta(days=4)
    opened_at = (begin - timedelta(minutes=1)).isoformat()
    simulator.add_message(chat, type="e2e_notification", at=opened_at)
    sent: list[Sent] = []
    for number in range(COUNT):
        at = begin + timedelta(minutes=25 * number)
        is_outgoing = number % 7 in {1, 2, 5}
        kind, text, fields = _made(number, is_outgoing, sent)
        sender = "me" if is_outgoing else chat
        key = simulator.add_message(chat, at=at.isoformat(), sender=sender, **fields)
        if kind == "edited":
            simulator.edit(key, text)
        if kind == "deleted":
            simulator.delete(key)
        name = own_name if is_outgoing else PERSON
        sent.append(Sent(key, kind, is_outgoing, name, text, at))
    return sent


def talk_in_group(simulator: RunningSimulator) -> list[Sent]:
    """Let four people talk in a group; `sender` is an id, since only the page knows the others' names."""
    chat = simulator.add_chat(kind="group", name=GROUP, members=3)
    own_id = simulator.world()["me"]["id"]
    begin = simulator.options.clock() - timedelta(days=1)
    greeting = "Group word 00, said once"
    first = simulator.add_message(chat, greeting, at=begin.isoformat(), sender="me")
    others = next(row for row in simulator.truth() if row["external_id"] == first)["recipient_ids"]
    sent = [Sent(first, "group", is_outgoing=True, sender=own_id, text=greeting, at=begin)]
    for number in range(1, _GROUP_COUNT):
        at = begin + timedelta(minutes=11 * number)
        is_outgoing = number % 4 == 1
        sender = own_id if is_outgoing else others[number // 2 % len(others)]
        text = f"Group word {number:02d}, said once"
        key = simulator.add_message(chat, text, at=at.isoformat(), sender="me" if is_outgoing else sender)
        sent.append(Sent(key, "group", is_outgoing, sender, text, at))
    return sent


def with_names(sent: list[Sent], shown: dict[str, str], own_name: str) -> list[Sent]:
    """Put names for ids: of each person the name shown with their first message.

    Two of the invented people may be called the same; all of them are not.

    Args:
        sent: What was said in the group.
        shown: The senders' names that a client read, by the message's own id.
        own_name: The account's name.
    """
    names: dict[str, str] = {}
    for each in sent:
        names.setdefault(each.sender, own_name if each.is_outgoing else shown.get(each.stanza_id, ""))
    assert len(set(names.values()) - {""}) >= len(names) - 1
    return [replace(each, sender=names[each.sender]) for each in sent]


def _made(number: int, is_outgoing: bool, earlier: list[Sent]) -> tuple[str, str, dict[str, object]]:
    """Return what the message is scored as, its text in the end, and how to send it."""
    text = f"Line {number:03d} about the harbour wall"
    kind, fields = ("own" if is_outgoing else "received"), {"body": text}
    match number % 40:
        case 3 | 13 | 23:
            kind, text = "emoji", f"Well 🙂 then 👍🏽 {number:03d}"
            fields = {"body": text}
        case 7 | 27 if earlier[-1].kind in {"own", "received"}:
            kind, fields = "reply", {"body": text, "quoted": earlier[-1].external_id}
        case 9:
            kind, fields = "image", {"type": "image", "body": text}
        case 17:
            kind, text = "several lines", f"First of {number:03d}\nSecond of it"
            fields = {"body": text}
        case 19:
            kind, text = "edited", f"{text}, mended"
        case 29:
            kind, text = "deleted", ""
    return kind, text, fields
