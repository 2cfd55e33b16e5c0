"""The command: every check in turn, as a table for people or as JSON for machines."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table

from whatsapp_etl.doctor import attachments, database, machine, private_places, session
from whatsapp_etl.doctor.findings import Check, Finding, Outcome, exit_code_of, findings_of
from whatsapp_etl.plain_json import plain
from whatsapp_etl.settings import read_settings

CHECKS: dict[str, Check] = {
    "python": machine.python,
    "browser": machine.browser,
    "packs": session.packs,
    "snapshots": session.snapshots,
    "profile": session.profile,
    "session store": session.store,
    "disk": machine.disk,
    "permissions": private_places.permissions,
    "sending": session.sending,
    "database": database.database,
    "message store": database.store_reader,
}
#: Takes as long as reading every file.
DEEP_CHECKS: dict[str, Check] = {"stored files": attachments.stored_files}
_SIGNS = {Outcome.OK: "ok", Outcome.NOTICE: "--", Outcome.WRONG: "!!"}
#: So many files are shown in a cell.
_SHOWN = 10


def run_doctor(*, deep: bool, as_json: bool) -> int:
    """Print every finding; return 0, or the exit code of the first that is wrong."""
    settings = read_settings()
    findings = [finding for name, check in CHECKS.items() for finding in findings_of(name, check, settings)]
    health, trouble = database.ask_health(settings)
    findings += [*trouble, *(database.health_findings(health) if health else ())]
    for name, check in DEEP_CHECKS.items() if deep else ():
        findings += findings_of(name, check, settings)
    exit_code = exit_code_of(findings)
    if as_json:
        answer = {
            "exit_code": exit_code,
            "findings": plain(findings),
            "health": health.body if health else None,
            "health_from": health.source if health else None,
        }
        sys.stdout.write(json.dumps(answer, sort_keys=True) + "\n")
    else:
        _print(findings)
    return exit_code


def _print(findings: list[Finding]) -> None:
    table = Table("", "check", "found")
    table.columns[2].overflow = "fold"
    for finding in findings:
        about = " ".join(filter(None, (finding.check, finding.place or finding.code)))
        shown = (*finding.files[:_SHOWN], *(("…",) if len(finding.files) > _SHOWN else ()))
        told = " ".join(filter(None, (finding.told, finding.remedy)))
        table.add_row(_SIGNS[finding.outcome], about, "\n".join((told, *shown)))
    Console(highlight=False, markup=False).print(table)
