"""`whatsapp-etl login`: a person links the account, in a window or with a code in the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from whatsapp_etl import bootstrap
from whatsapp_etl.arrived import arrived_history, told
from whatsapp_etl.asked import settings_of_person
from whatsapp_etl.ending import heeding_signals
from whatsapp_etl.errors import BrowserHungError, ConfigurationError, ExtractError, StopRequestedError
from whatsapp_etl.extract.login import LinkStep, wait_until_linked
from whatsapp_etl.extract.noted import leave_noted
from whatsapp_etl.extract.source import Source
from whatsapp_etl.linking import LinkScreen, QrFile, TerminalQr, ink_of
from whatsapp_etl.model import SessionState
from whatsapp_etl.phone_numbers import own_number
from whatsapp_etl.room import free_at, little_room
from whatsapp_etl.stopping import Stop

_LOOKS_AGAIN = 2
_EVER = datetime(2009, 1, 1, tzinfo=UTC)  # WhatsApp is not older


def login(
    *, terminal: bool, png: Path | None, theme: str, phone: str | None, minutes: int, replace_account: bool
) -> None:
    """Link the account and close the browser again."""
    number = own_number(phone) if phone is not None else None
    settings = settings_of_person()
    clock = bootstrap.clock_of(settings)
    if png is not None and not png.parent.is_dir():
        raise ConfigurationError(f"--png: there is no folder {png.parent}.", "Make it, or name another file.")
    has_window = not terminal and png is None and number is None and has_display()
    stop = Stop(settings.stop_deadline)
    source = bootstrap.source_of(settings, stop, is_headless=not has_window, waits=True, left=stop.left)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    ink = ink_of(theme, is_terminal=sys.stdout.isatty(), environment=os.environ)
    screen = LinkScreen(
        tell=console.print,
        terminal=None if has_window or (png is not None and not terminal) else TerminalQr(sys.stdout, ink),
        file=QrFile(png) if png is not None else None,
    )

    def show(step: LinkStep) -> None:
        if step.state is SessionState.LOADING:
            screen.show_loading(step.loaded_percent)
        elif step.pairing_code is not None:
            screen.show_pairing(step.pairing_code, step.pairing_expires_at)
        else:
            screen.show(step.qr_payload, step.qr_expires_at, clock())

    def link() -> None:
        wait_until_linked(
            source.start(), timedelta(minutes=minutes), show, has_window=has_window, number=number
        )
        screen.begin_anew()

    warning = little_room(free_at(settings.whatsapp_profile_dir))
    if warning is not None:
        console.print(warning)
    with heeding_signals(stop, source.abandon) as ending:
        try:
            link()
            console.print("Linked.")
            _tell_history(source, console)
            if replace_account:
                with bootstrap.open_store(settings) as store:
                    store.replace_account(source.account(), clock())
                console.print("The database follows this account from now on.")
            _keep(source, link, console)
            console.print("The login is kept in the browser profile.")
        except StopRequestedError:
            if ending.exit_code is None:
                raise
            raise SystemExit(ending.exit_code) from None
        finally:
            screen.clear()
            _leave_noted(settings.whatsapp_profile_dir, source, console)
            source.close()


def _keep(source: Source, link: Callable[[], None], console: Console) -> None:
    """Close the browser so that the login is on the disk; where it had to be killed, see whether it is.

    What a page wrote last is lost with a browser that is killed, and the page then asks for another scan.
    """
    for _ in range(_LOOKS_AGAIN):
        if source.close(is_last=False):
            return
        console.print(
            "The browser did not end by itself. It is opened again, to see whether the login was kept."
        )
        link()
    if not source.close(is_last=False):
        raise BrowserHungError(
            "The browser did not end by itself, again and again, so the login may not be on the disk.",
            "Run `whatsapp-etl login` once more: it asks for a scan only if there is none.",
        )


def _leave_noted(profile: Path, source: Source, console: Console) -> None:
    """Leave what became of the session; that it cannot be written is no failure of linking."""
    source.note_end()
    noted = source.transitions.all_pending
    if all(each.state is SessionState.STARTING for each in noted):
        return  # no page was seen, so the profile may be somebody else's
    try:
        leave_noted(profile, noted)
    except OSError as error:
        console.print(f"How the account was linked cannot be noted in the profile ({error.strerror}).")


def _tell_history(source: Source, console: Console) -> None:
    """Tell how much has come; that it cannot be read is no failure of linking."""
    try:
        account = source.account()
        history = arrived_history(source.chats(account), source.index(_EVER))
    except ExtractError as error:
        console.print(f"How much history has come cannot be told: {error}")
        return
    for line in told(history):
        console.print(line)


def has_display() -> bool:
    """Whether a window can be opened here."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
