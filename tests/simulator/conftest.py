"""One chat with a message of every kind, drawn in full, for the tests that look at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.fixtures.page import FOCUS_SHIELD, new_context
from tests.simulator.conversation_page import open_chat, row
from whatsapp_etl.simulator.serve import RunningSimulator, SimulatorOptions

AT = datetime(2026, 3, 14, 19, 5, tzinfo=UTC).isoformat()
LONG = " ".join(f"word{number}" for number in range(700))

PREVIEW = {
    "title": "An article",
    "description": "About it",
    "domain": "example.org",
    "url": "https://example.org/a",
}
PLACE = {"lat": 52.5, "lng": 13.4, "name": "Mill House", "address": "Mill Lane 3"}
MISSED = {"video": False, "outcome": "missed", "seconds": 0}
DONE = {"video": True, "outcome": "completed", "seconds": 200}
#: name: (kind, fields of the call)
SENT: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("chat", {"body": "Hello there"}),
    "own": ("chat", {"body": "From me", "sender": "me"}),
    "formatted": ("chat", {"body": "*bold* _it_ ~gone~ `code` ```mono``` *_both_*"}),
    "lists": ("chat", {"body": "- a\n- b\n\n1. c\n2. d\n\n* e"}),
    "quote_mark": ("chat", {"body": "> said before\nthe answer"}),
    "paragraphs": ("chat", {"body": "one\n\nthree"}),
    "emoji_one": ("chat", {"body": "😀"}),
    "emoji_three": ("chat", {"body": "👍🏽❤️👨‍👩‍👧"}),
    "emoji_mixed": ("chat", {"body": "party 🎉 time"}),
    "rtl": ("chat", {"body": "مرحبا بالعالم"}),
    "url": ("chat", {"body": "see https://example.org/page?x=1 now"}),
    "mail": ("chat", {"body": "mail to someone@example.org or +49 30 1234567"}),
    "preview": ("chat", {"body": {"body": "see https://example.org/a", "preview": PREVIEW}}),
    "long": ("chat", {"body": LONG}),
    "forwarded": ("chat", {"body": "Pass it on", "forwarding_score": 1}),
    "forwarded_often": ("chat", {"body": "Pass it on!", "forwarding_score": 5}),
    "image": ("image", {}),
    "image_caption": ("image", {"body": "With *words*"}),
    "video": ("video", {"body": {"caption": None}}),
    "video_caption": ("video", {"body": "Moving"}),
    "gif": ("gif", {}),
    "video_note": ("ptv", {}),
    "sticker": ("sticker", {"body": {"label": "🙂"}}),
    "sticker_bare": ("sticker", {"body": {"label": None}}),
    "document": ("document", {"body": {"caption": None}}),
    "document_caption": ("document", {"body": "The plan"}),
    "audio": ("audio", {}),
    "voice": ("ptt", {}),
    "place": ("location", {"body": PLACE}),
    "place_bare": ("location", {"body": {**PLACE, "name": None, "address": None}}),
    "live": ("live_location", {"body": {"caption": "On my way"}}),
    "card": ("vcard", {"body": {"name": "Bob Sample"}}),
    "cards": ("multi_vcard", {"body": {"names": ["Bob Sample", "Cy Sample", "Di Sample"]}}),
    "poll": (
        "poll_creation",
        {"body": {"question": "Lunch where?", "multi": False,
         "options": [{"name": "Pizza", "votes": 2}, {"name": "Soup", "votes": 0}]}},
    ),
    "invite": ("groups_v4_invite", {"body": {"group_name": "Book club", "caption": "Join us"}}),
    "deleted": ("revoked", {}),
    "deleted_own": ("revoked", {"sender": "me"}),
    "waiting": ("ciphertext", {}),
    "view_once": ("view_once", {}),
    "call_missed": ("call_log", {"body": MISSED}),
    "call_done": ("call_log", {"body": DONE, "sender": "me"}),
    "notice": ("e2e_notification", {"body": "Your security code with Ada Kind changed. Click to learn more"}),
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """One chat with a message of every kind, drawn in full."""

    simulator: RunningSimulator
    page: Page
    keys: dict[str, str]  # external ids by the names above

    def __getitem__(self, name: str) -> Locator:
        return row(self.page, self.keys[name])


@pytest.fixture(scope="module")
def shown(small_world: SimulatorOptions, page_browser: Browser) -> Iterator[Shown]:
    options = replace(small_world, chats=1, messages=0, extras=False)
    with RunningSimulator(options) as simulator:
        chat = simulator.add_chat(name="Ada Kind")
        keys = {
            name: simulator.add_message(chat, type=kind, at=AT, **fields)
            for name, (kind, fields) in SENT.items()
        }
        keys["reply"] = simulator.add_message(chat, "Yes", quoted=keys["text"], at=AT)
        keys["reply_own"] = simulator.add_message(chat, "No", quoted=keys["own"], at=AT)
        keys["mention"] = simulator.add_message(
            chat, f"hi @{chat.partition('@')[0]} ok", mentions={chat: "Ada Kind"}, at=AT
        )
        simulator.edit(keys["reply"], "Yes indeed")
        simulator.react(keys["url"], "👍", sender=chat)
        simulator.react(keys["mail"], "👍", sender=chat)
        simulator.react(keys["mail"], "❤", sender="me")
        context = new_context(page_browser, viewport={"width": 1200, "height": 4000})
        context.add_init_script(FOCUS_SHIELD)
        page = context.new_page()
        page.goto(simulator.url)
        open_chat(page, "Ada Kind")
        page.wait_for_function("() => !document.querySelector('#main [data-virtualized=true]')")
        yield Shown(simulator, page, keys)
        context.close()
