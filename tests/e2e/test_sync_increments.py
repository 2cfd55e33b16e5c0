"""Cycles that list what came since: as much is read as is new, and nothing is lost or doubled by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.fixtures.cycle import Account, assert_in_step
from whatsapp_etl.cursors import FeedCursors, ListedBy
from whatsapp_etl.model import RunStatus
from whatsapp_etl.steps import Step, no_announcement

OpenAccount = Callable[..., Account]
WORLD = {"chats": 3, "messages": 30, "extras": False}
NOW = datetime.fromisoformat("2026-03-15T12:00:00+00:00")
LATER = NOW + timedelta(days=4)


def cursors(it: Account) -> FeedCursors:
    found = it.store.cursors()
    assert found is not None
    return found


def reactions(it: Account) -> set[tuple[str, str, str | None]]:
    return set(
        it.query(
            "SELECT m.external_id, r.sender_id, r.emoji FROM reactions r"
            " JOIN messages m ON m.id = r.message_id"
        )
    )


def person(it: Account) -> str:
    return next(str(each["id"]) for each in it.simulator.world()["chats"] if each["kind"] == "person")


def test_what_changed_of_late_is_seen_by_what_came_since(account: OpenAccount):
    it = account(WORLD, whatsapp_reader="auto")
    first = it.sync()
    chat = person(it)
    keys = [it.simulator.add_message(chat, f"News {n}", sender=chat) for n in range(4)]
    waiting = it.simulator.add_message(chat, type="ciphertext", sender=chat)
    second = it.sync()
    it.simulator.edit(keys[0], "Better news")
    it.simulator.delete(keys[1])
    it.simulator.react(keys[2], "👍")
    it.simulator.decrypt(waiting, "At last")
    third = it.sync()
    it.simulator.react(keys[2], "🎉")
    quiet = it.sync()

    assert [each.listed_by for each in (first, second, third, quiet)] == [
        ListedBy.FIRST,
        *[ListedBy.INCREMENT] * 3,
    ]
    assert {each.status for each in it.reports} == {RunStatus.SUCCESS}
    assert (second.applied.inserted, third.applied.inserted, quiet.applied.inserted) == (5, 0, 0)
    assert (third.applied.updated, third.rows_by_store) == (3, 2)
    assert third.expected == len(it.stored()) == first.expected + 5
    assert third.missing == 0
    assert_in_step(it)
    assert {emoji for key, _, emoji in reactions(it) if key == keys[2]} == {"🎉"}


#: Of a cycle with five new messages in one chat: the ends of the feed, the five as new, as recent with three
#: older ones, and with the 59 before them in their chat; and the newest row, for the self-test.
LOOKED_AT = 3 + 5 + (5 + 3) + (5 + 59) + 1


@pytest.mark.matrix
@pytest.mark.parametrize("world", [{"chats": 4, "messages": 400}, {"chats": 12, "messages": 4000}])
def test_five_new_messages_cost_the_same_in_a_small_and_in_a_large_account(
    account: OpenAccount, world: dict[str, object]
):
    it = account({**world, "pictures": False}, whatsapp_reader="store")
    assert it.sync().listed_by is ListedBy.FIRST
    # Four days on nothing of it is recent any more.
    it.cycle.clock = lambda: LATER
    assert it.sync().listed_by is ListedBy.DUE
    chats = [each for each in it.simulator.world()["chats"] if each["in_scope"]]
    chat = max(chats, key=lambda each: int(each["messages"]))["id"]
    for n in range(5):
        it.simulator.add_message(chat, f"News {n}", sender="me", at=LATER.isoformat())

    report = it.sync()

    assert report.listed_by is ListedBy.INCREMENT
    assert (report.applied.inserted, report.applied.updated, report.rows_by_store) == (5, 0, 5)
    assert report.rows_looked_at == LOOKED_AT


@pytest.mark.matrix
def test_a_chat_with_nothing_but_a_new_notice_stays_closed(account: OpenAccount):
    it = account(WORLD, whatsapp_reader="store")
    it.sync()
    chat = next(each["id"] for each in it.simulator.world()["chats"] if each["kind"] == "group")
    key = it.simulator.add_message(chat, "You were made an admin", type="gp2", subtype="promote")

    report = it.sync()

    assert (report.status, report.applied.inserted, report.chats_opened) == (RunStatus.SUCCESS, 1, 0)
    assert it.stored()[key]["message_type"] == "system"


@pytest.mark.matrix
def test_history_that_comes_later_is_found_below(account: OpenAccount):
    it = account(WORLD, whatsapp_reader="auto")
    assert it.simulator.hold_history(5) > 0
    it.sync()
    before = cursors(it)
    came = it.simulator.release_history()

    report = it.sync()

    assert (report.listed_by, report.status) == (ListedBy.INCREMENT, RunStatus.SUCCESS)
    assert came > 0
    assert report.applied.inserted > 0
    assert cursors(it).lo <= before.lo - came
    assert_in_step(it)


@pytest.mark.matrix
def test_another_feed_is_read_from_the_beginning_and_doubles_nothing(account: OpenAccount):
    it = account(WORLD, whatsapp_reader="store")
    it.sync()
    stored = len(it.stored())
    gone = it.simulator.restore(3)
    it.simulator.add_message(person(it), "After it was set back", sender="me")
    restored = it.sync()
    it.simulator.link_again()
    linked = [it.sync()]
    while linked[-1].status is not RunStatus.SUCCESS and len(linked) < 5:
        linked.append(it.sync())  # the ones before met the page while it was being linked
    quiet = it.sync()

    assert gone > 0
    assert (restored.listed_by, linked[-1].listed_by) == (ListedBy.REWOUND, ListedBy.REWOUND)
    assert len(it.stored()) == stored + 1
    assert sum(each.applied.inserted for each in linked) == 0
    assert (quiet.listed_by, quiet.applied.inserted, quiet.applied.updated) == (ListedBy.INCREMENT, 0, 0)


@pytest.mark.matrix
@pytest.mark.parametrize("step", [Step.COMPARED, Step.CHAT_READ, Step.CHAT_WRITTEN, Step.CHAT_STORED])
def test_the_cursors_move_with_the_last_rows_that_they_cover(account: OpenAccount, step: Step):
    it = account(WORLD, whatsapp_reader="auto")
    it.sync()
    before = cursors(it)
    for each in it.simulator.world()["chats"]:
        it.simulator.add_message(each["id"], "To all", sender="me")

    def killed(at: Step) -> None:
        if at is step:
            raise KeyboardInterrupt

    it.store._announce = it.cycle.announce = killed
    with pytest.raises(KeyboardInterrupt):
        it.sync()
    stored = it.query("SELECT count(*) FROM messages WHERE content_snippet = 'To all'")[0][0]
    assert (cursors(it) != before) == (stored == len(it.simulator.world()["chats"]))
    it.store._announce = it.cycle.announce = no_announcement
    report = it.sync()

    assert (report.listed_by, report.status) == (ListedBy.INCREMENT, RunStatus.SUCCESS)
    assert cursors(it).hi.number == before.hi.number + len(it.simulator.world()["chats"])
    assert report.expected == len(it.stored())
    assert_in_step(it)


@pytest.mark.matrix
def test_a_chat_that_is_let_in_is_read_back_to_the_edge(account: OpenAccount):
    it = account(WORLD, whatsapp_reader="auto")
    chat = person(it)
    it.simulator.change_chat(chat, locked=True)
    it.sync()
    assert chat not in {row["thread_external_id"] for row in it.stored().values()}
    it.simulator.add_message(chat, "Behind the lock", sender=chat)
    locked = it.sync()
    it.simulator.change_chat(chat, locked=False)

    report = it.sync()

    assert (locked.listed_by, locked.rows_by_store) == (ListedBy.INCREMENT, 0)
    assert report.listed_by is ListedBy.SCOPE_CHANGED
    assert_in_step(it)


@pytest.mark.matrix
def test_a_gap_that_is_due_is_looked_for_again(account: OpenAccount):
    it = account(WORLD, whatsapp_reader="auto")
    it.sync()
    chat = person(it)
    key = it.simulator.add_message(chat, "Refused at first", sender=chat)
    it.simulator.set_config(table_bodiless=True)
    it.sync()
    it.simulator.set_config(table_bodiless=False)
    it.query("UPDATE missing_messages SET next_try_at = now() - interval '10 years' RETURNING 1")

    report = it.sync()

    assert report.listed_by is ListedBy.INCREMENT
    assert key in it.stored()
    assert_in_step(it)
