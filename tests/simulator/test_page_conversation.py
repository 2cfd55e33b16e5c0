"""The open conversation on the stand-in's page: its parts, runs of messages, dates, header and composer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.page import Visit
from tests.simulator.conversation_page import SCROLLER, TITLE, open_chat, row, row_ids, scroll, stanza
from whatsapp_etl.simulator.serve import RunningSimulator

StartSimulator = Callable[..., RunningSimulator]
ITEM = ".focusable-list-item"
#: Walks up from a node's own React key and tells after how many steps the message stands there.
FIBER = """
    node => {
        const key = Object.keys(node).find(name => name.startsWith("__reactFiber$"));
        let fiber = key ? node[key] : null;
        for (let hops = 0; fiber && hops <= 30; hops += 1, fiber = fiber.return) {
            const msg = fiber.memoizedProps?.msg;
            if (msg) return { hops, id: String(msg.id), t: msg.t, type: msg.type, from: String(msg.from) };
        }
        return null;
    }
"""


@dataclass(frozen=True)
class Talk:
    """A chat that a test fills, and the page that shows it."""

    simulator: RunningSimulator
    chat: str
    title: str
    visit: Visit

    def say(self, words: str, sender: str | None = None, **fields: object) -> str:
        return self.simulator.add_message(self.chat, words, sender=sender or self.others[0], **fields)

    @property
    def others(self) -> list[str]:
        """The members beside oneself, as the truth names the recipients of an own message."""
        if not self.chat.endswith("@g.us"):
            return [self.chat]
        probe = self.simulator.add_message(self.chat, "probe", sender="me")
        people = next(m["recipient_ids"] for m in self.simulator.truth() if m["external_id"] == probe)
        self.simulator.delete(probe, by="me")
        return list(people)

    def open(self, *, shielded: bool = True, **options: object) -> Page:
        page = self.visit(self.simulator.url, shielded=shielded, **options)
        open_chat(page, self.title)
        return page


@pytest.fixture
def start_talk(start_simulator: StartSimulator, visit: Visit) -> Callable[..., Talk]:
    def start(kind: str = "person", name: str = "Ada Talk", **fields: object) -> Talk:
        simulator = start_simulator(chats=1, messages=0, extras=False)
        return Talk(simulator, simulator.add_chat(kind=kind, name=name, **fields), name, visit)

    return start


def alignment(page: Page, key: str) -> str:
    return row(page, key).locator(ITEM).evaluate("node => getComputedStyle(node).alignItems")  # type: ignore[no-any-return]


def test_a_message_is_found_by_its_bare_id_only(start_talk):
    talk = start_talk()
    key = talk.say("Hello")
    page = talk.open()

    node = row(page, key)
    assert node.get_attribute("data-testid") == f"conv-msg-{stanza(key)}"
    assert node.evaluate("node => node.parentNode.getAttribute('role')") == "row"
    assert node.locator("> [data-virtualized=false] > .focusable-list-item").count() == 1
    assert page.locator("#main .message-in, #main .message-out").count() == 0
    assert "@c.us" not in page.locator("#main").evaluate("node => node.outerHTML")


def test_the_side_of_a_message_shows_in_its_computed_style_alone(start_talk):
    talk = start_talk()
    theirs, mine = talk.say("Hello"), talk.say("Hello you", "me")
    notice = talk.simulator.add_message(talk.chat, type="e2e_notification")
    page = talk.open()

    assert [alignment(page, key) for key in (theirs, mine, notice)] == ["flex-start", "flex-end", "center"]
    sides = [row(page, key).locator("[data-testid=msg-container]").bounding_box() for key in (theirs, mine)]
    assert sides[0]["x"] < sides[1]["x"]


def test_tail_and_label_stand_on_the_first_bubble_of_a_run_only(start_talk):
    talk = start_talk()
    keys = [talk.say("1"), talk.say("2"), talk.say("3", "me"), talk.say("4", "me"), talk.say("5")]
    page = talk.open()

    found = [
        row(page, key).evaluate(
            """node => [
                node.querySelector("[data-icon^=tail]")?.dataset.icon ?? null,
                node.querySelector("[data-testid=msg-container] > div > span[aria-label]")?.ariaLabel ?? null,
            ]"""
        )
        for key in keys
    ]

    theirs, mine, none = ["tail-in", "Ada Talk:"], ["tail-out", "You:"], [None, None]
    assert found == [theirs, none, mine, none, theirs]


def test_messages_of_a_run_share_a_container(start_talk):
    talk = start_talk()
    keys = [talk.say("1"), talk.say("2"), talk.say("3", "me")]
    page = talk.open()

    same = "(a, b) => a.closest('.run') === b.closest('.run')"
    nodes = [row(page, key).element_handle() for key in keys]
    assert page.evaluate(f"([a, b]) => ({same})(a, b)", nodes[:2]) is True
    assert page.evaluate(f"([a, b]) => ({same})(a, b)", nodes[1:]) is False


def test_in_a_group_the_author_stands_on_the_first_bubble_of_others(start_talk):
    talk = start_talk("group", "Book Talk", members=3)
    first, second, _ = talk.others
    keys = [talk.say("1", first), talk.say("2", first), talk.say("3", second), talk.say("4", "me")]
    page = talk.open()

    authors = [row(page, key).locator("[data-testid=author]").all_inner_texts() for key in keys]
    senders = [
        row(page, key).locator("div[data-pre-plain-text]").get_attribute("data-pre-plain-text")
        for key in keys
    ]

    assert [len(names) for names in authors] == [1, 0, 1, 0]
    assert [name for name in authors[0] + authors[2] if name] == [*authors[0], *authors[2]]
    assert senders[0] == senders[1] != senders[2]
    assert row(page, keys[0]).locator("span[aria-label$=':']").count() == 0
    assert row(page, keys[3]).locator("span[aria-label='You:']").count() == 1


@pytest.mark.parametrize(
    ("ack", "icon", "label"), [(2, "msg-dblcheck", " Delivered "), (3, "msg-dblcheck", " Read ")]
)
def test_delivery_is_told_with_spaces_around_it(start_talk, ack: int, icon: str, label: str):
    talk = start_talk()
    keys = [talk.say(str(number), "me") for number in range(8)]
    page = talk.open()
    found = [row(page, key).locator("[data-testid=msg-meta] [data-icon]") for key in keys]
    labels = [(item.get_attribute("data-icon"), item.get_attribute("aria-label")) for item in found]

    assert (icon, label) in labels
    assert {item.get_attribute("data-testid") for item in found} <= {"msg-check", "msg-dblcheck", "msg-time"}


def test_a_day_begins_with_a_marker_that_is_no_message(start_talk):
    talk = start_talk()
    days = ["2026-02-03", "2026-03-10", "2026-03-14", "2026-03-15"]
    keys = [talk.say(day, at=f"{day}T10:00:00+00:00") for day in days]
    page = talk.open()

    markers = page.locator("#main [data-tab='8'] > .date-marker")
    assert markers.all_inner_texts() == ["2/3/2026", "Tuesday", "Yesterday", "Today"]
    assert markers.locator("[data-id], [role=row]").count() == 0
    assert [row(page, key).locator("[data-icon=tail-in]").count() for key in keys] == [1] * 4
    order = page.locator("#main [data-tab='8']").evaluate("node => node.innerText")
    assert order.index("Yesterday") < order.index("2026-03-14")


def test_while_one_scrolls_a_copy_of_the_date_stands_for_the_hidden_one(start_talk):
    talk = start_talk()
    for number in range(40):
        talk.say(f"Line {number}", "me", at="2026-03-14T10:00:00+00:00")
    page = talk.open()

    scroll(page, 30)

    page.wait_for_function(
        """() => {
            const marker = document.querySelector("#main [data-tab='8'] > .date-marker");
            const copy = document.querySelector("#main .floating-date .date-marker");
            return marker.style.visibility === "hidden" && copy?.innerText === marker.textContent;
        }"""
    )


def test_the_unread_divider_stands_before_the_first_unread_message(start_talk):
    talk = start_talk()
    talk.say("Old", "me")
    new = [talk.say("New"), talk.say("Newer")]
    page = talk.open()

    divider = page.locator("#main span[aria-live=polite]")
    assert divider.inner_text() == "2 unread messages"
    after = divider.evaluate(
        "node => node.closest('[data-tab] > div').nextElementSibling.querySelector('[data-id]').dataset.id"
    )
    assert after == stanza(new[0])


def test_the_header_names_the_group_and_its_members(start_talk):
    talk = start_talk("group", "Book 📚 Talk", members=3)
    talk.say("Hello")
    page = talk.visit(talk.simulator.url, shielded=True)
    page.locator("#pane-side [data-testid=cell-frame-title]").filter(has_text="Book").click()

    title = page.locator(TITLE)
    expect(title.locator("img[alt='📚']")).to_be_visible()
    members = page.locator("#main header span[title]")
    assert (members.get_attribute("title") or "").endswith(", You")
    assert len((members.get_attribute("title") or "").split(", ")) == 4
    assert page.locator("#main header div[title='Profile details'][role=button][data-tab='6']").count() == 1


@pytest.mark.parametrize(
    ("kind", "label"),
    [("person", "Type a message to Ada Talk"), ("group", "Type a message to group Ada Talk")],
)
def test_the_composer_takes_typing_and_sends_nothing(start_talk, kind: str, label: str):
    talk = start_talk(kind)
    talk.say("Hello")
    page = talk.open()
    before = row_ids(page)
    box = page.get_by_test_id("conversation-compose-box-input")
    assert box.get_attribute("aria-label") == label
    assert box.locator("p.selectable-text.copyable-text").count() == 1

    box.click()
    page.keyboard.type("a draft")
    page.get_by_role("button", name="Send").click()
    page.keyboard.press("Enter")

    assert "a draft" in box.inner_text()
    assert row_ids(page) == before


def test_who_may_only_read_is_told_so(start_talk):
    talk = start_talk("group", "News Talk", read_only=True)
    talk.say("Hello")
    page = talk.open()

    assert page.get_by_text("Only admins can send messages").count() == 1
    assert page.get_by_test_id("conversation-compose-box-input").count() == 0


def test_main_is_made_anew_for_each_chat(start_talk):
    talk = start_talk()
    talk.say("Hello")
    other = talk.simulator.add_chat(name="Bo Other")
    talk.simulator.add_message(other, "Hi")
    page = talk.open()
    page.evaluate("() => { window.first = document.querySelector('#main'); }")

    open_chat(page, "Bo Other")

    assert page.evaluate("() => window.first.isConnected") is False
    assert page.locator("#main").count() == 1


def test_a_row_leads_to_its_message_through_react(start_talk):
    talk = start_talk()
    key = talk.say("Hello", at="2026-03-15T11:00:07+00:00")
    page = talk.open()

    found = row(page, key).evaluate(FIBER)

    assert found == {"hops": 7, "id": key, "t": 1773572407, "type": "chat", "from": talk.chat}
    assert row(page, key).locator(ITEM).evaluate(FIBER)["hops"] == 12


def test_without_react_a_row_leads_nowhere(start_talk):
    talk = start_talk()
    key = talk.say("Hello")
    talk.simulator.set_config(fiber=False)
    page = talk.open()

    assert row(page, key).evaluate("node => Object.keys(node)") == []


def test_a_click_on_play_tells_that_a_voice_note_was_played(start_talk):
    talk = start_talk()
    key = talk.simulator.add_message(talk.chat, type="ptt")
    page = talk.open()
    assert talk.simulator.ledger()["receipts_by_kind"] == {}

    row(page, key).get_by_role("button", name="Play voice message").click()

    expect(row(page, key).get_by_role("button", name="Pause voice message")).to_be_visible()
    page.wait_for_function(
        "() => fetch('/__sim/ledger').then(a => a.json()).then(l => l.receipts_by_kind.played === 1)"
    )


def test_the_button_leads_back_to_the_newest_message(start_talk):
    talk = start_talk()
    for number in range(40):
        talk.say(f"Line {number}", "me")
    page = talk.open()
    button = page.get_by_role("button", name="Scroll to bottom")
    assert button.count() == 0
    scroll(page, 500)
    expect(button).to_have_attribute("data-tab", "7")

    button.click()

    page.wait_for_function(
        f"() => {{ const s = document.querySelector('{SCROLLER}');"
        " return s.scrollHeight - s.clientHeight - s.scrollTop < 10; }"
    )
    expect(button).to_have_count(0)
