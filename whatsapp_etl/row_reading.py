"""Parsing with what the account's pages have taught so far: their language and how they write dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from whatsapp_etl.model import Account, ChatBatch, MessageFacts, ParsedRow, Reject, SelectorPack, TimeDissent
from whatsapp_etl.transform.date_order import DateHabit, PageLanguage, learned, time_dissents
from whatsapp_etl.transform.parse import parse_rows
from whatsapp_etl.transform.rules import RowRules


@dataclass
class RowReading:
    """Parses batch after batch; each may prove how the next one's dates are read."""

    zone: ZoneInfo  #: Of the page.
    locale: str
    _language: PageLanguage = field(init=False)
    _habit: DateHabit = field(default_factory=DateHabit)

    def __post_init__(self) -> None:
        self._language = PageLanguage(self.locale)

    def page_opened(self, language: str | None) -> None:
        """Take over the language that the page names."""
        self._language = PageLanguage(self.locale, language)

    def parse(
        self,
        batch: ChatBatch,
        pack: SelectorPack,
        account: Account,
        facts: Sequence[MessageFacts] | None = None,
    ) -> tuple[tuple[ParsedRow, ...], tuple[Reject, ...]]:
        """Return a batch's rows, understood, and those that were not."""
        rules = RowRules(pack)
        parsed, rejects = parse_rows(
            batch.rows,
            rules,
            zone=self.zone,
            locale=self.locale,
            page_language=self._language.shown,
            habit=self._habit,
            own_name=account.push_name,
            observed_at=batch.observed_at,
            chat_id=batch.chat_id or None,
        )
        zone = rules.dates.zone(self.zone)
        self._habit = learned(self._habit, self._language, parsed, facts, zone=zone, words=rules.dates)
        return parsed, rejects

    def time_dissents(
        self, parsed: Sequence[ParsedRow], pack: SelectorPack, facts: Sequence[MessageFacts] | None
    ) -> tuple[TimeDissent, ...]:
        """Return the rows that show another minute than the storage lists of them."""
        return time_dissents(parsed, facts, zone=RowRules(pack).dates.zone(self.zone))
