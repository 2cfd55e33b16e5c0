"""The stand-in's page of April 2026 beside recorded screens of that release, which GOLDEN=folder names.

What differs is mended in the stand-in, or explained in docs/conformance.md with a reason. A difference
without a reason fails, and so does a reason without a difference.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute

from tests.conformance.conftest import DOCUMENT
from tests.conformance.golden import Element, differences, elements, pieces, table_of, unexplained, without
from tests.conformance.golden_world import GROUP, HISTORY, LIST, MEDIA, NOW, PERSON, Stage
from tests.fixtures.page import FOCUS_SHIELD, ORDINARY_AGENT
from whatsapp_etl.simulator.serve import RunningSimulator, SimulatorOptions
from whatsapp_etl.simulator.story import MAKERS

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

#: What differs between two accounts and two days: pattern and the word that stands for it.
_PASSING = (
    (re.compile(r"\d{1,2}:\d{2} [AP]M|\d{1,2}/\d{1,2}/\d{4}|Yesterday|Today"), "<when>"),
    (re.compile("(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"), "<when>"),
    (re.compile(r"(?<![0-9A-F])[0-9A-F]{16,40}(?![0-9A-F])"), "<id>"),
    (re.compile(r"\d+(-\d+)?(?=@(c\.us|lid|g\.us))"), "<user>"),
    (re.compile(r"\+1 \(555\) \d{3}-\d{4}"), "<phone>"),
    (re.compile(r"^https://wa\.me/settings/linked_devices#.*|^2@.*"), "<payload>"),
)  # fmt: skip
_LIST_ROWS = '[aria-label="Chat list"] > *'
_MESSAGES = '[data-tab="8"]'
#: Pictures and stickers were still on their way when the screens were recorded.
LOADING_MS = 3_600_000


@dataclass
class Comparison:
    """Collects the differences of all screens."""

    recorded: Callable[[str], str]
    names: dict[str, str] = field(default_factory=dict)  #: What stands here for a name of the recording.
    found: dict[str, list[str]] = field(default_factory=dict)

    def compare(self, screen: str, recorded: str, drawn: str) -> None:
        self.found[screen] = differences(self._structure(recorded), self._structure(drawn))

    def compare_screen(self, name: str, drawn: str, css: str = "#app", emptied: str | None = None) -> None:
        """Compare a screen, or the piece that a selector names; leave out what is in `emptied`."""
        recorded = pieces(self.recorded(name), css)[0]
        drawn = pieces(drawn, css)[0]
        if emptied:
            recorded, drawn = without(recorded, emptied), without(drawn, emptied)
        self.compare(name, recorded, drawn)

    def _structure(self, html: str) -> Element:
        return elements(html, self._rewrite)

    def _rewrite(self, _name: str, value: str) -> str:
        for ours, theirs in self.names.items():
            value = value.replace(ours, theirs)
        for pattern, word in _PASSING:
            value = pattern.sub(word, value)
        return value


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """Compare with the recorded screens, where there are any."""
    folder = os.environ.get("GOLDEN", "")
    if not folder:
        pytest.skip("recorded screens are compared when they are there: make conformance GOLDEN=folder")
    if not list(Path(folder).glob("*.html")):
        pytest.fail(f"{folder} holds no recorded screens (*.html)")
    return Comparison(lambda name: (Path(folder) / f"{name}.en-US.html").read_text())


@pytest.fixture(scope="module")
def start(
    small_world: SimulatorOptions, page_browser: Browser
) -> Iterator[Callable[..., tuple[RunningSimulator, Page]]]:
    """Start a stand-in of April with two chats and nothing said, and a page that stands before it."""
    opened = []

    def started(**options: object) -> tuple[RunningSimulator, Page]:
        given = replace(small_world, chats=2, messages=0, extras=False, profile="apr26", now=NOW)
        simulator = RunningSimulator(replace(given, **options))  # type: ignore[arg-type]
        opened.append(simulator)
        # High enough that every row keeps its content.
        context = page_browser.new_context(
            user_agent=ORDINARY_AGENT,
            viewport={"width": 1200, "height": 9000},
            locale="en-US",
            timezone_id="UTC",
        )
        context.add_init_script(FOCUS_SHIELD)
        return simulator.start(), context.new_page()

    yield started
    for simulator in opened:
        simulator.stop()


def test_chats_and_messages(comparison, start, say_hello):
    simulator, page = start()
    simulator.set_config(delays={"image_ms": LOADING_MS})
    stage = Stage(simulator, frozenset(MAKERS))
    world = simulator.world()
    group = next(chat["id"] for chat in world["chats"] if chat["kind"] == "group")
    hidden = next(lid for lid in world["phone_ids"] if lid.endswith("@lid") and lid != world["me"]["lid"])
    pushed = "Kap'tn"  # what the hidden member of this seed calls himself
    comparison.names = {
        world["me"]["push_name"]: "Me Myself",
        "Allotment 12": "Book Club",
        pushed: "Lid Person",
    }
    alice, media = simulator.add_chat(name="Alice Example"), simulator.add_chat(name="Alice Media")
    with_history = {
        kind: simulator.add_chat(name=f"History {kind}", history_type=kind) for kind in (0, 2, None)
    }
    unread = simulator.add_chat(name="Unread Person")
    listed = {title: simulator.add_chat(name=title, **(entry.settings)) for title, entry in LIST.items()}
    sent = {
        "conversation_person": stage.hold(alice, PERSON, alice),
        "conversation_person_media": stage.hold(media, MEDIA, media),
        "conversation_group": stage.hold(group, GROUP, hidden),
    }
    for chat in with_history.values():
        stage.hold(chat, HISTORY, chat)
    for title, chat in listed.items():
        stage.hold(chat, LIST[title].talk, chat)
    reader = say_hello(simulator)
    reader.hear_linked()
    for chat in (alice, media, group, *with_history.values(), *listed.values()):
        reader.say(op="receipt", chat=chat, kind="read")
    for text in ("text 4", "text 5"):
        simulator.add_message(unread, text)
    for title, chat in listed.items():
        if LIST[title].is_marked_unread:
            simulator.change_chat(chat, marked_unread=True)

    page.goto(simulator.url)
    page.wait_for_selector('#pane-side span[title="Unread Person"]')
    page.wait_for_function("() => !document.querySelector('#pane-side span[title=\"Alice Media\"]')"
                           "?.closest('[role=row]').innerText.includes('unread')")  # fmt: skip
    shell = page.content()
    comparison.compare_screen("app_shell", shell, emptied="#pane-side")
    comparison.compare_screen("chatlist", shell, "#side", emptied="#pane-side")
    theirs, ours = (rows_by_title(html) for html in (comparison.recorded("chatlist"), shell))
    for title in ("Alice Example", "Alice Media", "Book Club", "Unread Person", *LIST):
        comparison.compare(
            f"chatlist {title}", theirs[title], ours["Allotment 12" if title == "Book Club" else title]
        )

    for screen, title, talk in (
        ("conversation_person", "Alice Example", PERSON),
        ("conversation_person_media", "Alice Media", MEDIA),
        ("conversation_group", "Allotment 12", GROUP),
    ):
        drawn = conversation(page, title, len(sent[screen]))
        comparison.compare_screen(screen, drawn, "#main", emptied=_MESSAGES)
        theirs = dict(zip(talk, pieces(comparison.recorded(screen), "[data-id]"), strict=True))
        ours = {stanza_of_row(html): html for html in pieces(drawn, "[data-id]")}
        for name, external_id in sent[screen].items():
            comparison.compare(f"{screen} {name}", theirs[name], ours[external_id.split("_")[2]])
    for header, title in (("header_person", "Alice Example"), ("header_group", "Allotment 12")):
        comparison.compare_screen(header, conversation(page, title, 1), "header")
    for kind, screen in ((0, "type0"), (2, "type2"), (None, "null")):
        drawn = conversation(page, f"History {kind}", len(HISTORY))
        comparison.compare_screen(
            f"conversation_history_{screen}", drawn, "[data-scrolltracepolicy]", emptied="[data-id]"
        )
    drawn = conversation(page, "Unread Person", 2)
    comparison.compare_screen("conversation_unread_divider", drawn, f"{_MESSAGES} > div:has(> [aria-live])")
    check(comparison, "app_shell", "chatlist", "conversation", "header")


def test_login(comparison, start):
    simulator, page = start(linked=False)
    codes = HeldBack("qr")
    page.route_web_socket("**/page/socket", codes)
    page.goto(simulator.url)
    page.wait_for_selector("[data-ref]")
    comparison.compare_screen("qr", page.content())
    simulator.set_config(delays={"qr_ttl_scale": 0.001})
    page.reload()
    button = page.wait_for_selector("[data-ref] button")
    comparison.compare_screen("qr_expired", page.content())
    codes.hold()
    button.click()
    page.wait_for_selector("[data-visualcompletion=loading-state]")
    fetching = page.content()
    comparison.compare_screen("qr_fetching", fetching)
    # The screen before the first code is the same.
    comparison.compare_screen("landing_before_ref", fetching)
    simulator.set_config(loading_hangs=True)
    simulator.scan()
    page.wait_for_selector("progress")
    comparison.compare_screen("loading_syncing", page.content())
    check(comparison, "landing", "qr", "loading")


def test_screens_that_take_the_place_of_the_chats(comparison, start):
    simulator, page = start()
    page.goto(simulator.url)
    page.wait_for_selector("#pane-side [role=row]")
    for kind, screen in {
        "conflict": "state_conflict",
        "deprecated": "state_deprecated_version",
        "proxyblock": "state_proxyblock",
        "terms": "state_tos_block",
    }.items():
        simulator.dialog(kind)
        page.wait_for_selector("[role=dialog]")
        page.evaluate("document.querySelectorAll('#app > [hidden]').forEach(node => node.remove())")
        comparison.compare_screen(screen, page.content())
        page.reload()
        page.wait_for_selector("[role=dialog]")
        simulator.dialog("none")
        page.wait_for_selector("#pane-side [role=row]")
    check(comparison, "state")


class HeldBack:
    """Stands between page and server and can hold back one kind of frame."""

    def __init__(self, op: str) -> None:
        self._op = op
        self._holds = False

    def __call__(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(frame: str | bytes) -> None:
            if not self._holds or json.loads(frame)["op"] != self._op:
                socket.send(frame)

        server.on_message(pass_on)

    def hold(self) -> None:
        self._holds = True


def check(comparison: Comparison, *screens: str) -> None:
    """Fail for what was found on these screens without a reason, and for reasons without a difference."""
    found = {name: each for name, each in comparison.found.items() if name.startswith(screens)}
    explanations = [each for each in table_of(DOCUMENT.read_text()) if each.screens.startswith(screens)]
    left, idle = unexplained(found, explanations)
    lines = [f"{screen}: {sentence}" for screen, sentences in left.items() for sentence in sentences]
    assert not lines, f"{len(lines)} differences without a reason in {DOCUMENT.name}:\n" + "\n".join(lines)
    assert not idle, f"Reasons without a difference in {DOCUMENT.name}:\n" + "\n".join(map(str, idle))


def rows_by_title(html: str) -> dict[str, str]:
    rows = pieces(html, _LIST_ROWS)
    return {pieces(row, "span[title][dir]")[0].partition('title="')[2].partition('"')[0]: row for row in rows}


def stanza_of_row(html: str) -> str:
    return html.partition('data-id="')[2].partition('"')[0].split("_")[2]


def conversation(page: Page, title: str, rows: int) -> str:
    """Open a chat and return its pane, every row drawn."""
    page.locator("#pane-side").locator(f'span[title="{title}"]').click()
    page.wait_for_function(
        """([title, rows]) => document.querySelector("#main header")?.innerText.includes(title)
            && document.querySelectorAll("#main [data-id]").length >= rows
            && !document.querySelector("#main [data-virtualized=true]")""",
        arg=[title, rows],
    )
    return page.locator("#main").evaluate("node => node.outerHTML")  # type: ignore[no-any-return]
