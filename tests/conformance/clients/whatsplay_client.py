"""Drive whatsplay as its README does: log in, list unread chats, open chats by name, read them.

Runs in whatsplay's own environment: `python whatsplay_client.py TASK RESULT`, both JSON files.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from base64 import b64encode
from pathlib import Path

_READY_SECONDS = 90
_STEP_MS = 6_000
#: The ids shown first and last; together they say where in the conversation the page is.
_ENDS = """() => {
    const rows = document.querySelectorAll("#main [data-testid^='conv-msg-']");
    return rows.length ? [rows[0].dataset.id, rows[rows.length - 1].dataset.id].join(" ") : "";
}"""

#: Rows far from the screen keep their place and their id; what they say is no longer on the page.
_EMPTY = """() => [...document.querySelectorAll("#main [data-id]")]
    .filter((row) => row.querySelector("[data-virtualized=true]"))
    .map((row) => row.dataset.id)"""


def keep_servers_at_home() -> None:
    """Let nothing in this process listen on other addresses than this machine's own.

    While a QR code is shown whatsplay serves it to the whole network, on a fixed port.
    """
    bind = socket.socket.bind

    def bind_here(self: socket.socket, address: object) -> None:
        bind(self, ("127.0.0.1", 0) if self.family == socket.AF_INET else address)

    socket.socket.bind = bind_here


class Profile:
    """Where whatsplay asks for a profile folder and for Chromium's arguments."""

    def __init__(self, folder: str, arguments: list[str]) -> None:
        self.data_dir = folder
        self._arguments = arguments

    def get_browser_args(self) -> dict[str, object]:
        return {"args": self._arguments}

    async def setup_context(self, context: object) -> None:
        pass

    async def save_session(self) -> bool:
        return True


async def read_whole_chat(client, own_name: str) -> list[dict[str, object]]:
    """Go down to the newest message, then up page by page, collecting, until nothing older comes."""
    page = client._page
    found: dict[str, dict[str, object]] = {}
    while await scroll(page, 40_000):
        pass
    is_more = True
    while is_more:
        read = await client.collect_messages(own_push_names=[own_name], dispose=True)
        empty = set(await page.evaluate(_EMPTY))
        for message in read:
            if message.msg_id in empty:
                continue
            found[message.msg_id] = {
                "id": message.msg_id,
                "sender": message.sender,
                "text": message.text,
                "is_outgoing": bool(message.is_outgoing),
                "time": message.timestamp.isoformat(timespec="minutes"),
            }
        # Away from the edge and back: one who stays there asks for nothing more.
        is_more = await scroll(page, -40_000) or await scroll(page, 600) or await scroll(page, -40_000)
    return list(found.values())


async def scroll(page, pixels: int) -> bool:
    """Turn the wheel over the conversation; return whether other rows came."""
    from playwright.async_api import TimeoutError as NothingCame

    before = await page.evaluate(_ENDS)
    await page.locator("#main [data-testid^='conv-msg-']").last.wait_for(state="attached")
    await page.locator("#main").hover()
    await page.mouse.wheel(0, pixels)
    try:
        await page.wait_for_function(f"(before) => ({_ENDS})() !== before", arg=before, timeout=_STEP_MS)
    except NothingCame:
        return False
    return True


async def read(task: dict) -> dict[str, object]:
    from whatsplay import Client

    result: dict[str, object] = {"qr": [], "unread": None, "chats": {}, "errors": []}
    client = Client(auth=Profile(task["profile"], task["arguments"]), headless=True)
    seen_unread = asyncio.Event()
    seen_qr = asyncio.Event()

    async def on_qr(image: bytes) -> None:
        result["qr"].append(b64encode(image).decode())
        seen_qr.set()

    async def on_unread(chats: list[dict[str, object]]) -> None:
        result["unread"] = result["unread"] or chats
        seen_unread.set()

    client.event("on_qr")(on_qr)
    client.event("on_unread_chat")(on_unread)
    client.event("on_error")(lambda text: result["errors"].append(str(text)))
    running = asyncio.create_task(client.start())
    try:
        if task["wants"] == "qr":
            await asyncio.wait_for(seen_qr.wait(), _READY_SECONDS)
            return result
        if not await client.wait_until_logged_in(timeout=_READY_SECONDS):
            result["errors"].append("not logged in")
            return result
        await asyncio.wait_for(seen_unread.wait(), _READY_SECONDS)
        for name in task["chats"]:
            async with client.page_lock:
                opened = await client.open(name)
                rows = await read_whole_chat(client, task["own_name"]) if opened else []
                result["chats"][name] = {"opened": bool(opened), "messages": rows}
                await client.close()
        return result
    finally:
        await client.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


if __name__ == "__main__":
    keep_servers_at_home()
    given, written = Path(sys.argv[1]), Path(sys.argv[2])
    written.write_text(json.dumps(asyncio.run(read(json.loads(given.read_text())))))
    # Its event loop's signal handlers and a daemon thread must not keep the process.
    sys.stdout.flush()
    os._exit(0)
