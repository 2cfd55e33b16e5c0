"""Who is answered: host names, the token, methods, and the headers on every answer."""

import pytest
from starlette.applications import Starlette

from tests.fixtures.service import FixedClock, ask, healthy_state
from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.service.access import COOKIE
from whatsapp_etl.service.app import ServiceOptions, create_app

TOKEN = "a long invented token"


def protected_app(host: str = "0.0.0.0") -> Starlette:
    return create_app(healthy_state(), ServiceOptions(host=host, token=TOKEN), FixedClock())


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
