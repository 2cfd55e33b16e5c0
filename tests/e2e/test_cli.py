"""The commands, as a person or a service manager runs them."""

import json
import re
import signal
import socket
import threading
import time
from functools import partial
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tests.fixtures.cycle import stored_messages, truth_of
from tests.fixtures.program import any_message, wait_for
from whatsapp_etl import bootstrap
from whatsapp_etl.cli import app
from whatsapp_etl.errors import WhatsappEtlError
from whatsapp_etl.settings import read_settings
from whatsapp_etl.steps import no_announcement

CASES = Path(__file__).parents[1] / "cases" / "messages"


def test_version_is_printed(program):
    it, _ = program(world={"chats": 1, "messages": 1})
    done = it.run("version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)


def test_a_wrong_setting_is_one_line_that_names_it_and_exit_code_2(program):
    it, _ = program(world={"chats": 1, "messages": 1})
    done = it.run("sync", WHATSAPP_SYNC_INTERVAL_MINUTES="soon")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "WHATSAPP_SYNC_INTERVAL_MINUTES" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WHATSAPP_TIMEZONE", "Mars/Olympus"),
        ("WHATSAPP_ENABLE_SENDING", "true"),
        ("PORT", "99999"),
        ("PG_SCHEMA", "drop table;"),
    ],
)
def test_a_wrong_setting_is_named_when_settings_are_read(monkeypatch, tmp_path, variable, value):
    monkeypatch.chdir(tmp_path)  # no `.env` of the developer's
    monkeypatch.setenv(variable, value)
    with pytest.raises(WhatsappEtlError, match=variable) as told:
        read_settings()
    assert told.value.exit_code == 2


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WHATSAPP_SELECTOR_PACK", "no-such-pack"),
        ("WHATSAPP_PROFILE_DIR", "/proc/nowhere"),
        ("ATTACHMENTS_DIR", "/proc/nowhere"),
        ("TZ", "Mars/Olympus"),
    ],
)
def test_what_no_cycle_could_follow_is_told_before_the_first(monkeypatch, tmp_path, variable, value):
    monkeypatch.chdir(tmp_path)  # no `.env` of the developer's
    monkeypatch.setenv("WHATSAPP_PROFILE_DIR", str(tmp_path / "profile"))
    monkeypatch.setenv("ATTACHMENTS_DIR", str(tmp_path / "attachments"))
    monkeypatch.setenv("SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.delenv("WHATSAPP_TIMEZONE", raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(WhatsappEtlError, match=variable if variable != "TZ" else "WHATSAPP_TIMEZONE") as told:
        bootstrap.source_of(read_settings(), threading.Event())
    assert told.value.exit_code == 2
    assert told.value.remedy


def test_the_page_and_the_server_share_the_room_for_files(monkeypatch, tmp_path, store):
    monkeypatch.chdir(tmp_path)  # no `.env` of the developer's
    for name in ("WHATSAPP_PROFILE_DIR", "ATTACHMENTS_DIR", "SPOOL_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("ATTACHMENTS_WAYS", "shown,direct")
    monkeypatch.setenv("ATTACHMENTS_MAX_BYTES", "1000")
    settings = read_settings()
    source = bootstrap.source_of(settings, threading.Event())
    clock = bootstrap.clock_of(settings)
    fetching = bootstrap.fetching_of(settings, source, store, clock, no_announcement)

    fetching.save(b"1" * 400)
    source.judgement.save_file(b"2" * 400)

    with pytest.raises(OSError, match="quota"):
        fetching.save(b"3" * 400)


@pytest.mark.matrix
def test_a_wrong_setting_ends_the_demo_in_the_same_way(program):
    it, _ = program(world={"chats": 1, "messages": 1})
    done = it.run("demo", "--once", PORT="99999")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "PORT" in done.stderr


def test_simulate_on_a_taken_port_says_so_in_one_line(program):
    it, simulator = program(world={"chats": 1, "messages": 1})
    done = it.run("simulate", "--chats", "1", "--messages", "1", "--port", simulator.url.rpartition(":")[2])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--port" in done.stderr


@pytest.mark.matrix
def test_selectors_check_shows_each_selector_as_it_is_written(program):
    it, _ = program(world={"chats": 1, "messages": 1})
    done = it.run("selectors", "check", COLUMNS="300")
    assert done.returncode == 0, done.stderr
    assert "#pane-side" in done.stdout
    assert re.search(r"\[data-[a-z]+", done.stdout)


def test_config_prints_every_setting_and_no_secret(program):
    it, _ = program(world={"chats": 1, "messages": 1}, HTTP_TOKEN="do-not-print-this")
    done = it.run("config")
    assert done.returncode == 0
    assert "HTTP_TOKEN=***\n" in done.stdout
    assert "do-not-print-this" not in done.stdout
    assert it.environment["PG_URL"] not in done.stdout
    assert "WHATSAPP_SYNC_LOOKBACK_DAYS=30\n" in done.stdout
    assert "RETENTION_DAYS=sync_runs=90," in done.stdout


@pytest.mark.matrix
def test_doctor_finds_everything_in_order_after_a_sync_and_says_what_to_do_before(program):
    it, _ = program(world={"chats": 1, "messages": 5})
    before = it.run("doctor", BROWSER_EXECUTABLE="/nonexistent/chromium", PORT="0")
    assert before.returncode == 3
    assert "BROWSER_EXECUTABLE" in before.stdout
    assert "sync_never" in before.stdout
    it.sync()
    after = it.run("doctor", "--deep", "--json", PORT="0")
    assert after.returncode == 0, after.stdout
    answer = json.loads(after.stdout)
    assert (answer["exit_code"], answer["health_from"], answer["health"]["status"]) == (0, "database", "ok")
    assert {finding["outcome"] for finding in answer["findings"]} <= {"ok", "notice"}
    assert any("starts" in each["told"] for each in answer["findings"] if each["check"] == "browser")


def test_sync_prints_its_report_as_json_and_nothing_of_anybody(program, database):
    it, simulator = program()
    report = it.sync()
    assert report["status"] == "success"
    assert report["chats_opened"] > 0
    assert stored_messages(database) == truth_of(simulator)
    assert not re.search(r"@(c|g)\.us|@lid", json.dumps(report))


@pytest.mark.matrix
def test_a_synced_message_is_traced_to_its_run(program, database):
    it, _ = program(world={"chats": 3, "messages": 40})
    run_id = it.sync()["run_id"]
    with database.connect() as connection:
        key, text = connection.execute(
            "SELECT external_id, content_snippet FROM messages"
            " WHERE message_type = 'text' ORDER BY length(content_snippet) DESC LIMIT 1"
        ).fetchone()
        stored = connection.execute("SELECT count(*) FROM messages").fetchone()[0]
        assert connection.execute("SELECT * FROM chats_short_of_lookback").fetchall() == []
        (trend,) = connection.execute("SELECT expected, stored, missing FROM coverage_trend").fetchall()
    assert trend == (stored, stored, 0)

    run = json.loads(it.run("runs", "show", str(run_id), "--json").stdout)
    why = it.run("why", key, "--json")

    assert sum(chat["inserted"] for chat in run["chats"]) == stored
    assert text not in why.stdout
    told = json.loads(why.stdout)
    assert (told["state"], told["stored"]["path"], told["missing"]) == ("stored", "storage and page", None)
    assert told["runs"][str(run_id)]["pack_id"] == run["run"]["pack_id"]
    assert told["runs"][str(run_id)]["signs"]["direction"]


def test_an_unknown_run_is_one_line_with_the_runs_there_are(program):
    it, _ = program(world={"chats": 1, "messages": 1})
    done = it.run("runs", "show", "4711")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "No run is kept yet" in done.stderr


@pytest.mark.matrix
def test_sync_of_an_unlinked_profile_asks_for_a_person_with_exit_code_6(program):
    it, _ = program(world={"chats": 1, "messages": 1, "linked": False})
    done = it.run("sync")
    assert done.returncode == 6
    assert "whatsapp-etl login" in done.stderr


@pytest.mark.matrix
def test_two_programs_on_one_profile_are_refused_by_name(program):
    it, _ = program()
    first = it.start("sync", "--json")
    assert it.wait_for_browser(first) is not None
    second = it.run("sync", "--json")
    first.communicate(timeout=120)
    assert second.returncode == 4
    assert f"process {first.pid} on {socket.gethostname()}" in second.stderr


def test_run_serves_the_status_page_and_ends_within_ten_seconds_of_sigterm(program, database):
    it, simulator = program(world={"chats": 8, "messages": 160}, PORT="0")
    process = it.start("run", LOG_LEVEL="INFO")
    url = next(json.loads(line)["url"] for line in process.stderr if '"serving"' in line)
    assert httpx.get(f"{url}healthz").status_code == 200
    assert it.wait_for_browser(process) is not None
    wait_for(partial(any_message, database), process)

    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    _, err = process.communicate(timeout=30)

    assert time.monotonic() - begun < 10
    assert process.returncode == 0, err
    assert it.browsers() == []
    stored, truth = stored_messages(database), truth_of(simulator)
    assert {key: row for key, row in stored.items() if truth.get(key) != row} == {}
    # What was not read yet comes with the next cycle.
    it.sync()
    assert stored_messages(database) == truth


def test_parse_prints_what_it_makes_of_a_saved_page(program):
    it, _ = program(world={"chats": 1, "messages": 1})
    page = next(CASES.rglob("*.html"))
    done = it.run("parse", str(page), "--today", "2026-08-23")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows
    assert all(row["file"] == page.name for row in rows)


@pytest.mark.matrix
def test_migrate_can_be_run_again(program):
    it, _ = program(world={"chats": 1, "messages": 1})
    assert it.run("migrate").returncode == it.run("migrate").returncode == 0


@pytest.mark.matrix
def test_simulate_serves_the_same_world_for_the_same_seed(program):
    it, _ = program(world={"chats": 1, "messages": 1})

    def truth() -> list[dict[str, object]]:
        arguments = (
            "--port",
            "0",
            "--chats",
            "2",
            "--messages",
            "20",
            "--now",
            "2026-03-15T12:00:00Z",
            "--linked",
        )
        process = it.start("simulate", *arguments)
        try:
            url = process.stdout.readline().split()[-1]
            return httpx.get(f"{url}/__sim/truth", params={"lookback_days": 30}).json()
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)

    first = truth()
    assert first
    assert first == truth()


def test_every_command_explains_itself():
    overview = CliRunner().invoke(app, ["--help"])
    assert overview.exit_code == 0
    commands = (
        "login",
        "sync",
        "run",
        "demo",
        "simulate",
        "parse",
        "doctor",
        "config",
        "migrate",
        "runs",
        "why",
    )
    for command in commands:
        assert command in overview.output
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


def test_an_unknown_command_is_refused(program):
    it, _ = program(world={"chats": 1, "messages": 1})
    assert it.run("scrape").returncode == 2
