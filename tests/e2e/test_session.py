"""The session against the stand-in WhatsApp Web: login, what ends it, and what is never sent."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from tests.fixtures.service import ask
from tests.fixtures.terminal import Terminal, read_qr
from whatsapp_etl.errors import PageTimeoutError, SessionNeedsPersonError
from whatsapp_etl.extract.login import wait_until_linked
from whatsapp_etl.linking import LinkScreen, TerminalQr
from whatsapp_etl.model import SessionState
from whatsapp_etl.service.app import ServiceOptions, create_app
from whatsapp_etl.service.state import ServiceState
from whatsapp_etl.simulator.phone import Phone

SOON = timedelta(seconds=60)
LOOK = timedelta(seconds=1)


def wait_for(session, state):
    """Look until the session is in `state`, at most SOON."""
    for _ in range(int(SOON / LOOK)):
        if session.poll(LOOK) is state:
            return
    assert session.state is state


def test_a_new_profile_shows_a_code_and_is_ready_after_the_scan(start_simulator, open_shared_session):
    simulator = start_simulator(linked=False)
    session = open_shared_session(simulator.url)
    wait_for(session, SessionState.QR)
    phone = Phone(simulator)

    wait_until_linked(session, SOON, phone)

    assert session.state is SessionState.READY
    assert session.pack.id == "2026-08"
    assert len(phone.seen) == 1
    assert session.qr_payload is None


def test_codes_are_read_from_the_terminal_and_the_service_as_the_page_shows_them_until_one_is_scanned(
    start_simulator, open_shared_session
):
    simulator = start_simulator(linked=False)
    # Half a second each, the first of a batch three times as long.
    simulator.set_config(delays={"qr_ttl_scale": 0.025})
    session = open_shared_session(simulator.url)
    phone = Phone(simulator, scans_nth=8)  # a batch has six
    service = ServiceState(lambda: datetime.now(UTC))
    app = create_app(service, ServiceOptions(), lambda: datetime.now(UTC))
    read: list[tuple[str, str, str]] = []

    with Terminal() as terminal:
        screen = LinkScreen(tell=lambda _: None, terminal=TerminalQr(terminal))

        def show(step):
            screen.show(step.qr_payload, step.qr_expires_at, datetime.now(UTC))
            service.show_session(session.snapshot())
            shown = session.page.evaluate("() => document.querySelector('[data-ref]')?.dataset.ref")
            if shown and step.qr_payload == shown and shown not in [seen for seen, _, _ in read]:
                answer = ask(app, "/qr")
                assert answer.status_code == 200, answer.text
                picture = Image.open(io.BytesIO(answer.content))
                read.append((shown, *read_qr(terminal.picture("dark")), *read_qr(picture)))
            phone(step)

        wait_until_linked(session, SOON, show)

    assert len(set(phone.seen)) == len(phone.seen) == 8
    assert len(read) >= 3  # a few may be replaced between the look and the comparison
    assert all(page == in_terminal == from_service for page, in_terminal, from_service in read)


def test_a_login_that_nobody_scans_asks_for_codes_only_so_often(start_simulator, open_shared_session):
    simulator = start_simulator(linked=False)
    simulator.set_config(delays={"qr_ttl_scale": 0.0002})
    session = open_shared_session(simulator.url)

    with pytest.raises(SessionNeedsPersonError, match="ran out 6 times"):
        wait_until_linked(session, SOON, lambda _: None)


def test_a_login_that_nobody_scans_ends_at_its_deadline(start_simulator, open_shared_session):
    session = open_shared_session(start_simulator(linked=False).url)

    with pytest.raises(PageTimeoutError, match="was not linked within 1 s"):
        wait_until_linked(session, timedelta(seconds=1), lambda _: None)


def test_a_linked_profile_is_ready_and_names_its_account_and_build(simulator, open_shared_session):
    session = open_shared_session(simulator.url)
    session.wait_until_ready(SOON)

    account = session.account()

    me = simulator.world()["me"]
    assert (account.id, account.push_name) == (me["id"], me["push_name"])
    assert account.lid in {me["lid"], None}
    assert session.wa_version is not None
    assert session.wa_version.startswith("2.3000.")


def test_a_logout_on_the_phone_is_told_and_stays_told(start_simulator, open_shared_session):
    simulator = start_simulator(linked=False)
    session = open_shared_session(simulator.url)
    wait_until_linked(session, SOON, Phone(simulator))

    simulator.logout()
    wait_for(session, SessionState.LOGGED_OUT)

    with pytest.raises(SessionNeedsPersonError, match="logged_out"):
        session.wait_until_ready(SOON)


def test_an_account_is_linked_again_after_a_logout(start_simulator, open_shared_session):
    simulator = start_simulator(linked=False)
    session = open_shared_session(simulator.url)
    wait_until_linked(session, SOON, Phone(simulator))
    simulator.logout()
    wait_for(session, SessionState.LOGGED_OUT)

    wait_until_linked(session, SOON, Phone(simulator))

    assert session.state is SessionState.READY


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("conflict", SessionState.CONFLICT),
        ("another_session", SessionState.CONFLICT),
        ("terms", SessionState.TERMS),
        ("temp_ban", SessionState.BANNED),
        ("service_unavailable", SessionState.UNAVAILABLE),
        ("deprecated", SessionState.UPDATE_REQUIRED),
        ("screen_lock", SessionState.LOCKED),
        ("offline", SessionState.OFFLINE),
        ("proxyblock", SessionState.UNAVAILABLE),
    ],
)
def test_what_stands_in_the_way_is_told_and_left_alone(simulator, open_shared_session, kind, state):
    session = open_shared_session(simulator.url)
    session.wait_until_ready(SOON)

    simulator.dialog(kind)
    wait_for(session, state)
    simulator.dialog("none")
    wait_for(session, SessionState.READY)


@pytest.mark.parametrize("kind", ["feature", "update_bar"])
def test_news_do_not_end_readiness(simulator, open_shared_session, kind):
    simulator.dialog(kind)
    session = open_shared_session(simulator.url)

    session.wait_until_ready(SOON)

    assert session.poll(LOOK) is SessionState.READY
    assert session.page.query_selector("[role=dialog]") is None


def test_loading_that_hangs_ends_at_the_deadline_naming_the_state(simulator, open_shared_session):
    simulator.set_config(loading_hangs=True)
    session = open_shared_session(simulator.url)

    with pytest.raises(PageTimeoutError, match="the page is loading"):
        session.wait_until_ready(timedelta(seconds=2))


def test_a_page_at_rest_under_the_shield_sends_no_presence_but_unavailable(simulator, open_shared_session):
    session = open_shared_session(simulator.url)
    session.wait_until_ready(SOON)

    session.poll(LOOK)

    ledger = simulator.ledger()
    assert ledger["receipts"] == 0
    assert ledger["presence"].get("available", 0) == 0
    assert ledger["presence"].get("unavailable", 0) > 0
