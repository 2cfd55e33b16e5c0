"""The control API under `/__sim/`: what a test, a demonstration or a person changes in the world.

`docs/simulator.md` lists the calls with examples. A wrong call answers 400 or 404 with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from whatsapp_etl.simulator.behaviours import BEHAVIOURS
from whatsapp_etl.simulator.ledger import Ledger
from whatsapp_etl.simulator.moving import (
    hand_over_less,
    hold_history,
    link_again,
    migrate_chat,
    release_history,
    restore_older,
)
from whatsapp_etl.simulator.options import PAGE_VARIANTS, check_variants
from whatsapp_etl.simulator.page import PageServer, PhoneResult
from whatsapp_etl.simulator.story import Story, StoryError, UnknownThingError
from whatsapp_etl.simulator.truth import Proof, View, truth

Payload = dict[str, Any]
Call = Callable[[Request, Payload], Awaitable[Any]]

DIALOGS = (
    "conflict", "another_session", "terms", "feature", "temp_ban", "service_unavailable", "deprecated",
    "screen_lock", "update_bar", "offline", "reconnecting", "phone_offline", "syncing", "sync_paused",
    "notifications", "permission", "delete_question", "delete_told", "log_out_question", "passkey",
    "logging_out", "proxyblock", "feature_ok", "feature_link", "nested_question", "two_features",
    "feature_and_question", "question_and_feature", "none",
)  # fmt: skip
_PHONE_RESULTS = ("ok", "failed", "use_phone")


def control_routes(server: PageServer) -> list[Route]:
    """Return the routes of the control API for one server."""
    control = _Control(server, server.stagehand.story)
    table: list[tuple[str, str, Call]] = [
        ("POST", "/scan", control.scan),
        ("POST", "/pair", control.pair),
        ("POST", "/logout", control.logout),
        ("POST", "/dialog", control.dialog),
        ("POST", "/config", control.configure),
        ("POST", "/behaviours", control.behave),
        ("GET", "/behaviours", control.behaviours),
        ("POST", "/messages", control.add_message),
        ("PATCH", "/messages/{message:path}", control.edit_message),
        ("DELETE", "/messages/{message:path}", control.delete_message),
        ("POST", "/reactions", control.react),
        ("POST", "/chats", control.add_chat),
        ("PATCH", "/chats/{chat}", control.change_chat),
        ("POST", "/chats/{chat}/migrate", control.migrate_chat),
        ("POST", "/relink", control.link_again),
        ("POST", "/restore", control.restore),
        ("POST", "/history/hold", control.hold_history),
        ("POST", "/history/release", control.release_history),
        ("POST", "/decrypt", control.decrypt),
        ("POST", "/expire", control.expire),
        ("POST", "/phone_history", control.phone_history),
        ("POST", "/settle", control.settle),
        ("GET", "/truth", control.truth),
        ("GET", "/ledger", control.ledger),
        ("POST", "/ledger/reset", control.reset_ledger),
        ("GET", "/unread", control.unread),
        ("GET", "/world", control.world),
    ]
    return [Route(path, _answering(call), methods=[method]) for method, path, call in table]


def _answering(call: Call) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await call(request, _payload(await request.body())))
        except UnknownThingError as error:
            return JSONResponse({"error": str(error)}, status_code=404)
        except (StoryError, ValueError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return answer


#: Releases whose rows show whole keys.
_PACKED_PROFILES = frozenset({"y2024", "apr26"})


class _Control:
    def __init__(self, server: PageServer, story: Story) -> None:
        self._server = server
        self._story = story
        self._held: dict[str, int | None] = {}  #: Types of history of the chats of which some comes later.

    # --- session -------------------------------------------------------------------------------

    async def scan(self, _request: Request, _payload: Payload) -> Payload:
        linked = await self._server.scan()
        if not linked:
            raise StoryError("No page shows a QR code.")
        return {"linked": linked}

    async def pair(self, _request: Request, payload: Payload) -> Payload:
        linked = await self._server.pair(str(payload.get("code", "")))
        if not linked:
            raise StoryError("No page shows this pairing code.")
        return {"linked": linked}

    async def logout(self, _request: Request, payload: Payload) -> Payload:
        await self._server.log_out(int(payload.get("reason", 0)))
        return {"logged_out": True}

    async def dialog(self, _request: Request, payload: Payload) -> Payload:
        kind = _choice(payload, "kind", DIALOGS)
        await self._server.show_dialog(kind)
        await self._server.until_drawn()
        return {"dialog": kind}

    async def settle(self, _request: Request, _payload: Payload) -> Payload:
        return {"settled": await self._server.until_stored()}

    async def configure(self, _request: Request, payload: Payload) -> Payload:
        unknown = sorted(set(payload) - set(self._server.config))
        if unknown:
            raise StoryError(f"No such configuration: {', '.join(unknown)}.")
        check_variants(payload.get("language_variants", ()))
        check_variants(payload.get("page_variants", ()), PAGE_VARIANTS)
        await self._server.configure(payload)
        return self._server.config

    async def behave(self, _request: Request, payload: Payload) -> Payload:
        names = payload.get("on", [])
        if not isinstance(names, list):
            raise StoryError("`on` is a list of names.")
        await self._server.behave(names)
        return {"on": list(self._server.stagehand.on)}

    async def behaviours(self, _request: Request, _payload: Payload) -> Payload:
        on = self._server.stagehand.on
        return {"on": list(on), "known": {name: each.what for name, each in BEHAVIOURS.items()}}

    async def phone_history(self, _request: Request, payload: Payload) -> Payload:
        chat, result = self._story.chat(payload), _choice(payload, "result", _PHONE_RESULTS)
        self._server.phone_results[chat.id] = cast("PhoneResult", result)
        return {"chat": chat.id, "result": result}

    # --- the story -----------------------------------------------------------------------------

    async def add_message(self, _request: Request, payload: Payload) -> Payload:
        message = self._story.add_message(payload)
        await self._server.announce()
        return {"external_id": message.external_id}

    async def edit_message(self, request: Request, payload: Payload) -> Payload:
        message = self._story.edit(request.path_params["message"], payload)
        await self._server.announce()
        return {"external_id": message.external_id}

    async def delete_message(self, request: Request, _payload: Payload) -> Payload:
        external_id, by = request.path_params["message"], request.query_params.get("by", "sender")
        self._story.delete(external_id, by)
        await self._server.announce()
        return {"external_id": external_id}

    async def react(self, _request: Request, payload: Payload) -> Payload:
        self._story.react(payload)
        await self._server.announce()
        return {"external_id": payload["message"]}

    async def decrypt(self, _request: Request, payload: Payload) -> Payload:
        message = self._story.decrypt(payload)
        await self._server.announce()
        return {"external_id": message.external_id}

    async def expire(self, _request: Request, payload: Payload) -> Payload:
        message = self._story.expire(payload)
        await self._server.announce()
        return {"external_id": message.external_id}

    async def add_chat(self, _request: Request, payload: Payload) -> Payload:
        chat = self._story.add_chat(payload)
        await self._server.announce()
        return {"chat": chat.id}

    async def change_chat(self, request: Request, payload: Payload) -> Payload:
        chat = self._story.change_chat(request.path_params["chat"], payload)
        await self._server.announce()
        return {"chat": chat.id}

    async def migrate_chat(self, request: Request, payload: Payload) -> Payload:
        rows = _choice({"rows": "all", **payload}, "rows", ("all", "new"))
        chat = self._story.chat({"chat": request.path_params["chat"]})
        if chat.kind not in {"person", "group", "self"}:
            raise StoryError("Only chats with people and groups change to LIDs.")
        new_id = migrate_chat(self._server.world, chat.id, rewrites=rows == "all")
        await self._server.announce()
        return {"chat": new_id}

    async def link_again(self, _request: Request, payload: Payload) -> Payload:
        if "days" in payload:
            hand_over_less(self._server.world, float(payload["days"]))
        link_again(self._server.world, uses_lids=bool(payload.get("lids", False)))
        await self._server.log_out()
        return {"linked_again": True}

    async def restore(self, _request: Request, payload: Payload) -> Payload:
        gone = restore_older(self._server.world, _days(payload))
        await self._server.announce()
        return {"gone": gone}

    async def hold_history(self, _request: Request, payload: Payload) -> Payload:
        if self._held:
            raise StoryError("History is held already; release it first.")
        self._held = hold_history(self._server.world, _days(payload))
        await self._server.announce()
        return {"chats": len(self._held)}

    async def release_history(self, _request: Request, _payload: Payload) -> Payload:
        came = release_history(self._server.world, self._held)
        self._held = {}
        await self._server.announce()
        return {"came": came}

    # --- what is and what was ------------------------------------------------------------------

    async def truth(self, request: Request, _payload: Payload) -> list[Payload]:
        query = request.query_params
        view = query.get("view", "perfect")
        if view not in {"perfect", "attainable", "page"}:
            raise StoryError("`view` is perfect, attainable or page.")
        try:
            return truth(
                self._server.world,
                self._since(request),
                cast("View", view),
                self._proof(),
                bodiless=self._server.config["bodiless"],
                columns=[name for name in query.get("columns", "").split(",") if name],
            )
        except KeyError as error:
            raise StoryError(f"The truth has no column {error}.") from error

    def _proof(self) -> Proof:
        """What the page's rows tell in the configuration in force."""
        if self._server.config["fiber"]:
            return "models"
        names = str(self._server.config["profile"]).split(",")
        return "packed" if _PACKED_PROFILES.issuperset(names) else "none"

    async def ledger(self, _request: Request, _payload: Payload) -> Payload:
        return {**self._server.ledger.as_json(), "unread": self._unread()}

    async def reset_ledger(self, _request: Request, _payload: Payload) -> Payload:
        self._server.ledger = Ledger()
        return {"reset": True}

    async def unread(self, _request: Request, _payload: Payload) -> Payload:
        return self._unread()

    async def world(self, _request: Request, _payload: Payload) -> Payload:
        world = self._server.world
        return {
            "me": {"id": world.me.id, "lid": world.me.lid, "push_name": world.me.push_name},
            "now": datetime.fromtimestamp(world.clock(), UTC).isoformat(),
            "pages": len(self._server.connections),
            "linked_pages": sum(page.is_linked for page in self._server.connections),
            "dialog": self._server.dialog,
            "phone_ids": {
                some_id: world.person(some_id)
                for some_id in {world.me.lid, *world.contacts}
                if world.person(some_id) != some_id
            },
            "chats": [self._chat(chat_id) for chat_id in world.chats],
        }

    def _chat(self, chat_id: str) -> Payload:
        world = self._server.world
        chat, messages = world.chats[chat_id], world.messages_of(chat_id)
        return {
            "id": chat.id,
            "title": world.title_of(chat),
            "kind": chat.kind,
            "in_scope": chat.is_in_scope,
            "archived": chat.is_archived,
            "locked": chat.is_locked,
            "unread": world.unread_count(chat_id),
            "history_type": chat.history_type,
            "messages": len(messages),
            "on_phone": sum(message.is_on_phone for message in messages),
        }

    def _unread(self) -> Payload:
        world = self._server.world
        counts = {chat_id: world.unread_count(chat_id) for chat_id in world.chats}
        return {chat_id: count for chat_id, count in counts.items() if count}

    def _since(self, request: Request) -> int | None:
        query = request.query_params
        if "since" in query:
            # An unescaped "+" of an offset arrives as a blank.
            since = datetime.fromisoformat(query["since"].replace(" ", "+"))
            if since.tzinfo is None:
                raise StoryError("`since` needs a time zone.")
            return int(-(-since.timestamp() // 1))
        if "lookback_days" in query:
            return self._server.world.clock() - int(
                timedelta(days=float(query["lookback_days"])).total_seconds()
            )
        return None


def _payload(text: bytes) -> Payload:
    payload = json.loads(text) if text else {}
    if not isinstance(payload, dict):
        raise StoryError("The body must be a JSON object.")
    return payload


def _days(payload: Payload) -> float:
    if not isinstance(days := payload.get("days"), int | float):
        raise StoryError("`days` is a number.")
    return days


def _choice(payload: Payload, name: str, allowed: tuple[str, ...]) -> str:
    value = payload.get(name)
    if value not in allowed:
        raise StoryError(f"`{name}` is one of: {', '.join(allowed)}.")
    return str(value)
