"""Drive camouchat-whatsapp's page classes: link by code, QR canvas, chat list, messages of an open chat.

Runs in its own environment: `python camouchat_client.py TASK RESULT`, both JSON files. The browser is
Chromium in place of its own Firefox: what is judged is what it finds on the page.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from types import SimpleNamespace

_READY_MS = 90_000
_ORIGIN = "https://web.whatsapp.com"


class Heard(logging.Handler):
    """Keeps what the client logs: its login code comes out in no other way."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


async def link_by_code(page, task: dict) -> dict[str, object]:
    from camouchat_whatsapp import Login, WebSelectorConfig

    heard = Heard()
    log = logging.getLogger("judged")
    log.setLevel(logging.INFO)
    log.addHandler(heard)
    login = Login(page=page, profile=SimpleNamespace(is_active=False), log=log)
    ui = WebSelectorConfig(page)
    await page.goto(_ORIGIN)
    await ui.qr_canvas().wait_for(timeout=_READY_MS)
    sees_qr = await ui.qr_canvas().is_visible()
    linked = await login.login(method=1, number=task["number"], country=task["country"])
    words = [line.partition("Login Code: ")[2] for line in heard.lines if "Login Code: " in line]
    shown = await page.locator("div[data-link-code]").inner_text()
    return {"sees_qr": sees_qr, "linked": linked, "code": words[-1] if words else None, "shown": shown}


async def read_chats(page, task: dict) -> dict[str, object]:
    from camouchat_whatsapp import WebSelectorConfig

    ui = WebSelectorConfig(page)
    await page.goto(_ORIGIN)
    await ui.chat_list().wait_for(timeout=_READY_MS)
    items = await ui.chat_items().all()
    filters = [ui.chat_list_filters_ALL(), ui.chat_list_filters_Unread(), ui.chat_list_filters_groups()]
    result: dict[str, object] = {
        "total": await ui.total_chats(),
        "names": [await ui.getChatName(item) for item in items],
        "filters": [await each.count() for each in filters],
        "search_box": await ui.searchBox_chatList_panel().count(),
        "new_chat": await ui.new_chat_chat_list_panel().count(),
    }
    await page.locator(f'#pane-side span[title="{task["chat"]}"]').first.click()
    await page.locator("#main footer").get_by_role("textbox").wait_for(timeout=_READY_MS)
    await page.locator("#main [data-id]").first.wait_for(timeout=_READY_MS)
    messages = [
        {
            "id": await ui.get_dataID(message),
            "text": await ui.get_message_text(message),
            "is_outgoing": await ui.is_message_out(await message.element_handle()),
        }
        for message in await (await ui.messages()).all()
    ]
    return {
        **result,
        "profile_header": await ui.Profile_header().count(),
        "message_box": await ui.message_box().count(),
        "incoming": await (await ui.messages_incoming()).count(),
        "outgoing": await (await ui.messages_outgoing()).count(),
        "messages": messages,
    }


async def main(task: dict) -> dict[str, object]:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            task["profile"],
            executable_path=task["browser"],
            args=task["arguments"],
            user_agent=task["user_agent"],
            locale="en-US",
            timezone_id="UTC",
            viewport={"width": 1280, "height": 720},
        )
        try:
            page = await context.new_page()
            return await (link_by_code if task["wants"] == "code" else read_chats)(page, task)
        finally:
            await context.close()


if __name__ == "__main__":
    answer = asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
    Path(sys.argv[2]).write_text(json.dumps(answer))
