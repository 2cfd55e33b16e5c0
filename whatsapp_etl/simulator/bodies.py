"""Messages of every kind, as drafts: what was sent, without its place in a chat.

One function a kind. `KINDS` names those that ordinary talk is mixed from, with their weights.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from whatsapp_etl.simulator import people
from whatsapp_etl.simulator.media import MediaLibrary
from whatsapp_etl.simulator.world import NOTICE_TYPES, Body, Chat, Media, Message, World

_UPPER_HEX = "0123456789ABCDEF"
MANY_FORWARDS = 5  #: From this score on the page says "Forwarded many times".


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody sends: the kind, the body and the plain facts that go with it."""

    type: str
    body: Body
    subtype: str | None = None
    media: Media | None = None
    forwarding_score: int = 0
    mention_ids: tuple[str, ...] = ()
    quotes: bool = False  #: Whether it answers an earlier message of the chat.
    is_edited: bool = False
    earlier_texts: tuple[str, ...] = ()  #: What it said before it was edited, oldest first.
    quoted_stanza: str | None = None  #: Of an answer to what is not in the chat.
    quoted_author: str | None = None
    marks: tuple[str, ...] = ()  #: Of "starred", "kept" and "pinned".


@dataclass(frozen=True, slots=True)
class Scene:
    """What a draft may refer to."""

    random: Random
    library: MediaLibrary
    world: World
    chat: Chat
    others: Sequence[str]  #: Ids of the chat's other members.


Mix = tuple[tuple[Callable[[Scene], Draft], int], ...]


def text(scene: Scene) -> Draft:
    return chat_text(people.sentence(scene.random))


def chat_text(raw: str, *, mentions: dict[str, str] | None = None) -> Draft:
    body = {"body": raw, "mentions": mentions or {}, "preview": None, "quoted": None}
    return Draft("chat", body, mention_ids=tuple(mentions or ()))


def emoji_only(scene: Scene) -> Draft:
    return chat_text(scene.random.choice(people.EMOJI_ONLY))


def formatted(scene: Scene) -> Draft:
    return chat_text(scene.random.choice(people.FORMATTED))


def long(scene: Scene) -> Draft:
    return chat_text(people.long_text(scene.random, scene.random.choice((770, 1200, 4000, 5200))))


def link(scene: Scene) -> Draft:
    url, title, description, domain = scene.random.choice(people.LINKS)
    draft = chat_text(f"Have a look: {url}")
    preview = {"title": title, "description": description, "domain": domain, "url": url}
    return replace(draft, subtype="url", body={**draft.body, "preview": preview})


def mention(scene: Scene) -> Draft:
    if not scene.others:
        return text(scene)
    person = scene.random.choice(scene.others)
    raw = f"@{person.partition('@')[0]} {people.sentence(scene.random)}"
    return chat_text(raw, mentions={person: scene.world.name_of(person)})


def reply(scene: Scene) -> Draft:
    return replace(text(scene), quotes=True)


def edited(scene: Scene) -> Draft:
    return replace(text(scene), is_edited=True)


def forwarded(scene: Scene) -> Draft:
    return replace(text(scene), forwarding_score=scene.random.choice((1, 1, 2, MANY_FORWARDS)))


def image(scene: Scene) -> Draft:
    captioned = scene.random.randrange(2) == 0
    return picture(scene, caption=scene.random.choice(people.CAPTIONS) if captioned else None)


def picture(scene: Scene, *, caption: str | None, form: str | None = None) -> Draft:
    media = scene.library.new_picture(form) if form else scene.library.picture()
    return Draft("image", _visual(scene, caption=caption), media=media)


def video(scene: Scene) -> Draft:
    caption = scene.random.choice((None, *people.CAPTIONS))
    media = scene.library.by_name("video/mp4", duration=scene.random.randrange(2, 300))
    return Draft("video", _visual(scene, caption=caption), media=media)


def gif(scene: Scene) -> Draft:
    media = scene.library.by_name("video/mp4", duration=scene.random.randrange(2, 6))
    return Draft("video", {**_visual(scene, caption=None), "gif": True}, media=media)


def view_once(scene: Scene) -> Draft:
    media = scene.library.new_picture()
    return Draft("image", {**_visual(scene, caption=None), "view_once": True}, media=media)


def video_note(scene: Scene) -> Draft:
    return Draft("ptv", {}, media=scene.library.by_name("video/mp4", duration=scene.random.randrange(2, 60)))


def sticker(scene: Scene) -> Draft:
    label = scene.random.choice(("🙂", "😂", None))
    return Draft("sticker", {"label": label}, media=scene.library.sticker())


def document(scene: Scene) -> Draft:
    name, mimetype = scene.random.choice(people.FILE_NAMES)
    caption = scene.random.choice((None, None, "The newest version"))
    pages = scene.random.randrange(1, 40) if mimetype == "application/pdf" else 0
    return Draft(
        "document",
        {"caption": caption, "pages": pages},
        media=scene.library.by_name(mimetype, file_name=name),
    )


def audio(scene: Scene) -> Draft:
    return Draft(
        "audio", {}, media=scene.library.by_name("audio/mpeg", duration=scene.random.randrange(20, 400))
    )


def voice(scene: Scene) -> Draft:
    duration = scene.random.randrange(1, 180)
    return Draft("ptt", {}, media=scene.library.by_name("audio/ogg; codecs=opus", duration=duration))


def location(scene: Scene) -> Draft:
    return place(scene, *scene.random.choice(people.PLACES))


def place(scene: Scene, name: str | None, address: str | None) -> Draft:
    return Draft(
        "location", {**_coordinates(scene), "name": name, "address": address, "live": False, "caption": None}
    )


def live_location(scene: Scene) -> Draft:
    caption = scene.random.choice((None, "On my way"))
    return Draft(
        "location", {**_coordinates(scene), "name": None, "address": None, "live": True, "caption": caption}
    )


def contact_card(scene: Scene) -> Draft:
    phone = f"+1 555 010 {scene.random.randrange(1000, 9999)}"
    return Draft("vcard", {"name": people.person_name(scene.random), "phone": phone})


def contact_cards(scene: Scene) -> Draft:
    count = scene.random.choice((2, 3, 4))
    return Draft("multi_vcard", {"names": [people.person_name(scene.random) for _ in range(count)]})


def poll(scene: Scene) -> Draft:
    question, options = scene.random.choice(people.QUESTIONS)
    votes = [{"name": option, "votes": scene.random.randrange(4)} for option in options]
    return Draft(
        "poll_creation", {"question": question, "options": votes, "multi": scene.random.randrange(2) == 0}
    )


def group_invite(scene: Scene) -> Draft:
    name = scene.random.choice(people.GROUP_SUBJECTS)
    caption = scene.random.choice((None, "Come and join us"))
    return Draft("groups_v4_invite", {"group_name": name, "caption": caption})


def deleted(scene: Scene) -> Draft:  # noqa: ARG001 - one signature for all kinds
    return Draft("revoked", {"by": "sender", "admin_name": None}, subtype="sender")


def deleted_by_admin(scene: Scene) -> Draft:
    admin = scene.world.name_of(scene.world.groups[scene.chat.id].admin_ids[0])
    return Draft("revoked", {"by": "admin", "admin_name": admin}, subtype="admin")


def waiting(scene: Scene) -> Draft:  # noqa: ARG001 - one signature for all kinds
    return Draft("ciphertext", {})


def call(scene: Scene) -> Draft:
    outcome = scene.random.choice(("missed", "completed", "no_answer"))
    return one_call(outcome, video=scene.random.randrange(3) == 0, seconds=scene.random.randrange(5, 900))


def one_call(outcome: str, *, video: bool, seconds: int) -> Draft:
    return Draft(
        "call_log", {"video": video, "outcome": outcome, "seconds": seconds if outcome == "completed" else 0}
    )


def notice(type_: str, subtype: str | None, words: str) -> Draft:
    return Draft(type_, {"text": words}, subtype=subtype)


#: Kind and weight in ordinary talk. Calls and cards between people, mentions in groups.
KINDS: Mix = (
    (text, 700), (reply, 60), (image, 70), (emoji_only, 25), (formatted, 35), (voice, 25), (forwarded, 20),
    (link, 15), (edited, 15), (sticker, 18), (video, 12), (document, 12), (long, 6), (deleted, 10),
    (gif, 6), (audio, 4), (poll, 4), (location, 5), (live_location, 2), (contact_card, 4),
    (contact_cards, 2), (video_note, 3), (view_once, 3), (waiting, 3),
)  # fmt: skip
PLAIN: Mix = ((text, 8), (image, 1), (link, 1))  #: In chats with nobody to quarrel with.
ONLY_PERSON: Mix = ((call, 10), (group_invite, 3))
ONLY_GROUP: Mix = ((mention, 50), (deleted_by_admin, 2))


def person_showcase(scene: Scene) -> list[Draft]:
    """One of everything that two people can send each other."""
    plain = [chat_text(raw) for raw in people.FORMATTED]
    return [
        *plain,
        chat_text("👍"), chat_text("😂😂😂"), chat_text("Well 🙂 then 🇵🇹"),
        chat_text(people.long_text(scene.random, 900)), chat_text(people.long_text(scene.random, 4100)),
        link(scene), reply(scene), edited(scene), forwarded(scene),
        replace(text(scene), forwarding_score=MANY_FORWARDS),
        picture(scene, caption="A caption with *bold* and 🌊", form="JPEG"),
        picture(scene, caption=None, form="PNG"), picture(scene, caption=None, form="JPEG"),
        video(scene), gif(scene), video_note(scene), sticker(scene), document(scene), audio(scene),
        voice(scene), place(scene, "Mill Bridge Café", "3 Mill Lane"), place(scene, "North Pier", None),
        place(scene, None, None), live_location(scene),
        contact_card(scene), contact_cards(scene), poll(scene), group_invite(scene),
        deleted(scene), waiting(scene), view_once(scene),
        one_call("missed", video=False, seconds=0), one_call("missed", video=True, seconds=0),
        one_call("completed", video=False, seconds=75), one_call("no_answer", video=True, seconds=0),
        replace(reply(scene), is_edited=True), chat_text("That was everything."),
    ]  # fmt: skip


def group_showcase(scene: Scene) -> list[Draft]:
    """What only groups have, among ordinary talk."""
    name = scene.world.name_of
    first, second, third = (*scene.others, *scene.others, *scene.others)[:3]
    return [
        mention(scene), text(scene), reply(scene), picture(scene, caption="For all of you"),
        notice("gp2", "subject", f"{name(first)} changed the group name from “Old” to “{_subject(scene)}”"),
        notice("gp2", "description", f"{name(second)} changed the group description. Click to view."),
        notice("gp2", "picture", f"{name(first)} changed this group's icon"),
        notice("gp2", "add", f"{name(first)} added {name(third)}"),
        notice("gp2", "leave", "+1 (555) 010-7788 left"),
        notice("gp2", "promote", f"{name(second)} is now an admin"),
        notice("pinned_message", "pin", f"{name(second)} pinned a message"),
        deleted_by_admin(scene), deleted(scene), poll(scene), emoji_only(scene), forwarded(scene),
        edited(scene), voice(scene), document(scene), sticker(scene), waiting(scene), view_once(scene),
        text(scene), reply(scene),
    ]  # fmt: skip


def is_notice(draft: Draft) -> bool:
    return draft.type in NOTICE_TYPES


def stanza_id(random: Random, message_type: str) -> str:
    """Return a message id in the shape of one of the clients; notices of groups have numbers."""
    if message_type == "gp2":
        return "".join(random.choices(string.digits[1:], k=19))
    prefix, length = random.choice((("3EB0", 22), ("3A", 20), ("AC", 32), ("A5", 32)))
    return prefix + "".join(random.choices(_UPPER_HEX, k=length - len(prefix)))


def fresh_key(random: Random, chat_id: str, *, from_me: bool) -> str:
    """Return the key of an edit or a reaction: they travel as messages of their own."""
    return f"{'true' if from_me else 'false'}_{chat_id}_{stanza_id(random, 'chat')}"


def quoted_body(world: World, message: Message) -> dict[str, object]:
    """Return what a reply carries of the message it answers."""
    body = message.body
    words = body.get("body") or body.get("caption") or body.get("question") or body.get("name") or ""
    author = message.author_id or message.chat_id
    return {"author": author, "author_name": world.name_of(author), "text": words, "type": message.type}


def _visual(scene: Scene, *, caption: str | None) -> dict[str, object]:
    body: dict[str, object] = {"caption": caption, "mentions": {}, "thumb": scene.library.thumb()}
    return {**body, "gif": False, "view_once": False, "quoted": None}


def _coordinates(scene: Scene) -> dict[str, float]:
    random = scene.random
    return {"lat": round(random.uniform(-60, 60), 5), "lng": round(random.uniform(-179, 179), 5)}


def _subject(scene: Scene) -> str:
    return scene.world.groups[scene.chat.id].subject
