"""A login that was made on one machine goes on on another one, by way of a store."""

import base64
import json
import signal
import threading
from contextlib import ExitStack
from datetime import timedelta

import pytest
from pydantic import SecretStr

from tests.fixtures.cycle import make_settings, stored_messages, truth_of
from tests.fixtures.vault import everything_in
from whatsapp_etl import bootstrap
from whatsapp_etl.errors import SessionTakenError
from whatsapp_etl.extract.browser import BrowserOptions
from whatsapp_etl.extract.login import wait_until_linked
from whatsapp_etl.extract.offline import account_in
from whatsapp_etl.model import SessionState
from whatsapp_etl.simulator.phone import Phone

KEY = base64.b64encode(bytes(range(32))).decode()
SOON = timedelta(seconds=60)


def settings_of(simulator, folder, tmp_path):
    return make_settings(
        simulator.url,
        folder,
        "",
        simulator.options.now,
        session_store_url=f"file://{tmp_path}/store",
        session_store_key=SecretStr(KEY),
    )


@pytest.fixture
def machines(start_simulator, tmp_path):
    """Two machines that share a store; no browser of theirs stays open."""
    simulator = start_simulator(chats=2, messages=10, linked=False)
    with ExitStack() as stack:
        sources = [
            bootstrap.source_of(settings_of(simulator, tmp_path / name, tmp_path), threading.Event())
            for name in ("a", "b")
        ]
        for source in sources:
            stack.callback(source.close)
        yield simulator, *sources


def test_a_login_goes_on_on_an_empty_machine_while_the_first_one_is_refused(machines):
    simulator, first, second = machines
    wait_until_linked(first.start(), SOON, Phone(simulator))
    account = first.account()
    with pytest.raises(SessionTakenError):
        second.start()
    first.close()

    second.open()

    assert second.session.state is SessionState.READY
    assert second.account() == account
    with pytest.raises(SessionTakenError):
        first.start()


@pytest.mark.matrix
def test_a_profile_is_looked_into_without_the_service_seeing_it(
    chromium, tmp_path, open_browser, serve_pages
):
    pages = serve_pages({"/": "<!doctype html><title>page</title>"})
    browser = open_browser(tmp_path / "profile", pages.url)
    browser.page.evaluate(
        """() => new Promise((resolve) => {
            localStorage.setItem('last-wid-md', '"15550001111:7@c.us"');
            const made = indexedDB.open('model-storage', 3);
            made.onupgradeneeded = () => made.result.createObjectStore('contact', { keyPath: 'id' });
            made.onsuccess = () => { made.result.close(); resolve(); };
        })"""
    )
    browser.close()
    seen = len(pages.headers_seen)

    found = account_in(tmp_path / "profile", BrowserOptions(chromium, origin=pages.url))

    assert browser.has_closed_cleanly
    assert found == "15550001111@c.us"
    assert seen
    assert len(pages.headers_seen) == seen


@pytest.mark.matrix
@pytest.mark.timeout(600)
def test_a_session_moves_to_another_machine_and_back_and_nothing_is_doubled(program, database, tmp_path):
    it, simulator = program(
        world={"chats": 4, "messages": 60, "linked": False},
        SESSION_STORE_URL=f"file://{tmp_path}/store",
        SESSION_STORE_KEY=KEY,
        SESSION_STORE_WHEN_TAKEN="exit",
        SESSION_STORE_GRACE_SECONDS="60",
        PORT="0",
        LOG_LEVEL="INFO",
    )
    there = {"WHATSAPP_PROFILE_DIR": str(tmp_path / "other"), "ATTACHMENTS_DIR": str(tmp_path / "files")}
    login = it.start("login", "--terminal")
    while "scan the code" not in login.stderr.readline():
        pass
    simulator.scan()
    _, err = login.communicate(timeout=60)
    assert login.returncode == 0, err
    assert it.sync()["status"] == "success"
    stored = stored_messages(database)
    assert stored == truth_of(simulator)

    with it.start("run", **there) as moved:
        lines = map(json.loads, moved.stderr)
        report = next(line for line in lines if line["event"] == "cycle_finished")
        assert (report["status"], report["inserted"], report["updated"]) == ("success", 0, 0)

        for command in ("sync", "run"):
            refused = it.run(command)
            assert refused.returncode == 4, refused.stderr
            assert f"process {moved.pid} on" in refused.stderr
        verified = it.run("session", "verify")
        assert "generation 2" in verified.stdout, verified.stderr

        moved.send_signal(signal.SIGTERM)
        assert [line["generation"] for line in lines if line["event"] == "session_kept"] == [3]
    assert moved.returncode == 0

    back = it.run("sync", "--json")
    assert "session_restored" in back.stderr
    report = json.loads(back.stdout)
    assert (report["status"], report["applied"]["inserted"]) == ("success", 0)
    assert stored_messages(database) == stored
    assert simulator.ledger()["receipts"] == 0


@pytest.mark.matrix
def test_a_copy_that_chromium_cannot_open_does_not_count(program, tmp_path):
    """The index is whole and the files are the same on both sides, but the database is not one."""
    it, _ = program(
        world={"chats": 2, "messages": 10, "linked": True},
        SESSION_STORE_URL=f"file://{tmp_path}/store",
        SESSION_STORE_KEY=KEY,
    )
    it.sync()
    (database,) = it.profile.glob("Default/IndexedDB/*.leveldb")
    for path in database.iterdir():
        if path.name != "CURRENT":
            path.write_bytes(bytes(path.stat().st_size))
    before = everything_in(it.profile)

    done = it.run("session", "backup")

    assert done.returncode == 9
    assert "holds no login" in done.stderr
    assert everything_in(it.profile) == before
