"""Linking on a machine without a display: the picture of a code, and the code for the phone."""

import stat
from datetime import timedelta

import httpx
import pytest
from PIL import Image

from tests.fixtures.cycle import stored_messages, truth_of
from tests.fixtures.program import suspend, wait_for
from tests.fixtures.terminal import read_qr
from whatsapp_etl.errors import SessionNeedsPersonError
from whatsapp_etl.extract.login import wait_until_linked
from whatsapp_etl.model import SessionState
from whatsapp_etl.phone_numbers import own_number

ENDS_WITHIN = 60
SOON = timedelta(seconds=60)


@pytest.mark.matrix
def test_the_code_is_a_file_until_it_is_scanned(program):
    it, simulator = program(world={"chats": 1, "messages": 5, "linked": False})
    place = it.folder / "code.png"
    process = it.start("login", "--png", str(place))
    wait_for(place.exists, process)

    (text,) = read_qr(Image.open(place))
    mode = stat.S_IMODE(place.stat().st_mode)
    simulator.set_config(delays={"loading_ms": 1000})
    simulator.scan()
    out, told = process.communicate(timeout=ENDS_WITHIN)

    assert text.startswith("https://wa.me/settings/linked_devices#2@")
    assert mode == 0o600
    assert (process.returncode, out) == (0, "")
    assert str(place) in told
    assert "Linked." in told
    assert "5 messages in 1 chats have arrived" in told.replace("\n", " ")
    assert "Loading the chats: 10 %" in told
    assert not place.exists()

    it.sync()
    states = [line.split("│")[2].strip() for line in it.run("session", "history").stdout.splitlines()[3:-1]]
    assert states[::-1][:4] == ["starting", "qr", "loading", "ready"]  # as `login` saw it, without a database
    assert states[::-1][4] == "starting"
    assert '"session.qr_required"' not in it.run("events", "list", "--json").stdout  # a person was there


def test_a_place_for_the_picture_that_is_not_there_is_told_before_anything_starts(program):
    it, _ = program(world={"chats": 1, "messages": 1, "linked": False})

    done = it.run("login", "--png", "/nonexistent/folder/code.png")

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--png" in done.stderr


@pytest.mark.parametrize("profile", [pytest.param("apr26", marks=pytest.mark.matrix), "aug26"])
def test_a_phone_number_gives_a_code_that_is_typed_on_the_phone(
    start_simulator, open_shared_session, profile
):
    simulator = start_simulator(linked=False, profile=profile)
    # Three seconds each, so that the first one expires.
    simulator.set_config(delays={"link_code_ttl_scale": 1 / 60})
    session = open_shared_session(simulator.url)
    codes, refused = [], []

    def type_second_code(step):
        if step.pairing_code in {None, *codes}:
            return
        codes.append(step.pairing_code)
        assert session.page.locator("[data-link-code]").get_attribute("aria-details") is not None
        if len(codes) == 2:
            with pytest.raises(httpx.HTTPStatusError):
                simulator.pair(codes[0])
            refused.append(codes[0])
            simulator.pair(codes[1])

    wait_until_linked(session, SOON, type_second_code, number=own_number("0049 (0) 1512 / 3456789"))

    assert session.state is SessionState.READY
    assert len(set(codes)) == 2
    assert refused == codes[:1]


def test_the_number_is_in_the_pages_form_as_it_was_meant(start_simulator, open_shared_session):
    session = open_shared_session(start_simulator(linked=False).url)

    def stop(step):
        if step.pairing_code is not None:
            raise InterruptedError

    # Of this country the list knows nothing, and the field begins with another one's code.
    with pytest.raises(InterruptedError):
        wait_until_linked(session, SOON, stop, number=own_number("+47 406 12 345"))

    assert "+4740612345" in session.page.locator("#app").inner_text()


@pytest.mark.matrix
def test_pairing_codes_that_nobody_types_are_renewed_only_so_often(start_simulator, open_shared_session):
    simulator = start_simulator(linked=False)
    simulator.set_config(delays={"link_code_ttl_scale": 1 / 900})
    session = open_shared_session(simulator.url)

    with pytest.raises(SessionNeedsPersonError, match="pairing code") as told:
        wait_until_linked(session, SOON, lambda _: None, number=own_number("+49 1512 3456789"))

    assert "3456789" not in str(told.value)


@pytest.mark.matrix  # a minute, most of which is the deadline for reading what has come
def test_a_browser_that_does_not_end_after_the_link_costs_another_look_and_no_login(program, database):
    it, simulator = program(world={"chats": 1, "messages": 5, "linked": False})
    process = it.start("login", "--terminal")
    heard(process.stderr, "scan the code")
    simulator.scan()
    heard(process.stderr, "Linked.")
    suspend(it.browsers())
    said = heard(process.stderr, "opened again")
    if "scan the code" in heard(process.stderr, "scan the code", "The login is kept"):
        simulator.scan()  # what the page had written was lost with the browser
    _, rest = process.communicate(timeout=ENDS_WITHIN)

    assert "The login is kept" not in said
    assert process.returncode == 0, rest
    assert it.sync()["status"] == "success"
    assert stored_messages(database) == truth_of(simulator)


def heard(stream, *words):
    """Return what was said up to a line with some of these words; it fails at the end of the stream."""
    said = ""
    while not any(each in said for each in words):
        line = stream.readline()
        assert line, said
        said += line
    return said
