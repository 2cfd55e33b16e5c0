"""The page's own message store, decrypted in the page: no chat is opened, nothing is sent.

Its modules are private to WhatsApp Web and change every two to three months. So every capability is proven in
each cycle before it is used (`check`), each failure has a name, and whoever reads here can do without.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page

from whatsapp_etl.errors import PageScriptError, PageTimeoutError, StoreUnreadableError
from whatsapp_etl.extract.page_script import GRACE, read_answer
from whatsapp_etl.extract.scripts import with_text
from whatsapp_etl.extract.watchdog import Watchdog
from whatsapp_etl.store_records import ListedRow, QuotedRow, StoreCheck, StoreRow, StoreStep, StoreUnavailable

#: Messages in one answer.
PAGE_ROWS = 1000

#: Newest rows that the self-test decodes.
_SAMPLE = 20

#: Modules register while the page starts: their number must stand still for so long, and does in the end.
_SETTLED_FOR = timedelta(milliseconds=750)
_SETTLE_WITHIN = timedelta(seconds=20)
_KEY_WITHIN = timedelta(seconds=5)
#: A page of rows takes a tenth of a second; what takes so long does not come.
_READ_WITHIN = timedelta(seconds=10)


class MessageStore:
    """Reads the message table of one page.

    Args:
        page: The page of the session, with its chat list shown.
        watchdog: The browser's watchdog.
    """

    def __init__(self, page: Page, watchdog: Watchdog) -> None:
        self._page = page
        self._watchdog = watchdog
        #: Of which load of the page it is known that its modules stand still.
        self._settled_at: float | None = None
        self.rows_read = 0  #: Decrypted, since the browser was opened.

    def check(self, listed: ListedRow | None) -> StoreCheck:
        """Prove each capability that reading needs, up to the first that fails.

        Args:
            listed: The newest row as the browser's storage lists it; None when it lists none.
        """
        expected = None if listed is None else _plain(listed)
        answer = self._ask("check", listed=expected, sample=_SAMPLE)
        passed = tuple(StoreStep(each) for each in answer["passed"])
        self._settled_at = answer["at"] if StoreStep.SETTLED in passed else None
        if "reason" in answer:
            return StoreCheck(passed, StoreUnavailable(answer["reason"]), answer["detail"])
        return StoreCheck(passed)

    def rows(self, keys: Sequence[str]) -> Iterator[Sequence[StoreRow]]:
        """Yield the messages of these keys, page by page; those that the table does not have lack.

        Args:
            keys: Primary keys as the browser's storage lists them.

        Raises:
            StoreUnreadableError: A capability is gone, an answer did not come in time, or a text lacks.
        """
        for begin in range(0, len(keys), PAGE_ROWS):
            rows = self._told("rows", keys=list(keys[begin : begin + PAGE_ROWS]))
            self.rows_read += len(rows)
            yield [_row(each) for each in rows]

    def newest(self, chats: Mapping[str, Sequence[str]]) -> Mapping[str, StoreRow]:
        """Return the newest message of each chat; a chat without one lacks.

        Args:
            chats: The ids under which the chat's messages lie, the one in use first, by the chat's id.

        Raises:
            StoreUnreadableError: As of `rows`.
        """
        rows: Mapping[str, Any] = self._told("newest", chats={each: list(ids) for each, ids in chats.items()})
        self.rows_read += len(rows)
        return {chat_id: _row(each) for chat_id, each in rows.items()}

    def _told(self, question: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        answer = self._ask(question, **arguments)
        if "reason" in answer:
            reason, detail = StoreUnavailable(answer["reason"]), answer["detail"]
            raise StoreUnreadableError(
                f"The page's message store cannot be read: {reason}" + (f" ({detail})." if detail else "."),
                reason=reason,
                detail=detail,
            )
        return answer["ok"]["rows"]

    def _ask(self, question: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        argument = {
            "question": question,
            "settled_at": self._settled_at,
            "settled_for_ms": _milliseconds(_SETTLED_FOR),
            "settle_within_ms": _milliseconds(_SETTLE_WITHIN),
            "key_within_ms": _milliseconds(_KEY_WITHIN),
            "read_within_ms": _milliseconds(_READ_WITHIN),
            **arguments,
        }
        limit = _SETTLE_WITHIN + _KEY_WITHIN + 2 * _READ_WITHIN
        try:
            with self._watchdog.step(f"message store {question}", limit + GRACE):
                return read_answer(self._page.evaluate(with_text("message_store"), json.dumps(argument)))
        except (PageScriptError, PageTimeoutError) as error:
            # The page was loaded anew meanwhile, or does not let itself be asked.
            return {"reason": "refused", "detail": type(error).__name__, "passed": [], "at": None}


def _plain(listed: ListedRow) -> Mapping[str, object]:
    return {"id": listed.stored_id, "row": listed.row_number, "t": listed.seconds, "type": listed.type}


def _row(row: Mapping[str, Any]) -> StoreRow:
    quoted = row.get("quoted")
    return StoreRow(
        stored_id=row["id"],
        type=row["type"],
        sent_at=datetime.fromtimestamp(row["t"], UTC),
        subtype=row.get("subtype"),
        body=row.get("body"),
        is_opened=row.get("opened", False),
        caption=row.get("caption"),
        file_name=row.get("file"),
        mentioned_ids=tuple(row["mentioned"]),
        is_forwarded=row.get("forwarded", False),
        is_edited=row.get("edited", False),
        is_view_once=row.get("once", False),
        is_gif=row.get("gif", False),
        is_live=row.get("live", False),
        place=row.get("place"),
        card_names=tuple(row["cards"]),
        poll_name=row.get("poll"),
        poll_options=tuple(row["options"]),
        event_name=row.get("event"),
        invited_to=row.get("group"),
        call_outcome=row.get("call"),
        is_video_call=row.get("video", False),
        quoted=QuotedRow(quoted.get("type"), quoted.get("text")) if quoted else None,
    )


def _milliseconds(limit: timedelta) -> int:
    return round(limit.total_seconds() * 1000)
