"""The server as a page meets it: login, sync feed, media, receipts."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import threading
import warnings

import httpx
import pytest

from tests.fixtures.simulator import SMALL_WORLD
from whatsapp_etl.simulator.serve import RunningSimulator, SimulatorOptions

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
)


def get(simulator: RunningSimulator, path: str, agent: str = CHROME) -> httpx.Response:
    return httpx.get(simulator.url + path, headers={"User-Agent": agent}, trust_env=False)


def some_unread_chat(simulator: RunningSimulator) -> str:
    return next(chat for chat, count in simulator.unread().items() if count > 1)


# --- the document -----------------------------------------------------------------------------


def test_an_ordinary_browser_gets_the_page(shared_simulator):
    page = get(shared_simulator, "/")

    assert page.status_code == 200
    assert 'id="whatsapp-web"' in page.text
    assert "wa_web_initial_startup" in page.text


@pytest.mark.parametrize("agent", [CHROME.replace("Chrome/", "HeadlessChrome/"), CHROME + " Electron/40.0"])
def test_an_unsupported_browser_is_told_so(shared_simulator, agent):
    page = get(shared_simulator, "/", agent)

    assert "WhatsApp works with" in page.text
    assert "wa_web_initial_startup" not in page.text


def test_nothing_of_the_page_is_kept_by_the_browser(shared_simulator):
    for path in ("/", "/static/schema.json"):
        assert get(shared_simulator, path).headers["cache-control"] == "no-store"


# --- login ------------------------------------------------------------------------------------


def test_an_unlinked_page_gets_six_qr_codes_with_their_lives(start_simulator, say_hello):
    page = say_hello(start_simulator(linked=False))

    frame = page.hear("qr")
    assert len(frame["refs"]) == len(set(frame["refs"])) == 6
    assert frame["ttls_ms"] == [60_000, 20_000, 20_000, 20_000, 20_000, 20_000]


def test_a_page_may_ask_for_new_qr_codes(start_simulator, say_hello):
    page = say_hello(start_simulator(linked=False))
    first = page.hear("qr")["refs"]

    page.say(op="qr_reload")

    assert not set(page.hear("qr")["refs"]) & set(first)


def test_a_scan_links_the_page(start_simulator, say_hello):
    simulator = start_simulator(linked=False)
    page = say_hello(simulator)
    page.hear("qr")
    assert page.ask().status_code == 401

    simulator.scan()

    page.hear_linked()
    assert page.me == {"id": "15550001111@c.us", "lid": "77001100220033@lid", "push_name": "Robin Sample"}
    assert page.ask().status_code == 200


def test_a_scan_without_a_qr_code_is_refused(simulator):
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        simulator.scan()


def test_a_login_outlives_the_page(start_simulator, say_hello):
    simulator = start_simulator(linked=False)
    first = say_hello(simulator)
    first.hear("qr")
    simulator.scan()
    first.hear_linked()

    second = say_hello(simulator, token=first.token)

    second.hear_linked()
    assert second.token == first.token


def test_a_linked_server_asks_nobody_for_a_scan(simulator, say_hello):
    say_hello(simulator).hear_linked()


def test_a_logout_ends_every_login(start_simulator, say_hello):
    simulator = start_simulator(linked=False)
    page = say_hello(simulator)
    page.hear("qr")
    simulator.scan()
    page.hear_linked()

    simulator.logout(reason=3)

    assert page.hear("logout")["reason"] == 3
    assert page.ask().status_code == 401
    say_hello(simulator, token=page.token).hear("qr")


# --- the feed ---------------------------------------------------------------------------------


def test_the_feed_has_every_row_once(shared_simulator, say_hello):
    page = say_hello(shared_simulator)
    page.hear_linked()

    changes = page.pull()

    keys = [(change["store"], str(change["key"])) for change in changes]
    assert len(keys) == len(set(keys))
    world = shared_simulator.world()
    assert sum(store == "chat" for store, _ in keys) == len(world["chats"])
    listed = sum(chat["messages"] - chat["on_phone"] for chat in world["chats"])
    assert sum(store == "message" for store, _ in keys) == listed


def test_a_feed_read_in_small_pages_is_the_same(shared_simulator, say_hello):
    whole, parts = say_hello(shared_simulator), say_hello(shared_simulator)
    whole.hear_linked()
    parts.hear_linked()

    assert parts.pull(limit=37) == whole.pull()


def test_a_second_pull_brings_only_what_changed(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()
    page.pull()
    assert page.pull() == []

    external_id = simulator.add_message(some_unread_chat(simulator), "fresh")

    page.hear("changed")
    stores = [(change["store"], change["op"]) for change in page.pull()]
    assert sorted(stores) == [("chat", "put"), ("message", "put")]
    assert external_id.startswith("false_")


def test_a_message_deleted_here_is_taken_out_of_the_feed(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()
    external_id = simulator.truth()[0]["external_id"]
    page.pull()

    simulator.delete(external_id, by="me")

    page.hear("changed")
    assert page.pull() == [{"store": "message", "op": "delete", "key": external_id}]


def test_rows_keep_their_place_through_edit_and_deletion(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()
    rows = {change["key"]: change["value"] for change in page.pull() if change["store"] == "message"}
    text = next(row for row in simulator.truth() if row["message_type"] == "text")["external_id"]

    simulator.edit(text, "changed")
    edited = page.pull()[0]["value"]
    simulator.delete(text)
    deleted = page.pull()[0]["value"]

    for column in ("rowId", "internalId", "t"):
        assert edited[column] == deleted[column] == rows[text][column]
    assert edited["latestEditMsgKey"]
    assert (deleted["type"], deleted["subtype"]) == ("revoked", "sender")
    assert deleted["revokeSender"]["_serialized"]
    assert deleted["revokeTimestamp"] >= deleted["t"]


def test_history_of_the_phone_comes_when_the_phone_gives_it(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()
    page.pull()
    chat = next(chat for chat in simulator.world()["chats"] if chat["on_phone"])

    simulator.set_phone_history(chat["id"], "failed")
    page.say(op="phone_history", chat=chat["id"])
    assert page.hear("phone_history") == {"op": "phone_history", "chat": chat["id"], "result": "failed"}
    assert page.pull() == []

    simulator.set_phone_history(chat["id"], "ok")
    page.say(op="phone_history", chat=chat["id"])
    assert page.hear("phone_history")["result"] == "ok"
    page.hear("changed")
    assert sum(change["store"] == "message" for change in page.pull()) == chat["on_phone"]
    assert simulator.ledger()["phone_requests"] == {chat["id"]: 2}


# --- media ------------------------------------------------------------------------------------


def test_a_picture_is_served_by_its_checksum_and_counted(simulator):
    sha256 = next(row["file_sha256"] for row in simulator.truth() if row["file_sha256"])

    file = get(simulator, f"/media/{sha256}")

    assert hashlib.sha256(file.content).hexdigest() == sha256
    assert file.headers["content-type"] in {"image/jpeg", "image/png"}
    assert simulator.ledger()["media_reads"] == 1


def test_a_file_that_is_not_there_is_gone(simulator):
    assert get(simulator, f"/media/{'0' * 64}").status_code == 404


# --- receipts and presence --------------------------------------------------------------------


def test_a_read_receipt_lowers_the_unread_count(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()
    chat, before = some_unread_chat(simulator), simulator.unread()

    page.say(op="receipt", chat=chat, kind="read", ids=[])
    page.hear("changed")

    assert simulator.unread() == {other: count for other, count in before.items() if other != chat}
    ledger = simulator.ledger()
    assert (ledger["receipts"], ledger["receipts_by_kind"]) == (1, {"read": 1})


def test_a_receipt_for_one_message_leaves_the_others_unread(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()
    chat = some_unread_chat(simulator)
    before = simulator.unread()[chat]
    newest = [row for row in simulator.truth() if row["thread_external_id"] == chat][-1]["external_id"]

    page.say(op="receipt", chat=chat, kind="read", ids=[newest])
    page.hear("changed")

    assert simulator.unread()[chat] == before - 1


def test_nothing_but_a_read_receipt_lowers_an_unread_count(simulator, say_hello):
    before = simulator.unread()
    page = say_hello(simulator)
    page.hear_linked()

    page.pull()
    page.say(op="presence", state="available")
    page.say(op="receipt", chat=some_unread_chat(simulator), kind="played", ids=["x"])
    page.say(op="qr_reload")
    page.hear("qr")

    assert simulator.unread() == before


def test_presence_is_counted_by_state(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()

    page.say(op="presence", state="available")
    page.say(op="presence", state="unavailable")
    page.say(op="presence", state="unavailable")
    page.say(op="state", mode="MAIN")
    page.say(op="qr_reload")
    page.hear("qr")

    ledger = simulator.ledger()
    assert ledger["presence"] == {"available": 1, "unavailable": 2}
    assert ledger["mode"] == "MAIN"
    simulator.reset_ledger()
    assert simulator.ledger()["presence"] == {"available": 0, "unavailable": 0}


# --- running ----------------------------------------------------------------------------------


def test_a_stopped_simulator_leaves_no_thread_and_no_port(small_world):
    before = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with RunningSimulator(small_world) as simulator:
            url = simulator.url

    assert set(threading.enumerate()) <= before
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_served_from_the_command_line_it_ends_quietly_when_interrupted():
    program = "import sys; from whatsapp_etl.simulator.serve import SimulatorOptions, serve; "
    program += "serve(SimulatorOptions(chats=1, messages=2), lambda url: print(url, flush=True))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as served:
        url = served.stdout.readline().strip()
        assert httpx.get(f"{url}/__sim/world", trust_env=False).status_code == 200

        served.send_signal(signal.SIGINT)

        assert served.wait(timeout=30) == 0


def test_two_servers_of_one_world_expect_the_same(start_simulator):
    assert start_simulator().truth() == start_simulator().truth()


def test_a_page_can_tell_that_the_world_is_another(start_simulator, say_hello):
    first, second = say_hello(start_simulator()), say_hello(start_simulator())

    assert first.config["world"] != second.config["world"]


def test_the_page_gets_the_clock_zone_and_language_of_the_options(start_simulator, say_hello):
    config = say_hello(start_simulator(locale="de", timezone="Europe/Berlin")).config

    assert (config["locale"], config["timezone"]) == ("de", "Europe/Berlin")
    assert config["now"] == "2026-03-15T12:00:00+00:00"


def test_the_default_world_is_the_one_of_the_command_line():
    options = SimulatorOptions()

    assert (options.chats, options.messages, options.days, options.seed) == (40, 4000, 45, 7)
    assert SMALL_WORLD.port == options.port == 0
