"""From a picture in a chat to the query that finds it by its text; and nothing of it where nobody asked."""

import base64
import json
import os
import signal
import threading
from pathlib import Path

import psutil
import pytest
import typer

from tests.fixtures.load import rows
from tests.fixtures.pictures import ENGINES, ROOT, page_png
from whatsapp_etl.cli import app

NUMBER = "INV-2026-0417"
INVOICE = page_png(f"INVOICE {NUMBER}", "Kettle repair and descaling", "Total EUR 1,234.50", qr=NUMBER)
WATCH = ROOT / "tests" / "import_watch"
WORLD = {"chats": 3, "messages": 30, "linked": True}
#: As docs/extraction.md has it.
FIND = "SELECT title, thread_external_id, external_id FROM image_texts WHERE words @@ image_phrase(%s)"
#: Commands that need a page or serve for ever: their modules are looked at instead.
NOT_RUN = {"login", "backfill", "run", "demo", "simulate", "sync", "db url", "db psql", "selectors new"}
COMMANDS = (
    ["extract", "--status"], ["extract", "--once"], ["extract", "--follow"], ["config"], ["version"],
    ["migrate"], ["runs"], ["runs", "show", "1"], ["why", "x"], ["doctor"], ["events", "list"],
    ["events", "replay", "--dead"], ["shield", "acknowledge"], ["session", "history"], ["session", "list"],
    ["session", "backup"], ["session", "restore"], ["session", "verify"], ["session", "clear", "--yes"],
    ["forget", "--message", "x", "--yes"], ["parse", "page.html"], ["selectors", "check", "page.html"],
    ["attachments", "status"], ["attachments", "fsck"], ["attachments", "prune"], ["attachments", "mirror"],
    ["attachments", "retry"],
    ["agent", "status"], ["agent", "list"], ["agent", "replay", "--dead"], ["agent", "proposals"],
)  # fmt: skip


def path_of(*folders: Path) -> str:
    return os.pathsep.join(map(str, (*folders, ROOT)))


def send_invoice(simulator, **fields):
    """Let somebody send it; return the chat and the message's key."""
    chat = next(chat for chat in simulator.world()["chats"] if chat["kind"] == "person")
    file = base64.b64encode(INVOICE).decode()
    return chat, simulator.add_message(chat["id"], "As promised", type="image", file=file, **fields)


def wait_for(database, query, *values):
    never = threading.Event()
    for _ in range(2400):
        if found := rows(database, query, *values):
            return found
        never.wait(0.05)
    return pytest.fail(f"nothing came: {query}")


def worker_of(program):
    return [
        child
        for child in psutil.Process(program.pid).children()
        if "extract" in child.cmdline() and child.is_running()
    ]


@pytest.mark.matrix
def test_beside_run_a_worker_reads_what_cycles_store_and_is_started_again(program, database):
    it, simulator = program(
        world=WORLD,
        IMAGE_PROCESSING_ENABLED="true",
        EXTRACTION_ENGINE="qr",
        PYTHONPATH=path_of(ENGINES),
        PORT="0",
    )
    chat, key = send_invoice(simulator)

    running = it.start("run")

    found = wait_for(database, FIND, NUMBER)
    assert found == [(chat["title"], chat["id"], key)]
    images = wait_for(database, "SELECT count(*) FROM attachments WHERE state = 'stored'")
    wait_for(
        database,
        "SELECT 1 FROM extraction_jobs HAVING count(*) = %s AND bool_and(state = 'done')",
        images[0][0],
    )
    (worker,) = worker_of(running)
    worker.kill()
    simulator.add_message(chat["id"], type="image", file=base64.b64encode(page_png("x", qr="again")).decode())
    never = threading.Event()
    while not (again := worker_of(running)) or again[0].pid == worker.pid:
        never.wait(0.05)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert running.returncode == 0
    assert not again[0].is_running()


def commands_of(group: typer.Typer, prefix: str = "") -> set[str]:
    """Return every command by its words."""
    found = set()
    click = typer.main.get_command(group)
    for name, command in click.commands.items():
        found |= (
            {f"{name} {each}" for each in command.commands} if hasattr(command, "commands") else {f"{name}"}
        )
        if getattr(command, "invoke_without_command", False):
            found.add(name)
    return found


def test_every_command_is_looked_at_when_nothing_is_to_be_processed():
    run = {" ".join(word for word in each[:2] if word.isalpha()) for each in COMMANDS}
    run = {each if each in commands_of(app) else each.split()[0] for each in run}
    assert run | NOT_RUN == commands_of(app)


def test_nothing_of_extraction_is_imported_by_a_cycle_or_a_command_unless_it_is_asked_for(
    program, database, tmp_path
):
    seen = tmp_path / "imports"
    seen.touch()
    (tmp_path / "page.html").write_text("<html></html>")
    settings = {"PYTHONPATH": path_of(WATCH, ENGINES), "IMPORTS_SEEN": str(seen), "EXTRACTION_ENGINE": "qr"}
    it, simulator = program(world=WORLD, **settings)
    send_invoice(simulator)

    report = it.sync()
    done = it.run(json.dumps(COMMANDS), module="tests.fixtures.run_commands")

    images = rows(database, "SELECT count(*) FROM attachments WHERE state = 'stored'")[0][0]
    jobs = rows(database, "SELECT count(*), bool_and(state = 'queued' AND attempts = 0) FROM extraction_jobs")
    assert jobs == [(images, True)]
    assert report["applied"]["jobs_enqueued"] == images > 0
    assert done.stdout.count("ended [") == len(COMMANDS), done.stderr
    assert 'ended ["extract", "--once"] 2' in done.stdout
    assert seen.read_text() == ""

    # The watch does see it where it is asked for.
    assert it.run("extract", "--once", IMAGE_PROCESSING_ENABLED="true").returncode == 0
    assert "wetl_test_engines" in seen.read_text()
    assert rows(database, FIND, NUMBER) != []
