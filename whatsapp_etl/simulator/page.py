"""The server's side of the page's socket: login, configuration, dialogs, receipts."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Literal

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from whatsapp_etl.simulator.behaviours import Stagehand
from whatsapp_etl.simulator.generate import build_world
from whatsapp_etl.simulator.ledger import Ledger
from whatsapp_etl.simulator.media import MediaLibrary
from whatsapp_etl.simulator.options import SimulatorOptions, check_profiles
from whatsapp_etl.simulator.story import Story
from whatsapp_etl.simulator.world import World

VERSION = "2.3000.1045818043"
PhoneResult = Literal["ok", "failed", "use_phone"]
Frame = dict[str, Any]

_QR_REFS = 6
_QR_TTLS_MS = (60_000, 20_000, 20_000, 20_000, 20_000, 20_000)
_QR_PREFIX = "https://wa.me/settings/linked_devices#"
_LOGGED_OUT = 0
_WAITED_S = 5.0  #: For pages to do what they were told.

#: Dialogs that end when the session is taken over.
_USED_ELSEWHERE = ("conflict", "another_session")


@dataclass(eq=False, slots=True)
class Connection:
    """One open page."""

    socket: WebSocket
    is_linked: bool = False
    has_qr: bool = False  #: It shows a code that can be scanned.
    link_code: str | None = None  #: The code that it shows to be typed on the phone.
    profile: str = ""  #: The release that the page was loaded in; it stays in it.
    tells_drawn: bool = False  #: Whether it answers when it shows a dialog.
    is_drawn: bool = True  #: Whether the page shows the dialog it was told last.
    stored: int | None = None  #: Up to which change the page's storage has them; None: it told nothing yet.

    async def send(self, frame: Frame) -> None:
        if self.socket.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect):  # it is going; whoever listens to it hears that
                await self.socket.send_json(frame)


@dataclass(slots=True)
class PageServer:
    """Everything a page can ask for or be told. Lives in one event loop, so needs no lock."""

    options: SimulatorOptions
    world: World
    library: MediaLibrary
    config: dict[str, Any]
    stagehand: Stagehand
    ledger: Ledger = field(default_factory=Ledger)
    connections: list[Connection] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    dialog: str = "none"
    phone_results: dict[str, PhoneResult] = field(default_factory=dict)  #: By chat; else "ok".
    _qr_batches: int = 0
    _page_loads: int = 0
    _progress: asyncio.Condition = field(
        default_factory=asyncio.Condition
    )  #: A page stored something, or went.

    # --- the socket ----------------------------------------------------------------------------

    async def serve(self, socket: WebSocket) -> None:
        """Talk to one page until it goes."""
        await socket.accept()
        connection = Connection(socket)
        try:
            await self._greet(connection, await socket.receive_json())
            while True:
                await self._hear(connection, await socket.receive_json())
        except WebSocketDisconnect:
            pass  # the page was closed: nothing is left to say to it
        finally:
            if connection in self.connections:
                self.connections.remove(connection)
            await self._has_moved()

    async def _greet(self, connection: Connection, hello: Frame) -> None:
        self.connections.append(connection)
        connection.profile = self._next_profile()
        connection.tells_drawn = bool(hello.get("tells_drawn"))
        await connection.send({"op": "config", "config": self._config_of(connection)})
        token = hello.get("token")
        if self.is_valid(token) or self.options.linked:
            await self._link(connection, token if self.is_valid(token) else None)
        else:
            connection.has_qr = True
            await connection.send(self._qr())
        if self.dialog != "none":
            await connection.send({"op": "dialog", "kind": self.dialog})

    async def _hear(self, connection: Connection, frame: Frame) -> None:
        match frame.get("op"):
            case "presence" | "state" | "client_error" | "called" | "touched":
                self.ledger.note(frame)
            case "receipt":
                await self._receipt(str(frame["chat"]), str(frame["kind"]), list(frame.get("ids") or []))
            case "pressed":
                self._pressed(str(frame["label"]))
            case "opened":
                await self._opened(str(frame["chat"]))
            case "drawn":
                connection.is_drawn = True
                await self._has_moved()
            case "stored":
                connection.stored = int(frame["sequence"])
                await self._has_moved()
            case "login_shown":
                connection.has_qr = bool(frame["qr"])
                connection.link_code = frame["link_code"]
            case "qr_reload":
                connection.has_qr = True
                await connection.send(self._qr())
            case "phone_history":
                await self._phone_history(connection, str(frame["chat"]))
            case _:
                pass  # a newer page may say more than this server listens to

    async def _opened(self, chat_id: str) -> None:
        changes = self.stagehand.opened(chat_id)
        if changes:
            await self.configure(changes)
        if self.stagehand.unlinks_now:
            await self.log_out()
        await self.announce()

    async def behave(self, names: Iterable[str]) -> None:
        """Let exactly these behaviours be on."""
        dialog = self.stagehand.dialog
        changes = self.stagehand.switch(names)
        if changes:
            await self.configure(changes)
        if self.stagehand.dialog != dialog:
            await self.show_dialog(self.stagehand.dialog)
        await self.announce()

    def fails_load(self) -> str | None:
        """Return how the page load that is asked for now fails; None when it does not."""
        if self.config["failing_loads"] <= 0:
            return None
        self.config["failing_loads"] -= 1
        return str(self.config["load_failure"])

    async def _receipt(self, chat_id: str, kind: str, ids: list[str]) -> None:
        self.ledger.receipts[kind] += 1
        self.ledger.receipt_chats[chat_id] += 1
        if kind == "read" and chat_id in self.world.chats:
            self.world.mark_read(chat_id, ids)
            await self.announce()

    async def _phone_history(self, connection: Connection, chat_id: str) -> None:
        self.ledger.phone_requests[chat_id] += 1
        result = self.phone_results.get(chat_id, self.config["phone_result"])
        if result == "ok" and chat_id in self.world.chats:
            self.world.hand_over_from_phone(chat_id)
        await connection.send({"op": "phone_history", "chat": chat_id, "result": result})
        if result == "ok":
            await self.announce()

    # --- linking -------------------------------------------------------------------------------

    def is_valid(self, token: object) -> bool:
        return isinstance(token, str) and token in self.tokens

    def may_sync(self, token: str | None) -> bool:
        return self.options.linked or self.is_valid(token)

    async def scan(self) -> int:
        """Let the phone scan the QR code of every page that shows one; return how many did."""
        waiting = [page for page in self.connections if page.has_qr and not page.is_linked]
        for connection in waiting:
            await self._link(connection, None)
        return len(waiting)

    async def pair(self, code: str) -> int:
        """Let somebody type a pairing code on the phone; return how many pages show exactly that one."""
        waiting = [page for page in self.connections if page.link_code == code and not page.is_linked]
        for connection in waiting:
            await self._link(connection, None)
        return len(waiting)

    async def log_out(self, reason: int = _LOGGED_OUT) -> None:
        """Unlink all devices: every token ends, every page goes back to its QR code."""
        self.tokens.clear()
        for connection in self.connections:
            connection.is_linked = False
        await self.tell({"op": "logout", "reason": reason})

    async def _link(self, connection: Connection, token: str | None) -> None:
        token = token or secrets.token_hex(24)
        self.tokens.add(token)
        connection.is_linked = True
        connection.has_qr, connection.link_code = False, None
        me = self.world.me
        own = {"id": me.id, "lid": me.lid, "push_name": me.push_name}
        linked = {"op": "linked", "token": token, "me": own, "body_key": _body_key(self.options)}
        await connection.send(linked)

    def _qr(self) -> Frame:
        self._qr_batches += 1
        random = Random(f"{self.options.seed}/qr/{self._qr_batches}")  # noqa: S311 - invented, opens nothing
        parts = [[base64.b64encode(random.randbytes(32)).decode() for _ in range(4)] for _ in range(_QR_REFS)]
        refs = [f"{_QR_PREFIX}2@{','.join(part)}" for part in parts]
        return {"op": "qr", "refs": refs, "ttls_ms": list(_QR_TTLS_MS)}

    # --- telling the pages -----------------------------------------------------------------------

    async def tell(self, frame: Frame, to: Iterable[Connection] | None = None) -> None:
        for connection in list(self.connections if to is None else to):
            await connection.send(frame)

    def _pressed(self, label: str) -> None:
        self.ledger.pressed[label] += 1
        if label == "Use here" and self.dialog in _USED_ELSEWHERE:
            self.dialog = "none"  # the page that asked loads itself again, and is the one in use then

    async def announce(self) -> None:
        """Tell linked pages that there is something to pull."""
        await self.tell({"op": "changed"}, [page for page in self.connections if page.is_linked])

    async def show_dialog(self, kind: str) -> None:
        self.dialog = kind
        for connection in self.connections:
            connection.is_drawn = not connection.tells_drawn
        await self.tell({"op": "dialog", "kind": kind})

    async def until_drawn(self) -> None:
        """Return when every open page shows its dialog; one that hangs is not waited for long."""
        await self._until(lambda: all(page.is_drawn for page in self.connections))

    async def until_stored(self) -> bool:
        """Return whether every page that shows chats has stored all there is; it is not waited for long."""
        return await self._until(
            lambda: all(
                page.stored >= self.world.feed.last
                for page in self.connections
                if page.is_linked and page.stored is not None
            )
        )

    async def _until(self, is_done: Callable[[], bool]) -> bool:
        """Return whether this came true while pages were waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_WAITED_S), self._progress:
                await self._progress.wait_for(is_done)
        return is_done()

    async def _has_moved(self) -> None:
        async with self._progress:
            self._progress.notify_all()

    async def configure(self, changes: Frame) -> None:
        """Change the configuration; delays are merged one by one, and the world goes by the page's `now`."""
        delays = {**self.config["delays"], **changes.get("delays", {})}
        if "profile" in changes:
            check_profiles(changes["profile"])
            self._page_loads = 0
        if changes.get("now") is not None:
            now = int(datetime.fromisoformat(changes["now"]).timestamp())
            self.world.clock = lambda: now
        self.config = {**self.config, **changes, "delays": delays}
        for connection in list(self.connections):
            await connection.send({"op": "config", "config": self._config_of(connection)})

    # --- releases --------------------------------------------------------------------------------

    def _next_profile(self) -> str:
        """Return the release of the next page load: one after the other, where several are mixed."""
        names = str(self.config["profile"]).split(",")
        self._page_loads += 1
        return names[(self._page_loads - 1) % len(names)]

    def _config_of(self, connection: Connection) -> dict[str, Any]:
        return {**self.config, "profile": connection.profile}


def open_server(options: SimulatorOptions) -> PageServer:
    """Build the world and the server for it."""
    world, library = build_world(options)
    config = _config(options)
    stagehand = Stagehand(Story(world, library, options.seed), options.seed, config)
    changes = stagehand.switch(options.behaviours)
    delays = {**config["delays"], **changes.get("delays", {})}
    config = {**config, **changes, "delays": delays}
    return PageServer(options, world, library, config, stagehand, dialog=stagehand.dialog)


def _body_key(options: SimulatorOptions) -> str:
    """Return what a page decrypts its messages' bodies with, base64; it is told after the login only."""
    return base64.b64encode(Random(f"{options.seed}/body").randbytes(32)).decode()  # noqa: S311 - invented


def _config(options: SimulatorOptions) -> dict[str, Any]:
    delays = dict.fromkeys(
        ("boot_ms", "loading_ms", "open_chat_ms", "page_load_ms", "reveal_ms", "hydrate_ms", "image_ms",
         "phone_ms", "list_reorder_ms", "modules_ms", "key_ms"),
        0,
    )  # fmt: skip
    return {
        "locale": options.locale,
        "hour12": options.hour12,
        "language_variants": list(options.language_variants),
        "page_variants": list(options.page_variants),
        "timezone": options.timezone,
        "now": options.clock().isoformat() if options.now else None,
        "profile": options.profile,
        "search_editable": None,  # whether the search field is an editable element; None: by the release
        "fiber": True,
        "delays": {**delays, "qr_ttl_scale": 1.0, "link_code_ttl_scale": 1.0},
        "version": VERSION,
        "auto_download": True,
        "loading_hangs": False,
        "hidden_idb": False,
        "idb_version": None,  # of the database; None: the client's own
        "idb_renamed_fields": False,
        "missing_modules": [],  # of the page's modules; all of these are decided when a page is loaded
        "unresolved_modules": [],  # registered, but something that they depend on is not
        "renamed_members": {},  # path of a member -> its new name
        "key_never_comes": False,  # towards scripts: the page itself shows every body
        "hanging_reads": None,  # so many reads of the modules' tables are answered, the others never
        "failing_reads": None,  # so many are answered, the others refused
        "table_empty": False,  # the table of messages gives nothing
        "table_stands_still": False,  # it does not see what has come since
        "table_bodiless": False,  # its rows become messages without text
        "renamed_columns": {},  # of its rows: a column's usual name -> what it is called
        "serialized_keys": None,  # whether message keys carry `_serialized`; None: by the release
        "record_touches": False,  # tells the ledger what scripts touch of the modules
        "idb_locked": False,  # the page holds the messages in a transaction of its own
        "bodiless": [],  # stanza ids of rows that never get their body
        "tab_hidden": False,
        "left_over": None,  # unread-filter, group-filter, search or archive: as the last visit left it
        "typing": False,
        "clock_ahead_hours": 0,  # of the page's clock before the world's
        "phone_result": "ok",  # how the phone answers where nothing else was said for the chat
        "failing_loads": 0,  # so many page loads fail, from now on
        "unsupported": False,  # the server takes the browser for one that it does not serve
        "load_failure": "http",  # answered 503 ("http"), or without the page's script ("script")
        "reorder_while_scrolling": False,
        "mutations": [],  # what the next release renames or drops in the page
        "virtual_margin_px": None,  # how far from the screen rows keep their bodies; the page's own: 4000
        "phone_button": True,  # whether the page offers to ask the phone for older messages
        # A page that kept rows of another world must not go on from them.
        "world": secrets.token_hex(8),
    }
