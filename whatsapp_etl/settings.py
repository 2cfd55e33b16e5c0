"""The configuration as one frozen value, read once in `bootstrap` from the environment and `.env`."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from whatsapp_etl.addressing import name_of
from whatsapp_etl.downloads import (
    SHOWN_KINDS,
    DownloadRules,
    DownloadWay,
    FileLimits,
    MediaKind,
    parse_limits,
    parse_size,
)
from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.phone_numbers import people_ids
from whatsapp_etl.retention import Retention, parse_retention
from whatsapp_etl.session_key import HOW_TO_MAKE, parse_key
from whatsapp_etl.stopping import STOP_DEADLINE

#: Read from the folder in which the program is started.
ENV_FILE = ".env"
#: Set in the container image; decides where `/data` is.
_CONTAINER_MARK = "WHATSAPP_ETL_CONTAINER"
_STORES = frozenset({"s3", "gs", "az", "file"})


def _data_folder(name: str) -> Path:
    if os.environ.get(_CONTAINER_MARK):
        return Path("/data") / name
    return Path(platformdirs.user_data_dir("whatsapp-etl")) / name


def _postgres_folder() -> Path:
    # The embedded server runs as an unprivileged user when root starts it, and must be able to
    # reach its folder: never below root's private home, whose mode must not change.
    if os.environ.get(_CONTAINER_MARK) is None and os.geteuid() == 0:
        return Path("/var/lib/whatsapp-etl/postgres")
    return _data_folder("postgres")


#: RapidOCR takes half of it before its first picture; with much less it ends in native code.
LEAST_ENGINE_MEMORY_MB = 512


class Settings(BaseSettings):
    """Every setting. `whatsapp-etl config` prints them with secrets masked."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    whatsapp_sync_lookback_days: int = Field(default=30, ge=1, le=3650)
    whatsapp_sync_interval_minutes: int = Field(default=10, ge=1, le=1440)
    whatsapp_enable_sending: bool = False
    whatsapp_agent_contact: str = ""
    whatsapp_agent_thread_name: str = ""
    whatsapp_agent_keywords: Annotated[tuple[str, ...], NoDecode] = ()
    whatsapp_agent_allowed: Annotated[tuple[str, ...], NoDecode] = ()
    whatsapp_agent_webhooks: SecretStr = SecretStr("")
    image_processing_enabled: bool = False
    extraction_engine: str = Field(default="rapidocr", pattern=r"^[a-z][a-z0-9_-]*(:.*)?$")
    extraction_max_memory_mb: int = Field(default=4096, ge=0)
    attachments_dir: Path = Field(default_factory=lambda: _data_folder("attachments"))
    attachments_media: Annotated[tuple[MediaKind, ...], NoDecode] = (MediaKind.IMAGE,)
    attachments_ways: Annotated[tuple[DownloadWay, ...], NoDecode] = (DownloadWay.SHOWN, DownloadWay.BUTTON)
    attachments_clicks_per_minute: float = Field(default=20, ge=0)
    attachments_media_url: str = Field(default="https://mmg.whatsapp.net", pattern=r"^https?://[^/?#@\s]+/?$")
    attachments_store_url: str = ""
    attachments_max_file_bytes: Annotated[FileLimits, NoDecode] = Field(
        default_factory=lambda: parse_limits("")
    )
    attachments_max_bytes: Annotated[int, NoDecode] = Field(default=0, ge=0)
    spool_dir: Path = Field(default_factory=lambda: _data_folder("spool"))
    spool_max_bytes: int = Field(default=256 * 1024 * 1024, ge=0)
    pg_url: SecretStr = SecretStr("")
    pg_schema: str = Field(default="public", pattern=r"^[a-z_][a-z0-9_]*$")
    pg_data_dir: Path = Field(default_factory=_postgres_folder)
    whatsapp_profile_dir: Path = Field(default_factory=lambda: _data_folder("whatsapp_profile"))
    whatsapp_url: str = Field(default="https://web.whatsapp.com", pattern=r"^https?://")
    whatsapp_locale: str = Field(default="en-US", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    whatsapp_timezone: str = ""
    whatsapp_selector_pack: str = "auto"
    whatsapp_reader: Literal["auto", "dom", "store"] = "dom"
    whatsapp_store_cross_check_chats: int = Field(default=10, ge=0, le=1000)
    whatsapp_chats_per_minute: float = Field(default=20, ge=0)
    whatsapp_scrolls_per_second: float = Field(default=4, ge=0)
    whatsapp_phone_history: Literal["never", "auto"] = "never"
    whatsapp_exclude_chats: Annotated[tuple[str, ...], NoDecode] = ()
    whatsapp_disappearing: Literal["skip", "expire", "keep"] = "expire"
    whatsapp_session_max_age_minutes: int = Field(default=60, ge=1)
    session_check_seconds: int = Field(default=10, ge=1, le=3600)
    whatsapp_take_over: Literal["never", "always"] = "never"
    browser_executable: Path | None = None
    browser_args: Annotated[tuple[str, ...], NoDecode] = ()
    browser_headless: bool = True
    session_store_url: str = ""
    session_store_key: SecretStr = SecretStr("")
    session_store_key_file: Path | None = None
    session_store_keep: int = Field(default=5, ge=1, le=1000)
    session_store_interval_hours: int = Field(default=6, ge=1, le=720)
    session_store_grace_seconds: int = Field(default=0, ge=0, le=3600)
    session_store_when_taken: Literal["wait", "exit"] = "wait"
    browser_max_memory_mb: int = Field(default=0, ge=0)
    browser_max_restarts_per_hour: int = Field(default=6, ge=1, le=1000)
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    http_token: SecretStr = SecretStr("")
    http_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    retention_days: Annotated[Retention, NoDecode] = Field(default_factory=lambda: parse_retention(""))
    events_webhooks: SecretStr = SecretStr("")
    events_secret: SecretStr = SecretStr("")
    events_allow_private: bool = False
    events_send_qr: bool = False
    public_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"
    #: Hidden. Fixes the program's clock, for tests against a stand-in with `--now`.
    whatsapp_etl_now: datetime | None = None

    @field_validator(
        "whatsapp_exclude_chats",
        "http_allowed_hosts",
        "whatsapp_agent_keywords",
        "whatsapp_agent_allowed",
        mode="before",
    )
    @classmethod
    def _split_commas(cls, value: object) -> object:
        """Read "a, b" as two entries."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("whatsapp_agent_keywords")
    @classmethod
    def _keywords_are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(name_of, value)))

    @field_validator("whatsapp_agent_allowed")
    @classmethod
    def _allowed_are_people(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(person for entry in value for person in people_ids(entry)))

    @field_validator("*")
    @classmethod
    def _in_home(cls, value: object) -> object:
        """Let "~" be the person's home in every path: no shell has seen what stands in `.env`."""
        if not isinstance(value, Path):
            return value
        try:
            return value.expanduser()
        except RuntimeError as error:
            msg = f"{value} names nobody's home"
            raise ValueError(msg) from error

    @field_validator("extraction_max_memory_mb")
    @classmethod
    def _enough_for_an_engine(cls, value: int) -> int:
        if 0 < value < LEAST_ENGINE_MEMORY_MB:
            msg = f"no engine starts with less than {LEAST_ENGINE_MEMORY_MB}; 0 is no limit"
            raise ValueError(msg)
        return value

    @field_validator("browser_args", mode="before")
    @classmethod
    def _split_spaces(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("retention_days", mode="before")
    @classmethod
    def _days_by_table(cls, value: object) -> object:
        return parse_retention(str(value)) if isinstance(value, (str, int)) else value

    @field_validator("attachments_media", "attachments_ways", mode="before")
    @classmethod
    def _closed_sets(cls, value: object, info: ValidationInfo) -> object:
        """Read "image, sticker"; "none" stands for nothing."""
        if not isinstance(value, str):
            return value
        allowed = list(MediaKind if info.field_name == "attachments_media" else DownloadWay)
        names = [part.strip() for part in value.split(",") if part.strip() not in {"", "none"}]
        for name in names:
            if name not in set(allowed):
                msg = f'"{name}" is none of {", ".join(allowed)}'
                raise ValueError(msg)
        return tuple(each for each in allowed if each in names)

    @field_validator("attachments_max_file_bytes", mode="before")
    @classmethod
    def _sizes_by_kind(cls, value: object) -> object:
        return parse_limits(value) if isinstance(value, str) else value

    @field_validator("attachments_max_bytes", mode="before")
    @classmethod
    def _size(cls, value: object) -> object:
        return parse_size(value) if isinstance(value, str) else value

    @field_validator("whatsapp_timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        if value:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError) as error:
                msg = 'is not a time zone; use a name such as "Europe/Berlin"'
                raise ValueError(msg) from error
        return value

    @field_validator("session_store_url", "attachments_store_url")
    @classmethod
    def _store_is_known(cls, value: str) -> str:
        parts = urlsplit(value)
        place = parts.path if parts.scheme == "file" else parts.netloc
        if value and (parts.scheme not in _STORES or not place):
            msg = "is none of s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX, file:///FOLDER"
            raise ValueError(msg)
        if "@" in parts.netloc or parts.query:
            msg = "must hold no credentials; they come from the environment, as for the store's own tools"
            raise ValueError(msg)
        return value

    @field_validator("session_store_key")
    @classmethod
    def _key_is_long_enough(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            parse_key(value.get_secret_value())
        return value

    @field_validator("whatsapp_etl_now")
    @classmethod
    def _now_is_aware(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            msg = 'needs a zone, such as "2026-08-23T12:00:00Z"'
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _sending_is_not_built(self) -> Self:
        if self.whatsapp_enable_sending:
            msg = "WHATSAPP_ENABLE_SENDING: sending is not available in this version; set it to false"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _messages_outlive_the_lookback(self) -> Self:
        days = self.retention_days.days.get("messages")
        if days is not None and days < self.whatsapp_sync_lookback_days:
            msg = (
                f"RETENTION_DAYS: messages={days} is shorter than WHATSAPP_SYNC_LOOKBACK_DAYS"
                f" ({self.whatsapp_sync_lookback_days}), so what is removed would be read again;"
                " keep them longer or look back less"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _chosen_media_have_a_way(self) -> Self:
        hidden = [kind for kind in self.attachments_media if kind not in SHOWN_KINDS]
        if hidden and DownloadWay.DIRECT not in self.attachments_ways:
            msg = (
                f"ATTACHMENTS_MEDIA: the page shows no original bytes of {', '.join(hidden)};"
                " they come by ATTACHMENTS_WAYS=shown,button,direct only"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _store_has_one_key(self) -> Self:
        keys = bool(self.session_store_key.get_secret_value()) + (self.session_store_key_file is not None)
        if self.session_store_url and keys != 1:
            msg = (
                f"SESSION_STORE_URL: needs either SESSION_STORE_KEY or SESSION_STORE_KEY_FILE; {HOW_TO_MAKE}"
            )
            raise ValueError(msg)
        return self

    @property
    def lookback(self) -> timedelta:
        return timedelta(days=self.whatsapp_sync_lookback_days)

    @property
    def downloads(self) -> DownloadRules:
        return DownloadRules(
            kinds=frozenset(self.attachments_media),
            ways=frozenset(self.attachments_ways),
            limits=self.attachments_max_file_bytes,
        )

    @property
    def stop_deadline(self) -> timedelta:
        """How long the program may take to end after the first signal."""
        grace = self.session_store_grace_seconds if self.session_store_url else 0
        return STOP_DEADLINE + timedelta(seconds=grace)

    @property
    def is_loopback(self) -> bool:
        """Whether the service can be reached from this machine only."""
        return self.host in {"127.0.0.1", "::1", "localhost"}


def read_settings() -> Settings:
    """Read the environment and `.env` once.

    Raises:
        ConfigurationError: One clear line for each wrong value, naming the variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationError("; ".join(_one_line(detail) for detail in error.errors())) from None


def _one_line(detail: object) -> str:
    assert isinstance(detail, dict)
    variable = str(detail["loc"][0]).upper() if detail["loc"] else ""
    reason = str(detail["msg"]).removeprefix("Value error, ")
    return f"{variable}: {reason}" if variable else reason
