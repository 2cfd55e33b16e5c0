"""All that moves at once: the page's release, the chats' ids, the linked device. Nothing is doubled."""

from __future__ import annotations

import pytest

from tests.fixtures.cycle import assert_in_step
from tests.matrix.choices import PROFILES, page_options
from whatsapp_etl.model import RunStatus

pytestmark = pytest.mark.matrix


def load_again(it) -> None:
    """Open the page anew: it may come in another shape."""
    it.source.close()


def test_a_page_that_changes_its_release_with_every_load_doubles_nothing(account):
    it = account(world={"chats": 12, "messages": 300, **page_options(",".join(PROFILES), "en-US")})
    chat = next(each["id"] for each in it.simulator.world()["chats"] if each["kind"] == "group")

    for number in range(len(PROFILES) + 1):
        it.simulator.add_message(chat, f"Said before load {number}")
        report = it.sync()
        assert report.status is RunStatus.SUCCESS, report.error
        assert report.rejects == 0
        assert_in_step(it)
        load_again(it)

    again = it.sync()
    assert (again.chats_opened, again.applied.inserted, again.applied.updated) == (0, 0, 0)


@pytest.mark.parametrize("rows", ["all", "new"])
def test_ids_and_releases_that_change_between_cycles_double_nothing(account, rows):
    it = account(world={"chats": 12, "messages": 300, **page_options(",".join(PROFILES), "en-US")})
    world = it.simulator.world()
    moving = [
        each["id"] for each in world["chats"] if each["kind"] in {"person", "group"} and each["in_scope"]
    ]
    it.sync()

    for number, chat in enumerate(moving[:6]):
        now_called = it.simulator.migrate_chat(chat, rows=rows)
        it.simulator.add_message(now_called, f"Said under another id {number}")
        load_again(it)
        assert it.sync().status is RunStatus.SUCCESS
        assert_in_step(it)

    count = len(it.stored())
    it.simulator.link_again(lids=True)
    it.sync()  # it may meet the page while it is being linked
    assert it.sync().status is RunStatus.SUCCESS
    assert len(it.stored()) == count
    assert_in_step(it)
