"""The chat list: finds the row of a chat and opens it with a real mouse click.

The list shows no id. Titles are not unique, rows exist only near what is visible, and a new message
re-orders it at any moment. So a row found here is a candidate: whether it is the chat meant is
decided by the messages that it shows once opened.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from playwright.sync_api import JSHandle

from whatsapp_etl.errors import PageTimeoutError
from whatsapp_etl.extract.page_script import PageScripts
from whatsapp_etl.model import ChatFacts, ChatKind

_DRAWN = timedelta(seconds=5)
_CLICKED = timedelta(seconds=5)

#: Clicks until the whole list is shown: a search, a filter and a drawer may be in the way.
_MOST_CLICKS = 6

#: The list is gone through again when a candidate was refused: it may have re-ordered meanwhile.
_SWEEPS = 2

#: A list whose bottom moves away for ever must still end the sweep.
_MOST_PAGES = 2000

_MARKS = re.compile("[\u200b\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_OWN_NAME = "~"  #: Before a name that somebody gives himself.
_NUMBER = re.compile(r"\+?[\d\s().\-\u2010-\u2015]+")
_SUFFIX = re.compile(r"\s*\([^)]*\)$")


@dataclass(frozen=True, slots=True)
class ChatRow:
    """One row of the list as seen a moment ago."""

    title: str
    index: int  #: Place in the list, 0-based, Archived and active chats apart.
    chat_id: str | None  #: Where the row's React model shows it.
    is_archived: bool = False
    is_open: bool = field(default=False, compare=False)  #: Its conversation is the one shown.
    unread_count: int | None = field(default=None, compare=False)
    last_activity: datetime | None = field(default=None, compare=False)
    look: str = field(default="", compare=False)  #: sha256 of all that the row says.
    badge: int = field(default=0, compare=False)  #: Unread messages as the row shows them.
    preview: str | None = field(default=None, compare=False)
    clock: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class _View:
    rows: tuple[ChatRow, ...]
    top: float
    page: float
    is_bottom: bool


class ChatList:
    """The list of the page; always unfiltered, without a search, from its first row to its last."""

    def __init__(self, scripts: PageScripts) -> None:
        self._scripts = scripts

    def candidates(
        self, chat: ChatFacts, position: int | None, chat_ids: Collection[str] = ()
    ) -> Iterator[ChatRow]:
        """Yield the rows that may be the chat, the likeliest first.

        Args:
            chat: The chat meant; its title as the list shows it.
            position: Its expected place in the list.
            chat_ids: Other ids of the same chat (phone number and LID).

        Raises:
            PageTimeoutError: The list cannot be brought to show all chats.
        """
        ids = {chat.id, *chat_ids}
        tried: set[ChatRow] = set()
        if position is not None:
            self.show(is_archived=chat.is_archived)
            view = self._view(is_archived=chat.is_archived, row=position)
            near = [row for row in view.rows if matches(row, chat, ids)]
            for row in sorted(near, key=lambda row: (row.chat_id is None, abs(row.index - position))):
                tried.add(row)
                yield row
        for _ in range(_SWEEPS):
            refused = len(tried)
            for row in self.rows(is_archived=chat.is_archived):
                if row not in tried and matches(row, chat, ids):
                    tried.add(row)
                    yield row
                    self.show(is_archived=chat.is_archived)
            if len(tried) == refused:
                return

    def rows(self, *, is_archived: bool = False) -> Iterator[ChatRow]:
        """Yield every row from the top to the bottom, scrolling; a row that moves may come twice."""
        self.show(is_archived=is_archived)
        top = 0.0
        for _ in range(_MOST_PAGES):
            view = self._view(is_archived=is_archived, top=top)
            yield from view.rows
            if view.is_bottom:
                return
            top = max(view.top, top) + view.page * 0.8

    def near(self, place: int) -> tuple[ChatRow, ...]:
        """Return the rows that can be seen around a place of the list, from top to bottom."""
        self.show(is_archived=False)
        return self._view(is_archived=False, row=place).rows

    def has_archive(self) -> bool:
        """Return whether there is a drawer of archived chats."""
        self.show(is_archived=False)
        return bool(self._scripts.run("list_state", _DRAWN)["has_archive"])

    def unread_count(self, row: ChatRow) -> int | None:
        """Return a row's unread count as it is now; None when it is no longer near its place."""
        self.show(is_archived=row.is_archived)
        view = self._view(is_archived=row.is_archived, row=row.index)
        same = [each for each in view.rows if (each.title, each.chat_id) == (row.title, row.chat_id)]
        return min(same, key=lambda each: abs(each.index - row.index)).unread_count if same else None

    def click(self, row: ChatRow) -> bool:
        """Click a row; False when the list has moved it away meanwhile."""
        place = {"archived": row.is_archived, "index": row.index, "title": row.title}
        return self._click(lambda: self._scripts.find("list_row", _DRAWN, **place), "opening a chat")

    def show(self, *, is_archived: bool) -> None:
        """Bring the list to show all chats: no search, no filter, the right drawer.

        Raises:
            PageTimeoutError: It does not.
        SelectorDriftError: What would have to be pressed is not there.
        """
        state = self._scripts.run("list_state", _DRAWN)
        obstacle: str | None = None
        pressed: set[str] = set()
        for _ in range(_MOST_CLICKS):
            obstacle = _obstacle(state, is_archived=is_archived)
            # All chats are shown once that was chosen, even where the page does not say so.
            if obstacle is None or (obstacle == "filter_all" and obstacle in pressed):
                return
            if self._press(obstacle):
                pressed.add(obstacle)
            elif obstacle == "search_cancel":
                self._scripts.clear("search_box", _CLICKED)
            state = self._scripts.run("list_state", _DRAWN, before=state)
        if obstacle is None:
            return
        if obstacle not in pressed and obstacle != "search_cancel":
            raise self._scripts.drift(obstacle, "where it must be pressed to show all chats")
        if obstacle == "archived_button":
            raise self._scripts.drift("archived_list", "after the archive was opened")
        raise PageTimeoutError("The chat list does not show all chats.", "The next cycle tries again.")

    def _press(self, part: str) -> bool:
        return self._click(lambda: self._scripts.find("part", timedelta(seconds=1), part=part), part)

    def _click(self, find: Callable[[], JSHandle], name: str) -> bool:
        """Click what `find` finds; again when the list was drawn anew under the mouse."""
        end = time.monotonic() + _CLICKED.total_seconds()
        while True:
            handle = find()
            try:
                if self._scripts.click(handle, _CLICKED, name):
                    return True
                if handle.as_element() is None or time.monotonic() >= end:
                    return False
            finally:
                handle.dispose()

    def _view(self, *, is_archived: bool, row: int | None = None, top: float | None = None) -> _View:
        answer = self._scripts.run("list", _DRAWN, archived=is_archived, row=row, top=top)
        if answer["rows"] is None:
            raise PageTimeoutError("The chat list is not shown.", "The next cycle tries again.")
        if not answer["is_empty"] and not answer["rows"]:
            lacking = "chat_row_title" if answer["drawn"] else "chat_row"
            raise self._scripts.drift(lacking, "in a chat list that is shown")
        return _View(
            rows=tuple(
                ChatRow(
                    row["title"],
                    row["index"],
                    normalise(row["chat"]),
                    is_archived,
                    is_open=row["is_open"],
                    unread_count=row["unread"],
                    last_activity=datetime.fromtimestamp(row["t"], UTC) if row["t"] else None,
                    look=hashlib.sha256(row["text"].encode()).hexdigest(),
                    badge=row["badge"],
                    preview=row["preview"],
                    clock=row["clock"],
                )
                for row in answer["rows"]
            ),
            top=answer["top"],
            page=answer["page"],
            is_bottom=answer["is_bottom"],
        )


def matches(row: ChatRow, chat: ChatFacts, ids: Collection[str]) -> bool:
    """Return whether the row may be the chat: by id where the row tells it, else by title."""
    if row.chat_id is not None:
        return row.chat_id in ids
    if chat.title is None:
        return False
    shown, wanted = clean(row.title), clean(chat.title)
    if wanted.startswith(_OWN_NAME) and shown == wanted.removeprefix(_OWN_NAME):
        return True  # some pages write a name that somebody gives himself without the sign
    if shown == wanted or (chat.kind is ChatKind.SELF and _SUFFIX.sub("", shown) == wanted):
        return True
    return _NUMBER.fullmatch(shown) is not None and digits(shown) in {
        digits(wanted) if _NUMBER.fullmatch(wanted) else None,
        *(chat_id.partition("@")[0] for chat_id in ids if chat_id.endswith("@c.us")),
    }


def clean(title: str) -> str:
    """Return a title without directional marks and with plain single spaces."""
    return _SPACES.sub(" ", _MARKS.sub("", title)).strip()


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def normalise(chat_id: str | None) -> str | None:
    """Write a chat id of the page as everywhere here."""
    if chat_id is None:
        return None
    user, _, server = chat_id.rpartition("@")
    user = re.sub(r"(\.\d+)?:\d+$", "", user)
    return f"{user}@{'c.us' if server == 's.whatsapp.net' else server}"


def _obstacle(state: dict[str, bool], *, is_archived: bool) -> str | None:
    """Name the part of the page to click next, or None when the list shows all chats."""
    if state["has_search"]:
        return "search_cancel"
    if state["is_archived"] and not is_archived:
        return "drawer_back"
    if is_archived:
        return None if state["is_archived"] else "archived_button"
    if state["is_filtered"]:
        return "filter_all"
    return None
