"""`whatsapp-etl extract`: tells how reading of pictures stands, or has it done where it is wanted.

No extractor is imported here: `extracting` does that, and is imported only where images are to be processed.
"""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from whatsapp_etl import bootstrap
from whatsapp_etl.asked import say, settings_of_person
from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.extracted import ExtractionFacts, JobState
from whatsapp_etl.load.extractions import Extractions
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.settings import read_settings


def extract(*, follows: bool, again: bool, dead: bool, is_attached: bool) -> int:
    """Read what is due, or follow until a signal comes; return the exit code.

    Args:
        follows: Whether to go on when nothing is due.
        again: Read again, first, what this engine in this version has not read.
        dead: Try again, first, what was given up.
        is_attached: Whether to end when standard input ends: with the program that started this one.

    Raises:
        ConfigurationError: Images are not to be processed, or there is no such engine.
    """
    settings = read_settings()
    configure_logs(settings.log_level, settings.log_format if follows else "text")
    if not settings.image_processing_enabled:
        raise ConfigurationError(
            "IMAGE_PROCESSING_ENABLED: is false, so no image is processed.", "Set it to true."
        )
    from whatsapp_etl.extracting import work  # noqa: PLC0415

    return work(settings, follows=follows, again=again, dead=dead, is_attached=is_attached)


def show_status(*, as_json: bool) -> None:
    """Print how many pictures wait, are read, and were given up, and why."""
    settings = settings_of_person()
    with bootstrap.open_current_db(settings) as database, Extractions(database) as extractions:
        facts = extractions.facts()
    if as_json:
        say(json.dumps(_as_json(facts), sort_keys=True))
        return
    table = Table("pictures", "jobs")
    for state in JobState:
        table.add_row(state.value, f"{facts.jobs[state]}")
    for reason, count in facts.dead_reasons.items():
        table.add_row(f"  dead: {reason}", f"{count}")
    Console(soft_wrap=True, highlight=False).print(table)


def _as_json(facts: ExtractionFacts) -> object:
    return {
        "jobs": {state.value: count for state, count in facts.jobs.items()},
        "dead_reasons": dict(facts.dead_reasons),
        "oldest_queued_at": facts.oldest_queued_at.isoformat() if facts.oldest_queued_at else None,
    }
