"""Steps on the stand-in's conversation that several test files take."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

SCROLLER = "[data-testid=conversation-panel-messages]"
TITLE = "[data-testid=conversation-info-header-chat-title]"
IDS = "[...document.querySelectorAll('#main [data-id]')].map(node => node.dataset.id)"


def open_chat(page: Page, title: str) -> None:
    """Click a chat in the list and wait until its rows stand."""
    page.locator("#pane-side").locator(f'span[title="{title}"]').click()
    page.wait_for_function(
        """title => {
            const shown = document.querySelector("[data-testid=conversation-info-header-chat-title]");
            return shown?.innerText === title && document.querySelector("#main [data-id]") !== null;
        }""",
        arg=title,
    )


def stanza(external_id: str) -> str:
    """The bare id that the page shows of a message."""
    return external_id.split("_")[2]


def row(page: Page, external_id: str) -> Locator:
    return page.locator(f'#main [data-id="{stanza(external_id)}"]')


def row_ids(page: Page) -> list[str]:
    return page.evaluate(IDS)  # type: ignore[no-any-return]


def scroll(page: Page, top: float) -> None:
    page.evaluate(f"top => document.querySelector('{SCROLLER}').scrollTop = top", top)


def measure(page: Page) -> dict[str, Any]:
    """Where the list stands."""
    return page.evaluate(  # type: ignore[no-any-return]
        f"""() => {{
            const {{ scrollTop, scrollHeight, clientHeight }} = document.querySelector("{SCROLLER}");
            return {{
                top: scrollTop,
                below: scrollHeight - scrollTop - clientHeight,
                rows: document.querySelectorAll("#main [data-id]").length,
                emptied: document.querySelectorAll('#main [data-virtualized="true"]').length,
            }};
        }}"""
    )


def step_up(page: Page) -> None:
    """Leave the top, come back to it, and wait until older rows stand there."""
    page.evaluate(
        f"""async () => {{
            const scroller = document.querySelector("{SCROLLER}");
            const first = () => document.querySelector("#main [data-id]").dataset.id;
            const before = first();
            scroller.scrollTop = 400;
            await new Promise(requestAnimationFrame);
            scroller.scrollTop = 0;
            const until = performance.now() + 10_000;
            while (first() === before && performance.now() < until) await new Promise(requestAnimationFrame);
            if (first() === before) throw new Error("no older rows came");
        }}"""
    )
