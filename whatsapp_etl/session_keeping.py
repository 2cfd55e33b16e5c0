"""Wiring of the vault: who keeps the session of these settings, beside which browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.extract.browser import BrowserOptions, browser_version
from whatsapp_etl.extract.offline import account_in
from whatsapp_etl.extract.processes import end_browsers_below
from whatsapp_etl.extract.profile import Profile
from whatsapp_etl.session_key import parse_key
from whatsapp_etl.settings import Settings
from whatsapp_etl.vault.copies import Copies
from whatsapp_etl.vault.keeper import Keeper, Surroundings
from whatsapp_etl.vault.lease import Lease
from whatsapp_etl.vault.sealing import VaultKey
from whatsapp_etl.vault.store import QUICK, Objects


def keeper_of(
    settings: Settings,
    browser: BrowserOptions,
    clock: Callable[[], datetime],
    *,
    on_lost: Callable[[], None] = lambda: None,
    again: Callable[[], bool] = lambda: False,
    left: Callable[[], timedelta | None] = lambda: None,
) -> Keeper | None:
    """Return who keeps the session in a store; None where none is configured.

    Raises:
        ConfigurationError: The key's file cannot be read or holds no key.
        VaultRefusedError: The store's own configuration cannot be followed.
    """
    if not settings.session_store_url:
        return None
    profile = settings.whatsapp_profile_dir.resolve()
    around = Surroundings(
        lock=lambda: Profile(profile),
        account_in=partial(account_in, options=browser),
        end_browser=end_browsers_below,
        chromium=partial(browser_version, browser.executable),
        clock=clock,
    )
    return Keeper(
        Copies(Objects(settings.session_store_url), VaultKey(_vault_key(settings)), profile),
        # Its own view of the store: a claim that cannot be written soon is tried anew.
        Lease(Objects(settings.session_store_url, QUICK), on_lost=on_lost),
        profile,
        around,
        keep=settings.session_store_keep,
        every=timedelta(hours=settings.session_store_interval_hours),
        again=again,
        left=left,
    )


def _vault_key(settings: Settings) -> bytes:
    file = settings.session_store_key_file
    if file is None:
        return parse_key(settings.session_store_key.get_secret_value())
    try:
        return parse_key(file.read_text())
    except OSError as error:
        raise ConfigurationError(
            f"SESSION_STORE_KEY_FILE: {file} cannot be read ({error.strerror})."
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"SESSION_STORE_KEY_FILE: what stands in {file} {error}.") from None
