"""The message store behind the page's modules: its table, its key, what a row becomes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.fixtures.page import FOCUS_SHIELD, new_context
from whatsapp_etl.simulator.plain_text import plain_text
from whatsapp_etl.simulator.serve import RunningSimulator
from whatsapp_etl.simulator.world import FIRST_ROW

TABLE = "const table = require('WAWebSchemaMessage').getMessageTable();"
DECODE = "const { messageFromDbRow } = require('WAWebDBMessageSerialization');"


@pytest.fixture(scope="module")
def page(page_browser: Browser, shared_simulator: RunningSimulator) -> Iterator[Page]:
    """One page for all tests here, which only read."""
    context = new_context(page_browser)
    context.add_init_script(FOCUS_SHIELD)
    opened = context.new_page()
    opened.goto(shared_simulator.url)
    opened.wait_for_selector("#pane-side [role=row]")
    yield opened
    context.close()


def run(page: Page, body: str, arg: object = None) -> Any:
    """Run a script with the table and what makes messages of its rows."""
    return page.evaluate(f"async (arg) => {{ {TABLE} {DECODE} {body} }}", arg)


def test_two_cursors_by_row_give_every_message_once_with_its_text(
    page: Page, shared_simulator: RunningSimulator
):
    feed = run(
        page,
        """await require('WAWebDbEncryptionKey').DbEncKeyStore.waitForFinalDbMsgEncKey();
        const rows = [];
        for (const [call, options] of [['greaterThan', {}], ['lessThan', {reverse: true}]]) {
            let at = call === 'greaterThan' ? 1e9 - 1 : 1e9;
            for (;;) {
                const some = await table[call](['rowId'], at, {...options, limit: 100});
                rows.push(...some);
                if (some.length < 100) break;
                at = some.at(-1).rowId;
            }
        }
        return rows.map(messageFromDbRow).map(m => [String(m.id), m.t, m.type, m.body, m.rowId]);""",
    )

    texts = {
        key: plain_text(body, {}) for key, _, kind, body, _ in feed if kind == "chat" and "@" not in body
    }
    times = {key: datetime.fromtimestamp(t, UTC).isoformat() for key, t, *_ in feed}
    rows = [row for *_, row in feed]
    live = [row for row in rows if row >= FIRST_ROW]
    expected = {row["external_id"]: row for row in shared_simulator.truth(view="attainable")}
    shared = texts.keys() & expected.keys()
    assert len(feed) == len({key for key, *_ in feed}) == run(page, "return table.count()")
    assert rows == sorted(live) + sorted(set(rows) - set(live), reverse=True)
    assert len(shared) > 100
    assert {key: texts[key] for key in shared} == {key: expected[key]["content_snippet"] for key in shared}
    assert {key: times[key] for key in shared} == {key: expected[key]["ts"] for key in shared}


def test_the_calls_of_the_table_answer_as_the_client_s_do(page: Page):
    answer = run(
        page,
        """const all = await table.all();
        const middle = all.map(row => row.rowId).sort((a, b) => a - b)[100];
        const ids = (rows) => rows.map(row => row.rowId);
        const chat = all[0].internalId.split('_')[0];
        const since = [[[1, 0], [1, Infinity]]];
        const media = await table.inAnyRange(['typeFlag', 't'], since, {reverse: true, limit: 5});
        const tableOf = async (name) => require('WAWebModelStorageUtils').getStorage().table(name);
        const missing = [await table.get('nobody'), ...(await table.bulkGet(['nobody', all[1].id]))];
        return {
            byKey: ids(all).length,
            sorted: all.every((row, at) => at === 0 || all[at - 1].id < row.id),
            get: (await table.get(all[3].id)).rowId === all[3].rowId,
            gone: missing.map(row => row && row.id),
            second: all[1].id,
            above: ids(await table.greaterThan(['rowId'], middle, {limit: 3, offset: 1})),
            from: ids(await table.greaterThan(['rowId'], middle, {limit: 1, inclusive: true})),
            below: ids(await table.lessThan(['rowId'], middle, {limit: 1, reverse: true}))[0] < middle,
            middle,
            between: (await table.between(['internalId'], `${chat}_/`, `${chat}_g`)).length,
            ofChat: all.filter(row => row.internalId.startsWith(`${chat}_`)).length,
            equals: (await table.equals(['id'], all[2].id)).length,
            anyOf: (await table.anyOf(['rowId'], [all[2].rowId, all[2].rowId, all[5].rowId])).length,
            media: media.every((row, at) => row.typeFlag === 1 && (at === 0 || media[at - 1].t >= row.t)),
            sealed: typeof (await table.all({limit: 1, shouldDecrypt: false}))[0].msgRowOpaqueData.iv,
            keys: (await table.all({returnKeyType: 'primary_key', limit: 2})).length,
            unknown: await table.equals(['body'], 1).catch(error => error.name),
            strange: await tableOf('x').catch(error => error.message),
            same: (await tableOf('message')) === table,
            rows: ids(all).filter(id => id > middle).sort((a, b) => a - b),
        };""",
    )

    assert answer["byKey"] > 200
    assert answer["gone"] == [None, None, answer["second"]]
    assert answer["above"] == answer["rows"][1:4]
    assert answer["from"] == [answer["middle"]]
    assert answer["between"] == answer["ofChat"]
    assert (answer["equals"], answer["anyOf"], answer["keys"]) == (1, 2, 2)
    assert (answer["sealed"], answer["unknown"]) == ("object", "SchemaError")
    assert answer["strange"].startswith("Unknown table x requested")
    assert all(answer[name] for name in ("sorted", "get", "below", "media", "same"))


def test_a_decoded_row_has_the_client_s_types_and_names(page: Page):
    found = run(
        page,
        """const rows = await table.all();
        const one = (type, test = () => true) => rows.filter(row => row.type === type)
            .map(row => [row, messageFromDbRow(row)]).find(([row, m]) => test(m));
        const isReceived = m => String(m.id).startsWith('false_');
        const [row, image] = one('image', m => isReceived(m) && !m.isViewOnce && m.caption);
        const [, quoting] = one('chat', m => m.quotedStanzaID);
        const [, group] = one('chat', m => m.author);
        const [, place] = one('location', m => m.loc);
        const [, poll] = one('poll_creation');
        const [, notice] = one('gp2');
        return {
            id: [typeof image.id, image.id._serialized, String(image.id) === row.id, String(image.id.remote)],
            remote: row.id.split('_')[1],
            wids: [typeof row.from, image.from.server, image.to._serialized, image.from.isUser(),
                image.from.isLid()],
            gone: ['internalId', 'isStarred', 'msgRowOpaqueData', 'typeFlag'].filter(name => name in image),
            image: [typeof image.caption, /^(.9j.|iVBOR)/.test(image.body), image.star],
            row: [image.rowId === row.rowId, image.t === row.t, image.filehash === row.filehash,
                image.viewMode],
            quoted: [typeof quoting.quotedMsg.body, quoting.quotedParticipant.isUser()],
            author: String(group.author),
            place: [typeof place.lat, place.loc.length > 0],
            poll: [typeof poll.pollName, poll.pollOptions.length > 1, typeof poll.pollOptions[0].name],
            notice: [typeof notice.subtype, notice.body],
            sealed: await table.all({limit: 1, shouldDecrypt: false})
                .then(([each]) => { try { messageFromDbRow(each); } catch (error) { return error.name; } }),
        };""",
    )

    assert found["id"] == ["object", None, True, found["remote"]]
    assert found["wids"] == ["string", "c.us", "15550001111@c.us", True, False]
    assert found["gone"] == []
    assert found["image"] == ["string", True, False]
    assert found["row"] == [True, True, True, "VISIBLE"]
    assert found["quoted"] == ["string", True]
    assert "@" in found["author"]
    assert (found["place"], found["poll"]) == (["number", True], ["string", True, "string"])
    assert found["notice"] == ["string", None]
    assert found["sealed"] == "TypeError"


def test_collections_and_ids_tell_names_groups_and_phone_numbers(
    page: Page, shared_simulator: RunningSimulator
):
    told = page.evaluate(
        """() => {
            const { Chat, Contact, GroupMetadata } = require('WAWebCollections');
            const { toPn } = require('WAWebLidMigrationUtils');
            const groups = GroupMetadata.getModelsArray().map(group => group.participants.getModelsArray());
            const chats = Chat.getModelsArray();
            return {
                chats: Object.fromEntries(chats.map(chat => [String(chat.id),
                    [chat.formattedTitle, chat.unreadCount, chat.archive]])),
                own: Object.keys(chats[0]).filter(name => !name.startsWith('__x_')),
                members: groups.map(members => members.length),
                admins: groups.some(members => members.some(each => each.isAdmin)),
                lids: Contact.getModelsArray().filter(each => each.id.isLid() && each.phoneNumber)
                    .map(each => [String(each.id), String(each.phoneNumber), String(toPn(each.id))]),
                me: String(require('WAWebUserPrefsMeUser').getMaybeMePnUser()),
            };
        }"""
    )

    world = shared_simulator.world()
    expected = {
        chat["id"]: [chat["title"], chat["unread"], chat["archived"]]
        for chat in world["chats"]
        if chat["in_scope"] and not chat["id"].endswith("@broadcast")
    }
    assert {key: told["chats"][key] for key in expected} == expected
    assert told["own"] == []  # attributes are getters
    assert min(told["members"]) > 1
    assert told["admins"]
    assert told["lids"]
    assert all(phone == by_call == world["phone_ids"][lid] for lid, phone, by_call in told["lids"])
    assert told["me"] == world["me"]["id"]


def test_reading_it_opens_no_chat_and_sends_nothing(page: Page, shared_simulator: RunningSimulator):
    before = shared_simulator.ledger()  # what the tests before this one left

    run(page, "(await table.all()).map(messageFromDbRow); require('WAWebCollections').Chat.getModelsArray()")

    ledger = shared_simulator.ledger()
    assert ledger["receipts"] == before["receipts"]
    assert ledger["calls"] == before["calls"]
    assert page.locator("#main [data-id]").count() == 0
