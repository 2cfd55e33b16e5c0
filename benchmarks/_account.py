"""The settings of a benchmark: no limits, a fixed clock, an embedded Postgres, folders of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from whatsapp_etl.settings import Settings

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


def settings_in(folder: Path, url: str) -> Settings:
    return Settings(
        whatsapp_url=url,
        whatsapp_profile_dir=folder / "profile",
        attachments_dir=folder / "attachments",
        spool_dir=folder / "spool",
        pg_url=SecretStr(""),
        pg_data_dir=folder / "postgres",
        whatsapp_timezone="UTC",
        whatsapp_chats_per_minute=0,
        whatsapp_scrolls_per_second=0,
        whatsapp_etl_now=NOW,
    )
