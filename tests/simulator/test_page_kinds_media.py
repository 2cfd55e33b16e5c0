"""Files, cards, notices and placeholders on the stand-in's page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.simulator.conftest import Shown

COPYABLE = "div.copyable-text[data-pre-plain-text]"


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
