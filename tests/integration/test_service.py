"""What the endpoints answer, asked over ASGI; nothing but the network is left out."""

import asyncio
import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import jsonschema
import pytest
from PIL import Image
from starlette.applications import Starlette

from tests.fixtures.service import (
    NOW,
    FixedClock,
    healthy_state,
    make_coverage,
    make_days,
    make_report,
    make_store,
    qr_session,
    ready_session,
)
from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.model import DayCount, MissingReason, RunStatus, SessionSnapshot, SessionState
from whatsapp_etl.service.access import COOKIE
from whatsapp_etl.service.app import ServiceOptions, create_app
from whatsapp_etl.service.state import ServiceState
from whatsapp_etl.settings import Settings

TOKEN = "a long invented token"
DOCS = Path(__file__).parents[2] / "docs"


def ask(
    app: Starlette | ServiceState,
    path: str,
    *,
    method: str = "GET",
    base: str = "http://localhost:8080",
    **headers: str,
) -> httpx.Response:
    if isinstance(app, ServiceState):
        app = create_app(app, ServiceOptions(), FixedClock())

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as client:
            return await client.request(
                method,
                path,
                headers={name.replace("_", "-"): value.encode() for name, value in headers.items()},
            )

    # In a thread of its own: a browser that another test left open keeps an event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, send()).result()


def protected_app(host: str = "0.0.0.0") -> Starlette:
    return create_app(healthy_state(), ServiceOptions(host=host, token=TOKEN), FixedClock())


def state_waiting_for_a_scan(payload: str = "2@invented,code,of,the,page,1") -> ServiceState:
    state = ServiceState(FixedClock())
    state.show_session(qr_session(payload))
    return state


def degraded_state() -> ServiceState:
    state = healthy_state()
    state.cycle_finished(
        make_report(
            minutes_ago=0,
            status=RunStatus.FAILED,
            session_state=SessionState.CONFLICT,
            error="SelectorDriftError: chat_list",
        )
    )
    state.show_store(make_store(), make_coverage({MissingReason.NOT_REACHED: 30}), make_days())
    return state


# --- /health, /healthz, /readyz, /status ----------------------------------------------------


def test_health_is_200_when_nothing_is_wrong():
    answer = ask(healthy_state(), "/health")

    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["session"], body["postgres"]) == ("ok", "logged_in", "up")
    assert body["last_successful_sync"] == "2026-08-23T11:59:00Z"
    assert body["last_seen"] == "2026-08-23T11:56:00Z"
    assert body["freshness"]["fresh"] is True
    assert (body["coverage"]["expected"], body["coverage"]["missing"]) == (415, 0)
    assert body["reasons"] == []


def test_health_is_503_with_reasons_and_remedies_when_something_is_wrong():
    answer = ask(degraded_state(), "/health")

    assert answer.status_code == 503
    reasons = {reason["code"]: reason for reason in answer.json()["reasons"]}
    assert list(reasons) == ["session_conflict", "drift", "coverage_short"]
    assert all(reason["remedy"] for reason in reasons.values())


@pytest.mark.parametrize(
    "state",
    [healthy_state(), degraded_state(), state_waiting_for_a_scan(), ServiceState(FixedClock())],
    ids=["healthy", "degraded", "waiting for a scan", "just started"],
)
def test_health_keeps_to_its_published_schema(state: ServiceState):
    schema = json.loads((DOCS / "health.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)

    jsonschema.validate(
        ask(state, "/health").json(),
        schema,
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def test_alive_says_nothing_but_yes_even_when_the_session_is_lost():
    answer = ask(degraded_state(), "/healthz")

    assert (answer.status_code, answer.content) == (200, b"")


def test_ready_waits_for_postgres_and_ends_with_the_program():
    state = ServiceState(FixedClock())
    assert ask(state, "/readyz").status_code == 503
    state.show_store(make_store(), None, [])
    assert ask(state, "/readyz").status_code == 200
    state.stopping()
    assert ask(state, "/readyz").status_code == 503


def test_status_tells_the_last_and_the_next_cycle():
    body = ask(healthy_state(), "/status").json()

    assert body["last_run"]["status"] == "success"
    assert body["last_run"]["rows"]["seen"] == 120
    assert body["cycle"] == {
        "running_since": None,
        "next_at": "2026-08-23T12:09:00Z",
        "interval_seconds": 600,
        "failures_in_a_row": 0,
    }
    assert body["recent_runs"][0]["written"] == 9
    assert body["stored"]["messages"] == 415
    assert body["health"]["status"] == "ok"


def test_status_of_a_program_that_has_just_started_is_complete_too():
    body = ask(ServiceState(FixedClock()), "/status").json()

    assert (body["last_run"], body["stored"], body["recent_runs"]) == (None, None, [])


def test_metrics_are_in_the_text_format():
    answer = ask(healthy_state(), "/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "\nwhatsapp_sync_upserts 9.0\n" in answer.text


# --- /qr --------------------------------------------------------------------------------------


def test_the_qr_code_is_a_png_of_the_fitting_size_while_one_is_shown():
    payload = "2@" + "x" * 230
    answer = ask(state_waiting_for_a_scan(payload), "/qr")

    assert answer.status_code == 200
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/png", "no-store")
    image = Image.open(io.BytesIO(answer.content)).convert("1")
    width, height = image.size
    modules = width / 8 - 2 * 4
    assert width == height
    assert (modules - 17) % 4 == 0  # the sizes that the standard knows
    assert modules >= 57  # version 10: the least that holds 232 bytes at level M


def test_the_qr_code_drawn_is_the_one_shown_last():
    state = state_waiting_for_a_scan("2@first")
    app = create_app(state, ServiceOptions(), FixedClock())
    first = ask(app, "/qr")

    state.show_session(qr_session("2@second"))
    second = ask(app, "/qr")

    assert first.content != second.content
    assert first.headers["etag"] != second.headers["etag"]


def test_a_caller_who_holds_the_qr_code_is_not_sent_it_again():
    state = state_waiting_for_a_scan()
    tag = ask(state, "/qr").headers["etag"]

    again = ask(state, "/qr", if_none_match=tag)

    assert (again.status_code, again.content) == (304, b"")


def test_a_logged_out_session_shows_its_new_qr_code():
    state = healthy_state()
    state.show_session(qr_session(state=SessionState.LOGGED_OUT))

    assert ask(state, "/qr").status_code == 200


def test_without_a_qr_code_a_linked_account_says_so():
    answer = ask(healthy_state(), "/qr")

    assert (answer.status_code, answer.json()["error"]) == (409, "already_linked")


@pytest.mark.parametrize(
    "session",
    [
        SessionSnapshot(),
        qr_session(qr_payload=None),
        qr_session(qr_seen_at=NOW - timedelta(minutes=3)),
        qr_session(state=SessionState.LOADING),
    ],
    ids=["starting", "not read yet", "too old to scan", "scanned"],
)
def test_without_a_qr_code_a_caller_is_told_to_ask_again(session: SessionSnapshot):
    state = ServiceState(FixedClock())
    state.show_session(session)

    answer = ask(state, "/qr")

    assert (answer.status_code, answer.json()["error"]) == (404, "qr_not_shown")
    assert answer.headers["retry-after"] == "5"


def test_the_text_of_the_qr_code_is_nowhere_but_in_the_picture():
    state = state_waiting_for_a_scan("2@secret-code")

    for path in ("/", "/status", "/health", "/metrics"):
        assert "secret-code" not in ask(state, path).text


# --- the status page ----------------------------------------------------------------------------


def test_the_page_of_a_healthy_program_says_so_and_shows_charts():
    text = ask(healthy_state(), "/").text

    assert "Everything is up to date" in text
    assert text.count('<svg class="chart"') == 2
    assert "415 of 415 messages of the last 30 days are stored" in text
    assert '<img src="/qr' not in text


def test_the_page_shows_the_qr_code_while_one_is_needed():
    text = ask(state_waiting_for_a_scan(), "/").text

    assert '<img src="/qr?v=' in text
    assert "Linked devices" in text
    assert '<meta http-equiv="refresh" content="5">' in text


def test_the_page_tells_each_reason_with_its_remedy():
    text = ask(degraded_state(), "/").text

    assert "Attention needed" in text
    assert "Close the other window." in text
    assert "<code>whatsapp-etl selectors check</code>" in text
    assert "30 not reached yet" in text


def test_the_page_of_a_program_that_has_just_started_asks_for_patience():
    text = ask(ServiceState(FixedClock()), "/").text

    assert "Getting started" in text
    assert "What to look at" not in text


def test_the_page_of_a_program_that_ends_says_so():
    state = healthy_state()
    state.stopping()

    assert "Stopping" in ask(state, "/").text


def test_a_chart_of_a_zone_that_is_ahead_ends_with_its_own_today():
    state = healthy_state()
    tomorrow = (NOW + timedelta(days=1)).date()
    state.show_store(make_store(), make_coverage(), [*make_days(), DayCount(tomorrow, 3)])

    assert "<span>26 Jul</span><span>24 Aug</span>" in ask(state, "/").text


def test_the_page_needs_no_script_and_allows_none():
    answer = ask(healthy_state(), "/")

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "<script" not in answer.text
    assert 'style="' not in answer.text


def test_coverage_is_never_rounded_up_to_all():
    state = healthy_state()
    state.show_store(
        make_store(),
        make_coverage({MissingReason.NEEDS_PHONE: 1}, expected=100_000, stored=99_999),
        make_days(),
    )

    assert "99.9 %" in ask(state, "/").text


# --- who may ask ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/health", "/healthz", "/readyz", "/metrics", "/status", "/qr", "/other"]
)
@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", "192.0.2.1:8080", "a@localhost"])
def test_another_host_name_is_never_answered(path: str, name: str):
    answer = ask(healthy_state(), path, host=name)

    assert (answer.status_code, answer.json()["error"]) == (421, "host_not_allowed")


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "localhost."])
def test_names_of_this_machine_are_answered(name: str):
    assert ask(healthy_state(), "/health", host=name).status_code == 200


def test_a_configured_host_name_is_answered():
    app = create_app(healthy_state(), ServiceOptions(allowed_hosts=("Sync.example",)), FixedClock())

    assert ask(app, "/health", host="sync.example:443").status_code == 200


def test_the_bind_address_is_an_allowed_name():
    app = protected_app(host="192.0.2.7")

    assert ask(app, "/healthz", host="192.0.2.7:8080").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "some-host"])
def test_a_bind_that_others_can_reach_does_not_start_without_a_token(host: str):
    with pytest.raises(ConfigurationError, match=r"^HTTP_TOKEN: is empty"):
        create_app(healthy_state(), ServiceOptions(host=host), FixedClock())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost"])
def test_a_loopback_bind_starts_without_a_token(host: str):
    app = create_app(healthy_state(), ServiceOptions(host=host), FixedClock())

    assert ask(app, "/health").status_code == 200


@pytest.mark.parametrize("path", ["/", "/health", "/metrics", "/status", "/qr", "/other"])
def test_without_the_token_nothing_with_content_is_answered(path: str):
    answer = ask(protected_app(), path)

    assert (answer.status_code, answer.json()["error"]) == (401, "token_required")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_liveness_and_readiness_need_no_token(path: str):
    assert ask(protected_app(), path).status_code == 200


@pytest.mark.parametrize("given", ["Bearer wrong", "Basic " + TOKEN, "Bearer", TOKEN])
def test_a_wrong_token_is_refused(given: str):
    assert ask(protected_app(), "/health", authorization=given).status_code == 401


def test_the_token_in_the_header_opens_everything():
    assert ask(protected_app(), "/metrics", authorization=f"Bearer {TOKEN}").status_code == 200


def test_a_token_may_hold_any_letter():
    app = create_app(healthy_state(), ServiceOptions(token="schlüssel"), FixedClock())

    assert ask(app, "/health", authorization="Bearer schlüssel").status_code == 200
    assert ask(app, "/?token=schl%C3%BCssel").status_code == 303


def test_the_token_in_the_address_becomes_a_cookie_once():
    app = protected_app()

    answer = ask(app, f"/?token={TOKEN}")

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert TOKEN not in cookie
    assert ask(app, "/", cookie=cookie.partition(";")[0]).status_code == 200


def test_behind_tls_the_cookie_stays_behind_tls():
    assert (
        "Secure" in ask(protected_app(), f"/?token={TOKEN}", base="https://localhost").headers["set-cookie"]
    )


@pytest.mark.parametrize("query", ["token=wrong", "token=", "x=1"])
def test_a_wrong_token_in_the_address_shows_nothing(query: str):
    answer = ask(protected_app(), f"/?{query}")

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_the_token_in_the_address_of_another_path_is_not_taken():
    assert ask(protected_app(), f"/status?token={TOKEN}").status_code == 401


@pytest.mark.parametrize("cookie", [f"{COOKIE}=wrong", f"{COOKIE}={TOKEN}", "other=1", "=;;bad\\"])
def test_a_wrong_cookie_is_refused(cookie: str):
    assert ask(protected_app(), "/health", cookie=cookie).status_code == 401


def test_a_browser_without_the_token_is_shown_where_to_enter_it():
    answer = ask(protected_app(), "/", accept="text/html,application/xhtml+xml")

    assert answer.status_code == 401
    assert 'name="token"' in answer.text
    assert "415" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_only_get_and_head_are_served(method: str):
    answer = ask(healthy_state(), "/status", method=method)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.json()["error"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/", "/health", "/healthz", "/metrics", "/status"])
def test_head_is_answered_without_a_body(path: str):
    answer = ask(healthy_state(), path, method="HEAD")

    assert answer.status_code == 200


def test_an_unknown_path_is_a_json_error():
    answer = ask(healthy_state(), "/chats")

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/", "/health", "/qr", "/other"])
def test_every_answer_carries_the_protective_headers(path: str):
    headers = ask(healthy_state(), path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


# --- wiring ----------------------------------------------------------------------------------------


def test_options_come_from_the_settings():
    settings = Settings(
        _env_file=None,
        host="0.0.0.0",
        http_token="t",
        http_allowed_hosts="a.example, b.example",
        whatsapp_sync_interval_minutes=5,
    )

    options = ServiceOptions.of(settings)

    assert (options.host, options.token, options.allowed_hosts) == (
        "0.0.0.0",
        "t",
        ("a.example", "b.example"),
    )
    assert options.interval == timedelta(minutes=5)
    assert options.thresholds.sync_stale_after == timedelta(minutes=15)


def test_the_chart_goes_on_after_a_restart_with_the_cycles_that_postgres_kept():
    state = ServiceState(FixedClock())
    earlier = healthy_state().snapshot.recent_runs
    state.show_session(ready_session())
    state.show_store(make_store(), make_coverage(), make_days(), earlier)
    state.cycle_finished(make_report(minutes_ago=0, run_id=8))

    assert [run["run_id"] for run in ask(state, "/status").json()["recent_runs"]] == [8, 7]


def test_a_cycle_that_ended_without_a_report_counts_as_a_failure():
    state = healthy_state()
    state.cycle_started()

    state.cycle_finished(None)

    cycle = ask(state, "/status").json()["cycle"]
    assert (cycle["failures_in_a_row"], cycle["running_since"]) == (1, None)


def test_the_session_is_shown_as_the_cycle_left_it():
    state = healthy_state()

    state.cycle_finished(
        make_report(
            minutes_ago=0,
            status=RunStatus.FAILED,
            session_state=SessionState.CRASHED,
            error="BrowserCrashedError",
        )
    )

    body = ask(state, "/health").json()
    assert (body["session"], body["session_since"]) == ("crashed", "2026-08-23T12:00:00Z")


def test_a_cycle_that_never_saw_the_page_leaves_the_session_as_it_was():
    state = healthy_state()

    state.cycle_finished(
        make_report(minutes_ago=0, status=RunStatus.FAILED, session_state=SessionState.STARTING)
    )

    assert ask(state, "/health").json()["session"] == "logged_in"


def test_the_shield_alarm_stays_until_it_is_acknowledged():
    state = healthy_state()
    state.cycle_finished(make_report(minutes_ago=0.5, receipts_observed=1))
    state.cycle_finished(make_report(minutes_ago=0))
    assert ask(state, "/health").json()["reasons"][0]["code"] == "shield_alarm"

    state.set_shield_alarm(is_on=False)

    assert ask(state, "/health").status_code == 200
