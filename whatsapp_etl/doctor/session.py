"""The account's side: who holds the profile, the selector packs, what the page did not let be understood."""

from __future__ import annotations

from collections.abc import Iterator

from whatsapp_etl import bootstrap
from whatsapp_etl.doctor.findings import Finding, good, notice, wrong
from whatsapp_etl.errors import GenerationDamagedError, ProfileLockedError
from whatsapp_etl.extract.packs import AUTO
from whatsapp_etl.extract.profile import look_at
from whatsapp_etl.extract.snapshot import newest_snapshot
from whatsapp_etl.session_keeping import keeper_of
from whatsapp_etl.settings import Settings


def profile(settings: Settings) -> Iterator[Finding]:
    """Tell who has the profile, without taking it."""
    found = look_at(settings.whatsapp_profile_dir)
    if not found.is_there:
        yield good("profile", "not made yet; `whatsapp-etl login` makes it")
        return
    linked = "linked once" if found.is_linked else "not linked; run `whatsapp-etl login`"
    if found.is_in_use:
        # A service that runs is no fault.
        yield good("profile", f"{linked}; in use by {found.owner or 'a process that does not name itself'}")
    elif found.foreign_browser is not None:
        yield wrong(
            "profile",
            f"A browser (process {found.foreign_browser}) that this program did not start has it open.",
            "Close it.",
            exit_code=ProfileLockedError.exit_code,
        )
    elif found.leftovers:
        was = f" by {found.owner}" if found.owner else ""
        yield notice(
            "profile",
            f"{linked}; left behind{was}, which was killed: {', '.join(found.leftovers)}.",
            "Nothing: the next start clears it.",
        )
    else:
        yield good("profile", f"{linked}; free")


def store(settings: Settings) -> Iterator[Finding]:
    """Ask the session store what counts and who uses the session, without taking it."""
    if not settings.session_store_url:
        yield good("session store", "none; the login lives in the profile only")
        return
    browser = bootstrap.browser_options_of(settings, is_headless=True)
    keeper = keeper_of(settings, browser, bootstrap.clock_of(settings))
    assert keeper is not None, "there is an address"
    user = keeper.user_elsewhere()
    used = f"used by process {user.pid} on {user.host}" if user else "used by nobody"
    current = next((each for each in keeper.listed() if each.is_current), None)
    if current is None:
        yield notice("session store", f"nothing is kept yet; {used}.", "It is kept when the program ends.")
    elif current.manifest is None:
        yield wrong(
            "session store",
            f"{current.problem} It is the current one; {used}.",
            "The next backup mends it: `whatsapp-etl session backup`.",
            exit_code=GenerationDamagedError.exit_code,
        )
    else:
        taken = f"of {current.manifest.taken_at:%Y-%m-%d %H:%M} UTC on {current.manifest.host}"
        yield good("session store", f"generation {current.kept.number}, {taken}; {used}")


def packs(settings: Settings) -> Iterator[Finding]:
    found, forced = bootstrap.packs_of(settings.whatsapp_selector_pack)
    how = "chosen by the page" if forced == AUTO else f"{forced} is forced"
    yield good("packs", f"{', '.join(sorted(pack.id for pack in found))}; {how}")


def snapshots(settings: Settings) -> Iterator[Finding]:
    """Name the newest page that was not understood."""
    newest = newest_snapshot(bootstrap.snapshots_of(settings))
    if newest is None:
        yield good("snapshots", "none: every page of the last days was understood")
        return
    path, taken_at = newest
    yield notice(
        "snapshots",
        f"Newest page that was not understood: {path}, of {taken_at:%Y-%m-%d %H:%M} UTC.",
        f"If `/health` says drift, run: whatsapp-etl selectors check '{path}'",
    )


def sending(_settings: Settings) -> Iterator[Finding]:
    yield good("sending", "nothing can be sent")  # settings that ask for it are refused when they are read
