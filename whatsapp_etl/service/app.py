"""The HTTP side: Starlette handlers that read the current snapshot and nothing else."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from whatsapp_etl import __version__
from whatsapp_etl.model import SessionState
from whatsapp_etl.qr_code import qr_png
from whatsapp_etl.service import metrics, proposals
from whatsapp_etl.service.access import AccessMiddleware, AccessPolicy, problem
from whatsapp_etl.service.health import DatabaseState, Health, SessionWord, assess
from whatsapp_etl.service.page import code_spans, view_of
from whatsapp_etl.service.payload import health_json, status_json
from whatsapp_etl.service.proposals import TakeProposal
from whatsapp_etl.service.qr import link_json, qr_tag, shown_qr
from whatsapp_etl.service.state import ServiceState, Snapshot
from whatsapp_etl.service.thresholds import Thresholds
from whatsapp_etl.settings import Settings

_TEMPLATES = Path(__file__).parent / "templates"

#: How long a caller of /qr should wait before asking again, in seconds.
_QR_RETRY_SECONDS = 5
_RESTING_RETRY_SECONDS = 60

#: Of a form, in bytes; there is one key in it.
_LONGEST_FORM = 1000


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """What the service needs of the settings."""

    host: str = "127.0.0.1"
    token: str = ""
    allowed_hosts: tuple[str, ...] = ()  #: Besides localhost and the bind address.
    interval: timedelta = timedelta(minutes=10)
    lookback: timedelta = timedelta(days=30)
    thresholds: Thresholds = field(default_factory=Thresholds)
    version: str = __version__

    @classmethod
    def of(cls, settings: Settings) -> Self:
        interval = timedelta(minutes=settings.whatsapp_sync_interval_minutes)
        return cls(
            host=settings.host,
            token=settings.http_token.get_secret_value(),
            allowed_hosts=settings.http_allowed_hosts,
            interval=interval,
            lookback=settings.lookback,
            thresholds=Thresholds.of(
                interval=interval,
                session_max_age=timedelta(minutes=settings.whatsapp_session_max_age_minutes),
                reads_pictures=settings.image_processing_enabled,
                copies_files=bool(settings.attachments_store_url),
            ),
        )


def create_app(
    state: ServiceState,
    options: ServiceOptions,
    clock: Callable[[], datetime],
    ask_for_codes: Callable[[], None] = lambda: None,
    take_proposal: TakeProposal | None = None,
) -> Starlette:
    """Return the service.

    Args:
        state: Written by the thread that owns the browser, only read here.
        options: Where it is bound and what counts as healthy.
        clock: The program's clock; aware UTC.
        ask_for_codes: Called when a person wants QR codes to be shown again; must not block.
        take_proposal: Keeps what an agent proposes; called beside the event loop. None: nothing does.

    Raises:
        ConfigurationError: The bind address can be reached from other machines and there is no token.
    """
    policy = AccessPolicy.of(host=options.host, token=options.token, extra_hosts=options.allowed_hosts)
    handlers = _Handlers(state, options, clock, policy, ask_for_codes)
    access = Middleware(
        AccessMiddleware,
        policy=policy,
        content_security_policy=handlers.content_security_policy,
        sign_in=handlers.sign_in(),
    )
    routes = [
        Route("/", handlers.page),
        Route("/health", handlers.health),
        Route("/healthz", handlers.alive),
        Route("/readyz", handlers.ready),
        Route("/metrics", handlers.metrics),
        Route("/status", handlers.status),
        Route("/qr", handlers.qr),
        Route("/link", handlers.link, methods=["GET", "HEAD"]),
        Route("/link", handlers.ask_for_link, methods=["POST"]),
        Route(proposals.PATH, proposals.ProposalDoor(policy, take_proposal).post, methods=["POST"]),
    ]
    return Starlette(
        routes=routes, middleware=[access], exception_handlers={HTTPException: _http_problem, 500: _our_fault}
    )


class _Handlers:
    """One method an endpoint. Those that draw are plain functions and run beside the event loop."""

    def __init__(
        self,
        state: ServiceState,
        options: ServiceOptions,
        clock: Callable[[], datetime],
        policy: AccessPolicy,
        ask_for_codes: Callable[[], None],
    ) -> None:
        self._policy = policy
        self._ask_for_codes = ask_for_codes
        self._form_key = secrets.token_urlsafe(32)
        self._state = state
        self._options = options
        self._clock = clock
        self._registry = metrics.create_registry(state, clock, options.thresholds)
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._style = (_TEMPLATES / "status.css").read_text(encoding="utf-8")
        self._script = (_TEMPLATES / "follow.js").read_text(encoding="utf-8")
        environment.filters["code_spans"] = code_spans
        self._page = environment.get_template("status.html")
        self._sign_in = environment.get_template("sign_in.html")

    @property
    def content_security_policy(self) -> str:
        """Nothing from anywhere else, and exactly our own style sheet and script."""
        return (
            f"default-src 'none'; style-src {_csp_hash(self._style)}; script-src {_csp_hash(self._script)}; "
            "connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )

    def sign_in(self) -> Response:
        return HTMLResponse(
            self._sign_in.render(style=self._style), status_code=401, headers={"WWW-Authenticate": "Bearer"}
        )

    def page(self, _request: Request) -> Response:
        snapshot, health = self._look()
        view = view_of(
            snapshot,
            health,
            lookback=self._options.lookback,
            interval=self._options.interval,
            version=self._options.version,
        )
        return HTMLResponse(
            self._page.render(view=view, style=self._style, script=self._script, form_key=self._form_key)
        )

    async def health(self, _request: Request) -> Response:
        _, health = self._look()
        return JSONResponse(health_json(health), status_code=health.http_status)

    async def alive(self, _request: Request) -> Response:
        """The process answers. A logged-out session must not restart it in a loop."""
        return Response(status_code=200)

    async def ready(self, _request: Request) -> Response:
        """Postgres has answered and the program is not ending."""
        snapshot = self._state.snapshot
        is_ready = snapshot.database is DatabaseState.UP and not snapshot.is_stopping
        return Response(status_code=200 if is_ready else 503)

    def metrics(self, _request: Request) -> Response:
        return Response(metrics.exposition(self._registry), headers={"Content-Type": metrics.CONTENT_TYPE})

    async def status(self, _request: Request) -> Response:
        snapshot, health = self._look()
        body = status_json(snapshot, health, version=self._options.version, interval=self._options.interval)
        return JSONResponse(body)

    def qr(self, request: Request) -> Response:
        snapshot, health = self._look()
        payload = shown_qr(snapshot.session, health.checked_at)
        if payload is None:
            return _no_qr(health)
        tag = f'"{qr_tag(payload)}"'
        headers = {"ETag": tag, "Cache-Control": "no-store"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(qr_png(payload), media_type="image/png", headers=headers)

    async def link(self, _request: Request) -> Response:
        snapshot, health = self._look()
        return JSONResponse(link_json(snapshot.session, health.session.value, health.checked_at))

    async def ask_for_link(self, request: Request) -> Response:
        """Show QR codes again after linking rested, for a person who says so."""
        form = parse_qs((await request.body())[:_LONGEST_FORM].decode("ascii", "replace"))
        if not self._policy.may_act(request.headers, form.get("key", [""])[0], self._form_key):
            return problem(
                403,
                "not_from_here",
                "Press the button on the status page, or send HTTP_TOKEN as a Bearer token.",
            )
        if self._state.snapshot.session.state is not SessionState.LINK_RESTING:
            return problem(409, "not_resting", "QR codes are asked for only where linking rests.")
        self._ask_for_codes()
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/", status_code=303)
        return JSONResponse({"asked": True}, status_code=202)

    def _look(self) -> tuple[Snapshot, Health]:
        snapshot = self._state.snapshot
        return snapshot, assess(snapshot.health_facts, self._clock(), self._options.thresholds)


def _csp_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _no_qr(health: Health) -> Response:
    if health.session is SessionWord.LOGGED_IN:
        return problem(409, "already_linked", "The account is linked; no QR code is shown.")
    if health.session is SessionWord.LINK_RESTING:
        return problem(
            404,
            "link_resting",
            "Nobody scanned the QR codes. More are shown when somebody asks: POST /link, or the status page.",
            {"Retry-After": str(_RESTING_RETRY_SECONDS)},
        )
    return problem(
        404,
        "qr_not_shown",
        f"No QR code is shown at the moment; the session is {health.session.value}.",
        {"Retry-After": str(_QR_RETRY_SECONDS)},
    )


async def _http_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = "not_found" if error.status_code == 404 else "refused"  # noqa: PLR2004  # HTTP's own number
    return problem(error.status_code, code, error.detail, dict(error.headers or {}))


async def _our_fault(_request: Request, _error: Exception) -> Response:
    return problem(500, "internal_error", "The log says more.")
