"""Whatever stands before the chats: what only informs is closed, and nothing else is ever pressed."""

from datetime import timedelta

import pytest
from PIL import Image, ImageChops

from tests.fixtures.page import wait_until
from whatsapp_etl.errors import UnknownDialogError
from whatsapp_etl.model import SessionState
from whatsapp_etl.simulator.control import DIALOGS
from whatsapp_etl.simulator.options import PROFILES

SOON = timedelta(seconds=20)
ASKING = (
    "permission", "delete_question", "delete_told", "log_out_question", "logging_out",
    "feature_ok", "feature_link", "nested_question", "feature_and_question", "question_and_feature",
)  # fmt: skip
#: What informs, and how often "Continue" closes it.
HARMLESS = {
    "update_bar": 0, "phone_offline": 0, "syncing": 0, "sync_paused": 0, "notifications": 0, "feature": 1,
    "two_features": 2, "none": 0,
}  # fmt: skip


@pytest.fixture
def ready(simulator, open_shared_session):
    session = open_shared_session(simulator.url)
    session.wait_until_ready(SOON)
    return session


@pytest.mark.matrix
@pytest.mark.parametrize("profile", PROFILES)
def test_of_all_dialogs_only_the_news_are_closed(simulator, open_shared_session, profile):
    simulator.set_config(profile=profile)
    session = open_shared_session(simulator.url)
    session.wait_until_ready(SOON)
    tokens = simulator.world()["linked_pages"]

    for kind in DIALOGS:
        simulator.reset_ledger()
        simulator.dialog(kind)
        session.poll(timedelta(milliseconds=300))
        session.dismiss_dialogs()
        if kind in HARMLESS:
            session.wait_until_ready(SOON)
        else:
            assert session.poll() is not SessionState.READY, kind
        pressed = {"Continue": HARMLESS[kind]} if HARMLESS.get(kind) else {}
        simulator.dialog("none")  # Its answer comes after every press that the page told of.
        assert simulator.ledger()["pressed"] == pressed, kind

    assert simulator.world()["linked_pages"] == tokens


def test_a_dialog_that_asks_is_left_alone_and_told(ready, simulator):
    for kind in ASKING:
        simulator.dialog(kind)
        ready.page.wait_for_selector("[role=dialog]")

        with pytest.raises(UnknownDialogError, match="blurred picture"):
            ready.check_ready()

        simulator.dialog("none")
        ready.page.wait_for_selector("[role=dialog]", state="detached")
        ready.wait_until_ready(SOON)

    assert simulator.ledger()["pressed"] == {}


def test_the_picture_of_an_unknown_dialog_shows_shapes_and_no_letter(ready, simulator, tmp_path):
    simulator.dialog("delete_question")
    ready.page.wait_for_selector("[role=dialog]")
    with pytest.raises(UnknownDialogError) as told:
        ready.check_ready()

    (path,) = (tmp_path / "snapshots").glob("*-unknown-dialog.png")

    assert str(path) in str(told.value)
    assert path.stat().st_mode & 0o777 == 0o600
    with Image.open(path) as blurred:
        assert blurred.width > 500
        darkest, lightest = blurred.convert("L").getextrema()
        assert lightest - darkest > 20


LARGE = 40  # CSS pixels, the height of the letters of a very large heading


@pytest.mark.parametrize("density", [1, 2])
def test_large_type_on_any_display_becomes_squares_of_one_colour(
    start_simulator, open_shared_session, tmp_path, density
):
    session = open_shared_session(start_simulator(chats=1, messages=1).url)
    session.wait_until_ready(SOON)
    if density != 1:
        session.page.context.new_cdp_session(session.page).send(
            "Emulation.setDeviceMetricsOverride",
            {"width": 1280, "height": 720, "deviceScaleFactor": density, "mobile": False},
        )
    text = f'<div role="dialog" aria-modal="true" style="font: {LARGE}px serif">Log out? IIIII</div>'
    session.page.evaluate(
        "html => document.querySelector('#app').insertAdjacentHTML('beforeend', html)", text
    )

    with pytest.raises(UnknownDialogError):
        session.check_ready()

    (path,) = (tmp_path / "snapshots").glob("*-unknown-dialog.png")
    with Image.open(path) as blurred:
        cells = (blurred.width // LARGE, blurred.height // LARGE)
        seen = blurred.resize(cells, Image.Resampling.NEAREST).resize(blurred.size, Image.Resampling.NEAREST)
        assert ImageChops.difference(blurred, seen).getbbox() is None
        assert max(blurred.size) <= 1600  # CSS pixels, whatever the display


@pytest.mark.timeout(60)
def test_waiting_for_the_chats_ends_soon_under_an_unknown_dialog(ready, simulator, monkeypatch):
    monkeypatch.setattr("whatsapp_etl.extract.session.UNKNOWN_ALLOWED", timedelta(milliseconds=500))
    simulator.dialog("permission")
    ready.page.wait_for_selector("[role=dialog]")

    with pytest.raises(UnknownDialogError):
        ready.wait_until_ready(timedelta(minutes=2))


def test_no_key_is_pressed_on_a_dialog_although_escape_would_close_it(ready, simulator):
    simulator.dialog("feature")
    ready.page.wait_for_selector("[role=dialog]")
    ready.wait_until_ready(SOON)
    simulator.dialog("log_out_question")
    ready.page.wait_for_selector("[role=dialog]")
    with pytest.raises(UnknownDialogError):
        ready.check_ready()
    assert "Escape" not in simulator.ledger()["pressed"]

    ready.page.keyboard.press("Escape")

    wait_until(ready.page, "async () => (await (await fetch('/__sim/ledger')).json()).pressed.Escape === 1")
