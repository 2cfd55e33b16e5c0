"""Accounts with what is rare: lists, communities, very large groups, ids of every shape, odd times."""

import pytest

from tests.fixtures.cycle import assert_in_step
from whatsapp_etl.model import RunStatus


def test_an_account_with_everything_is_in_step_after_one_cycle_and_quiet_after_it(account):
    zone = "America/New_York"  # its clocks were put forward a week before
    world = {"repertoire": "everything", "timezone": zone, "messages": 40, "chats": 3}
    it = account(world=world, whatsapp_timezone=zone)

    report = it.sync()

    assert (report.status, report.missing, report.rejects) == (RunStatus.SUCCESS, 0, 0)
    assert_in_step(it)
    assert_albums_are_whole(it)
    before = it.written_by()
    assert it.sync().chats_opened == 0
    assert it.written_by() == before


def assert_albums_are_whole(it):
    """Each picture of an album is a message of its own; those without a tile are known gaps."""
    rows = it.query(
        "SELECT m.album_id, array_agg(m.album_position ORDER BY m.ts, m.album_position),"
        " count(*) FILTER (WHERE a.state = 'stored' AND a.is_verified = 1) FROM messages m"
        " JOIN attachments a ON a.message_id = m.id WHERE m.album_id IS NOT NULL GROUP BY 1"
    )
    assert sorted(len(positions) for _, positions, _ in rows) == [4, 4, 5, 6]
    assert all(positions == list(range(len(positions))) for _, positions, _ in rows)
    assert [stored for *_, stored in rows] == [4, 4, 4, 4]
    assert it.query("SELECT reason, count(*) FROM missing_messages GROUP BY 1") == [("picture_not_loaded", 3)]


@pytest.mark.matrix
def test_two_messages_of_a_chat_under_one_id_are_never_mixed_up(account):
    it = account()
    assert it.sync().status is RunStatus.SUCCESS
    group = next(chat["id"] for chat in it.simulator.world()["chats"] if chat["kind"] == "group")
    rows = [row for row in it.truth().values() if row["thread_external_id"] == group]
    one, other, *_ = sorted({row["sender_id"] for row in rows if row["sender_id"] and not row["is_outgoing"]})
    texts = {
        it.simulator.add_message(group, "The first", stanza="3EB0SAME", sender=one): "The first",
        it.simulator.add_message(group, "The second", stanza="3EB0SAME", sender=other): "The second",
        it.simulator.add_message(group, "The third", stanza="3EB0SAME", sender="me"): "The third",
    }

    report = it.sync()

    stored = {key: row["content_snippet"] for key, row in it.stored().items() if key in texts}
    assert stored.items() <= texts.items()
    assert len(stored) + report.missing == len(texts)


@pytest.mark.matrix
def test_a_chat_that_looks_like_another_is_told_apart(account):
    """Three chats with one title and one preview in the same minute; each gets a message of its own."""
    it = account(world={"repertoire": "everything", "messages": 10, "chats": 1})
    assert it.sync().status is RunStatus.SUCCESS
    twins = [chat["id"] for chat in it.simulator.world()["chats"] if chat["title"] == "Sam Doe"]
    keys = {it.simulator.add_message(chat, "The same words again") for chat in twins}

    report = it.sync()

    assert (len(twins), report.applied.inserted, report.chats_opened) == (5, 5, 5)
    assert keys <= it.stored().keys()
    assert_in_step(it)
