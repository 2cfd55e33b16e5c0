"""Asking for new QR codes: by the page's button or with the token, and by nobody else."""

from datetime import timedelta
from unittest.mock import ANY

from starlette.applications import Starlette

from tests.fixtures.service import NOW, FixedClock, ask, healthy_state, qr_session, state_waiting_for_a_scan
from whatsapp_etl.model import SessionSnapshot, SessionState
from whatsapp_etl.service.app import ServiceOptions, create_app
from whatsapp_etl.service.state import ServiceState


def resting_app(asked: list[str], token: str = "") -> Starlette:
    state = ServiceState(FixedClock())
    state.show_session(SessionSnapshot(SessionState.LINK_RESTING, since=NOW))
    return create_app(state, ServiceOptions(token=token), FixedClock(), lambda: asked.append("asked"))


def form_of(app: Starlette, **headers: str) -> str:
    key = ask(app, "/", **headers).text.partition('name="key" value="')[2].partition('"')[0]
    return f"key={key}"


def test_the_link_follows_the_code_without_telling_it():
    state = ServiceState(FixedClock())
    state.show_session(qr_session("2@secret-code", qr_expires_at=NOW + timedelta(seconds=17)))

    answer = ask(state, "/link")

    assert answer.json() == {"session": "link_required", "qr": {"tag": ANY, "seconds_left": 17}}
    assert f'"{answer.json()["qr"]["tag"]}"' == ask(state, "/qr").headers["etag"]
    assert "secret" not in answer.text
    assert ask(healthy_state(), "/link").json() == {"session": "logged_in", "qr": None}


def test_linking_that_rests_says_so_and_how_to_go_on():
    app = resting_app([])

    health, qr = ask(app, "/health"), ask(app, "/qr")

    assert (health.status_code, health.json()["session"]) == (503, "link_resting")
    assert [reason["code"] for reason in health.json()["reasons"]] == ["session_link_resting", "sync_never"]
    assert (qr.status_code, qr.json()["error"], qr.headers["retry-after"]) == (404, "link_resting", "60")


def test_the_button_of_the_page_asks_for_codes():
    asked: list[str] = []
    app = resting_app(asked)

    answer = ask(app, "/link", method="POST", content=form_of(app), accept="text/html")

    assert (answer.status_code, answer.headers["location"], asked) == (303, "/", ["asked"])


def test_a_program_asks_with_the_token():
    asked: list[str] = []

    answer = ask(resting_app(asked, "t0ken"), "/link", method="POST", authorization="Bearer t0ken")

    assert (answer.status_code, answer.json(), asked) == (202, {"asked": True}, ["asked"])


def test_what_another_site_makes_a_browser_send_asks_for_nothing():
    asked: list[str] = []
    app = resting_app(asked)
    own = form_of(app)

    answers = [
        ask(app, "/link", method="POST"),
        ask(app, "/link", method="POST", content="key=guessed"),
        ask(app, "/link", method="POST", content="key=guess\xe9d".encode("latin-1")),
        ask(app, "/link", method="POST", content=own, sec_fetch_site="cross-site"),
        ask(app, "/link", method="POST", content=form_of(resting_app([]))),
    ]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [
        (403, "not_from_here")
    ] * 5
    assert asked == []


def test_without_the_token_nobody_asks():
    asked: list[str] = []

    answer = ask(resting_app(asked, "t0ken"), "/link", method="POST", content="key=")

    assert (answer.status_code, asked) == (401, [])


def test_codes_are_asked_for_only_where_linking_rests():
    asked: list[str] = []
    app = create_app(
        state_waiting_for_a_scan(), ServiceOptions(token="t0ken"), FixedClock(), lambda: asked.append("asked")
    )

    answer = ask(app, "/link", method="POST", authorization="Bearer t0ken")

    assert (answer.status_code, answer.json()["error"], asked) == (409, "not_resting", [])
