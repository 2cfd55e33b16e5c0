"""Every page times every language: one cycle, compared with what it must contain."""

from __future__ import annotations

import pytest

from tests.fixtures.cycle import assert_in_step
from tests.matrix.choices import LOCALES, PROFILES, page_options
from whatsapp_etl.model import RunStatus

# The quick tests have languages and releases of their own in tests/e2e.
pytestmark = pytest.mark.matrix

CELLS = [pytest.param(profile, locale) for profile in PROFILES for locale in LOCALES]


@pytest.mark.parametrize(("profile", "locale"), CELLS)
def test_what_is_stored_equals_what_the_account_holds(account, profile, locale):
    it = account(
        world={"chats": 12, "messages": 300, **page_options(profile, locale)}, whatsapp_locale=locale
    )
    it.unread_before = it.simulator.unread()

    report = it.sync()

    assert report.status is RunStatus.SUCCESS, report.error
    assert (report.rejects, report.missing, report.disagreements) == (0, 0, 0)
    assert_in_step(it)
    ledger = it.simulator.ledger()
    assert (ledger["receipts"], ledger["presence"]["available"]) == (0, 0)
    assert it.simulator.unread() == it.unread_before


@pytest.mark.matrix
@pytest.mark.parametrize("profile", PROFILES)
def test_a_second_cycle_on_the_same_page_touches_nothing(account, profile):
    it = account(world={"chats": 12, "messages": 300, **page_options(profile, "en-US")})
    it.sync()
    before = it.written_by()

    again = it.sync()

    assert (again.chats_opened, again.applied.inserted, again.applied.updated) == (0, 0, 0)
    assert it.written_by() == before
