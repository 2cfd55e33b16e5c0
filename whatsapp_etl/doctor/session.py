"""The account's side: who holds the profile, the selector packs, what the page did not let be understood."""

from __future__ import annotations

from collections.abc import Iterator

from whatsapp_etl import bootstrap
from whatsapp_etl.doctor.findings import Finding, good, notice, wrong
from whatsapp_etl.errors import ProfileLockedError
from whatsapp_etl.extract.packs import AUTO
from whatsapp_etl.extract.profile import look_at
from whatsapp_etl.extract.snapshot import newest_snapshot
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


def packs(settings: Settings) -> Iterator[Finding]:
    found, forced = bootstrap.packs_of(settings.whatsapp_selector_pack)
    how = "chosen by the page" if forced == AUTO else f"{forced} is forced"
    yield good("packs", f"{', '.join(sorted(pack.id for pack in found))}; {how}")


def snapshots(settings: Settings) -> Iterator[Finding]:
    """Name the newest page that was not understood."""
    newest = newest_snapshot(bootstrap.snapshots_of(settings).expanduser())
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
