"""The talk of the recorded screens, sent once more to the stand-in: message for message, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from whatsapp_etl.simulator.serve import RunningSimulator

NOW = datetime(2026, 11, 20, 11, 24, tzinfo=UTC)
_DAY = datetime(2026, 2, 3, 14, 6, tzinfo=UTC)

Talk = Mapping[str, tuple[str, dict[str, Any]] | None]

_MEDIA_KEPT = {"body": {"caption": None}}
_PREVIEW = {
    "title": "Example Article",
    "description": "An example description",
    "domain": "example.org",
    "url": "https://example.org/article",
}
_POLL = {
    "question": "Lunch where?",
    "multi": False,
    "options": [{"name": "Pizza", "votes": 0}, {"name": "Sushi", "votes": 0}],
}
_ENCRYPTED = (
    "Messages are end-to-end encrypted. No one outside of this chat, not even WhatsApp, can read or listen to"
    " them. Click to learn more"
)
_NEW_CODE = "Your security code with Alice Example changed. Click to learn more"
_STATION = {"name": "Central Station", "address": "Some Street 1", "lat": 52.5, "lng": 13.4}
_DEFAULT_TIMER = (
    "Alice Example uses a default timer for disappearing messages in new chats. New messages will disappear"
    " from this chat 7 days after they're sent, except when kept. Click to learn more."
)

#: What both conversations with text begin with, name by name; None: the stand-in cannot send it.
TEXTS: Talk = {
    "text_in": ("chat", {"body": "Hello from Alice"}),
    "text_out_clock": ("chat", {"body": "pending message", "sender": "me", "ack": 0}),
    "text_out_sent": ("chat", {"body": "sent message", "sender": "me", "ack": 1}),
    "text_out_delivered": ("chat", {"body": "delivered message", "sender": "me", "ack": 2}),
    "text_out_read": ("chat", {"body": "read message", "sender": "me", "ack": 3}),
    "text_out_failed": ("chat", {"body": "failed message", "sender": "me", "ack": 0}),
    "multiline": ("chat", {"body": "line one\nline two\n\nline four"}),
    "formatting": ("chat", {"body": "*bold* _italic_ ~strike~ `code` ```mono block``` *_both_*"}),
    "lists": ("chat", {"body": "- apples\n- pears\n\n1. first\n2. second\n\n* star item"}),
    "blockquote": ("chat", {"body": "> quoted line\nnormal line"}),
    "quote_target": ("chat", {"body": "target of the quote"}),
    "mention": (
        "chat",
        {"body": "hi @15551001002 see this", "mentions": {"15551001002@c.us": "Bob Beispiel"}},
    ),
    "mention_lid_out": (
        "chat",
        {
            "body": "hi @99887766554433 ok",
            "mentions": {"99887766554433@lid": "Lid Person"},
            "sender": "me",
            "ack": 1,
        },
    ),
    "emoji_one": ("chat", {"body": "😀"}),
    "emoji_three": ("chat", {"body": "👍🏽❤️👨‍👩‍👧"}),
    "emoji_mixed": ("chat", {"body": "party 🎉 time"}),
    "rtl_text": ("chat", {"body": "مرحبا بالعالم"}),
    "long_readmore": ("chat", {"body": "long text " * 300}),
    "url_plain": ("chat", {"body": "see https://example.org/page?x=1 now"}),
    "url_preview": ("chat", {"body": {"body": "see https://example.org/article", "preview": _PREVIEW}}),
    "email_phone": ("chat", {"body": "mail me at someone@example.org or call +49 30 1234567"}),
    "quote_reply_in": ("chat", {"body": "replying to you", "quotes": "text_out_sent"}),
    "quote_reply_out": (
        "chat",
        {"body": "replying to target", "quotes": "quote_target", "sender": "me", "ack": 1},
    ),
    "quote_image": ("chat", {"body": "nice picture", "quotes": "quote_target"}),
    "forwarded": ("chat", {"body": "forwarded once", "forwarding_score": 1}),
}
PERSON: Talk = {
    "sys_e2e": ("e2e_notification", {"body": _ENCRYPTED, "subtype": "encrypt"}),
    "sys_security": ("e2e_notification", {"body": _NEW_CODE}),
    "sys_ephemeral": ("gp2", {"body": _DEFAULT_TIMER, "subtype": "disappearing_mode"}),
    **TEXTS,
    "forwarded_many": ("chat", {"body": "forwarded many times", "forwarding_score": 5}),
    "edited": ("chat", {"body": "a body", "edit": "edited body"}),
}
MEDIA: Talk = {
    "sys_e2e": ("e2e_notification", {"body": _ENCRYPTED, "subtype": "encrypt"}),
    "edited_out": ("chat", {"body": "a body", "edit": "edited own body", "sender": "me", "ack": 1}),
    "revoked_in": ("revoked", {}),
    "revoked_out": ("revoked", {"sender": "me"}),
    "reaction_one": ("chat", {"body": "one reaction", "reactions": {"them": "👍"}}),
    "reaction_many": (
        "chat",
        {
            "body": "many reactions",
            "sender": "me",
            "ack": 1,
            "reactions": {"them": "👍", "me": "😂", "15551001002@c.us": "❤️"},
        },
    ),
    "starred": None,
    "image_caption": ("image", {"body": "image caption"}),
    "text_sep1": ("chat", {"body": "separator"}),
    "image_nocaption": ("image", {"sender": "me", "ack": 1}),
    "image_downloadable": ("image", {"body": "served image"}),
    "video": ("video", {"body": "video caption"}),
    "gif": ("gif", {}),
    "ptv": ("ptv", {}),
    "sticker": ("sticker", {"body": {"label": None}}),
    "document": ("document", _MEDIA_KEPT),
    "document_caption": ("document", {"body": "see the sheet"}),
    "audio": ("audio", {}),
    "voice_in": ("ptt", {}),
    "voice_out": ("ptt", {"sender": "me", "ack": 3}),
    "location": ("location", {"body": _STATION}),
    "location_bare": ("location", {"body": {**_STATION, "name": None, "address": None}}),
    "live_location": ("live_location", {"body": {"caption": None}}),
    "contact_card": ("vcard", {"body": {"name": "Bob Sample"}}),
    "contact_cards": ("multi_vcard", {"body": {"names": ["Bob Sample", "Cy Sample"]}}),
    "poll": ("poll_creation", {"body": _POLL}),
    "event": ("event_creation", {}),
    "group_invite": ("groups_v4_invite", {"body": {"group_name": "Other Group", "caption": "join us"}}),
    "call_missed_voice": ("call_log", {"body": {"video": False, "outcome": "missed", "seconds": 0}}),
    "call_done_video": (
        "call_log",
        {"body": {"video": True, "outcome": "completed", "seconds": 65}, "sender": "me"},
    ),
    "view_once_image": None,
    "view_once_unavailable": ("view_once", {}),
    "ciphertext": ("ciphertext", {}),
    "unknown_type": ("unknown", {}),
    "album_image_0": ("album", {}),
    "text_sep2": ("chat", {"body": "after album"}),
    "yesterday_text": ("chat", {"body": "from yesterday", "at": "2026-11-19T11:21:00+00:00"}),
    "today_text": ("chat", {"body": "from today", "at": "2026-11-20T09:21:00+00:00"}),
    "midnight": ("chat", {"body": "just after midnight", "at": "2026-11-20T09:22:00+00:00"}),
}
#: Notices of the recorded group have no words: they are left out.
GROUP: Talk = dict.fromkeys(("sys_e2e", *(f"sys_{number}" for number in range(10)))) | TEXTS


HISTORY: Talk = {f"hist {number}": ("chat", {"body": f"hist {number}"}) for number in range(5)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One chat of the recorded list: how it is set, and its newest message."""

    talk: Talk
    settings: Mapping[str, object] = field(default_factory=dict)
    is_marked_unread: bool = False


def _entry(kind: str, body: object = None, **fields: object) -> Entry:
    return Entry({"last": (kind, ({} if body is None else {"body": body}) | fields)})


LIST: Mapping[str, Entry] = {
    "Pinned Person": Entry({"last": ("chat", {"body": "pinned one"})}, {"pinned_at": 1763000000}),
    "Marked Unread": Entry({"last": ("chat", {"body": "marked unread"})}, is_marked_unread=True),
    "Muted Person": Entry({"last": ("chat", {"body": "muted one"})}, {"mute_expiration": -1}),
    "Own Clock": _entry("chat", "own last Clock", sender="me", ack=0),
    "Own Sent": _entry("chat", "own last Sent", sender="me", ack=1),
    "Own Delivered": _entry("chat", "own last Delivered", sender="me", ack=2),
    "Own Read": _entry("chat", "own last Read", sender="me", ack=3),
    "Preview Image": _entry("image"),
    "Preview Document": _entry("document", {"caption": None}),
    "Preview Voice": _entry("ptt"),
    "Preview Video": _entry("video", {"caption": None}),
    "Preview Sticker": _entry("sticker", {"label": None}),
    "Preview Location": _entry("location", {"name": None, "address": None}),
    "Preview Contact": _entry("vcard", {"name": "Bob Sample"}),
    "Preview Deleted": _entry("revoked"),
    "Preview Waiting": _entry("ciphertext"),
    "Preview Poll": _entry("poll_creation", _POLL),
    "Preview Missed Call": _entry("call_log", {"video": False, "outcome": "missed", "seconds": 0}),
    "Emoji 🚀 Team ❤️": _entry("chat", "🎉 done"),
    "مجموعة العائلة": _entry("chat", "مرحبا"),
}


class Stage:
    """A stand-in in which the recorded talk is held again."""

    def __init__(self, simulator: RunningSimulator, kinds: frozenset[str]) -> None:
        self._simulator = simulator
        self._kinds = kinds

    def hold(self, chat: str, talk: Talk, them: str) -> dict[str, str]:
        """Send a talk into a chat; return the external ids of what could be sent, by name."""
        sent: dict[str, str] = {}
        for minute, (name, line) in enumerate(talk.items()):
            if line is None or line[0] not in self._kinds:
                continue
            kind, given = line[0], dict(line[1])
            sender = given.pop("sender", them)
            reactions, edit, quotes = (
                given.pop("reactions", {}),
                given.pop("edit", None),
                given.pop("quotes", None),
            )
            if quotes:
                given["quoted"] = sent[quotes]
            at = {"at": (_DAY + timedelta(minutes=minute)).isoformat()}
            sent[name] = self._simulator.add_message(chat, type=kind, sender=sender, **(at | given))
            if edit:
                self._simulator.edit(sent[name], edit)
            for reactor, emoji in reactions.items():
                self._simulator.react(sent[name], emoji, sender=them if reactor == "them" else reactor)
        return sent
