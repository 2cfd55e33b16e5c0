"""Chats that change from phone ids to LIDs between two cycles, and an account that is linked again.

The truth is compared up to the ids: a message is the same under any of its keys, a person under any id.
"""

import pytest

from tests.fixtures.cycle import assert_in_step
from whatsapp_etl.model import RunStatus


def chats_of(account, kind):
    return [
        chat["id"] for chat in account.simulator.world()["chats"] if chat["kind"] == kind and chat["in_scope"]
    ]


def canonical_ids(account):
    return dict(account.query("SELECT external_id, canonical_id FROM threads"))


@pytest.mark.parametrize("rows", ["all", pytest.param("new", marks=pytest.mark.matrix)])
def test_a_chat_that_gets_its_lid_doubles_nothing_and_is_not_read_again(account, rows):
    it = account()
    assert it.sync().status is RunStatus.SUCCESS
    person, *_ = chats_of(it, "person")
    count = len(it.stored())
    lid = it.simulator.migrate_chat(person, rows=rows)

    report = it.sync()

    assert (report.status, report.chats_opened, report.applied.inserted) == (RunStatus.SUCCESS, 0, 0)
    assert len(it.stored()) == count
    it.simulator.add_message(lid, "Now I have another id")
    it.simulator.add_message(lid, "So I see", sender="me")
    report = it.sync()
    assert (report.chats_opened, report.applied.inserted, report.missing) == (1, 2, 0)
    assert_in_step(it)
    assert canonical_ids(it)[person] == canonical_ids(it)[lid] == person
    assert it.sync().chats_opened == 0


@pytest.mark.matrix
@pytest.mark.parametrize("rows", ["all", "new"])
def test_an_account_read_for_the_first_time_after_the_change_is_whole(account, rows):
    it = account()
    person, *_ = chats_of(it, "person")
    group, *_ = chats_of(it, "group")
    lid = it.simulator.migrate_chat(person, rows=rows)
    it.simulator.migrate_chat(group, rows=rows)
    it.simulator.add_message(lid, "The first under my new id")
    it.simulator.add_message(group, "Who is here?", sender="me")

    report = it.sync()

    assert (report.status, report.missing, report.rejects) == (RunStatus.SUCCESS, 0, 0)
    assert_in_step(it)
    assert it.sync().chats_opened == 0


@pytest.mark.matrix
@pytest.mark.parametrize("rows", ["all", "new"])
def test_a_group_that_names_its_members_by_lids_doubles_nothing(account, rows):
    it = account()
    assert it.sync().status is RunStatus.SUCCESS
    group, *_ = chats_of(it, "group")
    it.simulator.migrate_chat(group, rows=rows)
    it.simulator.add_message(group, "Under another name")
    it.simulator.add_message(group, "Me too", sender="me")

    report = it.sync()

    assert (report.chats_opened, report.applied.inserted, report.missing) == (1, 2, 0)
    assert_in_step(it)
    assert it.sync().chats_opened == 0


@pytest.mark.matrix
@pytest.mark.parametrize("lids", [False, True])
def test_an_account_that_is_linked_again_doubles_nothing(account, lids):
    it = account()
    assert it.sync().status is RunStatus.SUCCESS
    count = len(it.stored())
    it.simulator.link_again(lids=lids)

    reports = [it.sync()]
    while reports[-1].status is not RunStatus.SUCCESS and len(reports) < 5:
        reports.append(it.sync())  # the ones before met the page while it was being linked

    assert reports[-1].status is RunStatus.SUCCESS, reports[-1].error
    assert {report.applied.inserted for report in reports} == {0}
    assert len(it.stored()) == count
    assert_in_step(it)
    assert it.sync().chats_opened == 0
