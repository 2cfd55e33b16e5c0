"""What the endpoints answer, asked over ASGI; nothing but the network is left out."""

import base64
import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from PIL import Image

from tests.fixtures.service import (
    NOW,
    FixedClock,
    ask,
    healthy_state,
    make_coverage,
    make_days,
    make_report,
    make_store,
    qr_session,
    ready_session,
    state_waiting_for_a_scan,
)
from whatsapp_etl.model import DayCount, MissingReason, RunStatus, SessionSnapshot, SessionState
from whatsapp_etl.service.app import ServiceOptions, create_app
from whatsapp_etl.service.state import ServiceState
from whatsapp_etl.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


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
        qr_session(qr_expires_at=NOW - timedelta(seconds=21)),
        qr_session(state=SessionState.LOADING),
    ],
    ids=["starting", "not read yet", "too old to scan", "replaced long ago", "scanned"],
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

    assert '<img id="code" data-tag="' in text
    assert 'src="/qr?v=' in text
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


def test_the_page_needs_no_script_and_allows_its_own_only():
    healthy, waiting = ask(healthy_state(), "/"), ask(state_waiting_for_a_scan(), "/")

    policy = waiting.headers["content-security-policy"]
    script = waiting.text.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert f"script-src 'sha256-{digest}'; connect-src 'self'; " in policy
    assert "unsafe" not in policy
    assert "<script" not in healthy.text
    assert 'style="' not in healthy.text + waiting.text
    # Without a script the page that waits loads itself again all the same.
    assert '<noscript><meta http-equiv="refresh" content="5">' in waiting.text
    assert '<meta http-equiv="refresh" content="60">' in healthy.text


def test_coverage_is_never_rounded_up_to_all():
    state = healthy_state()
    state.show_store(
        make_store(),
        make_coverage({MissingReason.NEEDS_PHONE: 1}, expected=100_000, stored=99_999),
        make_days(),
    )

    assert "99.9 %" in ask(state, "/").text


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


def test_waiting_for_a_scan_is_one_failed_cycle_however_often_the_page_is_looked_at():
    state = state_waiting_for_a_scan()
    for minutes_ago in (3, 2, 1):
        state.cycle_started()
        state.cycle_finished(
            make_report(
                minutes_ago=minutes_ago,
                run_id=0,
                status=RunStatus.FAILED,
                session_state=SessionState.QR,
                error="SessionNeedsPersonError: x",
            )
        )
    snapshot = state.snapshot
    assert snapshot.totals.errors == snapshot.failures_in_a_row == len(snapshot.recent_runs) == 1
    assert snapshot.cycle_started_at is None
