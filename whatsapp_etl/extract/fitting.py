"""Which selector pack fits the page, and whether the page still has what the pack requires."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from whatsapp_etl.errors import SelectorDriftError
from whatsapp_etl.extract.browser import Browser
from whatsapp_etl.extract.packs import HitCounter, choose_pack
from whatsapp_etl.extract.scripts import read_script
from whatsapp_etl.model import Selector, SelectorPack

#: A screen is built in several steps; what is missing after this long is missing.
SETTLE_ALLOWED = timedelta(seconds=15)

_GRACE = timedelta(seconds=20)

#: What tells the screens apart.
_SCREENS = ("chat_list_pane", "qr_screen", "loading", "splash")


class PageFit:
    """Compares the page with selector packs.

    Args:
        browser: The browser that shows the page.
        hits: Where served candidates are counted.
        keep: Writes a redacted snapshot of the page under a reason and says where.
        settle_allowed: How long a screen may take to become complete.
    """

    def __init__(
        self,
        browser: Browser,
        hits: HitCounter,
        keep: Callable[[str], str],
        settle_allowed: timedelta = SETTLE_ALLOWED,
    ) -> None:
        self._browser = browser
        self._hits = hits
        self._keep = keep
        self._settle_allowed = settle_allowed

    def choose(self, packs: Sequence[SelectorPack], forced: str) -> SelectorPack:
        """Return the pack that fits, once the page is far enough to tell.

        Raises:
            SelectorDriftError: None does; names what was tried.
        """
        css = [css for pack in packs for css in (*pack.present, *pack.absent)]
        deadline = time.monotonic() + self._settle_allowed.total_seconds()
        matched: Mapping[str, bool] = {}
        while True:
            left = deadline - time.monotonic()
            matched = self._matches(css, matched, left)
            try:
                return choose_pack(packs, matched.__getitem__, forced)
            except SelectorDriftError as error:
                if left <= 0:
                    what = f"{error.what} Redacted snapshot: {self._keep('no-pack')}."
                    raise SelectorDriftError(what, error.remedy) from error

    def require(self, pack: SelectorPack, page: str) -> None:
        """Return once every selector that `pack` requires on `page` matches.

        Raises:
            SelectorDriftError: One matches nothing; names the pack and the selector.
        """
        required = [selector for selector in pack.selectors.values() if selector.required_on == page]
        css = [candidate for selector in required for candidate in selector.candidates]
        deadline = time.monotonic() + self._settle_allowed.total_seconds()
        matched = self._matches(css, {}, 0)
        while missing := [selector.name for selector in required if _served(selector, matched) is None]:
            left = deadline - time.monotonic()
            if left <= 0:
                path = self._keep(f"{pack.id}-{missing[0]}")
                raise SelectorDriftError(
                    f"Selector pack {pack.id}: nothing matches {', '.join(missing)} on a page that is "
                    f"otherwise {page}. Redacted snapshot: {path}.",
                    "WhatsApp Web has probably changed. Run `whatsapp-etl selectors check`, then add a pack.",
                )
            matched = self._matches(css, matched, left)
        for selector in required:
            if (candidate := _served(selector, matched)) is not None:
                self._hits.hit(selector.name, candidate)

    def strange(self, packs: SelectorPack) -> SelectorDriftError:
        """Return the error that tells of a page on which nothing that names a screen is found.

        Args:
            packs: All packs as one.
        """
        tried = ", ".join(name for name in _SCREENS if name in packs.selectors)
        return SelectorDriftError(
            f"Nothing that tells the screen matches: {tried}. Redacted snapshot: {self._keep('no-screen')}.",
            "WhatsApp Web has probably changed. Run `whatsapp-etl selectors check`, then add a pack.",
        )

    def _matches(
        self, css: Sequence[str], last: Mapping[str, bool], wait_seconds: float
    ) -> Mapping[str, bool]:
        """Return which of `css` match, waiting for a difference to `last`."""
        distinct = list(dict.fromkeys(css))
        wait = timedelta(seconds=max(wait_seconds, 0))
        argument = {
            "css": distinct,
            "last": [last[each] for each in distinct] if last else None,
            "wait_ms": wait.total_seconds() * 1000,
        }
        with self._browser.watchdog.step("trying selectors", wait + _GRACE):
            matched = json.loads(self._browser.page.evaluate(read_script("matches"), argument))
        return dict(zip(distinct, matched, strict=True))


def _served(selector: Selector, matched: Mapping[str, bool]) -> str | None:
    return next((candidate for candidate in selector.candidates if matched[candidate]), None)
