"""Each cycle compares the message store with the chat list: no false alarm, else the page is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fixtures.cycle import Account, assert_in_step
from whatsapp_etl.model import DisagreementFact, RunStatus
from whatsapp_etl.simulator.options import LANGUAGE_VARIANTS
from whatsapp_etl.store_first import REST
from whatsapp_etl.store_records import StoreUnavailable

OpenAccount = Callable[..., Account]

#: The next release writes the previews of the list otherwise than the messages are.
OTHER_PREVIEWS = [{"select": '[data-testid="last-msg-status"]', "values": {"title": "Something else"}}]


@pytest.mark.parametrize(
    ("locale", "zone", "profile", "variants", "has_models"),
    [
        ("ar", "Asia/Kolkata", "aug26", ("translated_words", "arabic_digits"), True),
        *(
            pytest.param(*each, marks=pytest.mark.matrix)
            for each in (
                ("en-US", "America/New_York", "nov26", (), False),
                ("en-GB", "UTC", "may26", ("midnight_24",), True),
                ("de", "Europe/Berlin", "apr26", ("english_dates",), False),
                ("pt-BR", "America/Sao_Paulo", "y2024", ("translated_words",), True),
                ("fa", "Asia/Tehran", "aug26", (), True),
                ("hi", "Asia/Kolkata", "aug26", LANGUAGE_VARIANTS, False),
            )
        ),
    ],
)
def test_an_account_with_everything_has_no_false_alarm(
    account: OpenAccount, locale: str, zone: str, profile: str, variants: tuple[str, ...], *, has_models: bool
):
    world = {
        "repertoire": "everything",
        "messages": 60,
        "chats": 5,
        "locale": locale,
        "timezone": zone,
        "profile": profile,
        "language_variants": variants,
    }
    it = account(
        world,
        whatsapp_reader="store",
        whatsapp_store_cross_check_chats=1000,
        whatsapp_locale=locale,
        whatsapp_timezone=zone,
    )

    it.simulator.set_config(fiber=has_models)

    report = it.sync()

    assert (report.status, report.store_unavailable, report.disagreed) == (RunStatus.SUCCESS, None, {})
    assert report.chats_opened == 0
    ((shown,),) = it.query("SELECT count(*) FROM threads WHERE is_archived = 0")
    # Without models the chats whose titles others have, too, are not told apart.
    assert shown * (0.8 if has_models else 0.5) < report.rows_compared <= shown
    assert it.query("SELECT * FROM disagreements") == []
    assert it.simulator.ledger()["receipts"] == 0


def test_a_list_that_disagrees_with_the_store_lets_it_rest_for_a_day(account: OpenAccount):
    it = account({"chats": 4, "messages": 40, "extras": False}, whatsapp_reader="auto")
    chats = [each["id"] for each in it.simulator.world()["chats"] if not each["archived"]]
    for chat in chats:
        it.simulator.add_message(chat, "The newest words", sender="me")
    it.simulator.set_config(mutations=OTHER_PREVIEWS)

    report = it.sync()

    assert (report.status, report.store_unavailable) == (RunStatus.SUCCESS, StoreUnavailable.DISAGREES)
    assert report.disagreed == {DisagreementFact.PREVIEW: len(chats)}
    assert (report.rows_by_store, report.chats_opened > 0) == (0, True)
    assert_in_step(it)
    told = it.query("SELECT DISTINCT fact, known, shown FROM disagreements")
    assert len(told) == 1
    assert not any("words" in text or "else" in text for row in told for text in row)

    it.simulator.set_config(mutations=[])
    it.source.close()
    for chat in chats:
        it.simulator.add_message(chat, "While it rests", sender="me")
    resting = it.sync()
    now = it.cycle.clock()
    it.cycle._store_first.clock = lambda: now + REST
    for chat in chats:
        it.simulator.add_message(chat, "After it", sender="me")
    rested = it.sync()

    assert (resting.store_unavailable, resting.rows_by_store) == (StoreUnavailable.DISAGREES, 0)
    assert (rested.store_unavailable, rested.rows_by_store, rested.disagreed) == (None, len(chats), {})
    assert_in_step(it)
