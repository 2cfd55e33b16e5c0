"""`POST /agent/proposals`: what an agent proposes, checked and handed on. Nothing is acted on here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from whatsapp_etl.agent import Proposal, Receipt, Taken
from whatsapp_etl.errors import DatabaseRefusedError, DatabaseUnreachableError
from whatsapp_etl.service.access import AccessPolicy, problem

PATH = "/agent/proposals"

#: Of a request's body, in bytes.
LONGEST_BODY = 256 * 1024
_LONGEST_KEY = 200
#: Of lists and objects within each other; more says nothing that a person could read.
_DEEPEST = 32
_RETRY_SECONDS = 30

_KIND = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_KEY = re.compile(rf"[\x21-\x7e]{{1,{_LONGEST_KEY}}}")
_FIELDS = frozenset({"answers", "kind", "payload"})

TakeProposal = Callable[[Proposal], Receipt]


class ProposalRefused(Exception):  # noqa: N818 - an answer, and no failure of the program
    """The request holds no proposal; the message says why and repeats nothing of it."""

    def __init__(self, why: str, status: int = 422, code: str = "not_a_proposal") -> None:
        super().__init__(why)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class ProposalDoor:
    """The handler."""

    policy: AccessPolicy
    take: TakeProposal | None  #: None: no database is there to keep them, as in the demonstration.

    async def post(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            proposal = read_proposal(await _body(request), request.headers.get("idempotency-key"))
        except ProposalRefused as refused:
            return problem(refused.status, refused.code, str(refused))
        assert self.take is not None
        try:
            receipt = await run_in_threadpool(self.take, proposal)
        except (DatabaseUnreachableError, DatabaseRefusedError):
            return problem(
                503,
                "not_stored",
                "Postgres does not take it now. Send it again under the same key.",
                {"Retry-After": str(_RETRY_SECONDS)},
            )
        return _answer(receipt)

    def _refusal(self, request: Request) -> Response | None:
        """Return why nothing is read of a request; None: it may hold a proposal."""
        if not self.policy.token:
            return problem(403, "token_not_set", "Proposals are only taken where HTTP_TOKEN is set.")
        # A cookie is not enough: a page that somebody looks at could send it along.
        if not self.policy.has_bearer(request.headers):
            return problem(
                401,
                "token_required",
                "Send HTTP_TOKEN as `Authorization: Bearer …`.",
                {"WWW-Authenticate": "Bearer"},
            )
        if self.take is None:
            return problem(503, "not_taken", "This program keeps no proposals.")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return problem(415, "not_json", "Send application/json.")
        return None


def read_proposal(body: bytes, key: str | None) -> Proposal:
    """Read a request.

    Raises:
        ProposalRefused: It is none; says why.
    """
    if key is None or not _KEY.fullmatch(key):
        raise ProposalRefused(f"The header Idempotency-Key must have 1 to {_LONGEST_KEY} visible characters.")
    try:
        told = json.loads(body.decode("utf-8"), parse_constant=_no_number)
        # What Postgres cannot hold: NUL, and half of a surrogate pair.
        written = json.dumps(told, ensure_ascii=False, allow_nan=False)
        written.encode("utf-8")
    except RecursionError:
        raise ProposalRefused(_TOO_DEEP) from None
    except ValueError:
        raise ProposalRefused("The body is no JSON in UTF-8.") from None
    if "\\u0000" in written:
        raise ProposalRefused("A text holds NUL, which cannot be kept.")
    if not isinstance(told, dict) or told.keys() != _FIELDS:
        raise ProposalRefused(f"The body must be an object with {', '.join(sorted(_FIELDS))}, and no more.")
    kind, payload = told["kind"], told["payload"]
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise ProposalRefused("`kind` must be up to 100 of a-z, 0-9, dot, hyphen and underscore.")
    if not isinstance(payload, dict):
        raise ProposalRefused("`payload` must be an object.")
    if _depth_is_above(payload, _DEEPEST):
        raise ProposalRefused(_TOO_DEEP)
    return Proposal(_uuid(told["answers"]), kind, payload, key)


_TOO_DEEP = f"More than {_DEEPEST} lists and objects lie within each other."


def _no_number(_text: str) -> NoReturn:
    raise ValueError


def _uuid(text: object) -> UUID:
    try:
        return UUID(text if isinstance(text, str) else "")
    except ValueError:
        raise ProposalRefused("`answers` must be the id of the message that it answers.") from None


def _depth_is_above(value: object, most: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return most == 0 or any(_depth_is_above(each, most - 1) for each in inside)


async def _body(request: Request) -> bytes:
    """Return the body; once it is too long, the rest is not read."""
    whole = bytearray()
    async for part in request.stream():
        whole += part
        if len(whole) > LONGEST_BODY:
            raise ProposalRefused(f"A proposal has at most {LONGEST_BODY} bytes.", 413, "too_large")
    return bytes(whole)


def _answer(receipt: Receipt) -> Response:
    if receipt.taken is Taken.NO_MESSAGE:
        return problem(404, "no_such_message", "There is no such message, or it was removed.")
    if receipt.taken is Taken.CONFLICT:
        return problem(409, "key_used", "Another proposal was handed in under this Idempotency-Key.")
    return JSONResponse(
        {"id": str(receipt.id), "state": receipt.state},
        status_code=201 if receipt.taken is Taken.CREATED else 200,
    )
