"""The HTTP face of the stand-in: the page's own endpoints, and the control API beside them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from mimetypes import guess_type
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from whatsapp_etl.simulator.control import control_routes
from whatsapp_etl.simulator.page import PageServer
from whatsapp_etl.simulator.rows import change_row, direct_path
from whatsapp_etl.simulator.sealed_media import info_of, media_key, seal

STATIC = Path(__file__).parent / "static"
_SYNC_LIMIT = 2000
_UNSUPPORTED = ("HeadlessChrome", "Electron")


def create_app(server: PageServer) -> Starlette:
    """Return the application that serves one simulated account."""

    async def index(request: Request) -> Response:
        agent = request.headers.get("user-agent", "")
        if server.config["unsupported"] or any(word in agent for word in _UNSUPPORTED):
            return HTMLResponse(_page("unsupported.html"))
        failure = server.fails_load()
        if failure == "http":
            return HTMLResponse("Service Unavailable", status_code=503)
        page = _page("index.html")
        if failure == "script":
            page = page.replace("/static/main.js", "/static/missing.js")
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    async def sync(request: Request) -> Response:
        query = request.query_params
        token = request.headers.get("x-token") or query.get("token")
        if not server.may_sync(token):
            return JSONResponse({"error": "not linked"}, status_code=401)
        after, limit = int(query.get("after", "0")), int(query.get("limit", str(_SYNC_LIMIT)))
        changes, total = server.world.feed.after(after, max(1, limit))
        is_done = len(changes) == total
        return JSONResponse(
            {
                "changes": [change_row(server.world, change) for change in changes],
                "next": server.world.feed.last if is_done else changes[-1].sequence,
                "done": is_done,
                "total": total,
            }
        )

    async def media(request: Request) -> Response:
        server.ledger.media_reads += 1
        found = server.library.bytes_of(request.path_params["sha256"])
        if found is None:
            return JSONResponse({"error": "gone"}, status_code=404)
        media_type, data = found
        return Response(data, media_type=media_type, headers={"Cache-Control": "no-store"})

    return Starlette(
        routes=[
            Route("/", index),
            Route("/page/sync", sync),
            WebSocketRoute("/page/socket", server.serve),
            Route("/media/{sha256}", media),
            Route("/v/{place:path}", partial(_sealed, server)),
            Mount("/__sim", routes=control_routes(server)),
            Route("/static/{path:path}", _static),
        ]
    )


async def _sealed(server: PageServer, request: Request) -> Response:
    """Serve a file as the media server does: sealed, to whoever knows its place, until it expires."""
    server.ledger.sealed_reads += 1
    path = request.url.path
    with_files = (each for each in server.world.messages.values() if each.media is not None)
    message = next((each for each in with_files if direct_path(each).partition("?")[0] == path), None)
    if message is None or message.media is None:
        return Response(status_code=404)
    found = server.library.bytes_of(message.media.sha256)
    if message.is_expired or found is None:
        return Response(status_code=410)
    server.ledger.sealed_files[message.media.sha256] += 1
    data = seal(found[1], media_key(message.media.sha256), info_of(found[0]))
    return Response(data, media_type="application/octet-stream")


def _page(name: str) -> str:
    return _static_files()[name][1].decode()


async def _static(request: Request) -> Response:
    found = _static_files().get(request.path_params["path"])
    if found is None:
        return Response("Not Found", status_code=404)
    media_type, data = found
    # A module that a browser keeps would outlive a new release.
    return Response(data, media_type=media_type, headers={"Cache-Control": "no-store"})


@cache
def _static_files() -> Mapping[str, tuple[str, bytes]]:
    """Return the page's own files by path, with their media types; each load asks for some seventy."""
    return {
        file.relative_to(STATIC).as_posix(): (
            guess_type(file.name)[0] or "application/octet-stream",
            file.read_bytes(),
        )
        for file in STATIC.rglob("*")
        if file.is_file()
    }
