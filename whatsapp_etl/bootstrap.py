"""Wiring: makes the program's objects from its settings. Nothing here decides anything."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from whatsapp_etl.agent import AgentWish
from whatsapp_etl.attachments.files import remove
from whatsapp_etl.attachments.mirror import Mirror
from whatsapp_etl.attachments.room import Room
from whatsapp_etl.attachments.server import MediaServer
from whatsapp_etl.backfill import Backfill
from whatsapp_etl.errors import ConfigurationError, DatabaseUnreachableError
from whatsapp_etl.extract.browser import BrowserOptions, find_browser
from whatsapp_etl.extract.packs import AUTO, load_packs, read_pack, usable_packs
from whatsapp_etl.extract.source import Source
from whatsapp_etl.extract.source_options import Judgement, SourceOptions
from whatsapp_etl.extract.upkeep import UpkeepRules
from whatsapp_etl.fetching import Fetching
from whatsapp_etl.load import migrate
from whatsapp_etl.load.database import Database, open_database
from whatsapp_etl.load.embedded import data_of
from whatsapp_etl.load.store import Store
from whatsapp_etl.mirroring import Mirroring, remove_copy
from whatsapp_etl.model import SelectorPack, SessionSnapshot
from whatsapp_etl.pipeline import Cycle
from whatsapp_etl.receivers import agent_wish_of, target_names
from whatsapp_etl.resources import data_folder
from whatsapp_etl.retention import Retention
from whatsapp_etl.session_keeping import keeper_of
from whatsapp_etl.settings import Settings
from whatsapp_etl.spool.folder import Spool
from whatsapp_etl.steps import Announce, no_announcement
from whatsapp_etl.store_first import ReaderChoice
from whatsapp_etl.transform.identity import chat_kind
from whatsapp_etl.transform.kinds import message_type
from whatsapp_etl.transform.page_words import words_of
from whatsapp_etl.transform.saved_page import write_page
from whatsapp_etl.transform.visits import Rules
from whatsapp_etl.whole_files import remove_leftovers

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

#: Between two looks whether another machine still uses the session.
_ASK_AGAIN = timedelta(seconds=10)


class _Parts(TypedDict):
    """What a cycle and a back-fill have in common."""

    source: Source
    store: Store
    rules: Rules
    locale: str
    zone: ZoneInfo
    asks_phone: bool
    retention: Retention
    clock: Clock
    remove_file: Callable[[str], None]
    mirroring: Mirroring | None
    spool: Spool
    announce: Announce
    agent: AgentWish
    reader: ReaderChoice


def clock_of(settings: Settings) -> Clock:
    """Return the program's clock: the machine's, or the instant that a test fixed."""
    fixed = settings.whatsapp_etl_now
    return (lambda: fixed.astimezone(UTC)) if fixed else (lambda: datetime.now(UTC))


def zone_of(settings: Settings) -> ZoneInfo:
    """Return the zone in which the page writes its times.

    Raises:
        ConfigurationError: The setting is empty and the machine's zone has no usable name.
    """
    name = settings.whatsapp_timezone or _machine_zone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"WHATSAPP_TIMEZONE: is empty, and the machine's zone {name} is not known by that name.",
            'Set it to a name such as "Europe/Berlin".',
        ) from error


def packs_of(forced: str = AUTO) -> tuple[tuple[SelectorPack, ...], str]:
    """Return the selector packs, and the id of the one that is forced, or "auto".

    Args:
        forced: "auto", the id of a pack, or the path of a pack's file, which takes part then.

    Raises:
        PackError: One is wrong, or there is none of the name that is forced.
    """
    packs = load_packs(data_folder("selectors"))
    if forced.endswith(".toml"):
        own = read_pack(Path(forced).expanduser())
        return (own, *(pack for pack in packs if pack.id != own.id)), own.id
    usable_packs(packs, forced)
    return packs, forced


def snapshots_of(settings: Settings) -> Path:
    """Return the folder of redacted snapshots: beside the profile, never inside it."""
    return settings.whatsapp_profile_dir.parent / "snapshots"


def rules_of(settings: Settings) -> Rules:
    """Return what is read and what is left alone."""
    return Rules(
        exclude=settings.whatsapp_exclude_chats,
        disappearing=settings.whatsapp_disappearing,
        downloads=settings.downloads,
    )


@contextmanager
def open_store(
    settings: Settings, announce: Announce = no_announcement, *, may_be_away: bool = False
) -> Iterator[Store]:
    """Yield the store in a database whose schema is current.

    Args:
        settings: What the person wants.
        announce: Told of each step.
        may_be_away: Whether Postgres may be away, where an earlier program left what is needed to read on:
            the schema is then brought up to date before the first statement.
    """
    targets = target_names(settings)  # what is wrong with them is told before anything starts
    may_be_away = may_be_away and spool_of(settings).has_memory
    with open_db(settings, may_be_away=may_be_away) as database:
        try:
            migrate.upgrade(database)
        except DatabaseUnreachableError as away:
            if not may_be_away:
                raise
            log.warning("postgres_away_at_start", error=str(away))
            database.prepare_later(migrate.upgrade)
        with Store(database, announce=announce, **targets) as store:
            yield store


@contextmanager
def open_store_to_read(settings: Settings) -> Iterator[Store]:
    """Yield the store as it is: a look changes nothing, not even an older schema.

    Raises:
        SchemaOutdatedError: The schema is not the program's.
    """
    targets = target_names(settings)
    with open_current_db(settings) as database, Store(database, **targets) as store:
        yield store


@contextmanager
def open_current_db(settings: Settings) -> Iterator[Database]:
    """Yield the database as it is, for who works beside the account's writer.

    Raises:
        SchemaOutdatedError: The schema is not the program's.
    """
    if not has_database(settings):
        raise migrate.no_tables()
    with open_db(settings) as database:
        migrate.require_current(database)
        yield database


def has_database(settings: Settings) -> bool:
    """Whether there is a database to open; False: the embedded server's is not made yet, opening makes it."""
    try:
        return bool(settings.pg_url.get_secret_value()) or data_of(settings.pg_data_dir).exists()
    except PermissionError:
        return True  # in a folder that is not ours: opening it says so


@contextmanager
def open_db(settings: Settings, *, may_be_away: bool = False) -> Iterator[Database]:
    with open_database(
        settings.pg_url.get_secret_value(),
        settings.pg_schema,
        settings.pg_data_dir,
        may_be_away=may_be_away,
    ) as database:
        yield database


def source_of(
    settings: Settings,
    stop: threading.Event,
    publish: Callable[[SessionSnapshot], None] = lambda _: None,
    *,
    is_headless: bool | None = None,
    clock: Clock | None = None,
    announce: Announce = no_announcement,
    waits: bool = False,
    left: Callable[[], timedelta | None] = lambda: None,
) -> Source:
    """Return the account's source; the browser starts when it is opened.

    Args:
        settings: What the person wants.
        stop: Set when the program is asked to stop.
        publish: Takes the session's snapshot whenever it was looked at.
        is_headless: Whether the browser has no window; None: as the settings say.
        clock: Tells the time; None: the program's clock.
        announce: Told of each step.
        waits: Whether to wait in place while another machine uses the session, if the settings want that.
        left: How soon the program has to have ended; None while it may go on.

    Raises:
        ConfigurationError: A setting cannot be followed; better told now than in every cycle.
        BrowserMissingError: There is no Chromium.
    """
    make_folder("WHATSAPP_PROFILE_DIR", settings.whatsapp_profile_dir)
    make_folder("ATTACHMENTS_DIR", settings.attachments_dir)
    make_folder("SPOOL_DIR", settings.spool_dir)
    # By the machine's clock, which dates files; another program may be writing right now.
    for folder in (settings.attachments_dir, settings.spool_dir):
        remove_leftovers(folder, datetime.now(UTC) - timedelta(hours=1))
    packs, forced_pack = packs_of(settings.whatsapp_selector_pack)
    options = SourceOptions(
        profile=settings.whatsapp_profile_dir,
        browser=browser_options_of(
            settings, is_headless=settings.browser_headless if is_headless is None else is_headless
        ),
        url=settings.whatsapp_url,
        packs=packs,
        snapshots=snapshots_of(settings),
        forced_pack=forced_pack,
        upkeep=UpkeepRules(
            max_age=timedelta(minutes=settings.whatsapp_session_max_age_minutes),
            max_memory_bytes=settings.browser_max_memory_mb * 1024 * 1024,
            max_restarts_per_hour=settings.browser_max_restarts_per_hour,
        ),
        takes_over=settings.whatsapp_take_over == "always",
        chats_per_minute=settings.whatsapp_chats_per_minute,
        scrolls_per_second=settings.whatsapp_scrolls_per_second,
        downloads_per_minute=settings.attachments_clicks_per_minute,
        downloads=settings.downloads,
    )
    judgement = Judgement(
        classify=message_type,
        kind_of=chat_kind,
        redact=partial(write_page, words=words_of(packs)),
        save_file=Room(settings.attachments_dir, settings.attachments_max_bytes, announce).save,
    )
    is_patient = waits and settings.session_store_when_taken == "wait"
    keeper = keeper_of(
        settings,
        options.browser,
        clock or clock_of(settings),
        on_lost=lambda: source.step_aside(),  # noqa: PLW0108 - the source is made below
        left=left,
        again=lambda: is_patient and not stop.wait(_ASK_AGAIN.total_seconds()),
    )
    source = Source(
        options,
        judgement,
        clock=clock or clock_of(settings),
        stop=stop,
        publish=publish,
        announce=announce,
        keeper=keeper,
    )
    return source


def browser_options_of(settings: Settings, *, is_headless: bool) -> BrowserOptions:
    """Return how the browser presents itself.

    Raises:
        BrowserMissingError: There is no Chromium.
        ConfigurationError: The time zone is not known.
    """
    parts = urlsplit(settings.whatsapp_url)
    return BrowserOptions(
        executable=find_browser(settings.browser_executable),
        locale=settings.whatsapp_locale,
        timezone=zone_of(settings).key,
        is_headless=is_headless,
        extra_flags=settings.browser_args,
        origin=f"{parts.scheme}://{parts.netloc}",
    )


def cycle_of(
    settings: Settings,
    source: Source,
    store: Store,
    clock: Clock | None = None,
    announce: Announce = no_announcement,
) -> Cycle:
    """Return the cycle, ready to run."""
    parts = _parts_of(settings, source, store, clock, announce)
    fetching = fetching_of(settings, source, store, parts["clock"], announce)
    return Cycle(
        **parts,
        lookback=settings.lookback,
        fetching=fetching,
        cross_check_chats=settings.whatsapp_store_cross_check_chats,
    )


def mirror_of(settings: Settings) -> Mirror | None:
    """Return the second store of files; None where there is none."""
    return Mirror(settings.attachments_store_url) if settings.attachments_store_url else None


def mirroring_of(
    settings: Settings, store: Store, clock: Clock | None = None, announce: Announce = no_announcement
) -> Mirroring | None:
    """Return what copies files into the second store; None where there is none."""
    mirror = mirror_of(settings)
    if mirror is None:
        return None
    root = settings.attachments_dir
    return Mirroring(store, mirror, root, clock or clock_of(settings), announce)


def remove_file_of(settings: Settings) -> Callable[[str], None]:
    """Return what removes a file and its copy; an OSError says that something of it may be left."""
    mirror = mirror_of(settings)

    def remove_both(file_path: str) -> None:
        if mirror is not None:
            remove_copy(mirror, file_path)
        remove(file_path, settings.attachments_dir)

    return remove_both


def fetching_of(
    settings: Settings, source: Source, store: Store, clock: Clock, announce: Announce
) -> Fetching | None:
    """Return the direct way to files; None where it is not switched on."""
    rules = settings.downloads
    if not rules.is_direct:
        return None
    return Fetching(
        source=source,
        store=store,
        rules=rules,
        server=partial(MediaServer, settings.attachments_media_url),
        save=source.judgement.save_file,  # one count of what ATTACHMENTS_MAX_BYTES has room for
        clock=clock,
        announce=announce,
        is_stopping=source.stop.is_set,
    )


def _parts_of(
    settings: Settings,
    source: Source,
    store: Store,
    clock: Clock | None = None,
    announce: Announce = no_announcement,
) -> _Parts:
    return {
        "source": source,
        "store": store,
        "rules": rules_of(settings),
        "locale": settings.whatsapp_locale,
        "zone": zone_of(settings),
        "asks_phone": settings.whatsapp_phone_history == "auto",
        "retention": settings.retention_days,
        "clock": clock or clock_of(settings),
        "remove_file": remove_file_of(settings),
        "mirroring": mirroring_of(settings, store, clock, announce),
        "spool": spool_of(settings, announce),
        "announce": announce,
        "agent": agent_wish_of(settings),
        "reader": settings.whatsapp_reader,
    }


def spool_of(settings: Settings, announce: Announce = no_announcement) -> Spool:
    return Spool(settings.spool_dir, settings.spool_max_bytes, announce)


def backfill_of(
    settings: Settings, source: Source, store: Store, *, days: int, names: tuple[str, ...]
) -> Backfill:
    """Return the back-fill of so many days, ready to run."""
    return Backfill(
        **_parts_of(settings, source, store),
        lookback=timedelta(days=days),
        recent=settings.lookback,
        names=names,
    )


def make_folder(variable: str, folder: Path) -> None:
    """Make a private folder where there is none.

    Raises:
        ConfigurationError: It cannot be made or written; the message names the variable.
    """
    remedy = "Name a folder that this user may write, or change its owner."
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{variable}: the folder {folder} cannot be made ({error.strerror}).", remedy
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{variable}: the folder {folder} cannot be written.", remedy)


def _machine_zone() -> str:
    """Return the machine's zone by name; UTC where it has none."""
    if name := os.environ.get("TZ", "").removeprefix(":"):
        return name
    try:
        return str(Path("/etc/localtime").resolve(strict=True)).split("zoneinfo/", 1)[1]
    except (OSError, IndexError):
        return "UTC"
