"""The database: that it answers, that its tables are the program's, and the health of the sync."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from whatsapp_etl import bootstrap
from whatsapp_etl.doctor.findings import Finding, Outcome, good, notice, wrong
from whatsapp_etl.errors import SchemaOutdatedError, SessionNeedsPersonError, WhatsappEtlError, exit_code_of
from whatsapp_etl.load import migrate
from whatsapp_etl.service.health import ERROR_REASONS
from whatsapp_etl.service.payload import health_json
from whatsapp_etl.service.reasons import REASONS, ReasonCode, Severity
from whatsapp_etl.settings import Settings
from whatsapp_etl.stored_health import stored_health

#: The service answers from memory.
_ANSWERS_WITHIN_SECONDS = 3.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # compared, not bound

#: Reasons that end when a person does something at the phone or the page.
_NEEDS_PERSON = frozenset(
    {
        ReasonCode.SESSION_LINK_REQUIRED,
        ReasonCode.SESSION_LINK_RESTING,
        ReasonCode.SESSION_LOGGED_OUT,
        ReasonCode.SESSION_CONFLICT,
        ReasonCode.SESSION_UNSUPPORTED,
        ReasonCode.SESSION_UPDATE_REQUIRED,
        ReasonCode.SESSION_TERMS,
        ReasonCode.SESSION_LOCKED,
        ReasonCode.SESSION_BANNED,
        ReasonCode.SESSION_WRONG_ACCOUNT,
    }
)


@dataclass(frozen=True, slots=True)
class HealthTold:
    """The body of /health, and who told it."""

    source: Literal["service", "database"]
    body: dict[str, Any]


def database(settings: Settings) -> Iterator[Finding]:
    if not bootstrap.has_database(settings):
        yield good("database", "not made yet; `whatsapp-etl migrate`, `login` or `run` makes it")
        return
    with bootstrap.open_db(settings) as opened:
        schema = migrate.schema_state(opened)
        yield good("database", f"answers ({opened.place})")
        versions = f"{', '.join(schema.found) or 'none'}; the program's is {schema.wanted}"
        if schema.relation == "current":
            yield good("migrations", f"current: {schema.wanted}")
            return
        error = schema.error
        assert error is not None
        assert error.remedy is not None
        yield Finding(
            "migrations",
            Outcome.WRONG,
            f"{error.what} Found {versions}.",
            error.remedy,
            code=ReasonCode.SCHEMA_OUTDATED.value,
            exit_code=error.exit_code,
        )


def store_reader(settings: Settings) -> Iterator[Finding]:
    """Tell whether the last cycle could read the page's message store, and if not, why."""
    if settings.whatsapp_reader == "dom":
        yield good("message store", "not wanted: WHATSAPP_READER is dom")
        return
    if not bootstrap.has_database(settings):
        yield good("message store", "not tried yet")
        return
    try:
        with bootstrap.open_store_to_read(settings) as store:
            run = store.last_cycle()
    except SchemaOutdatedError:
        return  # told as migrations
    if run is None:
        yield good("message store", "not tried yet")
    elif run.store_unavailable is None:
        yield good("message store", f"told {run.rows_by_store} messages of the last cycle")
    else:
        which = f" ({run.store_detail})" if run.store_detail else ""
        yield notice(
            "message store",
            f"The last cycle read the page instead: {run.store_unavailable}{which}, "
            f"WhatsApp Web {run.wa_version or 'of an unknown build'}.",
            "Nothing is lost. docs/store-reader.md says what each reason means.",
        )


def ask_health(settings: Settings) -> tuple[HealthTold | None, tuple[Finding, ...]]:
    """Return what the running service says of itself, or else what can be judged from the database.

    The second part is what kept it from being told by the service although something answers there.
    """
    body, trouble = _service_says(settings)
    if body is not None:
        return HealthTold("service", body), trouble
    try:
        with bootstrap.open_store_to_read(settings) as store:
            health = stored_health(store, settings)
    except SchemaOutdatedError:
        return None, trouble  # told as database or migrations
    except WhatsappEtlError as error:
        reason = REASONS[ReasonCode.POSTGRES_DOWN]
        failed = Finding(
            "health",
            Outcome.WRONG,
            f"{reason.summary} {error.what}",
            reason.remedy,
            code=reason.code.value,
            exit_code=error.exit_code or 1,
        )
        return None, (*trouble, failed)
    return HealthTold("database", health_json(health)), trouble


def health_findings(told: HealthTold) -> Iterator[Finding]:
    """Yield each reason of /health as a finding."""
    by = "the running service" if told.source == "service" else "the database, since no service runs here"
    synced = told.body["last_successful_sync"] or "never"
    reasons = told.body["reasons"]
    if not reasons:
        yield good("health", f"nothing is wrong, says {by}; last success: {synced}")
        return
    for reason in reasons:
        is_wrong = reason["severity"] == Severity.DEGRADED
        yield Finding(
            "health",
            Outcome.WRONG if is_wrong else Outcome.NOTICE,
            f"{reason['summary']} (says {by}; last success: {synced})",
            reason["remedy"],
            code=reason["code"],
            exit_code=_exit_code(reason["code"]) if is_wrong else 0,
        )


def _service_says(settings: Settings) -> tuple[dict[str, Any] | None, tuple[Finding, ...]]:
    if not settings.port:
        return None, ()  # any free port: nobody knows which
    host = _EVERYWHERE.get(settings.host, settings.host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/health"
    token = settings.http_token.get_secret_value()
    headers = {"Host": "localhost", **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        # No proxy of the environment: the service is on this machine.
        with httpx.Client(trust_env=False, timeout=_ANSWERS_WITHIN_SECONDS) as client:
            answer = client.get(address, headers=headers)
    except httpx.ConnectError:
        return None, ()
    except httpx.HTTPError as error:
        told = f"Something at {address} does not answer as the service does ({type(error).__name__})."
        return None, (notice("health", told, "If it is the service, restart it.", "service"),)
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return None, (
            wrong(
                "health",
                f"A service at {address} refuses HTTP_TOKEN.",
                "Run the doctor with the settings of the service.",
                "service",
                exit_code=2,
            ),
        )
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or not {"status", "reasons", "last_successful_sync"} <= body.keys():
        told = f"Something else than this program answers at {address}."
        return None, (notice("health", told, "If it should be the service, change PORT.", "service"),)
    return body, ()


def _exit_code(code: str) -> int:
    if code in _NEEDS_PERSON:
        return SessionNeedsPersonError.exit_code
    return next((exit_code_of(name) for name, reason in ERROR_REASONS.items() if reason == code), 1)
