"""What a person who links the account is shown, read back as a phone's camera does."""

import io
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from tests.fixtures.terminal import THEMES, Terminal, read_qr
from whatsapp_etl.linking import LinkScreen, QrFile, TerminalQr, ink_of, left_text
from whatsapp_etl.qr_code import Ink, qr_png, qr_text

NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)
#: As long as the page's own, and other than each other in their last letter.
FIRST = "https://wa.me/settings/linked_devices#2@" + "aZ09+/=," * 29 + "1"
SECOND = FIRST[:-1] + "2"


@pytest.fixture
def terminal():
    with Terminal() as made:
        yield made


def screen_of(terminal, file=None, told=None):
    told = [] if told is None else told
    return LinkScreen(tell=told.append, terminal=TerminalQr(terminal), file=file)


@pytest.mark.parametrize("theme", THEMES)
def test_the_code_in_a_terminal_is_read_in_every_theme(terminal, theme):
    TerminalQr(terminal).draw(FIRST)

    assert read_qr(terminal.picture(theme)) == [FIRST]


@pytest.mark.parametrize(("ink", "theme"), [(Ink.LIGHT_TEXT, "dark"), (Ink.DARK_TEXT, "light")])
def test_without_colours_the_code_is_read_in_the_theme_that_was_named(terminal, ink, theme):
    TerminalQr(terminal, ink).draw(FIRST)

    assert "\x1b[" not in qr_text(FIRST, ink)
    assert read_qr(terminal.picture(theme)) == [FIRST]


def test_the_code_has_its_quiet_zone_on_all_sides():
    lines = qr_text(FIRST, Ink.DARK_TEXT).splitlines()

    assert [line.strip() for line in lines[:2]] == ["", ""]
    assert lines[-1].strip() == lines[-2].strip() == ""
    assert all(line.startswith("    ") and line.endswith("    ") for line in lines)


def test_the_next_code_takes_the_place_of_the_one_before(terminal):
    screen = screen_of(terminal)
    screen.show(FIRST, NOW + timedelta(seconds=60), NOW)
    screen.show(SECOND, NOW + timedelta(seconds=80), NOW + timedelta(seconds=60))

    assert read_qr(terminal.picture("dark")) == [SECOND]
    assert sum(line.startswith("The next code") for line in terminal.lines()) == 1


def test_the_time_left_is_told_below_the_code_and_goes_down(terminal):
    screen = screen_of(terminal)
    for seconds in (0, 1, 61):
        screen.show(FIRST, NOW + timedelta(seconds=60), NOW + timedelta(seconds=seconds))
        told = [line for line in terminal.lines() if line.startswith("The next code")]
        assert told == [left_text(NOW + timedelta(seconds=60), NOW + timedelta(seconds=seconds))]

    assert left_text(NOW + timedelta(seconds=17), NOW) == "The next code comes in about 17 s."
    assert left_text(NOW, NOW) == "The next code comes at any moment."
    assert left_text(None, NOW) == ""


def test_a_code_that_cannot_be_scanned_any_more_is_taken_away(terminal, tmp_path):
    place = tmp_path / "code.png"
    told = []
    screen = screen_of(terminal, QrFile(place), told)
    screen.show(FIRST, NOW, NOW)
    assert place.exists()

    screen.show(None, None, NOW)

    assert (terminal.lines(), place.exists()) == ([""] * 60, False)
    assert len(told) == 1
    assert f"below or in {place}" in told[0]


def test_the_picture_is_the_owners_alone_and_follows_the_code(tmp_path):
    place = tmp_path / "code.png"
    file = QrFile(place)

    file.draw(FIRST)
    inode = place.stat().st_ino
    file.draw(SECOND)

    assert read_qr(Image.open(place)) == [SECOND]
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    # A reader of the old file keeps a whole picture: the new one is another file under the same name.
    assert place.stat().st_ino != inode
    assert list(tmp_path.iterdir()) == [place]


def test_a_window_that_is_too_small_is_told():
    with Terminal(lines=24) as small:
        TerminalQr(small).draw(FIRST)

        assert "this window has 24" in small.getvalue()


def test_what_is_no_terminal_gets_each_code_once_and_no_countdown():
    out = io.StringIO()
    screen = LinkScreen(tell=lambda _: None, terminal=TerminalQr(out, Ink.LIGHT_TEXT))
    screen.show(FIRST, NOW + timedelta(seconds=60), NOW)
    screen.show(FIRST, NOW + timedelta(seconds=60), NOW + timedelta(seconds=9))

    assert out.getvalue() == qr_text(FIRST, Ink.LIGHT_TEXT)


@pytest.mark.parametrize(
    ("theme", "is_terminal", "environment", "ink"),
    [
        ("auto", True, {"TERM": "xterm-256color"}, Ink.COLOURS),
        ("auto", True, {"TERM": "dumb"}, Ink.LIGHT_TEXT),
        ("auto", True, {"NO_COLOR": "1"}, Ink.LIGHT_TEXT),
        ("auto", False, {}, Ink.LIGHT_TEXT),
        ("light", True, {}, Ink.DARK_TEXT),
        ("dark", True, {}, Ink.LIGHT_TEXT),
    ],
)
def test_colours_are_used_where_the_terminal_knows_them(theme, is_terminal, environment, ink):
    assert ink_of(theme, is_terminal=is_terminal, environment=environment) is ink


def test_the_picture_is_read_back():
    assert read_qr(Image.open(io.BytesIO(qr_png(FIRST)))) == [FIRST]


def test_of_many_who_ask_for_a_new_code_at_once_one_draws_it():
    together = threading.Barrier(8)

    def ask(number):
        together.wait(20)
        return qr_png(f"{FIRST} asked by all in round {number}")

    with ThreadPoolExecutor(8) as asking:
        for number in range(5):
            drawn = list(asking.map(ask, [number] * 8))
            assert len({id(picture) for picture in drawn}) == 1
