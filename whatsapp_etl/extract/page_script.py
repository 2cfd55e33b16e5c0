"""Runs the page scripts: one evaluate, one JSON string back, within a deadline.

A page script is a `.js` file in `extract/scripts/` holding one function of one argument. Scripts
that look for things on the page get `scripts/page.js` as their first lines: it resolves the names
of a selector pack and notes which candidate served.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import JSHandle, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from whatsapp_etl.errors import SelectorDriftError
from whatsapp_etl.extract.packs import HitCounter
from whatsapp_etl.extract.scripts import read_script
from whatsapp_etl.extract.watchdog import Watchdog
from whatsapp_etl.model import SelectorPack

#: What a page script gets beyond its own deadline before Chromium counts as hung.
GRACE = timedelta(seconds=20)

#: Half a surrogate pair as JSON.stringify writes it; whole ones stand there as characters. An escaped
#: backslash before "ud" is text.
_HALF = re.compile(r"(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}")


class PageScripts:
    """The page together with the pack that names its parts.

    Args:
        page: The page of the session.
        watchdog: The watchdog of the browser.
        pack: The chosen selector pack.
        hits: Where served candidates are counted.
        keep: Writes a redacted snapshot of the page under a reason and says where.
    """

    def __init__(
        self,
        page: Page,
        watchdog: Watchdog,
        pack: SelectorPack,
        hits: HitCounter,
        keep: Callable[[str], str],
    ) -> None:
        self.page = page
        self.watchdog = watchdog
        self._hits = hits
        self._keep = keep
        self.use(pack)

    def use(self, pack: SelectorPack) -> None:
        """Take another pack: after a reload the page may be of another shape."""
        self.pack = pack
        self._parts = {
            "select": {name: list(selector.candidates) for name, selector in pack.selectors.items()},
            "attribute": dict(pack.attributes),
            "label": {name: list(texts) for name, texts in pack.labels.items()},
        }

    def run(self, name: str, limit: timedelta, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Run `scripts/<name>.js` and return what its JSON says.

        Args:
            name: The script's name without suffix.
            limit: How long the script itself may wait in the page; it gets it as `deadline_ms`.
            **arguments: Plain values for the script.

        Raises:
            ExtractError: As `Watchdog.step` says.
        """
        argument = {"parts": self._parts, "deadline_ms": _milliseconds(limit), **arguments}
        with self.watchdog.step(name, limit + GRACE):
            answer = read_answer(self.page.evaluate(_with_parts(name), argument))
        self._count(answer.pop("hits", {}))
        return answer

    def find(self, name: str, limit: timedelta, /, **arguments: object) -> JSHandle:
        """Run `scripts/<name>.js` for an element, or a handle of null."""
        argument = {"parts": self._parts, "deadline_ms": _milliseconds(limit), **arguments}
        with self.watchdog.step(name, limit + GRACE):
            return self.page.evaluate_handle(_with_parts(name), argument)

    def click(self, handle: JSHandle, limit: timedelta, name: str) -> bool:
        """Click an element with real mouse events; False when it is not there or goes away."""
        element = handle.as_element()
        if element is None:
            return False
        with self.watchdog.step(name, limit + GRACE):
            try:
                element.click(timeout=_milliseconds(limit))
            except PlaywrightTimeoutError:
                return False
            except PlaywrightError as error:
                # A virtualised list replaces its rows at any moment; the caller looks again.
                if "not attached" in error.message or "detached" in error.message:
                    return False
                raise
        return True

    def has_served(self, name: str) -> bool:
        """Whether any candidate of a name has matched since the browser was opened."""
        return any(selector == name for selector, _ in self._hits.counts())

    def drift(self, name: str, where: str) -> SelectorDriftError:
        """Return the error that names a selector which matches nothing where something must be there."""
        return SelectorDriftError(
            f"Selector pack {self.pack.id}: nothing matches {name} {where}. "
            f"Redacted snapshot: {self._keep(f'{self.pack.id}-{name}')}.",
            "WhatsApp Web has probably changed. Run `whatsapp-etl selectors check`, then add a pack.",
        )

    def clear(self, part: str, limit: timedelta) -> None:
        """Empty a text field, as a person does who deletes what stands in it."""
        handle = self.find("part", timedelta(0), part=part)
        element = handle.as_element()
        if element is not None:
            with self.watchdog.step(f"clearing {part}", limit + GRACE):
                element.fill("", timeout=_milliseconds(limit))
        handle.dispose()

    def _count(self, hits: Mapping[str, int]) -> None:
        for name, candidate in hits.items():
            self._hits.hit(name, self.pack[name].candidates[candidate])


def read_answer(text: str) -> Any:  # noqa: ANN401 - JSON
    """Return what a page script's JSON says, with U+FFFD for each half of a character.

    Names and texts that some client cut in the middle of an emoji hold such halves. No encoder takes
    them: one of them would stop every cycle.
    """
    return json.loads(_HALF.sub("\\1\ufffd", text) if "\\ud" in text else text)


@cache
def _with_parts(name: str) -> str:
    return f"async (args) => {{\n{read_script('page')}\nreturn await (\n{read_script(name)}\n)(args);\n}}"


def _milliseconds(limit: timedelta) -> int:
    return round(limit.total_seconds() * 1000)
