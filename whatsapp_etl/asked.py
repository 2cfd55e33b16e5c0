"""What every command that a person asks for begins with, and how it answers."""

from __future__ import annotations

import sys

from whatsapp_etl.logs import configure_logs
from whatsapp_etl.settings import Settings, read_settings


def settings_of_person() -> Settings:
    """Read the settings, and let logs be words: a person reads them."""
    settings = read_settings()
    configure_logs(settings.log_level, "text")
    return settings


def say(line: str) -> None:
    """Write a line of the answer."""
    sys.stdout.write(f"{line}\n")
