"""The chat list of the stand-in's page: what is mounted, in which order, and what a click does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.fixtures.page import Visit, new_context
from tests.fixtures.simulator import SMALL_WORLD
from whatsapp_etl.simulator.serve import RunningSimulator

StartSimulator = Callable[..., RunningSimulator]
ROW = "#pane-side [role=row]"
OPEN_TITLE = "#main header [data-testid=conversation-info-header-chat-title]"

#: Rows as they stand in the document: the name, the place on the screen, the place in the slice.
READ_ROWS = """
    [...document.querySelectorAll("#pane-side [role=grid] > [role=row]")].map(row => ({
        title: row.querySelector("[data-testid=cell-frame-title] span[title]")?.title ?? null,
        top: Number(/translateY\\((\\d+)px\\)/.exec(row.style.transform)[1]),
        slot: row.dataset.testid,
        time: row.querySelector("[data-testid=cell-frame-primary-detail]")?.innerText,
        preview: row.querySelector("[data-testid=last-msg-status]")?.innerText,
    }))
"""


@pytest.fixture(scope="module")
def crowded() -> Iterator[RunningSimulator]:
    """Many chats with few messages, for tests that only look."""
    with RunningSimulator(replace(SMALL_WORLD, chats=120, messages=400)) as running:
        yield running


@pytest.fixture(scope="module")
def crowded_window(crowded: RunningSimulator, page_browser: Browser) -> Iterator[Page]:
    context = new_context(page_browser)
    page = context.new_page()
    page.goto(crowded.url)
    page.wait_for_selector(ROW)
    yield page
    context.close()


@pytest.fixture
def crowded_page(crowded_window: Page) -> Page:
    """The page of many chats at its beginning; for tests that look and scroll, and nothing else."""
    crowded_window.evaluate(
        """() => new Promise(resolve => {
            document.getElementById("pane-side").scrollTop = 0;
            requestAnimationFrame(() => requestAnimationFrame(resolve));
        })"""
    )
    return crowded_window


def rows(page: Page) -> list[dict[str, Any]]:
    return page.evaluate(READ_ROWS)  # type: ignore[no-any-return]


def visible_titles(page: Page) -> list[str]:
    return [row["title"] for row in sorted(rows(page), key=lambda row: row["top"])]


def titles_of_whole_list(page: Page) -> dict[int, str]:
    """Scroll to the end and return every row's name by its place."""
    seen: dict[int, str] = {}
    is_at_end = False
    while not is_at_end:
        seen |= {row["top"]: row["title"] for row in rows(page)}
        is_at_end = page.evaluate(
            """() => new Promise(resolve => {
                const pane = document.getElementById("pane-side");
                pane.scrollTop += pane.clientHeight * 0.8;
                const isAtEnd = pane.scrollTop + pane.clientHeight >= pane.scrollHeight - 2;
                requestAnimationFrame(() => requestAnimationFrame(() => resolve(isAtEnd)));
            })"""
        )
    return seen | {row["top"]: row["title"] for row in rows(page)}


def row_titled(page: Page, title: str) -> Locator:
    return page.locator(ROW).filter(has=page.locator(f'span[title="{title}"]')).first


def test_only_rows_near_the_viewport_are_mounted(crowded_page: Page):
    page = crowded_page

    count = int(page.locator("[role=grid]").get_attribute("aria-rowcount") or 0)
    height = page.locator("[role=grid]").evaluate("grid => grid.style.height")

    assert count > 80
    assert height == f"{count * 72}px"
    assert len(rows(page)) < 40


def test_every_row_comes_by_while_scrolling_to_the_end(crowded_page: Page):
    page = crowded_page

    found = titles_of_whole_list(page)

    count = int(page.locator("[role=grid]").get_attribute("aria-rowcount") or 0)
    assert sorted(found) == [place * 72 for place in range(count)]


def test_the_order_in_the_document_is_not_the_order_on_the_screen(crowded_page: Page):
    page = crowded_page
    page.evaluate("document.getElementById('pane-side').scrollTop = 3000")
    page.wait_for_function(
        "() => document.querySelector('#pane-side [role=row]').style.transform !== 'translateY(0px)'"
    )
    page.evaluate("document.getElementById('pane-side').scrollTop = 2600")

    page.wait_for_function(
        f"""() => {{
            const tops = ({READ_ROWS}).map(row => row.top);
            return tops.some((top, at) => at > 0 && top < tops[at - 1]);
        }}"""
    )


def test_slots_are_numbered_anew_in_each_slice(crowded_page: Page):
    page = crowded_page
    page.evaluate("document.getElementById('pane-side').scrollTop = 3000")
    page.wait_for_function(f"() => ({READ_ROWS}).every(row => row.top > 1000)")

    mounted = sorted(rows(page), key=lambda row: row["top"])

    assert [row["slot"] for row in mounted] == [f"list-item-{place}" for place in range(len(mounted))]


def test_the_newest_activity_stands_first_below_the_pinned_chats(crowded_page: Page):
    page = crowded_page
    pinned = page.locator(f"{ROW}:has([aria-label='Pinned chat'])").count()
    assert pinned > 0

    marks = page.evaluate(
        """[...document.querySelectorAll("#pane-side [role=row]")]
            .map(row => ({
                top: Number(/(\\d+)px/.exec(row.style.transform)[1]),
                isPinned: !!row.querySelector("[aria-label='Pinned chat']"),
            }))
            .sort((one, other) => one.top - other.top).map(({isPinned}) => isPinned)"""
    )

    assert marks == sorted(marks, reverse=True)


def test_no_chat_id_stands_in_the_document(crowded_page: Page):
    page = crowded_page

    text = page.content()

    assert re.search(r"@(c\.us|g\.us|lid|broadcast)", text) is None


def test_two_chats_may_have_the_same_name(crowded_page: Page):
    titles = list(titles_of_whole_list(crowded_page).values())

    assert len(set(titles)) < len(titles)


def test_unread_chats_carry_a_badge_and_hidden_words(crowded_page: Page):
    page = crowded_page
    row = page.locator(f"{ROW}:has([data-testid=icon-unread-count][aria-label*='unread message'])").first

    badge = row.locator("[data-testid=icon-unread-count]")

    words = badge.get_attribute("aria-label") or ""
    assert words.split()[0] == badge.inner_text()
    assert row.locator("[data-testid=cell-frame-title] > span").first.inner_text() == words


def test_the_window_title_counts_unread_chats(crowded_page: Page):
    page = crowded_page

    assert re.fullmatch(r"\(\d+\) WhatsApp", page.title())


def test_the_preview_is_marked_with_its_direction(crowded_page: Page):
    page = crowded_page

    titles = page.locator("[data-testid=last-msg-status]").evaluate_all(
        "spans => spans.map(span => span.title)"
    )

    assert all(title[0] in "\u202a\u202b" and title[-1] == "\u202c" for title in titles)


def test_a_filter_shows_its_chats_only(crowded, visit: Visit):
    page = visit(crowded.url)
    every = int(page.locator("[role=grid]").get_attribute("aria-rowcount") or 0)

    page.locator("#unread-filter").click()

    page.wait_for_function(
        "every => Number(document.querySelector('[role=grid]').ariaRowCount) < every", arg=every
    )
    assert page.locator("#unread-filter").get_attribute("aria-selected") == "true"
    assert page.locator("#all-filter").get_attribute("aria-selected") == "false"
    assert page.locator(f"{ROW}:not(:has([data-testid=icon-unread-count]))").count() == 0


def test_archived_chats_are_in_a_drawer_of_their_own(crowded, visit: Visit):
    page = visit(crowded.url)
    listed = set(titles_of_whole_list(page).values())

    page.evaluate("document.getElementById('pane-side').scrollTop = 0")
    page.get_by_role("button", name="Archived").click()

    drawer = page.locator("[role=grid][aria-label=Archived]")
    drawer.locator("[role=row]").first.wait_for()
    archived = drawer.locator("[data-testid=cell-frame-title] span[title]").evaluate_all(
        "spans => spans.map(span => span.title)"
    )
    assert len(archived) == int(drawer.get_attribute("aria-rowcount") or 0)
    assert set(archived) - listed
    page.get_by_role("button", name="Back").click()
    drawer.wait_for(state="detached")


def test_locked_chats_channels_and_status_are_not_listed(crowded_page: Page):
    page = crowded_page
    hidden = page.evaluate(
        """async () => {
            const {isListed} = await import("/static/chatlist.js");
            const rows = await new Promise(resolve => {
                const request = indexedDB.open("model-storage");
                request.onsuccess = () => {
                    const all = request.result.transaction("chat").objectStore("chat").getAll();
                    all.onsuccess = () => { request.result.close(); resolve(all.result); };
                };
            });
            const shown = rows.filter(isListed);
            return {all: rows.length, shown: shown.length, archived: shown.filter(row => row.archive).length};
        }"""
    )

    count = int(page.locator("[role=grid]").get_attribute("aria-rowcount") or 0)
    assert hidden["shown"] < hidden["all"]
    assert count == hidden["shown"] - hidden["archived"]


def test_searching_shows_chats_and_messages_under_headings(crowded, visit: Visit):
    page = visit(crowded.url)
    box = page.locator("#side input[type=text][role=textbox]")
    wanted = visible_titles(page)[0]

    box.press_sequentially(wanted[:4])

    page.wait_for_selector("[role=grid][aria-label='Search results.']")
    assert box.get_attribute("aria-label") == ""
    in_order = sorted(rows(page), key=lambda row: row["top"])
    assert (in_order[0]["title"], in_order[1]["title"]) == (None, wanted)
    assert page.locator(ROW).get_by_text("Chats", exact=True).count() == 1
    box.press("Escape")
    page.wait_for_selector("[role=grid][aria-label='Chat list']")
    assert box.input_value() == ""
    assert box.get_attribute("aria-label") == "Search or start a new chat"


def test_a_mouse_click_opens_a_chat(crowded, visit: Visit):
    page = visit(crowded.url, shielded=True)
    title = visible_titles(page)[2]
    row = row_titled(page, title)

    row.click()

    page.wait_for_selector("#main")
    assert page.locator(OPEN_TITLE).inner_text() == title
    assert row.locator("[aria-selected=true]").count() == 1
    assert page.locator("[data-testid=intro-panel]").is_hidden()


def test_a_scripted_click_opens_nothing(crowded, visit: Visit):
    page = visit(crowded.url, shielded=True)

    page.evaluate(
        """() => {
            const row = document.querySelector("#pane-side [role=row]");
            for (const node of [row, ...row.querySelectorAll("*")]) node.click?.();
        }"""
    )

    page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))"
    )
    assert page.locator("#main").count() == 0


def test_a_new_message_lifts_its_chat_to_the_top(simulator, visit: Visit):
    page = visit(simulator.url, shielded=True)
    last = max(rows(page), key=lambda row: row["top"])
    chat = next(row for row in chat_rows(page) if row["title"] == last["title"])

    simulator.add_message(chat["id"], "Back from the mountains", sender=chat["id"], at="2026-03-15T12:00:00Z")

    page.wait_for_function(
        f"words => ({READ_ROWS}).some(row => row.preview === words && row.top < 72 * 4)",
        arg="Back from the mountains",
    )


def test_the_list_may_move_while_one_scrolls(start_simulator: StartSimulator, visit: Visit):
    moving = start_simulator(chats=60)
    moving.set_config(reorder_while_scrolling=True)
    page = visit(moving.url)
    before = titles_of_whole_list(page)

    page.evaluate("document.getElementById('pane-side').scrollTop = 0")
    page.wait_for_function(f"() => ({READ_ROWS}).some(row => row.top === 0)")

    after = titles_of_whole_list(page)
    assert [after[top] for top in sorted(after)] != [before[top] for top in sorted(before)]
    assert len(after) == len(before)


def test_rows_carry_the_chat_where_react_keeps_it(crowded_page: Page):
    page = crowded_page

    found = page.evaluate(
        """() => [...document.querySelectorAll("#pane-side [role=row]")].map(row => {
            const key = Object.keys(row).find(name => name.startsWith("__reactFiber$"));
            const chat = row[key].return.memoizedProps.data.data;
            return [String(chat.id), chat.formattedTitle, row.querySelector("span[title]").title];
        })"""
    )

    assert all("@" in chat_id and name == title for chat_id, name, title in found)


def test_rows_carry_nothing_when_that_is_switched_off(simulator, visit: Visit):
    simulator.set_config(fiber=False)
    page = visit(simulator.url)

    keys = page.evaluate("[...document.querySelectorAll('[role=row]')].flatMap(row => Object.keys(row))")

    assert [key for key in keys if key.startswith("__react")] == []


def chat_rows(page: Page) -> list[dict[str, Any]]:
    """Id and title of every mounted row, from where React keeps it."""
    return page.evaluate(  # type: ignore[no-any-return]
        """() => [...document.querySelectorAll("#pane-side [role=row]")].map(row => {
            const key = Object.keys(row).find(name => name.startsWith("__reactFiber$"));
            const chat = row[key].return.memoizedProps.data.data;
            return {id: String(chat.id), title: chat.formattedTitle, unread: chat.unreadCount};
        })"""
    )
