"""The open conversation: opening it, stepping up through its history, and opening long texts.

Nothing here plays media, types or sends. Rows leave the document while one scrolls, so every step
captures what is new in the same evaluate that scrolls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from whatsapp_etl.extract.capture import Shown, Step, read_step
from whatsapp_etl.extract.chat_list import ChatList, ChatRow
from whatsapp_etl.extract.page_script import PageScripts

#: Asking again where nothing comes, when the metadata lists something that should be shown there.
QUIET_TRIES = 3


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the page is given; each wait ends as soon as what it waits for is there."""

    opening: timedelta = timedelta(seconds=20)
    loading: timedelta = timedelta(seconds=30)
    #: At the top without a change and without the page saying that it loads. The real client was
    #: measured to answer within 0.8 s (2026-04-27).
    quiet: timedelta = timedelta(milliseconds=1500)
    empty_rows: timedelta = timedelta(seconds=5)
    long_text: timedelta = timedelta(seconds=10)
    pictures: timedelta = timedelta(seconds=10)
    phone: timedelta = timedelta(seconds=60)


class Opened(Enum):
    """What came of a click on a row of the chat list."""

    YES = "yes"
    NO = "no"  #: The row moved away, or nothing came in time.
    NOTHING = "nothing"  #: No conversation at all is there.
    WITHOUT_ROWS = "without_rows"  #: The conversation is there with something in it, and no message.
    PARTLY = "partly"  #: Another conversation is there, and something that each one has is not.


class Conversation:
    """The conversation that is open."""

    def __init__(
        self, scripts: PageScripts, chat_list: ChatList, patience: Patience, *, presses: bool = False
    ) -> None:
        """Prepare; `presses`: rows that offer a download are waited for."""
        self._presses = presses
        self._scripts = scripts
        self._chat_list = chat_list
        self._patience = patience

    def open(self, row: ChatRow) -> Opened:
        """Click a row of the chat list and wait for its conversation."""
        previous = self._scripts.find("part", timedelta(0), part="conversation")
        before = self._scripts.run("newest", timedelta(0))
        try:
            if not self._chat_list.click(row):
                return Opened.NO
            answer = self._scripts.run(
                "opened",
                self._patience.opening,
                previous=previous,
                previous_newest=before["newest"],
                is_same=row.is_open,
                title=row.title,
            )
        finally:
            previous.dispose()
        if answer["opened"]:
            return Opened.YES
        if not answer["has_any"]:
            return Opened.NOTHING
        if answer["has_rows"] is False and answer["has_other"]:
            return Opened.WITHOUT_ROWS
        return Opened.PARTLY if answer["has_other"] else Opened.NO

    def newest(self, stanza_ids: Sequence[str]) -> Step | None:
        """Scroll to the newest rows and capture; a chat with unread messages opens above them.

        Args:
            stanza_ids: Messages that are all there once the newest rows are; without any, it is the newest
                row when none comes below it.
        """
        return self._step("bottom", (), newest=stanza_ids)

    def older(
        self, seen: Sequence[str], *, pictures: Sequence[str] = (), captures: bool = True
    ) -> Step | None:
        """Ask for older rows and capture what is new.

        Args:
            seen: Ids among the rows on the page that are not needed again.
            pictures: Rows whose pictures are still to come.
            captures: False only scrolls, for measuring what capturing costs.

        Returns:
            The step; None when the conversation is gone.
        """
        return self._step("older", seen, pictures=pictures, captures=captures)

    def expand(self, shown_id: str) -> Shown | None:
        """Open "Read more" to its end and capture the row again; None when it left the document."""
        shown = self._expanded(shown_id)
        if shown is not None and shown.is_cut:
            # The page did not take the element's own click: use the mouse.
            handle = self._scripts.find("expand_button", timedelta(0), id=shown_id)
            self._scripts.click(handle, timedelta(seconds=2), "opening a long text")
            handle.dispose()
            shown = self._expanded(shown_id) or shown
        return shown

    def _expanded(self, shown_id: str) -> Shown | None:
        step = self._step("expand", (), only=shown_id)
        return next(iter(step.rows), None) if step else None

    def ask_phone(self, seen: Sequence[str]) -> Step | None:
        """Press the button that asks the phone for older messages, and wait for them."""
        handle = self._scripts.find("phone_button", timedelta(0))
        self._scripts.click(handle, timedelta(seconds=5), "asking the phone for older messages")
        handle.dispose()
        return self._step("phone", seen)

    def _step(
        self,
        action: str,
        seen: Sequence[str],
        *,
        captures: bool = True,
        pictures: Sequence[str] = (),
        newest: Sequence[str] = (),
        only: str | None = None,
    ) -> Step | None:
        patience = self._patience
        limits = {"phone": patience.phone, "expand": patience.long_text}
        answer = self._scripts.run(
            "step",
            limits.get(action, patience.loading),
            action=action,
            seen=list(seen),
            capture=captures,
            pictures=list(pictures),
            presses=self._presses,
            newest=list(newest),
            only=only,
            quiet_ms=round(patience.quiet.total_seconds() * 1000),
            quiet_tries=QUIET_TRIES,
            empty_ms=round(patience.empty_rows.total_seconds() * 1000),
        )
        return None if answer.get("gone") else read_step(answer)
