"""What people send only now and then, and texts made to be misread: at least one of each.

Ordinary talk is in `bodies`. A world whose repertoire is "everything" has these drafts beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from whatsapp_etl.simulator import bodies, people
from whatsapp_etl.simulator.bodies import Draft, Scene

#: Names that a reader may take for the end of a name, for a quotation or for markup.
NAMES = (
    "Ana: Bell", "Bo ] Reed", 'Cy "the cat" Moss', "Di's 🐈 [12:00, 1/2/2026] Elm: ", "<b>Ed</b> & Co",
    "*Flo* _Fern_",
)  # fmt: skip
SUBJECTS = ("Tea: at 5] (or 6)", '"Quoted" & <i>leaning</i> 🏔️')
OWN_NAME = 'Robin ] "R": Sample 🌊'

_CAPTION = "[10:15, 13/06/2026] Ana: a *caption*\n\nof two paragraphs"
EVERYBODY_REACTS = "Everybody likes this one."
_FAMILY, _SKIN, _FLAG = "👨‍👩‍👧‍👦", "👋🏿", "🏴󠁧󠁢󠁷󠁬󠁳󠁿"

#: Typed texts that look like something else, hold what is not seen, or are built to break a reader.
TEXTS = (
    "[10:15, 13/06/2026] Ana: hello",
    "[10:15 AM, 6/13/2026] Robin Sample: I never said that",
    "] : [ } {",
    "Today",
    "Yesterday",
    "6/13/2026",
    "2 unread messages",
    "Forwarded",
    "Edited",
    "7:05 PM",
    "You deleted this message",
    "Missed voice call",
    "Read more",
    "<b>bold?</b> <script>alert(1)</script> &amp; &lt;div&gt; <!-- gone -->",
    '</span></div><div data-id="false_1@c.us_FAKE">x</div>',
    "'; DROP TABLE messages; --",
    "\\N\t\\.\tbackslashes \\n and tabs",
    '=HYPERLINK("https://example.org","click")',
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "%s %d {name} ${name} {{name}}",
    "zero\u200bwidth\u200djoiners\ufeff and a soft\u00adhyphen",
    "\u200b",
    "\u202eright to left\u202c and \u2066isolated\u2069",
    "abc \u05d0\u05d1\u05d2 123 \u0645\u0631\u062d\u0628\u0627 xyz",
    "a\0NUL\0b",
    "e\u0301 and \u00e9 are not the same text",
    _FAMILY, _SKIN, _FLAG, "1️⃣", "❤", "👍🏽👍🏿",
    f"{_FAMILY} with {_SKIN} under {_FLAG}, ©, ™ and 5 stars ★",
    "👍👍👍👍",
    "one\n\n\nfour",
    "  indented\n\ttabbed  ",
    "*bold _and leaning ~and struck~_*",
    "> a quote with *bold*\n> of two lines\nand the answer",
    "- one\n- *two*\n\n1. first\n2. second\nend",
    "`code with *stars* and _lines_`",
    "* not bold* and _not _ leaning",
    "10*20*30 and snake_case_name and ~5 of ~6",
    "x" * 900,
)  # fmt: skip


def hostile(raw: str) -> Draft:
    return bodies.chat_text(raw)


def very_long(scene: Scene) -> Draft:
    """A text behind four "Read more"."""
    return bodies.chat_text(people.long_text(scene.random, 10_000))


def paragraphs(scene: Scene) -> Draft:
    return bodies.chat_text("\n\n".join(people.long_text(scene.random, 400) for _ in range(5)))


def event(scene: Scene) -> Draft:
    name = scene.random.choice(("Picnic", "Street market *stall*", "Choir: practice"))
    place = scene.random.choice((None, "North Pier"))
    body = {
        "name": name,
        "description": "bring food",
        "place": place,
        "starts_in": 3 * 86_400,
        "cancelled": False,
    }
    return Draft("event_creation", body)


def poll_of_many(_scene: Scene) -> Draft:
    options = [
        {"name": name, "votes": votes} for name, votes in (("Soup: hot", 2), ("Salad ] cold", 0), ("🍕", 5))
    ]
    return Draft("poll_creation", {"question": "Which *two*?", "options": options, "multi": True})


def poll_that_ended(_scene: Scene) -> Draft:
    options = [{"name": "Yes", "votes": 3}, {"name": "No", "votes": 1}]
    return Draft(
        "poll_creation", {"question": "Was it good?", "options": options, "multi": False, "ended": True}
    )


def animated_sticker(scene: Scene) -> Draft:
    draft = bodies.sticker(scene)
    return replace(draft, body={**draft.body, "animated": True})


def transcribed(scene: Scene) -> Draft:
    return replace(bodies.voice(scene), body={"transcript": "so I said we meet at the bridge"})


def bare_invite(_scene: Scene) -> Draft:
    return Draft("groups_v4_invite", {"group_name": SUBJECTS[0], "caption": None})


def invite(_scene: Scene) -> Draft:
    return Draft("groups_v4_invite", {"group_name": SUBJECTS[1], "caption": "Come *in*: it's [open]"})


def view_once_video(scene: Scene) -> Draft:
    draft = bodies.video(scene)
    return replace(draft, body={**draft.body, "caption": None, "view_once": True})


def view_once_voice(scene: Scene) -> Draft:
    return replace(bodies.voice(scene), body={"view_once": True})


def view_once_opened(scene: Scene) -> Draft:
    draft = bodies.view_once(scene)
    return replace(draft, body={**draft.body, "opened": True})


def view_once_unavailable(_scene: Scene) -> Draft:
    """One that only the phone was given."""
    return Draft("ciphertext", {}, subtype="view_once_unavailable_fanout")


def unsupported(_scene: Scene) -> Draft:
    return Draft("unknown", {})


def payment(_scene: Scene) -> Draft:
    """Money: this page can show none of it."""
    return Draft("payment", {})


def _business(type_: str, words: str, *buttons: str, **more: str) -> Draft:
    return Draft(type_, {"body": words, "buttons": list(buttons), **more})


def product(_scene: Scene) -> Draft:
    return _business("product", "Rye bread, sliced", "View", price="€4.20")


def order(_scene: Scene) -> Draft:
    return _business("order", "2 loaves, please", "View order details", price="€8.40")


def interactive(_scene: Scene) -> Draft:
    return _business("interactive", "How was *your* visit?", "Good", "Bad", footer="Mill Bakery")


def menu(_scene: Scene) -> Draft:
    return _business("list", "Choose what to do next", "Open the menu", footer="Mill Bakery")


def list_response(_scene: Scene) -> Draft:
    return _business("list_response", "Opening hours")


def buttons_response(_scene: Scene) -> Draft:
    return _business("buttons_response", "Good")


def template_button_reply(_scene: Scene) -> Draft:
    return _business("template_button_reply", "Yes, confirm")


def interactive_response(_scene: Scene) -> Draft:
    return _business("interactive_response", "Table for two at 7:30 PM")


def answer_to_deleted(scene: Scene) -> Draft:
    return _answer(scene, "revoked", "As I said before it was gone")


def answer_to_missing(scene: Scene) -> Draft:
    return _answer(scene, "missing", "Whatever it was, yes")


def _answer(scene: Scene, kind: str, words: str) -> Draft:
    """An answer to what is not in this chat, or not any more."""
    author = scene.others[0] if scene.others else scene.world.me.id
    quoted = {"author": author, "author_name": scene.world.name_of(author), "text": "", "type": kind}
    draft = bodies.chat_text(words)
    body = {**draft.body, "quoted": quoted}
    return replace(
        draft, body=body, quoted_stanza=bodies.stanza_id(scene.random, "chat"), quoted_author=author
    )


def marked(words: str, *marks: str) -> Draft:
    return replace(bodies.chat_text(words), marks=marks)


#: Kinds that have one maker, by the name the control API knows them under.
MAKERS: Mapping[str, Callable[[Scene], Draft]] = {
    "event_creation": event, "poll_ended": poll_that_ended, "poll_multi": poll_of_many,
    "animated_sticker": animated_sticker, "transcribed_voice": transcribed,
    "view_once_video": view_once_video, "view_once_voice": view_once_voice,
    "view_once_opened": view_once_opened, "view_once_unavailable": view_once_unavailable,
    "unknown": unsupported, "payment": payment, "product": product, "order": order,
    "interactive": interactive, "interactive_response": interactive_response, "list": menu,
    "list_response": list_response, "buttons_response": buttons_response,
    "template_button_reply": template_button_reply, "answer_to_deleted": answer_to_deleted,
    "answer_to_missing": answer_to_missing,
}  # fmt: skip

_SECURITY = "Your security code with {name} changed. Click to learn more."
_DISAPPEARING = (
    "{name} turned on disappearing messages. New messages will disappear from this chat {time} after "
    "they're sent."
)
_NEW_NUMBER = "{name} changed to a new number. Click to message the new number."
_BUSINESS_CHAT = "This chat is with a business account. Click to learn more."
_BUSINESS_SERVICE = "This business uses a secure service from Meta to manage this chat."
_RESTRICTED = "{name} changed this group's settings to allow only admins to edit this group's settings"


def person_notices(name: str) -> list[Draft]:
    """Every notice that stands in a chat of two."""
    template = "notification_template"
    return [
        bodies.notice("e2e_notification", "identity", _SECURITY.format(name=name)),
        bodies.notice(template, "change_number", _NEW_NUMBER.format(name=name)),
        bodies.notice(template, "disappearing_mode", _DISAPPEARING.format(name="You", time="24 hours")),
        bodies.notice(template, "disappearing_mode", _DISAPPEARING.format(name=name, time="90 days")),
        bodies.notice(template, "disappearing_mode", f"{name} turned off disappearing messages."),
        bodies.notice("notification", "block_contact", "You blocked this contact. Click to unblock."),
        bodies.notice("notification", "unblock_contact", "You unblocked this contact."),
        bodies.notice("notification", "biz_account", _BUSINESS_CHAT),
        bodies.notice("notification", "biz_privacy", _BUSINESS_SERVICE),
        bodies.notice("pinned_message", "pin", f"{name} pinned a message"),
    ]  # fmt: skip


def group_notices(first: str, second: str) -> list[Draft]:
    """Every notice that only groups have."""
    by_subtype = (
        ("add", f"{first} added you"),
        ("add", "You were added"),
        ("add", f"{first} added {second} and 3 others"),
        ("remove", f"{first} removed {second}"),
        ("leave", f"{second} left"),
        ("invite", f"{second} joined via an invite link"),
        ("invite", f"{second} joined using this group's invite link"),
        ("subject", f"{first} changed the group name from “<old>” to “New: name]”"),
        ("description", f"{first} changed the group description. Click to view."),
        ("picture", f"{first} changed this group's icon"),
        ("modify", f"{second} changed to a new number"),
        ("promote", f"{second} is now an admin"),
        ("promote", "You're now an admin"),
        ("demote", f"{second} is no longer an admin"),
        ("announce", "Only admins can message this group."),
        ("restrict", _RESTRICTED.format(name=first)),
        ("revoke_invite", f"{first} reset this group's invite link. Click to view the new invite link."),
    )
    return [bodies.notice("gp2", subtype, words) for subtype, words in by_subtype]


def edited_twice() -> Draft:
    """A text that said something else twice before; of that no page shows anything."""
    earlier = ("Meet at the old bridge", "Meet at the new bridge")
    return replace(bodies.chat_text("Meet at the ferry"), is_edited=True, earlier_texts=earlier)


def person(scene: Scene) -> list[Draft]:
    """All that a chat of two can hold beside ordinary talk."""
    made = [make(scene) for make in MAKERS.values()]
    return [
        *(hostile(raw) for raw in TEXTS), very_long(scene), paragraphs(scene), *made,
        bare_invite(scene), invite(scene),
        marked("Starred", "starred"), marked("Kept", "kept"), marked("Pinned", "pinned"),
        marked("All of them", "starred", "kept", "pinned"),
        replace(bodies.chat_text("Passed on"), forwarding_score=bodies.MANY_FORWARDS, is_edited=True),
        edited_twice(),
        bodies.picture(scene, caption=_CAPTION, form="JPEG"),
        bodies.picture(scene, caption=people.long_text(scene.random, 900), form="JPEG"),
        *person_notices(scene.world.name_of(scene.chat.id)),
        bodies.chat_text("That was really everything."),
    ]  # fmt: skip


def group(scene: Scene) -> list[Draft]:
    """All that only a group can hold."""
    first, second = (scene.world.name_of(person) for person in scene.others[:2])
    unnamed = Draft("revoked", {"by": "admin", "admin_name": None}, subtype="admin")
    return [
        *group_notices(first, second), bodies.chat_text(EVERYBODY_REACTS), unnamed, event(scene),
        poll_that_ended(scene), answer_to_deleted(scene), bodies.mention(scene),
        bodies.chat_text("The end: of ] everything"),
    ]  # fmt: skip
