"""A chat that changes from phone ids to LIDs, and an account that is linked again."""

from __future__ import annotations

import pytest

from tests.simulator.test_server_control import call, group_chat, person_chat


@pytest.mark.parametrize("rows", ["all", "new"])
def test_a_chat_gets_its_lid_and_keeps_its_messages(simulator, rows):
    chat = person_chat(simulator)
    before = [row for row in simulator.truth() if row["thread_external_id"] == chat]

    lid = simulator.migrate_chat(chat, rows=rows)

    after = {key: row for row in simulator.truth() for key in row["keys"]}
    world = simulator.world()
    (listed,) = [each for each in world["chats"] if each["id"] == lid]
    assert lid.endswith("@lid")
    assert world["phone_ids"][lid] == chat
    assert listed["messages"] == len(before)
    assert chat not in {each["id"] for each in world["chats"]}
    for row in before:
        now = after[row["external_id"]]
        expected = row["external_id"].replace(chat, lid) if rows == "all" else row["external_id"]
        assert now["external_id"] == expected
        assert now["content_snippet"] == row["content_snippet"]
        assert now["thread_external_id"] == (lid if rows == "all" else chat)


def test_what_comes_after_the_change_has_the_lid(simulator):
    chat = person_chat(simulator)
    lid = simulator.migrate_chat(chat, rows="new")

    key = simulator.add_message(lid, "hello", stanza="3EB0F00D")

    assert key == f"false_{lid}_3EB0F00D"
    assert simulator.unread()[lid] == 1


def test_a_group_names_its_members_by_lids_and_keeps_its_id(simulator):
    chat = group_chat(simulator)

    assert simulator.migrate_chat(chat) == chat

    me = simulator.world()["me"]
    rows = [row for row in simulator.truth() if row["thread_external_id"] == chat]
    people = {row["sender_id"] for row in rows} | {each for row in rows for each in row["recipient_ids"]}
    assert {each for each in people if each and not each.endswith("@lid")} == {me["id"]}
    assert all(row["sender_id"] not in row["recipient_ids"] for row in rows)
    own = [row for row in rows if row["is_outgoing"]]
    assert own
    assert all(row["external_id"].endswith(me["lid"]) for row in own)


@pytest.mark.parametrize("rows", ["all", "new"])
def test_the_pages_storage_is_told_of_every_row_that_changed(simulator, say_hello, rows):
    page = say_hello(simulator)
    page.hear_linked()
    chat = person_chat(simulator)
    before = {change["key"] for change in page.pull() if change["store"] == "message"}

    lid = simulator.migrate_chat(chat, rows=rows)

    changes = page.pull()
    own = {key for key in before if key.split("_")[1] == chat}
    gone = {change["key"] for change in changes if change["op"] == "delete" and change["store"] == "message"}
    new = {change["key"] for change in changes if change["op"] == "put" and change["store"] == "message"}
    assert gone == (own if rows == "all" else set())
    assert new == ({key.replace(chat, lid) for key in own} if rows == "all" else set())


def test_a_linked_again_account_has_other_rows_and_the_same_truth(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()
    before = {change["key"]: change["value"] for change in page.pull() if change["store"] == "message"}
    truth = simulator.truth()

    simulator.link_again()

    page = say_hello(simulator)
    page.hear_linked()
    after = {change["key"]: change["value"] for change in page.pull() if change["store"] == "message"}
    assert simulator.truth() == truth
    assert after.keys() == before.keys()
    assert all(value["rowId"] < 1_000_000_000 for value in after.values())
    assert len({value["rowId"] for value in after.values()}) == len(after)


def test_an_account_that_is_linked_again_may_get_the_last_days_only(simulator, say_hello):
    whole = simulator.truth(view="attainable")

    simulator.link_again(days=10)

    page = say_hello(simulator)
    page.hear_linked()
    changes = page.pull()
    listed = {change["key"] for change in changes if change["store"] == "message"}
    here = {row["external_id"] for row in simulator.truth(view="attainable")}
    assert 0 < len(here) < len(whole)
    assert {row["external_id"] for row in simulator.truth()} >= {row["external_id"] for row in whole}
    keys = {row["external_id"] for row in whole}
    assert {key for key in keys if any(key in each for each in listed)} == here
    on_phone = [each["history_type"] for each in simulator.world()["chats"] if each["on_phone"]]
    assert on_phone
    assert 1 not in on_phone


def test_an_older_profile_lacks_what_came_since_and_is_not_given_it_again(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()
    page.pull()
    before = {row["external_id"] for row in simulator.truth()}

    gone = simulator.restore(5)

    deleted = [change for change in page.pull() if change["store"] == "message" and change["op"] == "delete"]
    after = {row["external_id"] for row in simulator.truth()}
    assert len(deleted) == gone > 0
    assert after < before
    # Reading a chat whose unread messages are gone counts none of them.
    assert sum(count for count in simulator.unread().values() if count > 0) <= len(after)


def test_channels_do_not_change_their_id(simulator):
    (channel,) = [each["id"] for each in simulator.world()["chats"] if each["kind"] == "channel"]

    assert call(simulator, "POST", f"chats/{channel}/migrate", json={}).status_code == 400
