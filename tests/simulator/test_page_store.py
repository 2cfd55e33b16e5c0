"""The browser's storage behind the stand-in's page: its shape, what is plain in it and what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.fixtures.page import Visit, wait_until
from whatsapp_etl.simulator.app import STATIC
from whatsapp_etl.simulator.serve import RunningSimulator

OPEN = """
    const database = await new Promise((resolve, reject) => {
        const request = indexedDB.open("model-storage");
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    const all = (store) => new Promise(resolve => {
        const request = database.transaction(store).objectStore(store).getAll();
        request.onsuccess = () => resolve(request.result);
    });
"""


def read(page: Page, body: str, arg: object = None) -> Any:
    """Run a script with `database` and `all(store)`; the connection is closed after it."""
    return page.evaluate(f"async (arg) => {{ {OPEN} try {{ {body} }} finally {{ database.close(); }} }}", arg)


def missing_from(ids: set[str], truth: list[dict[str, Any]]) -> set[str]:
    """Return the truth's names without a row; notes to oneself carry a direction in the row's key."""
    return {
        row["external_id"]
        for row in truth
        if ids.isdisjoint({row["external_id"], f"{row['external_id']}_out", f"{row['external_id']}_in"})
    }


def wait_for_row(page: Page, store: str, condition: str) -> dict[str, Any]:
    """Wait until a store has a row that fulfils a condition on `row`, and return it."""
    found: dict[str, Any] = wait_until(
        page,
        f"""async () => {{
            {OPEN}
            const found = (await all("{store}")).find(row => {condition});
            database.close();
            return found && {{rowId: found.rowId}};
        }}""",
    )
    return found


def count(page: Page) -> int:
    return int(read(page, "return (await all('message')).length"))


def test_the_database_has_every_store_and_index_of_the_client(shared_simulator, visit: Visit):
    page = visit(shared_simulator.url)

    found = read(
        page,
        """const stores = {};
        for (const name of database.objectStoreNames) {
            const store = database.transaction(name).objectStore(name);
            stores[name] = [store.keyPath, [...store.indexNames].sort()];
        }
        return {name: database.name, version: database.version, stores};""",
    )

    schema = json.loads(Path(STATIC / "schema.json").read_text(encoding="utf-8"))
    assert (found["name"], found["version"]) == ("model-storage", 1930)
    assert found["stores"] == {
        name: [store["key"], sorted(store.get("indexes", {}))] for name, store in schema["stores"].items()
    }


def test_a_row_has_the_client_s_plain_fields_and_types(shared_simulator, visit: Visit):
    page = visit(shared_simulator.url)

    shape = read(
        page,
        """const isReceivedImage = row => row.type === "image" && row.id.startsWith("false_");
        const row = (await all("message")).find(isReceivedImage);
        return {
            types: Object.fromEntries(Object.entries(row).map(([key, value]) => [key, typeof value])),
            to: Object.keys(row.to).sort(),
            hasStar: "isStarred" in row && row.isStarred === undefined,
            data: row.msgRowOpaqueData._data.constructor.name,
            iv: [row.msgRowOpaqueData.iv.constructor.name, row.msgRowOpaqueData.iv.length],
            rest: [row.msgRowOpaqueData._keyId, row.msgRowOpaqueData._scheme],
        };""",
    )

    expected = {
        "id": "string",
        "internalId": "string",
        "rowId": "number",
        "t": "number",
        "from": "string",
        "to": "object",
    }
    assert {key: shape["types"][key] for key in expected} == expected
    assert shape["to"] == ["_serialized", "server", "user"]
    assert shape["hasStar"]
    assert (shape["data"], shape["iv"], shape["rest"]) == ("ArrayBuffer", ["Uint8Array", 16], [1, 1])


def test_no_text_can_be_read_from_the_storage(shared_simulator, visit: Visit):
    page = visit(shared_simulator.url)
    words = [
        row["content_snippet"] for row in shared_simulator.truth(lookback_days=45) if row["content_snippet"]
    ]

    stored = read(
        page,
        """const latin = new TextDecoder("latin1");
        const utf8 = new TextDecoder();
        const seen = [];
        for (const name of database.objectStoreNames) {
            for (const row of await all(name)) {
                const {msgRowOpaqueData: sealed, ...plain} = row;
                seen.push(JSON.stringify(plain));
                if (sealed) seen.push(utf8.decode(sealed._data), latin.decode(sealed._data));
            }
        }
        return seen.join("\\n");""",
    )

    assert len(words) > 50
    assert [text for text in words if len(text) > 15 and text in stored] == []


def test_one_chat_is_one_range_of_internal_ids(shared_simulator, visit: Visit):
    page = visit(shared_simulator.url)

    counts = read(
        page,
        """const rows = await all("message");
        const chat = (await all("chat"))[0].id;
        const index = database.transaction("message").objectStore("message").index("internalId");
        const range = IDBKeyRange.bound(`${chat}_/`, `${chat}_g`);
        const inRange = await new Promise(resolve => {
            const request = index.getAll(range);
            request.onsuccess = () => resolve(request.result);
        });
        const inOrder = inRange.every((row, at) => at === 0 || inRange[at - 1].t <= row.t);
        return [inRange.length, rows.filter(row => row.id.split("_")[1] === chat).length, inOrder];""",
    )

    assert counts[0] == counts[1] > 0
    assert counts[2]


def test_every_message_of_the_truth_is_stored(shared_simulator, visit: Visit):
    page = visit(shared_simulator.url)

    ids = set(read(page, "return (await all('message')).map(row => row.id)"))

    assert missing_from(ids, shared_simulator.truth(lookback_days=45, view="attainable")) == set()


def test_what_changes_on_the_server_reaches_the_storage(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)
    before = count(page)
    chat = read(page, "return (await all('chat')).find(row => /^15552\\d+@c.us/.test(row.id)).id")

    name = simulator.add_message(chat, "A message from today", sender=chat)
    wait_for_row(page, "message", f"row.id === '{name}'")
    simulator.react(name, "👍")
    wait_for_row(page, "reactions", f"row.parentMsgKey === '{name}'")

    assert count(page) == before + 1


def test_an_edit_and_a_deletion_keep_the_row(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)
    chat = read(page, "return (await all('chat')).find(row => /^15552\\d+@c.us/.test(row.id)).id")
    name = simulator.add_message(chat, "First wording", sender=chat)
    stored = wait_for_row(page, "message", f"row.id === '{name}'")

    simulator.edit(name, "Second wording")
    edited = wait_for_row(page, "message", f"row.id === '{name}' && row.latestEditMsgKey")
    simulator.delete(name)
    deleted = wait_for_row(page, "message", f"row.id === '{name}' && row.type === 'revoked'")

    assert stored["rowId"] == edited["rowId"] == deleted["rowId"]


def test_a_second_visit_pulls_only_what_is_new(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)
    pulled: list[int] = []
    page.on(
        "response",
        lambda answer: pulled.append(len(answer.json()["changes"])) if "/page/sync" in answer.url else None,
    )

    page.reload()
    page.wait_for_selector("#pane-side [role=row]")

    assert pulled == [0]


def test_another_world_replaces_what_was_stored(
    start_simulator: Callable[..., RunningSimulator], visit: Visit
):
    first = start_simulator(messages=200)
    port = int(first.url.rsplit(":", 1)[1])
    page = visit(first.url)
    first.stop()

    second = start_simulator(messages=320, seed=8, port=port)
    page.goto(second.url)

    page.wait_for_selector("#pane-side [role=row]")
    ids = set(read(page, "return (await all('message')).map(row => row.id)"))
    assert missing_from(ids, second.truth(lookback_days=30)) == set()


def test_a_page_that_stays_open_follows_to_another_world(
    start_simulator: Callable[..., RunningSimulator], visit: Visit
):
    first = start_simulator(messages=200)
    port = int(first.url.rsplit(":", 1)[1])
    page = visit(first.url)
    first.stop()
    page.get_by_text("Computer not connected").wait_for()

    with page.expect_navigation():
        second = start_simulator(messages=320, seed=8, port=port)

    page.wait_for_selector("#pane-side [role=row]")
    ids = set(read(page, "return (await all('message')).map(row => row.id)"))
    assert missing_from(ids, second.truth(lookback_days=30)) == set()


def test_the_storage_can_be_hidden(simulator: RunningSimulator, visit: Visit):
    simulator.set_config(hidden_idb=True)
    page = visit(simulator.url)

    names = page.evaluate("async () => (await indexedDB.databases()).map(each => each.name)")

    assert "model-storage" not in names


def test_settling_waits_until_the_page_has_stored_what_was_changed(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)
    chat = read(page, "return (await all('chat')).find(row => /^15552\\d+@c.us/.test(row.id)).id")
    names = [simulator.add_message(chat, f"Number {number}") for number in range(30)]

    assert simulator.settle()

    stored = set(read(page, "return (await all('message')).map(row => row.id)"))
    assert stored >= set(names)


def test_a_page_that_stores_nothing_is_not_waited_for_long(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)
    chat = read(page, "return (await all('chat')).find(row => /^15552\\d+@c.us/.test(row.id)).id")
    page.route("**/page/sync*", lambda route: route.abort())
    simulator.add_message(chat, "Not heard of")

    assert not simulator.settle()
