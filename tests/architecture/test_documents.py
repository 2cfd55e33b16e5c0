"""The documents say what the program does: settings, commands and targets are compared."""

import re
from pathlib import Path

import typer.main

from whatsapp_etl import errors
from whatsapp_etl.cli import app
from whatsapp_etl.doctor import attachments
from whatsapp_etl.doctor.command import CHECKS, DEEP_CHECKS
from whatsapp_etl.service.reasons import ReasonCode
from whatsapp_etl.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
#: For tests only, so not in the README.
HIDDEN = {"WHATSAPP_ETL_NOW"}


def section(title: str, document: str = README) -> str:
    return document.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def documented_settings() -> set[str]:
    rows = [line.split("|")[1] for line in section("Settings").splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_readme_lists_every_setting_and_no_other():
    assert documented_settings() == {name.upper() for name in Settings.model_fields} - HIDDEN


def test_readme_lists_every_command_and_no_other():
    group = typer.main.get_command(app)
    commands = set()
    for name, command in group.commands.items():
        subcommands = getattr(command, "commands", {})
        commands |= {f"{name} {sub}" for sub in subcommands}
        if not subcommands or command.invoke_without_command:
            commands.add(name)
    rows = [line.split("|")[1] for line in section("Commands").splitlines() if line.startswith("| `")]
    named = {match.split(" FILE")[0] for row in rows for match in re.findall(r"`([^`]+)`", row)}
    assert named == commands


def test_readme_explains_every_exit_code():
    codes = {0, errors.EXIT_PARTIAL} | {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.WhatsappEtlError)
    }
    text = section("Commands").split("Exit codes:")[1]
    assert {int(code) for code in re.findall(r"(?:^|·)\s*(\d)\s", " ".join(text.split()))} == codes


def test_every_make_target_that_is_promised_exists_and_explains_itself():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert {"install", "demo", "test", "lint", "bench", "run", "login", "help"} <= targets


def test_links_between_the_documents_lead_somewhere():
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    broken = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert broken == []


def test_ci_runs_what_the_readme_says():
    commands = [
        line
        for line in (ROOT / ".ci/run").read_text().splitlines()
        if line and not line.startswith("#") and not line.startswith(("set ", "cd "))
    ]
    assert commands == ["exec make test"]
    assert "make test" in README


def first_cells(title: str) -> set[str]:
    """Return the words in code that begin the rows of a section of docs/operations.md."""
    rows = [line.split("|")[1] for line in section(title, OPERATIONS).splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([a-z_ ]+)`", row)}


def test_every_reason_that_the_documents_name_is_one():
    named = first_cells("When a person is needed")
    assert named
    assert named <= {code.value for code in ReasonCode}


def test_every_check_of_the_doctor_is_explained_and_no_other():
    checks = {*CHECKS, *DEEP_CHECKS, "migrations", "health"}
    assert first_cells("The doctor") == checks | attachments.KINDS.keys()
