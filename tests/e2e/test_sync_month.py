"""A month in which the reader changes from the page to the store and back: nothing lost, nothing doubled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from tests.fixtures.cycle import Account, compare_with_truth, link
from whatsapp_etl.model import RunStatus
from whatsapp_etl.store_first import ReaderChoice

pytestmark = pytest.mark.matrix  # the short form takes ten seconds, too

OpenAccount = Callable[..., Account]

BEGIN = datetime.fromisoformat("2026-03-15T12:00:00+00:00")


class Month:
    """An account in which people talk while its reader changes."""

    def __init__(self, it: Account) -> None:
        self.it = it
        self.now = BEGIN
        it.source._clock = self.clock  # before its page is opened
        self._random = Random(20260315)
        self._recent: list[str] = []  #: Keys that may still be edited, deleted, or reacted to.

    def clock(self) -> datetime:
        return self.now

    def live(self, hours: float) -> None:
        """Let time pass, and people write, edit, delete and react."""
        simulator, random = self.it.simulator, self._random
        self.now += timedelta(hours=hours)
        simulator.set_config(now=self.now.isoformat())
        people = [each["id"] for each in simulator.world()["chats"] if each["kind"] == "person"]
        for _ in range(3):
            chat = random.choice(people)
            sender = random.choice((chat, "me"))
            self._recent.append(simulator.add_message(chat, f"At {self.now:%d %H:%M}", sender=sender))
        if len(self._recent) > 5:
            simulator.edit(self._recent[-5], f"Edited at {self.now:%d %H:%M}")
            simulator.delete(self._recent[-6])
            simulator.react(self._recent[-4], random.choice(("👍", "🎉")))

    def migrate(self) -> None:
        """Let the first chat that has a phone number change to its LID."""
        chats = self.it.simulator.world()["chats"]
        phone = next(
            each["id"] for each in chats if each["kind"] == "person" and each["id"].endswith("@c.us")
        )
        self.it.simulator.migrate_chat(phone)
        self._recent.clear()  # their keys are others now

    def link_again(self) -> None:
        self.it.simulator.link_again()
        link(self.it)

    def read_by(self, reader: ReaderChoice) -> None:
        """Go on as a program that was started anew with another setting."""
        self.it.cycle = replace(self.it.cycle, reader=reader, clock=self.clock)

    def sync(self) -> None:
        report = self.it.sync()
        assert (report.status, report.missing, report.disagreed) == (RunStatus.SUCCESS, 0, {}), report.error

    def assert_nothing_lost_or_doubled(self) -> None:
        """Compare all that was said; of notices that the store told not the words."""
        since = BEGIN - self.it.settings.lookback
        found = compare_with_truth(self.it.simulator, self.it.database, since)
        wordless = {
            key
            for (key,) in self.it.query(
                "SELECT external_id FROM messages WHERE message_type = 'system' AND read_path = 'store'"
            )
        }
        texts = [each for each in found.columns.get("content_snippet", ()) if each[0] not in wordless]
        rest = {name: wrong for name, wrong in found.columns.items() if name != "content_snippet"}
        assert (found.absent, found.doubled, found.surplus, texts, rest) == ([], [], [], [], {}), str(found)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("readers", "cycles_a_day"),
    [
        ((("dom", 1), ("store", 2), ("dom", 1)), 1),
        ((("dom", 8), ("store", 12), ("dom", 10)), 1),
    ],
    ids=["four days", "a month"],
)
def test_a_month_of_changing_readers_loses_and_doubles_nothing(
    account: OpenAccount, readers: tuple[tuple[ReaderChoice, int], ...], cycles_a_day: int
):
    month = Month(account({"chats": 3, "messages": 30, "extras": False, "pictures": False}))
    month.read_by("dom")
    month.sync()
    for reader, days in readers:
        month.read_by(reader)
        for day in range(days):
            if day == days // 2 and reader == "store":
                month.migrate()
                month.sync()
                month.link_again()
            for _ in range(cycles_a_day):
                month.live(24 / cycles_a_day)
                month.sync()
        month.assert_nothing_lost_or_doubled()
    by_way = dict(month.it.query("SELECT read_path, count(*) FROM messages GROUP BY 1"))
    assert by_way.keys() == {"dom", "store"}
    assert month.it.simulator.ledger()["receipts"] == 0
