"""Every kind of message on the stand-in's page: what all have in common, and texts."""

from __future__ import annotations

import re

import pytest

from tests.simulator.conftest import LONG, SENT, Shown

PRE = "[7:05 PM, 3/14/2026] Ada Kind: "
OWN_PRE = re.compile(r"^\[7:05 PM, 3/14/2026\] (?!Ada)[^:]+: $")
COPYABLE = "div.copyable-text[data-pre-plain-text]"
WITHOUT_PRE = {
    "emoji_one", "image", "video", "gif", "video_note", "sticker", "sticker_bare", "document",
    "document_caption", "audio", "voice", "cards", "deleted", "deleted_own", "waiting", "view_once",
    "call_missed", "call_done", "notice",
}  # fmt: skip


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


def test_the_names_of_icons_are_text_of_their_drawings(shown: Shown):
    assert "tail-in" in (shown["text"].text_content() or "")
    assert "tail-in" not in shown["text"].inner_text()
