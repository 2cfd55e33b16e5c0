"""Who may ask: allowed Host names, the token, and the headers on every answer.

A name in the Host header that is not ours means that some web page made a browser resolve its own
name to this address (DNS rebinding); such a request is never answered with data.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whatsapp_etl.errors import ConfigurationError

COOKIE: Final = "whatsapp_etl_access"
_COOKIE_SECONDS = 30 * 24 * 3600

#: Where a person may ask for something, and an agent propose something; everything else is read only.
POST_PATHS = frozenset({"/link", "/agent/proposals"})

#: Answer without content, so that liveness checks need no token.
OPEN_PATHS = frozenset({"/healthz", "/readyz"})

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d{1,5})?", re.IGNORECASE)


class Verdict(Enum):
    """What to do with a request."""

    ALLOWED = "allowed"
    NO_HOST = "no_host"
    WRONG_HOST = "wrong_host"
    WRONG_METHOD = "wrong_method"
    UNKNOWN_CALLER = "unknown_caller"


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The rules for one bind address."""

    allowed_hosts: frozenset[str]
    token: str  #: Empty: none is asked for, which only a loopback address may do.

    @classmethod
    def of(cls, *, host: str, token: str, extra_hosts: Iterable[str] = ()) -> AccessPolicy:
        """Return the policy for binding to `host`.

        Raises:
            ConfigurationError: The address can be reached from other machines and there is no token.
        """
        if not token and not is_loopback(host):
            raise ConfigurationError(
                f"HTTP_TOKEN: is empty, and HOST={host} can be reached from other machines.",
                "Set HTTP_TOKEN to a long random text, or HOST=127.0.0.1.",
            )
        names = {*_LOOPBACK_NAMES, *(name.strip("[]").rstrip(".").lower() for name in extra_hosts)}
        if not _is_wildcard(host):
            names.add(host.strip("[]").lower())
        return cls(allowed_hosts=frozenset(names), token=token)

    @property
    def cookie_value(self) -> str:
        """What the browser keeps: made from the token, so that a cookie gives no token away."""
        return hmac.new(self.token.encode(), b"status page", hashlib.sha256).hexdigest()

    def judge(self, *, method: str, path: str, headers: Headers) -> Verdict:
        """Decide about a request; the Host comes first, whatever is asked for."""
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return Verdict.NO_HOST
        if _host_name(hosts[0]) not in self.allowed_hosts:
            return Verdict.WRONG_HOST
        if method not in {"GET", "HEAD"} and not (method == "POST" and path in POST_PATHS):
            return Verdict.WRONG_METHOD
        if path in OPEN_PATHS or not self.token or self._has_token(headers):
            return Verdict.ALLOWED
        return Verdict.UNKNOWN_CALLER

    def is_token(self, given: bytes) -> bool:
        """Compare in constant time."""
        return bool(self.token) and hmac.compare_digest(given, self.token.encode())

    def may_act(self, headers: Headers, given_key: str, form_key: str) -> bool:
        """Whether a request that changes something is meant by the person, and not by a page they look at.

        Args:
            headers: Of the request.
            given_key: What came with the form.
            form_key: What stands in our own page, which no other page can read.
        """
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return False
        # A header that no page can make a browser send elsewhere, or a text that no other page knows.
        return self.has_bearer(headers) or hmac.compare_digest(given_key.encode(), form_key.encode())

    def has_bearer(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.is_token(given.strip().encode("latin-1"))

    def _has_token(self, headers: Headers) -> bool:
        if self.has_bearer(headers):
            return True
        cookie = _cookie(headers.get("cookie", ""))
        return cookie is not None and hmac.compare_digest(cookie.encode(), self.cookie_value.encode())


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address. A name other than localhost is not trusted."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_wildcard(host: str) -> bool:
    return host.strip("[]") in {"", "0.0.0.0", "::", "*"}  # noqa: S104  # compared with, not bound to


def _host_name(header: str) -> str | None:
    match = _HOST.fullmatch(header.strip())
    return (match["v6"] or match["name"]).rstrip(".").lower() if match else None


def _cookie(header: str) -> str | None:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None


class AccessMiddleware:
    """Applies the policy before any handler, and the headers after."""

    def __init__(
        self, app: ASGIApp, *, policy: AccessPolicy, content_security_policy: str, sign_in: Response
    ) -> None:
        """Wrap `app`.

        Args:
            app: The handlers.
            policy: Decides about every request.
            content_security_policy: Header value for every answer.
            sign_in: What a browser without the token gets.
        """
        self._app = app
        self._policy = policy
        self._sign_in = sign_in
        self._headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": content_security_policy,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(scope) or self._app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        verdict = self._policy.judge(method=scope["method"], path=scope["path"], headers=headers)
        if scope["path"] == "/" and verdict in {Verdict.ALLOWED, Verdict.UNKNOWN_CALLER}:
            given = QueryParams(scope["query_string"]).get("token")
            if given is not None and self._policy.is_token(given.encode()):
                return self._signed_in(is_secure=scope["scheme"] == "https")
            if verdict is Verdict.UNKNOWN_CALLER and "text/html" in headers.get("accept", ""):
                return self._sign_in
        return _REFUSALS.get(verdict)

    def _signed_in(self, *, is_secure: bool) -> Response:
        """Remember the browser, and lead to an address without the token in it."""
        answer = RedirectResponse("/", status_code=303)
        # Lax, not strict: a link from elsewhere to the status page must find the cookie.
        answer.set_cookie(
            COOKIE,
            self._policy.cookie_value,
            max_age=_COOKIE_SECONDS,
            httponly=True,
            samesite="lax",
            secure=is_secure,
        )
        return answer


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return an error as JSON: a stable code and a sentence."""
    return JSONResponse({"error": code, "detail": detail}, status_code=status, headers=headers)


_REFUSALS = {
    Verdict.NO_HOST: problem(400, "host_missing", "Exactly one Host header is needed."),
    Verdict.WRONG_HOST: problem(
        421, "host_not_allowed", "This name is not served here. Add it to HTTP_ALLOWED_HOSTS if it should be."
    ),
    Verdict.WRONG_METHOD: problem(
        405, "method_not_allowed", "Only GET and HEAD are served here.", {"Allow": "GET, HEAD"}
    ),
    Verdict.UNKNOWN_CALLER: problem(
        401,
        "token_required",
        "Send HTTP_TOKEN as `Authorization: Bearer …`, or open /?token=… once in a browser.",
        {"WWW-Authenticate": "Bearer"},
    ),
}
