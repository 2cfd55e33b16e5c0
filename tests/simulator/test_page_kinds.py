"""Every kind of message on the stand-in's page, in the shape that the real page gives it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.fixtures.page import FOCUS_SHIELD, ORDINARY_AGENT
from tests.simulator.conversation_page import open_chat, row
from whatsapp_etl.simulator.serve import RunningSimulator, SimulatorOptions

AT = datetime(2026, 3, 14, 19, 5, tzinfo=UTC).isoformat()
PRE = "[7:05 PM, 3/14/2026] Ada Kind: "
OWN_PRE = re.compile(r"^\[7:05 PM, 3/14/2026\] (?!Ada)[^:]+: $")
COPYABLE = "div.copyable-text[data-pre-plain-text]"
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
WITHOUT_PRE = {
    "emoji_one", "image", "video", "gif", "video_note", "sticker", "sticker_bare", "document",
    "document_caption", "audio", "voice", "cards", "deleted", "deleted_own", "waiting", "view_once",
    "call_missed", "call_done", "notice",
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
        context = page_browser.new_context(
            user_agent=ORDINARY_AGENT,
            viewport={"width": 1200, "height": 4000},
            locale="en-US",
            timezone_id="UTC",
        )
        context.add_init_script(FOCUS_SHIELD)
        page = context.new_page()
        page.goto(simulator.url)
        open_chat(page, "Ada Kind")
        page.wait_for_function("() => !document.querySelector('#main [data-virtualized=true]')")
        yield Shown(simulator, page, keys)
        context.close()


@pytest.mark.parametrize("name", [*SENT, "reply", "mention"])
def test_the_copied_text_starts_with_time_and_sender_where_the_real_page_has_it(shown: Shown, name: str):
    copyable = shown[name].locator(COPYABLE)
    values = [
        value
        for value in copyable.evaluate_all("nodes => nodes.map(n => n.dataset.prePlainText)")
        if value[0] == "["
    ]

    if name in WITHOUT_PRE:
        assert values == []
    elif name == "own":
        assert len(values) == 1
        assert OWN_PRE.match(values[0])
    else:
        assert values == [PRE]


@pytest.mark.parametrize("name", [name for name in SENT if name != "notice"])
def test_every_message_shows_its_time_and_repeats_it_only_unseen(shown: Shown, name: str):
    meta = shown[name].locator("[data-testid=msg-meta] span[dir=auto]")

    assert meta.evaluate("node => node.innerText") == "7:05 PM"
    hidden = shown[name].locator("span[aria-hidden=true]").filter(has_text="7:05 PM")
    assert all(
        hidden.evaluate_all("nodes => nodes.map(node => !node.checkVisibility({ checkVisibilityCSS: true }))")
    )


def test_formatting_remembers_its_marks(shown: Shown):
    text = shown["formatted"]
    templates = text.locator("[data-app-text-template]").evaluate_all(
        "nodes => nodes.map(node => [node.tagName, node.dataset.appTextTemplate, node.innerText])"
    )

    assert templates == [
        ["STRONG", "*${appText}*", "bold"],
        ["EM", "_${appText}_", "it"],
        ["DEL", "~${appText}~", "gone"],
        ["CODE", "`${appText}`", "code"],
        ["CODE", "```${appText}```", "mono"],
        ["STRONG", "*${appText}*", "both"],
        ["EM", "_${appText}_", "both"],
    ]


def test_list_items_have_marks_of_their_own(shown: Shown):
    items = (
        shown["lists"]
        .locator("li > span")
        .evaluate_all(
            "nodes => nodes.map(n => [n.parentNode.parentNode.tagName, n.dataset.prePlainText, n.innerText])"
        )
    )

    assert items == [
        ["UL", "- ", "a"],
        ["UL", "- ", "b"],
        ["OL", "1. ", "c"],
        ["OL", "2. ", "d"],
        ["UL", "* ", "e"],
    ]


def test_a_quoted_line_is_a_blockquote_with_a_mark_of_its_own(shown: Shown):
    quote = shown["quote_mark"].locator("blockquote")

    assert quote.get_attribute("data-pre-plain-text") == "> "
    assert quote.evaluate("node => node.textContent") == "said before\n"


def test_blank_lines_are_in_the_nodes_but_not_in_the_visible_text(shown: Shown):
    text = shown["paragraphs"].locator("span[data-testid=selectable-text]")

    assert text.evaluate("node => node.textContent") == "one\n\nthree"
    assert text.evaluate("node => node.innerText") == "one\nthree"


def test_a_single_emoji_is_drawn_large_and_twice(shown: Shown):
    images = shown["emoji_one"].locator("img[alt]")

    assert (
        images.evaluate_all("nodes => nodes.map(node => [node.alt, node.dataset.plainText])")
        == [["😀", "😀"]] * 2
    )
    assert (
        shown["emoji_one"]
        .locator("[data-testid=selectable-text]")
        .first.evaluate("node => node.innerText.trim()")
        == ""
    )


def test_joined_emoji_stay_whole(shown: Shown):
    images = shown["emoji_three"].locator("img.emoji")

    assert images.evaluate_all("nodes => nodes.map(node => node.alt)") == ["👍🏽", "❤️", "👨‍👩‍👧"]


def test_an_emoji_in_a_text_is_an_image_with_the_character(shown: Shown):
    image = shown["emoji_mixed"].locator("img.emoji")

    assert image.get_attribute("alt") == image.get_attribute("data-plain-text") == "🎉"
    assert (image.get_attribute("src") or "").startswith("data:image/gif;base64,")


def test_a_text_written_from_the_right_says_so(shown: Shown):
    assert shown["rtl"].locator("span[data-testid=selectable-text]").get_attribute("dir") == "rtl"


def test_links_are_anchors_and_numbers_have_no_address(shown: Shown):
    link = shown["url"].locator("a")
    addresses = (
        shown["mail"]
        .locator("a")
        .evaluate_all("nodes => nodes.map(n => [n.innerText, n.getAttribute('href')])")
    )

    assert link.get_attribute("href") == link.inner_text() == "https://example.org/page?x=1"
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert addresses == [["someone@example.org", "mailto:someone@example.org"], ["+49 30 1234567", None]]


def test_a_mention_carries_the_id_and_the_name(shown: Shown):
    mention = shown["mention"].locator("[data-jid]")

    assert mention.inner_text() == mention.get_attribute("data-plain-text") == "@Ada Kind"
    assert (mention.get_attribute("data-app-text-template") or "").strip("\u200b").endswith("@c.us")


def test_a_links_preview_stands_inside_the_copied_text(shown: Shown):
    preview = shown["preview"].locator(f"{COPYABLE} [data-testid=link-preview-container]")

    parts = ("link-preview-title", "link-description", "url-element")
    assert [preview.get_by_test_id(part).inner_text() for part in parts] == [
        "An article",
        "About it",
        "example.org",
    ]


def test_a_long_text_is_cut_until_read_more_is_clicked_to_the_end(shown: Shown):
    text = shown["long"].locator("span[data-testid=selectable-text]")
    button = shown["long"].get_by_test_id("caption-read-more-button")
    lengths = []
    while button.count():
        assert text.inner_text().endswith("…")
        lengths.append(len(text.inner_text()) - 1)
        button.click()

    assert lengths == [769, 769 + 3072]
    assert text.inner_text() == LONG


@pytest.mark.parametrize(
    ("name", "words"), [("forwarded", "Forwarded"), ("forwarded_often", "Forwarded many times")]
)
def test_a_forwarded_message_says_so(shown: Shown, name: str, words: str):
    mark = shown[name].locator("[data-icon=forward-refreshed] + span")

    assert mark.inner_text() == words


@pytest.mark.parametrize(
    ("name", "author", "words"), [("reply", "Ada Kind", "Hello there"), ("reply_own", "You", "From me")]
)
def test_an_answer_shows_what_it_answers_before_its_text(shown: Shown, name: str, author: str, words: str):
    quoted = shown[name].locator("[data-testid=quoted-message] [role=button][aria-label='Quoted message']")

    assert quoted.locator("span[dir=auto]").first.inner_text() == author
    assert quoted.locator(".quoted-mention").inner_text() == words


def test_an_edited_message_says_so_before_the_time(shown: Shown):
    assert shown["reply"].get_by_test_id("msg-meta").evaluate("node => node.innerText") == "Edited7:05 PM"
    assert shown["reply"].locator("span[data-testid=selectable-text]").last.inner_text() == "Yes indeed"


def test_one_reaction_stands_beside_the_bubble(shown: Shown):
    bubble = shown["url"].get_by_test_id("reaction-bubble")

    assert bubble.locator("button").get_attribute("aria-label") == "reaction 👍. View reactions"
    assert bubble.locator("img").evaluate_all("nodes => nodes.map(node => node.alt)") == ["👍"]
    assert bubble.evaluate("node => node.previousElementSibling.dataset.testid") == "msg-container"


def test_several_reactions_are_counted_together(shown: Shown):
    bubble = shown["mail"].get_by_test_id("reaction-bubble")
    label = bubble.locator("button").get_attribute("aria-label") or ""

    # Both came in the same second, so either may stand first.
    assert re.fullmatch(r"Reactions (👍, ❤|❤, 👍) 2 in total\. View reactions", label)
    images = bubble.locator("img").evaluate_all("nodes => nodes.map(node => node.alt)")
    assert sorted(images) == sorted(["👍", "❤️"])
    assert bubble.inner_text().strip() == "2"


@pytest.mark.parametrize("name", ["image", "image_caption"])
def test_an_image_is_a_blob_of_its_very_bytes(shown: Shown, name: str):
    image = shown[name].locator("[data-testid=image-thumb][role=button][aria-label='Open picture'] img")
    expect(image).to_have_attribute("src", re.compile(r"^blob:http"))

    digest = image.evaluate(
        """async image => {
            const bytes = await (await fetch(image.src)).arrayBuffer();
            const digest = await crypto.subtle.digest("SHA-256", bytes);
            return [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, "0")).join("");
        }"""
    )

    truth = {message["external_id"]: message for message in shown.simulator.truth()}
    assert digest == truth[shown.keys[name]]["file_sha256"]
    assert len(digest) == hashlib.sha256().digest_size * 2
    assert image.get_attribute("alt") == ("With *words*" if name == "image_caption" else None)


def test_a_caption_is_a_text_under_the_picture(shown: Shown):
    caption = (
        shown["image_caption"].get_by_test_id("image-caption").locator("span[data-testid=selectable-text]")
    )

    assert caption.inner_text() == "With words"


def test_a_video_shows_its_length_and_plays_nothing(shown: Shown):
    video = shown["video"].get_by_test_id("video-content")

    assert video.locator("[data-icon=media-play]").count() == 1
    assert re.fullmatch(r"\d+:\d\d", video.locator("[data-icon=msg-video] >> xpath=../../span").inner_text())
    assert shown.page.locator("#main video, #main audio").count() == 0


def test_a_gif_offers_to_play(shown: Shown):
    assert shown["gif"].locator("[aria-label='Play GIF'] [data-icon=giphy]").count() == 1


@pytest.mark.parametrize(
    ("name", "label"), [("sticker", "Sticker with: 🙂"), ("sticker_bare", "Sticker with no label")]
)
def test_a_sticker_is_named_by_its_label(shown: Shown, name: str, label: str):
    image = shown[name].get_by_alt_text(label)

    expect(image).to_have_attribute("src", re.compile(r"^blob:http"))


def test_a_document_tells_name_type_and_size(shown: Shown):
    thumb = shown["document"].get_by_test_id("document-thumb")
    name = thumb.locator("span[dir=auto]").inner_text()
    details = thumb.locator("span[title]").evaluate_all("nodes => nodes.map(node => node.title)")

    assert thumb.get_attribute("title") == f'Download "{name}"'
    assert (
        thumb.locator("[data-meta-key=type][data-testid=type]").inner_text()
        == name.rpartition(".")[2].upper()
    )
    assert re.fullmatch(r"\d+ [kM]?B", details[-1])
    caption = (
        shown["document_caption"]
        .get_by_test_id("document-caption")
        .locator("span[data-testid=selectable-text]")
    )
    assert caption.inner_text() == "The plan"


def test_a_voice_note_tells_its_length_and_waits_to_be_played(shown: Shown):
    voice = shown["voice"]

    assert voice.get_by_role("button", name="Play voice message").count() == 1
    assert voice.locator("span[aria-label='Voice message']").count() == 1
    slider = voice.get_by_role("slider", name="Voice note progress slider")
    assert re.fullmatch(r"0:00/\d+:\d\d", slider.get_attribute("aria-valuetext") or "")
    assert voice.locator("[data-testid=ptt-status]").count() == 1
    assert shown["audio"].locator("[data-testid=audio-file]").count() == 1
    assert shown["audio"].locator("[data-testid=ptt-status]").count() == 0


def test_a_named_place_links_to_the_map_and_shows_name_and_address(shown: Shown):
    text = shown["place"].locator(COPYABLE)
    links = text.locator("a").evaluate_all("nodes => nodes.map(node => node.href)")

    assert set(links) == {"https://maps.google.com/maps/search/Mill%20House/@52.5,13.4,17z?hl=en"}
    assert text.locator("._akbu").evaluate("node => node.innerText.split('\\n').filter(Boolean)") == [
        "Mill House", "Mill Lane 3",
    ]  # fmt: skip


def test_a_bare_place_is_only_a_map(shown: Shown):
    text = shown["place_bare"].locator(COPYABLE)

    assert text.locator("a[aria-label='Open map location']").get_attribute("href") == (
        "https://maps.google.com/maps?q=52.5%2C13.4&z=17&hl=en"
    )
    assert text.locator("._akbu").count() == 0


def test_a_live_place_is_not_available_here_but_its_words_are(shown: Shown):
    text = shown["live"].locator(COPYABLE)

    assert "Live location not available" in text.inner_text()
    assert text.locator("span[data-testid=selectable-text]").inner_text() == "On my way"


def test_contact_cards_name_the_first_and_count_the_others(shown: Shown):
    assert shown["card"].locator("div[data-testid=selectable-text]").inner_text() == "Bob Sample"
    assert shown["card"].get_by_title("Message Bob Sample").count() == 1
    cards = shown["cards"].get_by_title("Bob Sample and 2 other contacts")
    assert cards.locator("div[dir=auto]").inner_text() == "Bob Sample and 2 other contacts"
    assert shown["cards"].get_by_role("button", name="View all").count() == 1


def test_a_poll_shows_question_options_and_votes(shown: Shown):
    poll = shown["poll"]
    options = poll.locator("[data-testid^=poll-option-row-label-]").all_inner_texts()
    labels = poll.get_by_role("checkbox").evaluate_all(
        "nodes => nodes.map(node => node.getAttribute('aria-label'))"
    )

    assert poll.locator("._akbu span[data-testid=selectable-text]").inner_text() == "Lunch where?"
    assert options == ["Pizza", "Soup"]
    assert labels == ["Pizza 2 votes", "Soup 0 votes"]
    assert poll.get_by_text("Select one", exact=True).count() == 1
    assert poll.get_by_test_id("poll-view-votes").count() == 1


def test_a_group_invite_names_the_group(shown: Shown):
    invite = shown["invite"]

    assert invite.locator("[title='Book club'] span").inner_text() == "Book club"
    assert invite.locator("span[data-testid=selectable-text]").inner_text() == "Join us"
    assert invite.get_by_role("button", name="Join group").count() == 1


@pytest.mark.parametrize(
    ("name", "icon", "words"),
    [
        ("deleted", "recalled", "This message was deleted"),
        ("deleted_own", "recalled", "You deleted this message"),
        ("waiting", "ciphertext", "Waiting for this message. This may take a while. Learn more"),
        (
            "view_once",
            None,
            (
                "You received a view once message. For added privacy, you can only open it on your phone. "
                "Learn more"
            ),
        ),
    ],
)
def test_what_cannot_be_shown_is_told_in_words(shown: Shown, name: str, icon: str | None, words: str):
    told = shown[name].locator("._akbu")

    assert told.evaluate("node => node.innerText") == words
    assert shown[name].locator("[data-testid=selectable-text]").count() == 0
    if icon:
        assert shown[name].locator(f"[data-icon={icon}][data-testid={icon}] svg title").text_content() == icon


@pytest.mark.parametrize(
    ("name", "lines"),
    [("call_missed", ["Missed voice call", "Click to call back"]), ("call_done", ["Video call", "3 min"])],
)
def test_a_call_is_a_bubble_with_how_it_went(shown: Shown, name: str, lines: list[str]):
    shown_lines = (
        shown[name]
        .get_by_test_id("msg-container")
        .evaluate("node => node.innerText.split('\\n').filter(Boolean)")
    )

    assert shown_lines == [*lines, "7:05 PM"]


def test_a_notice_has_neither_sender_nor_time(shown: Shown):
    notice = shown["notice"]

    assert (
        notice.locator("[data-testid=msg-notification-container] [data-testid=system_message]").count() == 1
    )
    assert (
        notice.evaluate("node => node.innerText.trim()")
        == "Your security code with Ada Kind changed. Click to learn more"
    )
    assert (
        notice.locator("[data-testid=msg-meta], [data-testid=msg-container], [data-icon^=tail]").count() == 0
    )


def test_the_names_of_icons_are_text_of_their_drawings(shown: Shown):
    assert "tail-in" in (shown["text"].text_content() or "")
    assert "tail-in" not in shown["text"].inner_text()
