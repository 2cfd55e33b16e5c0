"""When the page's message store cannot be read, the page is, in the same cycle: nothing lost or doubled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.cycle import Account, assert_in_step, link
from whatsapp_etl.errors import DatabaseUnreachableError
from whatsapp_etl.extract.message_store import MessageStore
from whatsapp_etl.model import RunStatus
from whatsapp_etl.simulator.behaviours import BEHAVIOURS
from whatsapp_etl.steps import Step, no_announcement
from whatsapp_etl.store_records import StoreUnavailable

OpenAccount = Callable[..., Account]
WORLD = {"chats": 3, "messages": 30, "extras": False}

#: By behaviour of the stand-in: why the store is left; None: it is read all the same.
BEHAVE: Mapping[str, StoreUnavailable | None] = {
    "modules_late": None,
    "module_missing": StoreUnavailable.MODULE_MISSING,
    "dependency_unresolved": StoreUnavailable.MODULE_UNRESOLVED,
    "member_renamed": None,  # one that is not needed
    "columns_renamed": StoreUnavailable.ROW_SHAPE,
    "keys_serialized": None,
    "keys_bare": None,
    "key_late": None,
    "key_never_comes": StoreUnavailable.KEY_LATE,
    "reads_hang": StoreUnavailable.TIMED_OUT,
    "reads_hang_later": StoreUnavailable.TIMED_OUT,
    "reads_fail_later": StoreUnavailable.REFUSED,
    "table_empty": StoreUnavailable.TABLE_EMPTY,
    "table_stands_still": None,  # nothing new came since
    "table_bodiless": StoreUnavailable.NOT_DECODED,
}
QUICK = "dependency_unresolved"
LATER = {"reads_hang_later": 3, "reads_fail_later": 3}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whatsapp_etl.extract.message_store._KEY_WITHIN", timedelta(seconds=2))
    monkeypatch.setattr("whatsapp_etl.extract.message_store._READ_WITHIN", timedelta(seconds=1))
    monkeypatch.setattr("whatsapp_etl.store_first.GROUP_ROWS", 1)  # each chat is read for itself


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=() if each == QUICK else pytest.mark.matrix) for each in BEHAVE]
)
def test_each_way_of_going_badly_is_named_and_costs_no_message(account: OpenAccount, name: str):
    # The chat list is not compared here: that takes reads, too, and those that go well are counted.
    it = account(WORLD, whatsapp_reader="auto", whatsapp_store_cross_check_chats=0)
    config: dict[str, Any] = dict(BEHAVIOURS[name].config)
    if name in LATER:  # after the self-test and one chat
        config = dict.fromkeys(config, LATER[name])
    it.simulator.set_config(**config)

    report = it.sync()

    assert report.status is RunStatus.SUCCESS, report.error
    assert report.store_unavailable is BEHAVE[name]
    assert (report.rows_by_store > 0) is (BEHAVE[name] is None or name in LATER)
    assert_in_step(it)
    ledger = it.simulator.ledger()
    assert (ledger["receipts"], ledger["client_errors"], ledger["calls"]) == (0, {}, {})


@pytest.mark.matrix
@pytest.mark.parametrize(
    "member",
    [
        "WAWebSchemaMessage.getMessageTable",
        "WAWebSchemaMessage.getMessageTable().bulkGet",
        "WAWebSchemaMessage.getMessageTable().lessThan",
        "WAWebDBMessageSerialization.messageFromDbRow",
        "WAWebDbEncryptionKey.DbEncKeyStore",
    ],
)
def test_a_member_that_is_needed_and_was_renamed_is_named(account: OpenAccount, member: str):
    it = account(WORLD, whatsapp_reader="auto")
    it.simulator.set_config(renamed_members={member: "renamed"})

    report = it.sync()

    assert (report.status, report.rows_by_store) == (RunStatus.SUCCESS, 0), report.error
    assert (report.store_unavailable, report.store_detail) == (StoreUnavailable.MEMBER_MISSING, member)
    assert_in_step(it)
    assert it.simulator.ledger()["client_errors"] == {}


@pytest.mark.matrix
def test_rows_that_the_table_does_not_see_come_from_the_page(account: OpenAccount):
    it = account(WORLD, whatsapp_reader="auto")
    assert it.sync().rows_by_store > 0
    it.simulator.set_config(table_stands_still=True)
    # What the table saw last is what came before its first read in that state.
    MessageStore(it.source.session.page, it.source.session.watchdog).check(it.source.storage.newest_row())
    chat = it.simulator.world()["chats"][0]["id"]
    it.simulator.add_message(chat, "News", sender=chat)

    report = it.sync()

    assert (report.status, report.store_unavailable) == (RunStatus.SUCCESS, StoreUnavailable.NOT_LISTED)
    assert report.chats_opened == 1
    assert_in_step(it)


@pytest.mark.matrix
def test_another_text_on_the_page_lets_the_store_rest(account: OpenAccount):
    it = account(WORLD, whatsapp_reader="auto")
    assert it.sync().store_unavailable is None
    with it.database.connect() as connection:
        connection.execute("UPDATE messages SET content_snippet = 'x' WHERE message_type = 'text'")
        connection.commit()
    chat = it.simulator.world()["chats"][0]["id"]
    it.simulator.add_message(chat, {"caption": None, "thumb": ""}, sender=chat, type="image")

    report = it.sync()
    it.simulator.add_message(chat, "After it", sender=chat)
    next_report = it.sync()

    assert report.disagreements > 0
    assert report.store_unavailable is next_report.store_unavailable is StoreUnavailable.DISAGREES
    assert (next_report.rows_by_store, next_report.chats_opened) == (0, 1)


def changed(it: Account) -> dict[str, str]:
    """Let an account edit, delete, react and write; return the keys by what happened."""
    chats = it.simulator.world()["chats"]
    chat = next(each["id"] for each in chats if each["kind"] == "person")
    keys = {
        name: it.simulator.add_message(chat, f"To be {name}", sender=chat)
        for name in ("edited", "deleted", "left", "answered")
    }
    it.simulator.edit(keys["edited"], "It was *edited*")
    it.simulator.delete(keys["deleted"])
    it.simulator.add_message(chat, "An answer", sender="me", quoted=keys["answered"])
    return keys


@pytest.mark.matrix
def test_changes_are_seen_in_the_store_and_a_quiet_cycle_reads_nothing(account: OpenAccount):
    it = account(WORLD, whatsapp_reader="store")
    it.sync()
    keys = changed(it)

    report = it.sync()
    again = it.sync()

    assert (report.applied.inserted, report.chats_opened, report.rows_by_store) == (5, 0, 4)
    assert (again.applied.inserted, again.applied.updated, again.rows_by_store) == (0, 0, 0)
    stored = it.stored()
    assert stored[keys["edited"]]["content_snippet"] == "It was edited"
    assert stored[keys["deleted"]]["message_type"] == "deleted"


@pytest.mark.matrix
def test_readers_may_change_from_cycle_to_cycle(account: OpenAccount):
    it = account(WORLD, whatsapp_reader="dom")
    it.sync()
    for reader in ("auto", "dom", "auto", "dom", "auto"):
        it.cycle._store_first.choice = reader
        changed(it)
        person = next(each for each in it.simulator.world()["chats"] if each["kind"] == "person")
        if reader == "auto" and not person["id"].endswith("@lid"):
            it.simulator.migrate_chat(person["id"])
        report = it.sync()
        assert report.status is RunStatus.SUCCESS
        assert_in_step(it)
    it.simulator.link_again()
    link(it)
    assert it.sync().status is RunStatus.SUCCESS
    assert_in_step(it)


@pytest.mark.matrix
def test_a_cycle_that_ends_between_store_and_page_says_what_is_left_and_the_next_one_reads_it(
    account: OpenAccount,
):
    it = account({"chats": 4, "messages": 60}, whatsapp_reader="auto")
    seen: list[Step] = []

    def end_it(step: Step) -> None:
        seen.append(step)
        if seen.count(Step.CHAT_STORED) == 2:
            it.stop.set()

    it.cycle.announce = end_it
    cut = it.sync()
    it.cycle.announce = no_announcement
    left = it.query("SELECT missing FROM sync_coverage WHERE stop_reason = 'interrupted'")
    it.stop.clear()
    report = it.sync()

    assert cut.status is RunStatus.INTERRUPTED
    assert 0 < cut.applied.inserted < report.applied.inserted + cut.applied.inserted
    assert left
    assert all(missing for (missing,) in left)
    assert report.status is RunStatus.SUCCESS
    assert_in_step(it)
    assert not it.query("SELECT FROM sync_coverage WHERE stop_reason = 'interrupted'")


@pytest.mark.matrix
def test_what_the_store_told_waits_on_disk_while_postgres_is_away(account: OpenAccount):
    it = account(WORLD, whatsapp_reader="auto")
    it.sync()
    chats = it.simulator.world()["chats"]
    for chat in chats:
        it.simulator.add_message(chat["id"], "While it was away", sender="me")
    real, it.store.apply_together = it.store.apply_together, unreachable
    away = it.sync()
    it.store.apply_together = real
    report = it.sync()

    assert away.spooled == len(chats)
    assert (away.chats_opened, report.unspooled) == (0, len(chats))
    assert_in_step(it)


def unreachable(*_: object) -> None:
    raise DatabaseUnreachableError("Postgres went away.")
