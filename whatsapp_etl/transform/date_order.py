"""Decides how a page writes dates and times: day or month first, 12 or 24 hours. Never for one message.

Proofs come first: a number above 12 is no month, and a date under "Yesterday" is yesterday's. Then what
earlier chats of the account proved, then the page's language and the setting, if the dates have that
language's form and no other order fits it. A page in another form keeps the English one: recorded pages of
untranslated languages do. What contradicts itself, or could be two things, is not decided, and its dates
are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from whatsapp_etl.model import MessageFacts, ParsedRow, TimeDissent
from whatsapp_etl.transform.timestamps import (
    DateOrder,
    DateWords,
    ShortDate,
    clock_habit,
    near_day,
    split_time,
)

#: What decided the order, or why nothing did.
OrderSign = Literal[
    "number", "marker", "account", "language", "english", "form", "none", "unclear", "contradicted"
]
_PROOFS = frozenset({"number", "marker"})
#: Signs of a row's time after which its date was written as the page writes dates.
_SHOWN = frozenset({"prefix", "date_unclear"})

_SLASH = "/"
_MAX_MONTH = 12
#: The two forms of English that the client's interface has.
_ENGLISH, _BRITISH = "en", "en-GB"

#: Separator, and whether single digits have a zero before them (None: not seen).
Form = tuple[str, bool | None]


@dataclass(frozen=True, slots=True)
class DateHabit:
    """How an account's page was proven to write, in one language; carried from chat to chat."""

    language: str | None = None
    orders: Mapping[Form, DateOrder] = field(default_factory=dict)
    has_day_parts: bool | None = None  #: Whether it writes "8:19 PM"; None: not seen.

    def order_of(self, form: Form) -> DateOrder | None:
        """Return the order that was proven for dates of a form; None when there is none, or two."""
        found = {order for known, order in self.orders.items() if _is_compatible(known, form)}
        return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class PageLanguage:
    """In which language a page was asked for, and in which it says it is."""

    setting: str  #: E.g. "en-GB".
    shown: str | None = None  #: The page's `<html lang>`; None when unknown.

    @property
    def name(self) -> str:
        return self.shown or self.setting

    @property
    def candidates(self) -> tuple[str, ...]:
        """Return the languages whose form the dates may have.

        Where the page says another language than it was asked for, either may be what its dates follow.
        "en" does not tell British from American.
        """
        british = (_BRITISH,) if self.shown == _ENGLISH else ()
        return (self.name, self.setting, *british)


@dataclass(frozen=True, slots=True)
class OrderDecision:
    order: DateOrder | None  #: None: dates that could be read in two ways are not read.
    sign: OrderSign


def decide_order(
    samples: Iterable[tuple[str, str | None]],
    *,
    language: PageLanguage,
    words: DateWords,
    today: date | None = None,
    habit: DateHabit | None = None,
) -> OrderDecision:
    """Decide day or month first for a whole page.

    Args:
        samples: Dates as shown, oldest first, each with the date marker above it; other texts are ignored.
        language: Of the page.
        words: The pack's words.
        today: The local date when the page was seen; None when unknown.
        habit: What the account's page was proven to do.
    """
    shown = [
        (found, marker)
        for text, marker in dict.fromkeys(samples)
        if (found := ShortDate.of(text)) is not None
    ]
    dates = [each for each, _ in shown]
    if not dates:
        return OrderDecision(DateOrder.DAY_FIRST, "none")
    by_number = {order for each in dates if (order := _by_number(each)) is not None}
    by_marker = {
        order
        for each, marker in shown
        if marker and today and (day := near_day(marker, words, today)) is not None
        if (order := each.order_on(day)) is not None
    }
    proven = by_number | by_marker
    if proven:
        sign: OrderSign = "number" if by_number else "marker"
        return OrderDecision(proven.pop(), sign) if len(proven) == 1 else OrderDecision(None, "contradicted")
    decision = _unproven(dates, language, words, habit if habit and habit.language == language.name else None)
    return _tested(decision, dates, today)


def learned(
    habit: DateHabit,
    language: PageLanguage,
    rows: Iterable[ParsedRow],
    facts: Iterable[MessageFacts] | None,
    *,
    zone: ZoneInfo,
    words: DateWords,
) -> DateHabit:
    """Return the habit with what a chat's rows proved, alone or by the exact times listed of them."""
    if habit.language != language.name:
        habit = DateHabit(language.name)
    exact = _by_stanza_id(facts or ())
    orders, has_day_parts = dict(habit.orders), habit.has_day_parts
    for row in rows:
        if row.ts_raw is None or row.signals.get("time") not in _SHOWN:
            continue
        clock, day_text = split_time(row.ts_raw)
        if (seen := clock_habit(clock, words)) is not None:
            has_day_parts = seen
        sent_at = exact.get(row.stanza_id)
        if sent_at is None and row.signals.get("date_order") in _PROOFS:
            sent_at = row.sent_at
        shown = ShortDate.of(day_text) if sent_at else None
        if shown and sent_at and (order := shown.order_on(sent_at.astimezone(zone).date())):
            orders[shown.form] = order
    return replace(habit, orders=orders, has_day_parts=has_day_parts)


def time_dissents(
    rows: Iterable[ParsedRow], facts: Iterable[MessageFacts] | None, *, zone: ZoneInfo
) -> tuple[TimeDissent, ...]:
    """Return the rows whose shown minute is another than that of the exact time that is listed of them."""
    exact = _by_stanza_id(facts or ())
    return tuple(
        TimeDissent(row.stanza_id, exact[row.stanza_id], row.sent_at)
        for row in rows
        if row.sent_at is not None
        and row.stanza_id in exact
        and row.signals.get("time") in {"prefix", "marker"}
        and _minute(row.sent_at, zone) != _minute(exact[row.stanza_id], zone)
    )


def _unproven(
    dates: Sequence[ShortDate], language: PageLanguage, words: DateWords, habit: DateHabit | None
) -> OrderDecision:
    form = _form_of(dates)
    if habit and (order := habit.order_of(form)) is not None:
        return OrderDecision(order, "account")
    # No language writes the month first with anything but slashes.
    if form[0] != _SLASH:
        return OrderDecision(DateOrder.DAY_FIRST, "form")
    if not any(words.patterns_of(locale) for locale in language.candidates):
        return OrderDecision(None, "unclear")
    own = _orders(language.candidates, form, words)
    # An interface that is not translated keeps the English form, whatever language it says it is in.
    orders = own | _orders((_ENGLISH, _BRITISH) if not own else (_ENGLISH,), form, words)
    if len(orders) != 1:
        return OrderDecision(None, "unclear")
    return OrderDecision(orders.pop(), "language" if own else "english")


def _orders(locales: Iterable[str], form: Form, words: DateWords) -> set[DateOrder]:
    """Return the orders in which these languages write dates of a form."""
    return {
        pattern.order
        for locale in locales
        for pattern in words.patterns_of(locale)
        if pattern and _is_compatible((pattern.separator, pattern.pads), form)
    }


def _tested(decision: OrderDecision, dates: Sequence[ShortDate], today: date | None) -> OrderDecision:
    """Return the decision unless the dates speak against it and for the other order."""
    if decision.order is None:
        return decision
    other = next(order for order in DateOrder if order is not decision.order)
    if _faults(dates, decision.order, today) and not _faults(dates, other, today):
        return OrderDecision(None, "contradicted")
    return decision


def _faults(dates: Sequence[ShortDate], order: DateOrder, today: date | None) -> int:
    """Count what speaks against an order: dates in the future, dates before the one above."""
    faults, before = 0, None
    for each in dates:
        day, month = each.day_and_month(order)
        key = (each.year, month, day)
        faults += (before is not None and key < before) + (
            today is not None and key > (today.year, today.month, today.day)
        )
        before = key
    return faults


def _by_number(shown: ShortDate) -> DateOrder | None:
    if (shown.first > _MAX_MONTH) is (shown.second > _MAX_MONTH):
        return None
    return DateOrder.DAY_FIRST if shown.first > _MAX_MONTH else DateOrder.MONTH_FIRST


def _form_of(dates: Sequence[ShortDate]) -> Form:
    pads = {each.pads for each in dates} - {None}
    return dates[0].separator, pads.pop() if len(pads) == 1 else None


def _is_compatible(a: Form, b: Form) -> bool:
    return a[0] == b[0] and (a[1] is None or b[1] is None or a[1] is b[1])


def _by_stanza_id(facts: Iterable[MessageFacts]) -> Mapping[str, datetime]:
    """Return the exact times by stanza id, without the ids that several messages have."""
    found: dict[str, datetime | None] = {}
    for each in facts:
        found[each.key.stanza_id] = None if each.key.stanza_id in found else each.sent_at
    return {stanza_id: sent_at for stanza_id, sent_at in found.items() if sent_at is not None}


def _minute(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the local minute without the fold: the page does not tell the hour that occurs twice."""
    return instant.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None)
