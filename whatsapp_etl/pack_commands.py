"""The commands about selector packs: try one on a page, begin one from a page, parse a page with one."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console
from rich.table import Table
from rich.text import Text
from selectolax.lexbor import LexborHTMLParser

from whatsapp_etl import bootstrap
from whatsapp_etl.asked import settings_of_person
from whatsapp_etl.errors import (
    ConfigurationError,
    ExtractError,
    PackError,
    PageTimeoutError,
    SelectorDriftError,
)
from whatsapp_etl.extract.packs import choose_pack, usable_packs
from whatsapp_etl.extract.scripts import read_script
from whatsapp_etl.extract.session import Session
from whatsapp_etl.model import ParsedRow, SeenPage, SelectorPack
from whatsapp_etl.pack_check import PackCheck, check_pack, nearest
from whatsapp_etl.pack_draft import draft_pack, new_names
from whatsapp_etl.plain_json import plain
from whatsapp_etl.resources import data_folder
from whatsapp_etl.settings import Settings
from whatsapp_etl.transform.identity import key_in_chat
from whatsapp_etl.transform.page_words import words_of
from whatsapp_etl.transform.parse import parse_page, signal_counts
from whatsapp_etl.transform.saved_page import read_page

_LOOK_ALLOWED = timedelta(seconds=20)


def parse(
    files: Sequence[Path],
    *,
    locale: str,
    timezone: str,
    own_name: str | None,
    chat_id: str | None,
    own_id: str | None,
    today: date | None,
    pack: str,
) -> None:
    """Print one JSON object for each row of saved pages, or of snapshots that the program kept."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            "--timezone is not a time zone.", 'Use a name such as "Europe/Berlin".'
        ) from error
    packs, forced = bootstrap.packs_of(pack)
    for file in files:
        page = _read(file)
        saved_on = page.taken_at or datetime.fromtimestamp(file.stat().st_mtime, zone)
        parsed, rejects = parse_page(
            page.html,
            choose_pack(packs, LexborHTMLParser(page.html).css_matches, forced),
            zone=zone,
            locale=locale,
            page_language=page.language,
            own_name=own_name,
            chat_id=chat_id,
            today=today or saved_on.astimezone(zone).date(),
        )
        for row in parsed:
            _print_line({"file": file.name, **_row(row, page, chat_id, own_id)})
        for reject in rejects:
            _print_line({"file": file.name, "reject": reject.reason, "row": reject.shown_id_hash})


def check_selectors(page: Path | None, pack: str | None) -> None:
    """Print what the selectors of a pack find on the running page, or in a saved one; nobody's words.

    Args:
        page: A saved page or snapshot; None for the running page.
        pack: Name or file; None for the pack that fits, and where none does, the nearest.

    Raises:
        WhatsappEtlError: The page cannot be read; drift names the selector, after what was found was printed.
    """
    settings = settings_of_person()
    packs, forced = bootstrap.packs_of(pack or settings.whatsapp_selector_pack)
    usable = usable_packs(packs, forced)
    if page is None:
        _check_running(
            settings.model_copy(update={"whatsapp_selector_pack": pack or settings.whatsapp_selector_pack}),
            usable,
        )
        return
    seen = _read(page)
    check = _nearest_on(seen, usable)
    _print_check(check)
    _print_rows(seen, next(each for each in usable if each.id == check.pack_id))


def begin_pack(name: str, page: Path, *, base: str, folder: Path) -> None:
    """Write a first version of a pack for a page that no pack fits.

    Raises:
        PackError: The name cannot be a pack's, or there is a file of that name.
    """
    packs, forced = bootstrap.packs_of(base)
    seen = _read(page)
    check = _nearest_on(seen, usable_packs(packs, forced))
    source = Path(base) if base.endswith(".toml") else data_folder("selectors") / f"{check.pack_id}.toml"
    known = [css for pack in packs for selector in pack.selectors.values() for css in selector.candidates]
    text = draft_pack(
        source.read_text(encoding="utf-8"),
        check,
        name=name,
        source=page.name,
        build=seen.build or "unknown",
        locale=seen.language or "unknown",
        on=(seen.taken_at or datetime.fromtimestamp(page.stat().st_mtime).astimezone()).date(),
        names=new_names(seen.html, known, words_of(packs)) if seen.is_snapshot else (),
    )
    target = folder / f"{name}.toml"
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise PackError(f"There is a file {target}.", "Choose another name, or remove it.") from None
    except OSError as error:
        raise PackError(f"{target} cannot be written: {error.strerror}.", "Name another --folder.") from error
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{target}: begun from {check.pack_id}; {len(check.lost)} names find nothing on this page.",
        markup=False,
    )
    required = [each.name for each in check.findings if each.required_on and each.chosen is None]
    if required:
        console.print(f"Required, and gone: {', '.join(required)}.", markup=False)


def _check_running(settings: Settings, packs: Sequence[SelectorPack]) -> None:
    source = bootstrap.source_of(settings, threading.Event())
    drift: ExtractError | None = None
    try:
        try:
            source.open()
        except (SelectorDriftError, PageTimeoutError) as error:
            drift = error  # what is there is what the mending begins with
        counts = _counts(source.session, packs)
        check = nearest([check_pack(pack, counts.__getitem__) for pack in packs])
    finally:
        source.close()
    _print_check(check)
    Console(soft_wrap=True).print(
        "No chat was opened: what is shown inside one is checked while a cycle reads it, or in a snapshot."
    )
    if drift is not None:
        raise drift


def _counts(session: Session, packs: Sequence[SelectorPack]) -> Mapping[str, int]:
    """Return how many elements of the running page each CSS selector of the packs matches."""
    selectors = [selector for pack in packs for selector in pack.selectors.values()]
    css = sorted(
        {each for selector in selectors for each in selector.candidates}
        | {each for pack in packs for each in (*pack.present, *pack.absent)}
    )
    with session.watchdog.step("trying selectors", _LOOK_ALLOWED):
        answer = session.page.evaluate(read_script("counts"), {"css": css})
    return dict(zip(css, json.loads(answer), strict=True))


def _nearest_on(page: SeenPage, packs: Sequence[SelectorPack]) -> PackCheck:
    document = LexborHTMLParser(page.html)
    return nearest([check_pack(pack, lambda css: len(document.css(css))) for pack in packs])


def _print_check(check: PackCheck) -> None:
    """Print a pack's selectors, each candidate with its count; the one that serves has a mark."""
    table = Table("selector", "required on", "candidate", "matches", "serves", title=f"pack {check.pack_id}")
    for css, is_wanted, count in check.detect:
        fits = (count > 0) is is_wanted
        table.add_row(
            "detect", "present" if is_wanted else "absent", Text(css), str(count), "yes" if fits else "no"
        )
    for finding in check.findings:
        for index, (css, count) in enumerate(finding.counts):
            table.add_row(
                finding.name if index == 0 else "",
                (finding.required_on or "") if index == 0 else "",
                Text(css),  # as text: the brackets of a selector are no markup
                str(count),
                "yes" if css == finding.chosen else "",
            )
    console = Console(soft_wrap=not sys.stdout.isatty())
    console.print(table)
    console.print(f"The pack {'fits' if check.fits else 'does not fit'} the page.", highlight=False)


def _print_rows(page: SeenPage, pack: SelectorPack) -> None:
    """Print by which signs the facts of the rows were told, and how many rows were not understood."""
    parsed, rejects = parse_page(
        page.html,
        pack,
        zone=ZoneInfo("UTC"),
        locale=page.language or "en",
        page_language=page.language,
        own_name=None,
        chat_id=None,
        today=(page.taken_at or datetime.now(UTC)).date(),
    )
    table = Table("fact", "sign", "rows", title="message rows")
    for (fact, sign), count in sorted(signal_counts(parsed).items()):
        table.add_row(fact.removeprefix("row_"), sign, str(count))
    console = Console(soft_wrap=not sys.stdout.isatty())
    console.print(table)
    reasons = Counter(reject.reason.value for reject in rejects)
    told = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items())) or "none"
    console.print(f"{len(parsed)} rows understood; not understood: {told}.", highlight=False)


def _read(file: Path) -> SeenPage:
    return read_page(file.read_text(encoding="utf-8", errors="replace"))


def _row(row: ParsedRow, page: SeenPage, chat_id: str | None, own_id: str | None) -> dict[str, object]:
    key = row.key or key_in_chat(row, chat_id, own_id)
    told = plain(row)
    assert isinstance(told, dict)
    told["key"] = None
    if page.is_snapshot:
        told["sent_at"] = told["ts_raw"] = None  # put there so that it can be read: nobody's
    return {**told, "external_id": str(key) if key else None}


def _print_line(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False) + "\n")
