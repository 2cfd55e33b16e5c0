"""Loading history on the stand-in's page: pages of 50, the island of 100 rows, and what stands at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.page import Visit
from tests.simulator.conversation_page import (
    IDS,
    SCROLLER,
    measure,
    open_chat,
    row,
    row_ids,
    scroll,
    stanza,
    step_up,
)
from whatsapp_etl.simulator.serve import RunningSimulator

StartSimulator = Callable[..., RunningSimulator]
ASK_PHONE = "Click here to get older messages from your phone."
END_TEXT = "Use WhatsApp on your phone to see older messages from before 12/15/2025."


@dataclass(frozen=True)
class LongChat:
    """A chat with many messages, and the page that shows it."""

    simulator: RunningSimulator
    page: Page
    id: str
    ids: list[str]  # bare ids of all messages, oldest first


@pytest.fixture
def open_long_chat(start_simulator: StartSimulator, visit: Visit) -> Callable[..., LongChat]:
    """Open the only chat of a world with `count` messages of all kinds."""

    def open_(
        count: int = 160, *, config: dict[str, object] | None = None, height: int = 700, **chat: object
    ) -> LongChat:
        simulator = start_simulator(chats=1, messages=count, extras=False)
        simulator.set_config(**(config or {}))
        facts = simulator.world()["chats"][0]
        if chat:
            simulator.change_chat(facts["id"], **chat)
        page = visit(simulator.url, shielded=True, viewport={"width": 1200, "height": height})
        open_chat(page, facts["title"])
        return LongChat(simulator, page, facts["id"], stored_ids(page, facts["id"]))

    return open_


def stored_ids(page: Page, chat: str) -> list[str]:
    """The bare ids of a chat in the order of the page's own database."""
    keys = page.evaluate(
        """chat => new Promise(resolve => {
            indexedDB.open("model-storage").onsuccess = event => {
                const database = event.target.result;
                const range = IDBKeyRange.bound(`${chat}_/`, `${chat}_g`);
                const index = database.transaction("message").objectStore("message").index("internalId");
                index.getAllKeys(range).onsuccess = answer => {
                    resolve(answer.target.result);
                    database.close();
                };
            };
        })""",
        chat,
    )
    return [stanza(key) for key in keys]


def walk_to_top(page: Page) -> list[str]:
    """Scroll up until nothing more comes, and return every id that was seen with a body, in page order."""
    return page.evaluate(  # type: ignore[no-any-return]
        f"""async () => {{
            const scroller = document.querySelector("{SCROLLER}");
            const filled = () => [...document.querySelectorAll("#main [data-id]")]
                .filter(node => node.querySelector("[data-virtualized=false]")).map(node => node.dataset.id);
            const first = () => document.querySelector("#main [data-id]").dataset.id;
            let seen = filled();
            for (;;) {{
                const before = first();
                scroller.scrollTop = 400;
                await new Promise(requestAnimationFrame);
                scroller.scrollTop = 0;
                const until = performance.now() + 1500;
                const waits = () => first() === before && performance.now() < until;
                while (waits()) await new Promise(requestAnimationFrame);
                if (first() === before) return seen;
                const known = new Set(seen);
                seen = [...filled().filter(id => !known.has(id)), ...seen];
            }}
        }}"""
    )


def test_a_chat_opens_with_its_newest_51_messages(open_long_chat):
    chat = open_long_chat()

    assert row_ids(chat.page) == chat.ids[-51:]
    assert measure(chat.page)["below"] <= 10


def test_a_page_of_fifty_comes_in_three_steps(open_long_chat):
    chat = open_long_chat()
    counts, oldest = [], []

    for _ in range(3):
        step_up(chat.page)
        ids = row_ids(chat.page)
        counts.append(len(ids))
        oldest.append(chat.ids.index(ids[0]))

    assert counts[0] in range(71, 76)
    assert counts[1] in range(91, 100)
    assert counts[2] == 100
    assert oldest[2] == len(chat.ids) - 101


def test_never_more_than_a_hundred_rows_are_mounted(open_long_chat):
    chat = open_long_chat(260)
    for _ in range(9):
        step_up(chat.page)
        assert measure(chat.page)["rows"] <= 100


def test_newer_rows_leave_while_one_scrolls_up_and_come_back_on_the_way_down(open_long_chat):
    chat = open_long_chat(220)
    for _ in range(6):
        step_up(chat.page)
    newest = chat.ids[-1]
    assert newest not in row_ids(chat.page)

    for _ in range(12):
        if newest in row_ids(chat.page):
            break
        last = row_ids(chat.page)[-1]
        scroll(chat.page, 1_000_000)
        chat.page.wait_for_function(f"last => {IDS}.at(-1) !== last", arg=last)

    assert newest in row_ids(chat.page)
    assert measure(chat.page)["rows"] <= 100


def test_the_first_visible_row_keeps_its_place_when_older_ones_come(open_long_chat):
    chat = open_long_chat()
    scroll(chat.page, 0)
    before = chat.page.evaluate(
        "() => { window.first = document.querySelector('#main [data-id]');"
        " return window.first.getBoundingClientRect().top; }"
    )

    chat.page.wait_for_function("() => document.querySelector('#main [data-id]') !== window.first")

    after = chat.page.evaluate("() => window.first.getBoundingClientRect().top")
    # The row was the first of the list, under a date marker that the new rows took over.
    assert abs(after - before) <= 1
    assert measure(chat.page)["top"] > 500


def test_staying_at_the_top_loads_nothing_more(open_long_chat):
    chat = open_long_chat(300)
    loads = chat.page.evaluate(
        f"""async () => {{
            const scroller = document.querySelector("{SCROLLER}");
            const first = () => document.querySelector("#main [data-id]").dataset.id;
            // The position is pinned to the top at once, so that the page never sees it elsewhere.
            let changes = 0, last = first();
            const until = performance.now() + 1200;
            const pin = () => {{ scroller.scrollTop = 0; }};
            new MutationObserver(pin).observe(scroller, {{ childList: true, subtree: true }});
            while (performance.now() < until) {{
                pin();
                await new Promise(requestAnimationFrame);
                if (first() !== last) {{ last = first(); changes += 1; }}
            }}
            return changes;
        }}"""
    )

    assert loads == 1


def test_far_rows_are_emptied_in_place_and_filled_when_they_come_near(open_long_chat):
    chat = open_long_chat()
    for _ in range(3):
        step_up(chat.page)
    chat.page.wait_for_function(
        "() => document.querySelectorAll('#main [data-virtualized=true]').length > 10"
    )

    last = chat.page.locator("#main [data-id]").last
    wrapper = last.locator("> [data-virtualized]")
    expect(wrapper).to_have_attribute("data-virtualized", "true")
    assert wrapper.evaluate("node => node.childElementCount") == 0
    height = wrapper.evaluate("node => parseFloat(node.style.minHeight)")
    assert height > 20

    scroll(chat.page, 1_000_000)

    chat.page.wait_for_function(
        "() => [...document.querySelectorAll('#main [data-id] > div')].at(-1).dataset.virtualized === 'false'"
    )
    assert chat.page.locator("#main [data-virtualized]").last.evaluate("node => node.style.minHeight") == ""


@pytest.mark.matrix
def test_a_walk_to_the_top_shows_every_message_once(open_long_chat):
    chat = open_long_chat(230)

    assert walk_to_top(chat.page) == chat.ids


def test_a_label_says_so_while_messages_are_loaded(open_long_chat):
    chat = open_long_chat(config={"delays": {"page_load_ms": 400}})
    assert chat.page.get_by_title("Loading messages…").count() == 0

    scroll(chat.page, 0)
    chat.page.wait_for_selector('[title="Loading messages…"]')

    chat.page.wait_for_function(f"() => {IDS}.length > 51")
    assert chat.page.get_by_title("Loading messages…").count() == 0


def test_new_rows_stay_empty_for_the_configured_time(open_long_chat):
    chat = open_long_chat(config={"delays": {"hydrate_ms": 300}})

    chat.page.wait_for_function(
        "() => document.querySelectorAll('#main [data-virtualized=true]').length === 0"
    )
    chat.page.evaluate(
        """() => {
            window.seenEmpty = 0;
            new MutationObserver(() => {
                const first = document.querySelector("#main [data-id] > [data-virtualized]");
                if (first.dataset.virtualized === "true") window.seenEmpty += 1;
            }).observe(document.querySelector("#main"), { childList: true, subtree: true });
        }"""
    )
    step_up(chat.page)

    chat.page.wait_for_function("() => window.seenEmpty > 0")
    chat.page.wait_for_function(
        "() => document.querySelector('#main [data-id] > [data-virtualized]').dataset.virtualized === 'false'"
    )


def test_a_chat_with_many_unread_messages_opens_around_the_first_of_them(open_long_chat):
    chat = open_long_chat(20)
    late = [chat.simulator.add_message(chat.id, f"Late {number}") for number in range(70)]
    chat.page.reload()
    chat.page.wait_for_selector("#pane-side [role=row]")

    open_chat(chat.page, chat.simulator.world()["chats"][0]["title"])

    first_new = row(chat.page, late[0])
    count = chat.page.locator("#main span[aria-live=polite]")
    expect(first_new).to_be_visible()
    expect(count).to_have_text("70 unread messages")
    assert stanza(late[-1]) not in row_ids(chat.page)


def test_the_phone_is_asked_for_older_messages_at_a_click(start_simulator, visit):
    simulator = start_simulator(chats=12, messages=600)
    found = next(chat for chat in simulator.world()["chats"] if chat["on_phone"])
    page = visit(simulator.url, shielded=True)
    if found["archived"]:
        simulator.change_chat(found["id"], archived=False)
    page.locator("#pane-side").locator(f'span[title="{found["title"]}"]').wait_for()
    open_chat(page, found["title"])
    here = found["messages"] - found["on_phone"]
    button = page.get_by_role("button", name=ASK_PHONE)
    expect(button).to_be_visible()
    assert len(row_ids(page)) == here

    button.click()

    page.wait_for_function(f"count => {IDS}.length === count", arg=found["messages"])
    assert button.count() == 0
    assert simulator.ledger()["phone_requests"] == {found["id"]: 1}


@pytest.mark.parametrize(
    ("result", "words", "role"),
    [
        (
            "failed",
            "Couldn't get older messages. Open WhatsApp on your phone and click here to try again.",
            "BUTTON",
        ),
        ("use_phone", END_TEXT, "DIV"),
    ],
)
def test_a_phone_that_gives_nothing_is_told_at_the_top(open_long_chat, result: str, words: str, role: str):
    chat = open_long_chat(20, history_type=0)
    chat.simulator.set_phone_history(chat.id, result)

    chat.page.get_by_role("button", name=ASK_PHONE).click()

    told = chat.page.locator(SCROLLER).get_by_text(words, exact=True)
    expect(told).to_be_visible()
    assert told.evaluate("node => node.tagName") == role


def test_a_chat_that_was_cut_ends_with_a_text_that_is_no_button(open_long_chat):
    chat = open_long_chat(20, history_type=2)

    told = chat.page.locator(SCROLLER).get_by_text(END_TEXT, exact=True)

    expect(told).to_be_visible()
    assert told.evaluate("node => node.closest('button, [role=button]')") is None


def test_where_the_phone_cannot_be_asked_a_text_says_that_it_has_more(open_long_chat):
    chat = open_long_chat(20, config={"phone_button": False}, history_type=0)

    expect(chat.page.locator(SCROLLER).get_by_text(END_TEXT, exact=True)).to_be_visible()


@pytest.mark.parametrize("history_type", [None, 1])
def test_nothing_stands_over_the_beginning_of_a_complete_chat(open_long_chat, history_type: int | None):
    chat = open_long_chat(20, history_type=history_type)

    before_list = chat.page.locator(f"{SCROLLER} > div").first
    assert before_list.evaluate("node => node.nextElementSibling.dataset.tab") == "8"
