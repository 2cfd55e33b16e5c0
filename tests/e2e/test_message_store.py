"""The page's own message store on the simulated page: its self-test, its rows, and what is touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fixtures.page import wait_until
from tests.fixtures.reading import Reading
from whatsapp_etl.errors import StoreUnreadableError
from whatsapp_etl.extract.message_store import MessageStore
from whatsapp_etl.simulator.serve import RunningSimulator
from whatsapp_etl.store_records import StoreCheck, StoreStep, StoreUnavailable
from whatsapp_etl.transform.store_rows import StoreWords, is_told, names_of, read_store_rows

#: Everything that the scripts may touch of the page's modules. The rest is no pure read, or not needed.
ALLOWED = {
    "__debug",
    "__debug.modulesMap",
    "keys of __debug.modulesMap",
    "ifRequireable",
    "ifRequireable()",
    "WAWebStreamModel",
    "WAWebStreamModel.Stream",
    "WAWebStreamModel.Stream.mode",
    "WAWebSocketModel",
    "WAWebSocketModel.Socket",
    "WAWebSocketModel.Socket.state",
    "WAWebSocketModel.Socket.hasSynced",
    "WAWebDbEncryptionKey",
    "WAWebDbEncryptionKey.DbEncKeyStore",
    "WAWebDbEncryptionKey.DbEncKeyStore.waitForFinalDbMsgEncKey",
    "WAWebSchemaMessage",
    "WAWebSchemaMessage.getMessageTable",
    "WAWebSchemaMessage.getMessageTable()",
    "WAWebSchemaMessage.getMessageTable().bulkGet",
    "WAWebSchemaMessage.getMessageTable().lessThan",
    "WAWebDBMessageSerialization",
    "WAWebDBMessageSerialization.messageFromDbRow",
}
#: Fields of a message that are read.
FIELDS = {
    "id", "t", "type", "subtype", "body", "caption", "filename", "mentionedJidList", "isForwarded",
    "forwardingScore", "latestEditMsgKey", "isViewOnce", "isGif", "isLive", "loc", "vcardList",
    "vcardFormattedName", "pollName", "pollOptions", "eventName", "inviteGrpName", "callOutcome",
    "isVideoCall",
    "quotedMsg",
}  # fmt: skip
PROBED = {
    "WAWebStreamModel",
    "WAWebSocketModel",
    "WAWebDbEncryptionKey",
    "WAWebSchemaMessage",
    "WAWebDBMessageSerialization",
}
MESSAGE = "WAWebDBMessageSerialization.messageFromDbRow()"


def store_of(reading: Reading) -> MessageStore:
    return MessageStore(reading.session.page, reading.session.watchdog)


def ledger_once_told(reading: Reading, path: str) -> dict[str, Any]:
    """Return the ledger once the last member that the scripts touch is in it: frames arrive in order."""
    url = f"{reading.simulator.url}/__sim/ledger"
    wait_until(
        reading.session.page, f"async () => (await (await fetch('{url}')).json()).touched.includes('{path}')"
    )
    return reading.simulator.ledger()


def check(reading: Reading) -> StoreCheck:
    return store_of(reading).check(reading.storage.newest_row())


def test_every_step_of_the_self_test_passes_and_names_itself(
    open_reading: Callable[..., Reading], shared_simulator: RunningSimulator
):
    reading = open_reading(shared_simulator)
    assert check(reading) == StoreCheck(tuple(StoreStep))


def test_what_the_store_tells_is_what_the_account_holds(
    open_reading: Callable[..., Reading], simulator: RunningSimulator
):
    reading = open_reading(simulator)
    account, store = reading.session.account(), store_of(reading)
    words = StoreWords(names_of(reading.storage.contacts(), {account.id, account.lid or ""}), "en")
    truth = reading.truth()
    told: dict[str, tuple[object, ...]] = {}
    wanted = set()
    for chat_id in {str(row["thread_external_id"]) for row in truth.values()}:
        facts = {each.stored_id: str(each.key) for each in reading.facts(chat_id) if is_told(each)}
        wanted |= set(facts.values())
        for page in store.rows([each for each in facts if each]):
            for row in read_store_rows(page, words):
                told[facts[row.shown_id]] = (
                    row.text,
                    row.type,
                    row.sent_at,
                    row.is_edited,
                    row.is_forwarded,
                )

    ledger = simulator.ledger()
    assert len({row["message_type"] for row in truth.values() if row["external_id"] in told}) >= 15
    assert told.keys() == wanted
    assert told == {
        key: (
            truth[key]["content_snippet"],
            truth[key]["message_type"],
            datetime.fromisoformat(str(truth[key]["ts"])),
            bool(truth[key]["is_edited"]),
            bool(truth[key]["is_forwarded"]),
        )
        for key in wanted
    }
    assert (ledger["receipts"], ledger["presence"]["available"], ledger["client_errors"]) == (0, 0, {})


def test_the_scripts_touch_nothing_but_what_is_allowed(
    open_reading: Callable[..., Reading], start_simulator: Callable[..., RunningSimulator]
):
    simulator = start_simulator(chats=6, messages=90)
    simulator.set_config(record_touches=True)
    reading = open_reading(simulator)
    before = set(simulator.ledger()["touched"])
    store = store_of(reading)
    assert store.check(reading.storage.newest_row()).is_passed
    keys = [each.stored_id for chat_id in reading.chats() for each in reading.facts(chat_id)]
    assert sum(len(page) for page in store.rows([key for key in keys if key])) == len(keys) > 50

    ledger = ledger_once_told(reading, f"{MESSAGE}.quotedMsg")
    touched = set(ledger["touched"]) - before
    allowed = ALLOWED | {f"in __debug.modulesMap.{name}" for name in PROBED}
    allowed |= {MESSAGE, *(f"{MESSAGE}.{name}" for name in FIELDS)}
    other = {
        each for each in touched - allowed if not each.startswith(tuple(f"{MESSAGE}.{n}" for n in FIELDS))
    }
    assert other == set()
    assert f"{MESSAGE}.body" in touched
    assert "WAWebSchemaMessage.getMessageTable().bulkGet" in touched
    assert (ledger["calls"], ledger["client_errors"], ledger["receipts"]) == ({}, {}, 0)


BROKEN: Mapping[str, tuple[Mapping[str, Any], StoreUnavailable, str | None]] = {
    "module_missing": (
        {"missing_modules": ["WAWebDBMessageSerialization"]},
        StoreUnavailable.MODULE_MISSING,
        "WAWebDBMessageSerialization",
    ),
    "module_unresolved": (
        {"unresolved_modules": ["WAWebSchemaMessage"]},
        StoreUnavailable.MODULE_UNRESOLVED,
        "WAWebSchemaMessage",
    ),
    "call_renamed": (
        {"renamed_members": {"WAWebSchemaMessage.getMessageTable().bulkGet": "getMany"}},
        StoreUnavailable.MEMBER_MISSING,
        "WAWebSchemaMessage.getMessageTable().bulkGet",
    ),
    "function_renamed": (
        {"renamed_members": {"WAWebDBMessageSerialization.messageFromDbRow": "fromRow"}},
        StoreUnavailable.MEMBER_MISSING,
        "WAWebDBMessageSerialization.messageFromDbRow",
    ),
    "state_renamed": (
        {"renamed_members": {"WAWebSocketModel.Socket.hasSynced": "synced"}},
        StoreUnavailable.NOT_SYNCED,
        "Socket.hasSynced",
    ),
    "index_renamed": (
        {"renamed_columns": {"rowId": "rid", "t": "ts"}},
        StoreUnavailable.ROW_SHAPE,
        "rowId",
    ),
    "column_renamed": ({"renamed_columns": {"t": "ts"}}, StoreUnavailable.ROW_SHAPE, "t"),
    "text_renamed": ({"renamed_columns": {"body": "words"}}, StoreUnavailable.NOT_DECODED, "body"),
    "table_empty": ({"table_empty": True}, StoreUnavailable.TABLE_EMPTY, None),
    "bodiless": ({"table_bodiless": True}, StoreUnavailable.NOT_DECODED, "body"),
    "reads_fail": ({"failing_reads": 0}, StoreUnavailable.REFUSED, "DatabaseClosedError"),
    "reads_fail_later": ({"failing_reads": 1}, StoreUnavailable.REFUSED, "DatabaseClosedError"),
    "key_never_comes": ({"key_never_comes": True}, StoreUnavailable.KEY_LATE, None),
    "reads_hang": ({"hanging_reads": 0}, StoreUnavailable.TIMED_OUT, "lessThan"),
    "reads_hang_later": ({"hanging_reads": 1}, StoreUnavailable.TIMED_OUT, "bulkGet"),
    "no_loader": ({}, StoreUnavailable.NO_LOADER, None),
}
QUICK = {"bodiless"}


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=() if each in QUICK else pytest.mark.matrix) for each in BROKEN]
)
def test_what_is_broken_is_named(
    name: str,
    open_reading: Callable[..., Reading],
    start_simulator: Callable[..., RunningSimulator],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("whatsapp_etl.extract.message_store._KEY_WITHIN", timedelta(seconds=0.5))
    monkeypatch.setattr("whatsapp_etl.extract.message_store._READ_WITHIN", timedelta(seconds=0.5))
    config, reason, detail = BROKEN[name]
    simulator = start_simulator(chats=3, messages=30)
    simulator.set_config(**config)
    reading = open_reading(simulator)
    if name == "no_loader":
        reading.session.page.evaluate("() => { delete window.require; }")

    found = check(reading)

    assert (found.reason, found.detail) == (reason, detail)
    assert found.passed == tuple(StoreStep)[: len(found.passed)]
    assert simulator.ledger()["client_errors"] == {}


@pytest.mark.matrix
@pytest.mark.parametrize(
    "config",
    [
        {"delays": {"modules_ms": 1500}},
        {"delays": {"key_ms": 1500}},
        {"serialized_keys": True},
        {"serialized_keys": False},
        {"renamed_members": {"WAWebSchemaMessage.getMessageTable().greaterThan": "above"}},
    ],
    ids=str,
)
def test_what_comes_late_or_is_not_needed_hinders_nothing(
    config: Mapping[str, Any],
    open_reading: Callable[..., Reading],
    start_simulator: Callable[..., RunningSimulator],
):
    simulator = start_simulator(chats=3, messages=30)
    simulator.set_config(**config)
    assert check(open_reading(simulator)) == StoreCheck(tuple(StoreStep))
    assert simulator.ledger()["client_errors"] == {}


@pytest.mark.matrix
def test_a_table_that_stands_still_is_found_out_and_its_rows_are_asked_for_in_vain(
    open_reading: Callable[..., Reading], start_simulator: Callable[..., RunningSimulator]
):
    simulator = start_simulator(chats=2, messages=30, extras=False)
    reading = open_reading(simulator)
    store = store_of(reading)
    chat = simulator.world()["chats"][0]["id"]
    assert store.check(reading.storage.newest_row()).is_passed
    simulator.set_config(table_stands_still=True)
    old = [each.stored_id for each in reading.facts(chat)][-1]
    assert old
    assert [len(page) for page in store.rows([old])] == [1]
    key = simulator.add_message(chat, "News", sender=chat)
    reading.wait_until_stored(key)

    new = {str(each.key): each.stored_id for each in reading.facts(chat)}[key]
    found = store.check(reading.storage.newest_row())

    assert (found.reason, found.detail) == (StoreUnavailable.NOT_LISTED, "rowId")
    assert new
    assert [len(page) for page in store.rows([new, old])] == [1]


@pytest.mark.matrix
def test_a_text_that_lacks_in_the_middle_of_a_cycle_is_no_empty_text(
    open_reading: Callable[..., Reading], start_simulator: Callable[..., RunningSimulator]
):
    simulator = start_simulator(chats=2, messages=30, extras=False)
    reading = open_reading(simulator)
    store = store_of(reading)
    assert store.check(reading.storage.newest_row()).is_passed
    simulator.set_config(table_bodiless=True)
    keys = [each.stored_id for each in reading.facts(simulator.world()["chats"][0]["id"])]

    with pytest.raises(StoreUnreadableError) as raised:
        list(store.rows([key for key in keys if key]))

    assert (raised.value.reason, raised.value.detail) == (StoreUnavailable.NOT_DECODED, "body")
