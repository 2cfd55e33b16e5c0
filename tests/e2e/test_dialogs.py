"""Whatever stands before the chats: what only informs is closed, and nothing else is ever pressed."""

from datetime import timedelta

import pytest
from PIL import Image

from whatsapp_etl.errors import UnknownDialogError
from whatsapp_etl.model import SessionState
from whatsapp_etl.simulator.control import DIALOGS
from whatsapp_etl.simulator.options import PROFILES

SOON = timedelta(seconds=20)
ASKING = ("permission", "delete_question", "delete_told", "log_out_question", "passkey", "logging_out")
HARMLESS = ("update_bar", "phone_offline", "syncing", "sync_paused", "notifications", "feature", "none")


@pytest.fixture
def ready(simulator, open_shared_session):
    session = open_shared_session(simulator.url)
    session.wait_until_ready(SOON)
    return session


@pytest.mark.parametrize(
    "profile", [pytest.param(each, marks=() if each == "aug26" else pytest.mark.matrix) for each in PROFILES]
)
def test_of_all_dialogs_only_the_news_are_closed(simulator, open_shared_session, profile):
    simulator.set_config(profile=profile)
    session = open_shared_session(simulator.url)
    session.wait_until_ready(SOON)
    tokens = simulator.world()["linked_pages"]

    for kind in DIALOGS:
        simulator.dialog(kind)
        session.page.evaluate("() => new Promise(requestAnimationFrame)")
        session.poll(timedelta(milliseconds=300))
        session.dismiss_dialogs()
        if kind in HARMLESS:
            session.wait_until_ready(SOON)
        else:
            assert session.poll() is not SessionState.READY, kind

    assert set(simulator.ledger()["pressed"]) <= {"Continue"}
    assert simulator.ledger()["pressed"]["Continue"] >= 1
    assert simulator.world()["linked_pages"] == tokens


@pytest.mark.parametrize("kind", ASKING)
def test_a_dialog_that_asks_is_left_alone_and_told(ready, simulator, kind):
    simulator.dialog(kind)
    ready.page.wait_for_selector("[role=dialog]")

    with pytest.raises(UnknownDialogError, match="blurred picture"):
        ready.check_ready()

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
        grey = blurred.convert("L")
        # A letter is a step from dark to light within a few pixels; here neighbours hardly differ.
        steps = [
            abs(grey.getpixel((x, y)) - grey.getpixel((x + 2, y)))
            for y in range(0, grey.height, 5)
            for x in range(0, grey.width - 2, 3)
        ]
        assert max(steps) < 80
        darkest, lightest = grey.getextrema()
        assert lightest - darkest > 20


def test_waiting_for_the_chats_ends_soon_under_an_unknown_dialog(simulator, open_shared_session, monkeypatch):
    monkeypatch.setattr("whatsapp_etl.extract.session.UNKNOWN_ALLOWED", timedelta(milliseconds=500))
    simulator.set_config(delays={"loading_ms": 1000})  # so that the dialog is there when the chats are
    simulator.dialog("permission")
    session = open_shared_session(simulator.url)

    with pytest.raises(UnknownDialogError):
        session.wait_until_ready(timedelta(minutes=2))
