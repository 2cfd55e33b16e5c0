"""The page's module loader: what other clients ask it for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.fixtures.page import Visit, wait_until
from tests.simulator.conversation_page import open_chat
from whatsapp_etl.simulator.serve import RunningSimulator


def test_other_clients_find_the_messages_in_memory_by_their_bare_id(
    start_simulator: Callable[..., RunningSimulator], visit: Visit
):
    simulator = start_simulator(chats=1, messages=30, extras=False)
    (chat,) = simulator.world()["chats"]
    key = simulator.add_message(chat["id"], "Found *me* 😀", sender=chat["id"])
    page = visit(simulator.url)
    memory = "() => require('WAWebCollections').Msg.getModelsArray()"
    at_start = page.evaluate(f"({memory})().length")
    open_chat(page, chat["title"])

    text = page.evaluate(
        "id => require('WAWebCollections').Msg.getModelsArray().find(m => m.id.id === id)?.body",
        key.split("_")[2],
    )

    assert text == "Found *me* 😀"
    assert at_start == 1 < page.evaluate(f"({memory})().length")
    assert page.evaluate(
        "() => [require('WAWebStreamModel').Stream.mode, require('WAWebSocketModel').Socket.state]"
    ) == [
        "MAIN",
        "CONNECTED",
    ]
    assert not page.evaluate("() => 'WAWebSend' in require('__debug').modulesMap")


def test_asking_for_what_is_not_there_is_an_error_that_the_server_hears_of(
    simulator: RunningSimulator, visit: Visit
):
    simulator.set_config(missing_modules=["WAWebLidMigrationUtils"], unresolved_modules=["WAWebApiContact"])
    page = visit(simulator.url)

    quiet = page.evaluate(
        """() => ['WAWebLidMigrationUtils', 'WAWebApiContact', 'WAWebWid'].map(id => [
            id in require('__debug').modulesMap,
            require('ifRequireable')(id, () => 'found', () => 'not'),
        ])"""
    )
    before = simulator.ledger()["client_errors"]
    said = page.evaluate(
        """() => ['WAWebLidMigrationUtils', 'WAWebApiContact', 'toString'].map(id => {
            try { require(id); } catch (error) { return error.message; }
        })"""
    )

    assert quiet == [[False, "not"], [True, "not"], [True, "found"]]
    assert before == {}
    assert said == [
        'Requiring unknown module "WAWebLidMigrationUtils"',
        'Requiring module "WAWebApiContact" with unresolved dependencies: WAWebApiContactImpl',
        'Requiring unknown module "toString"',
    ]
    heard = wait_until_heard(page, simulator, "client_errors")
    assert heard == dict.fromkeys(said, 1)


@pytest.mark.matrix
def test_require_gives_the_default_export_and_import_namespace_all_of_them(
    shared_simulator: RunningSimulator, visit: Visit
):
    page = visit(shared_simulator.url)

    given = page.evaluate(
        """() => [
            importNamespace('WAWebMsgKey').default === require('WAWebMsgKey'),
            importNamespace('WAWebSchemaMessage') === require('WAWebSchemaMessage'),
            require('__debug').modulesMap.WAWebMsgKey.defaultExport === require('WAWebMsgKey'),
        ]"""
    )

    assert given == [True, True, True]


@pytest.mark.matrix
def test_modules_register_progressively(simulator: RunningSimulator, visit: Visit):
    simulator.set_config(delays={"modules_ms": 600})
    page = visit(simulator.url, wait=None)

    counts = page.evaluate(
        """async () => {
            const counts = [];
            const end = performance.now() + 10000;
            for (; performance.now() < end; await new Promise(requestAnimationFrame)) {
                const map = window.require?.('__debug').modulesMap ?? {};
                if (Object.keys(map).length !== counts.at(-1)) counts.push(Object.keys(map).length);
                if ('WAWebDBMessageFindLocal' in map) return counts;
            }
        }"""
    )

    assert counts == sorted(counts)
    assert len(counts) >= 3


@pytest.mark.matrix
def test_a_member_has_another_name_after_the_next_release(simulator: RunningSimulator, visit: Visit):
    renamed = {
        "WAWebSchemaMessage.getMessageTable().lessThan": "below",
        "WAWebDbEncryptionKey.DbEncKeyStore.waitForFinalDbMsgEncKey": "waitForKey",
        "WAWebDBMessageSerialization.messageFromDbRow": "fromRow",
    }
    simulator.set_config(renamed_members=renamed)
    page = visit(simulator.url)

    found = page.evaluate(
        """async () => {
            const table = require('WAWebModelStorageUtils').getStorage().table('message');
            const first = require('WAWebSchemaMessage').getMessageTable();
            const { DbEncKeyStore } = require('WAWebDbEncryptionKey');
            await DbEncKeyStore.waitForKey();
            const [row] = await table.below(['rowId'], Infinity, {reverse: true, limit: 1});
            const { fromRow, messageFromDbRow } = require('WAWebDBMessageSerialization');
            const gone = [first.lessThan, DbEncKeyStore.waitForFinalDbMsgEncKey, messageFromDbRow];
            return [...gone.map(each => typeof each), String(fromRow(row).id) === row.id];
        }"""
    )

    assert found == ["undefined", "undefined", "undefined", True]


@pytest.mark.matrix
def test_the_key_comes_after_the_login_or_never(simulator: RunningSimulator, visit: Visit):
    simulator.set_config(key_never_comes=True)
    page = visit(simulator.url)

    found = page.evaluate(
        """async () => {
            const table = require('WAWebSchemaMessage').getMessageTable();
            const key = require('WAWebDbEncryptionKey').DbEncKeyStore.waitForFinalDbMsgEncKey();
            return [
                await Promise.race([key.then(() => 'came'), new Promise(r => setTimeout(r, 50, 'late'))]),
                await table.all({limit: 1}).catch(error => error.name),
                (await table.all({limit: 1, shouldDecrypt: false})).length,
            ];
        }"""
    )

    assert found == ["late", "DbMsgEncKeyNotLoaded", 1]
    assert page.locator("#pane-side [data-testid=last-msg-status]").count() > 0  # the page itself has it


@pytest.mark.matrix
def test_keys_carry_their_packed_form_or_not(simulator: RunningSimulator, visit: Visit):
    simulator.set_config(serialized_keys=True)
    page = visit(simulator.url)

    packed, text = page.evaluate(
        "() => require('WAWebCollections').Msg.getModelsArray().map(m => [m.id._serialized, String(m.id)])[0]"
    )

    assert packed == text


def test_what_scripts_touch_of_the_modules_is_told_where_it_is_asked_for(
    simulator: RunningSimulator, visit: Visit
):
    simulator.set_config(record_touches=True)
    page = visit(simulator.url)

    read = page.evaluate(
        """async () => {
            if (!('WAWebSchemaMessage' in require('__debug').modulesMap)) return [];
            const rows = await require('WAWebSchemaMessage').getMessageTable().all({limit: 3});
            const { messageFromDbRow } = require('WAWebDBMessageSerialization');
            const { Chat } = require('WAWebCollections');
            const chat = Chat.getModelsArray()[0];
            await Chat.find(chat.id);
            await require('WAWebUpdateUnreadChatAction').sendSeen({ chat });
            if (!(new (require('WAWebWid'))('1@lid') instanceof require('WAWebWid'))) return [];
            Chat.find = null;
            return rows.map(row => String(messageFromDbRow(row).id));
        }"""
    )

    assert len(read) == 3
    assert set(wait_until_heard(page, simulator, "touched")) == {
        "__debug",
        "__debug.modulesMap",
        "in __debug.modulesMap.WAWebSchemaMessage",
        "WAWebSchemaMessage",
        "WAWebSchemaMessage.getMessageTable",
        "WAWebSchemaMessage.getMessageTable().all",
        "WAWebDBMessageSerialization",
        "WAWebDBMessageSerialization.messageFromDbRow",
        "WAWebDBMessageSerialization.messageFromDbRow().id",
        "WAWebDBMessageSerialization.messageFromDbRow().id.toString",
        "WAWebCollections",
        "WAWebCollections.Chat",
        "WAWebCollections.Chat.getModelsArray",
        "WAWebCollections.Chat.getModelsArray()[].id",
        "WAWebCollections.Chat.find",
        "WAWebUpdateUnreadChatAction",
        "WAWebUpdateUnreadChatAction.sendSeen",
        "WAWebWid",
        "WAWebWid.Symbol(Symbol.hasInstance)",
        "set WAWebCollections.Chat.find",
    }
    assert simulator.ledger()["calls"] == {"Chat.find": 1, "sendSeen": 1, "markUnread": 1}


@pytest.mark.matrix
def test_older_messages_come_into_memory_without_being_shown(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)
    chat = max(simulator.world()["chats"], key=lambda each: each["messages"])

    counts = page.evaluate(
        """async (id) => {
            const { Chat } = require('WAWebCollections');
            const { loadEarlierMsgs } = require('WAWebChatLoadMessages');
            const counts = [Chat.get(id).msgs.length];
            while (await loadEarlierMsgs({ chat: Chat.get(id) })) counts.push(Chat.get(id).msgs.length);
            return counts;
        }""",
        chat["id"],
    )

    assert counts[0] == 1
    assert counts[1] == 51
    assert counts[-1] == chat["messages"] - chat["on_phone"]
    assert page.locator("#main [data-id]").count() == 0


READ = """async ([call, ...given]) => {
    const table = require('WAWebSchemaMessage').getMessageTable();
    const { messageFromDbRow } = require('WAWebDBMessageSerialization');
    const late = new Promise(resolve => setTimeout(resolve, 300, 'late'));
    const shown = (rows) => (Array.isArray(rows) ? rows.map(messageFromDbRow) : rows);
    const read = table[call](...given).then(shown);
    return Promise.race([read, late]).catch(error => error.name);
}"""


def test_what_goes_badly_with_reads_is_switched_while_the_page_is_open(
    simulator: RunningSimulator, visit: Visit
):
    page = visit(simulator.url)
    everything = page.evaluate(READ, ["count"])
    newest = ["lessThan", ["rowId"], 2e9, {"reverse": True, "limit": 1}]
    (last,) = page.evaluate(READ, newest)

    def behaving(name: str, *call: object, times: int = 1) -> Any:
        simulator.behave(name)
        simulator.dialog("none")  # answered once the page has heard of both
        answer = [page.evaluate(READ, [*call] or newest) for _ in range(times)][-1]
        simulator.behave()
        return answer

    assert everything > 200
    assert behaving("reads_hang") == "late"
    assert behaving("reads_fail_later", times=7) == "DatabaseClosedError"
    assert (behaving("table_empty", "count"), behaving("table_empty")) == (0, [])
    (bodiless,) = behaving("table_bodiless")
    assert (bodiless["rowId"], bodiless.get("body")) == (last["rowId"], None)
    (renamed,) = behaving("columns_renamed", "lessThan", ["rid"], 2e9, {"reverse": True, "limit": 1})
    assert (renamed["rid"], renamed["ts"], "rowId" in renamed) == (last["rowId"], last["t"], False)
    assert behaving("columns_renamed") == "SchemaError"
    simulator.behave("table_stands_still")
    simulator.dialog("none")
    page.evaluate(READ, ["count"])
    simulator.add_message(last["id"]["remote"]["_serialized"], "News")
    page.locator("#pane-side").get_by_text("News").wait_for()
    assert page.evaluate(READ, ["count"]) == everything
    assert page.evaluate(READ, newest)[0]["rowId"] == last["rowId"]


@pytest.mark.matrix
def test_history_that_arrives_later_lies_below_all_rows(simulator: RunningSimulator, visit: Visit):
    before = {row["external_id"] for row in simulator.truth(view="attainable")}
    chats = simulator.hold_history(25)
    held = before - {row["external_id"] for row in simulator.truth(view="attainable")}
    page = visit(simulator.url)
    rows = (
        "async () => (await require('WAWebSchemaMessage').getMessageTable().all()).map(r => [r.id, r.rowId])"
    )
    first = dict(page.evaluate(rows))

    came = simulator.release_history()

    wait_until(page, f"async () => (await ({rows})()).length === {len(first) + came}")
    then = dict(page.evaluate(rows))
    late = then.keys() - first.keys()
    assert chats > 2
    assert {key.removesuffix("_in").removesuffix("_out") for key in late} >= held
    assert held
    assert max(then[key] for key in late) < min(first.values())
    assert {row["external_id"] for row in simulator.truth(view="attainable")} == before


def wait_until_heard(page: Page, simulator: RunningSimulator, name: str) -> Any:
    """Return an entry of the ledger once the page's frames up to now are there: they arrive in order."""
    page.evaluate("require('WAWebUpdateUnreadChatAction').markUnread()")
    wait_until(
        page, f"async () => (await (await fetch('{simulator.url}/__sim/ledger')).json()).calls.markUnread"
    )
    entry = simulator.ledger()[name]
    return [each for each in entry if "markUnread" not in each] if isinstance(entry, list) else entry
