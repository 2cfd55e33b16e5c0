"""The reader of the browser's storage, on databases of known, odd and broken shapes in a real Chromium."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_etl.errors import MetadataUnreadableError
from whatsapp_etl.extract.storage import Storage
from whatsapp_etl.model import Account, ChatKind, MessageKey, MessageType

OWN = Account("15550001111@c.us", lid="777000111@lid", push_name="Mika Holm")
NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)

#: Makes databases as the client does, and only what a test asks for.
MAKE = """
async ({version, stores}) => {
  await new Promise((resolve) => { indexedDB.deleteDatabase('model-storage').onsuccess = resolve; });
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open('model-storage', version);
    request.onupgradeneeded = () => {
      for (const [name, {key, indexes}] of Object.entries(stores)) {
        const store = request.result.createObjectStore(name, {keyPath: key});
        for (const index of indexes || []) store.createIndex(index, index, {unique: index === 'internalId'});
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  for (const [name, {rows}] of Object.entries(stores)) {
    const transaction = database.transaction(name, 'readwrite');
    for (const row of rows || []) transaction.objectStore(name).put(row);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onerror = reject;
    });
  }
  database.close();
}
"""


def seconds(**ago):
    return int((NOW - timedelta(**ago)).timestamp())


def message(stanza, *, chat="15551001001@c.us", own=False, participant="", order=1, **fields):
    suffix = f"_{participant}" if participant else ""
    return {
        "id": f"{'true' if own else 'false'}_{chat}_{stanza}{suffix}",
        "internalId": f"{chat}_{order:09x}_m",
        "rowId": 1_000_000_000 + order,
        "type": "chat",
        "t": seconds(days=1),
        "from": OWN.id if own else chat,
        **fields,
    }


def stores(**rows):
    keys = {
        "message": ("id", ["internalId", "rowId"]),
        "chat": ("id", []),
        "contact": ("id", []),
        "group-metadata": ("id", []),
        "participant": ("groupId", []),
        "reactions": (["parentMsgKey", "senderUserJid"], []),
        "lid-pn-mapping": ("id", []),
        "message-association": (["msgKey", "associationType"], []),
    }
    made = {name.replace("_", "-"): values for name, values in rows.items()}
    return {
        name: {"key": key, "indexes": indexes, "rows": made.get(name, [])}
        for name, (key, indexes) in keys.items()
    }


def classify(wa_type, subtype):
    return {"chat": MessageType.TEXT, "image": MessageType.IMAGE, "gp2": MessageType.SYSTEM}[wa_type]


def kind_of(chat_id, own_id):
    return (
        ChatKind.GROUP
        if chat_id.endswith("@g.us")
        else ChatKind.SELF
        if chat_id == own_id
        else ChatKind.PERSON
    )


@pytest.fixture
def open_storage(shared_browser, serve_pages):
    """Return a storage over a page whose database holds what is given; nothing given: no database."""
    browser = shared_browser
    browser.page.goto(serve_pages({"/": "<!doctype html><title>page</title>"}).url)

    def open_(made=None, *, version=1930):
        if made is not None:
            browser.page.evaluate(MAKE, {"version": version, "stores": made})
        storage = Storage(browser.page, browser.watchdog, classify=classify, kind_of=kind_of, own=OWN)
        storage.browser_page = browser.page
        return storage

    yield open_
    browser.page.goto("about:blank")


def test_a_missing_database_is_named_and_not_made(open_storage):
    storage = open_storage()

    with pytest.raises(MetadataUnreadableError, match="missing_database"):
        storage.chats(OWN)

    assert storage.browser_page.evaluate("async () => (await indexedDB.databases()).length") == 0


def test_a_missing_store_is_named(open_storage):
    made = stores()
    del made["message"]
    storage = open_storage(made)

    with pytest.raises(MetadataUnreadableError, match=r"missing_store \(message\)") as raised:
        list(storage.index(SINCE))

    assert (raised.value.part, raised.value.reason) == ("index", "missing_store")


def test_without_what_it_can_do_without_the_rest_is_read_and_the_lack_is_noted(open_storage):
    made = stores()
    for name in ("reactions", "contact", "group-metadata"):
        del made[name]
    storage = open_storage(made)

    assert list(storage.reactions(SINCE)) == []
    assert storage.groups() == ()
    assert [each.id for each in storage.contacts()] == [OWN.lid]
    assert storage.chats(OWN) == ()
    assert storage.unreadable_parts == dict.fromkeys(("reactions", "contacts", "groups"), "missing_store")


def test_a_missing_index_is_named(open_storage):
    made = stores(message=[message("3EB0A1")])
    made["message"]["indexes"] = []
    storage = open_storage(made)

    with pytest.raises(MetadataUnreadableError, match=r"missing_index \(message\.internalId\)"):
        storage.messages(["15551001001@c.us"], SINCE)


def test_a_renamed_field_is_named(open_storage):
    row = message("3EB0A1")
    row["timestamp"] = row.pop("t")
    storage = open_storage(stores(message=[row]))

    with pytest.raises(MetadataUnreadableError, match=r"missing_field \(message\.t\)"):
        list(storage.index(SINCE))


def test_another_version_of_the_database_is_read(open_storage):
    storage = open_storage(stores(message=[message("3EB0A1")]), version=2040)

    assert len([entry for page in storage.index(SINCE) for entry in page]) == 1
    assert storage.version == 2040


def test_the_clients_own_upgrade_does_not_wait_for_a_read(open_storage):
    storage = open_storage(stores(message=[message("3EB0A1")]))
    list(storage.index(SINCE))

    upgraded = storage.browser_page.evaluate(
        """() => new Promise((resolve) => {
             const request = indexedDB.open('model-storage', 1940);
             request.onblocked = () => resolve(false);
             request.onsuccess = () => { request.result.close(); resolve(true); };
           })"""
    )

    assert upgraded


def test_every_message_of_the_look_back_is_listed_whatever_order_it_was_stored_in(open_storage):
    rows = [
        message(f"3EB0{number:06X}", order=number, t=seconds(days=60 if number % 2 else number % 29 + 1))
        for number in range(2500)
    ]
    for row in rows:
        row["rowId"] = 1_000_000_000 - row["rowId"] % 1_000_000_000
    storage = open_storage(stores(message=rows))

    pages = list(storage.index(SINCE))

    assert {entry.external_id for page in pages for entry in page} == {
        row["id"] for row in rows if row["t"] >= SINCE.timestamp()
    }
    assert max(len(page) for page in pages) <= 1000


def test_ids_are_written_in_one_form(open_storage):
    storage = open_storage(
        stores(
            message=[
                message("3EB0A1", chat="120363000000000001@g.us", participant="15551001002:4@s.whatsapp.net"),
                message("3EB0A2", chat="120363000000000001@g.us", own=True, order=2),
                message("3EB0A3_out", chat=OWN.id, own=True, order=3),
            ]
        )
    )

    assert {entry.external_id for page in storage.index(SINCE) for entry in page} == {
        "false_120363000000000001@g.us_3EB0A1_15551001002@c.us",
        "true_120363000000000001@g.us_3EB0A2_15550001111@c.us",
        "true_15550001111@c.us_3EB0A3",
    }


def test_carriers_of_edits_and_reactions_are_no_messages(open_storage):
    storage = open_storage(
        stores(message=[message("3EB0A1", type="protocol"), message("3EB0A2", type="album", order=2)])
    )

    assert list(storage.index(SINCE)) == []


def test_an_unreadable_row_is_counted(open_storage):
    storage = open_storage(stores(message=[message("3EB0A1"), {**message("x", order=2), "id": "odd"}]))

    assert len([entry for page in storage.index(SINCE) for entry in page]) == 1
    assert storage.unreadable_rows == 1


def test_a_picture_has_its_facts(open_storage):
    row = message("3EB0A1", type="image", mimetype="image/jpeg", size=12345, width=600, height=400)
    row["filehash"] = "aGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGg="
    row["quotedStanzaID"] = "3EB0A0"
    row["quotedParticipant"] = {"server": "c.us", "user": "15550001111", "_serialized": "15550001111@c.us"}
    storage = open_storage(stores(message=[row]))

    (fact,) = storage.messages(["15551001001@c.us"], SINCE)

    assert fact.key == MessageKey(False, "15551001001@c.us", "3EB0A1")
    assert (fact.type, fact.mimetype, fact.file_sha256) == (MessageType.IMAGE, "image/jpeg", "68" * 32)
    assert (fact.size_bytes, fact.width, fact.height) == (12345, 600, 400)
    assert (fact.quoted_stanza_id, fact.quoted_participant_id) == ("3EB0A0", "15550001111@c.us")
    assert fact.sent_at == NOW - timedelta(days=1)
    assert fact.sender_id == "15551001001@c.us"


def test_a_deleted_message_tells_who_deleted_it_and_when_in_each_of_the_storages_shapes(open_storage):
    person = {"server": "c.us", "user": "15551001009", "_serialized": "15551001009@c.us"}
    shapes = [
        {"revokeSender": person, "revokeTimestamp": seconds(hours=1)},
        {"revokeSender": "15551001009:7@s.whatsapp.net", "revokeTimestamp": seconds(hours=1) * 1000},
        {},
    ]
    made = [
        message(f"3EB0A{n}", order=n, type="image", subtype="admin", **shape)
        for n, shape in enumerate(shapes)
    ]
    storage = open_storage(stores(message=made))

    facts = storage.messages(["15551001001@c.us"], SINCE)

    told = ("15551001009@c.us", NOW - timedelta(hours=1))
    assert [(each.revoked_by_id, each.revoked_at) for each in facts] == [told, told, (None, None)]
    assert {each.subtype for each in facts} == {"admin"}


def test_a_picture_to_be_seen_once_is_told_by_its_mark(open_storage):
    storage = open_storage(stores(message=[message("3EB0A1", type="image", isViewOnce=True)]))

    (fact,) = storage.messages(["15551001001@c.us"], SINCE)

    assert (fact.wa_type, fact.subtype) == ("image", "view_once")


def test_the_revision_of_the_list_and_of_the_chat_agree_and_change_with_an_edit(open_storage):
    row = message("3EB0A1")
    storage = open_storage(stores(message=[row]))
    first = [entry.source_revision for page in storage.index(SINCE) for entry in page]

    edited = open_storage(stores(message=[{**row, "latestEditMsgKey": "false_15551001001@c.us_3EB0E1"}]))

    second = [entry.source_revision for page in edited.index(SINCE) for entry in page]
    assert first != second
    assert second == [fact.source_revision for fact in edited.messages(["15551001001@c.us"], SINCE)]


def test_one_chats_messages_come_in_the_order_of_the_chat_and_no_other_chats(open_storage):
    storage = open_storage(
        stores(
            message=[
                message("3EB0A2", order=1, t=seconds(days=2)),
                message("3EB0A1", order=2, t=seconds(days=3)),
                message("3EB0A0", order=3, t=seconds(days=31)),
                message("3EB0B1", chat="15551001001123@c.us", order=4),
            ]
        )
    )

    facts = storage.messages(["15551001001@c.us"], SINCE)

    assert [fact.key.stanza_id for fact in facts] == ["3EB0A2", "3EB0A1"]
    assert set(storage.stanza_times(["15551001001@c.us"])) == {"3EB0A0", "3EB0A1", "3EB0A2"}


def test_system_rows_have_no_sender_and_own_rows_the_own_id(open_storage):
    group = "120363000000000001@g.us"
    storage = open_storage(
        stores(
            message=[
                message("N1", chat=group, participant="15551001002@c.us", type="gp2", subtype="add"),
                message("3EB0A2", chat=group, own=True, participant=OWN.lid, order=2),
            ]
        )
    )

    facts = {fact.key.stanza_id: fact for fact in storage.messages([group], SINCE)}

    assert facts["N1"].sender_id is None
    assert facts["3EB0A2"].sender_id == OWN.id


def test_an_albums_pictures_name_their_parent(open_storage):
    child = message("3EB0C1", type="image")
    parent = message("3EB0AA", type="album", order=2)
    storage = open_storage(
        stores(
            message=[child, parent],
            message_association=[{"msgKey": child["id"], "associationType": 1, "parentMsgKey": parent["id"]}],
        )
    )

    assert [fact.parent_stanza_id for fact in storage.messages(["15551001001@c.us"], SINCE)] == ["3EB0AA"]


def test_chats_have_the_titles_of_the_chat_list(open_storage):
    storage = open_storage(
        stores(
            chat=[
                {"id": "15551001001@c.us", "t": 10, "unreadCount": 2},
                {"id": "15551001036@c.us", "t": 9},
                {"id": "99887766554433@lid", "t": 8},
                {"id": "120363000000000001@g.us", "t": 7, "archive": True, "pin": 5, "isLocked": True},
                {"id": OWN.id, "t": 6},
                {"id": "99887766550000@lid", "t": 5},
            ],
            contact=[
                {"id": "15551001001@c.us", "name": "Ana Lund"},
                {"id": "99887766550000@lid", "pushname": "Zoe"},
                {"id": "99887766554433@lid", "pushname": "nils", "phoneNumber": "15559998888@c.us"},
                {"id": "15559998888@c.us", "name": "Nils Berg"},
            ],
            group_metadata=[{"id": "120363000000000001@g.us", "subject": "Book club"}],
        )
    )

    chats = storage.chats(OWN)

    assert [(chat.id, chat.title) for chat in chats] == [
        ("120363000000000001@g.us", "Book club"),
        ("15551001001@c.us", "Ana Lund"),
        ("15551001036@c.us", "+1 555-100-1036"),
        ("99887766554433@lid", "Nils Berg"),
        (OWN.id, "Mika Holm"),
        ("99887766550000@lid", "~Zoe"),
    ]
    assert (chats[0].is_pinned, chats[0].is_archived, chats[0].is_locked) == (True, True, True)
    assert (chats[1].unread_count, chats[1].last_activity) == (2, datetime.fromtimestamp(10, UTC))
    assert storage.unread_count("15551001001@c.us") == 2
    assert storage.unread_count("15559999999@c.us") is None


def test_a_group_lists_its_participants_and_says_when_the_list_is_cut(open_storage):
    group = {"id": "120363000000000001@g.us", "subject": "Book club", "size": 3}
    members = {"groupId": group["id"], "participants": ["777000111@lid", {"id": "15551001001@c.us"}]}
    storage = open_storage(stores(group_metadata=[group], participant=[members]))

    (facts,) = storage.groups()

    assert facts.participant_ids == ("15550001111@c.us", "15551001001@c.us")
    assert not facts.is_complete


def test_reactions_come_with_their_message_and_an_empty_one_is_taken_back(open_storage):
    parent = "false_15551001001@c.us_3EB0A1"
    base = {"parentMsgKey": parent, "timestamp": seconds(days=1) * 1000}
    storage = open_storage(
        stores(
            reactions=[
                {**base, "senderUserJid": "15551001001@c.us", "reactionText": "👍"},
                {**base, "senderUserJid": OWN.id, "reactionText": ""},
                {**base, "senderUserJid": "15551001002@c.us", "timestamp": seconds(days=40) * 1000},
                # The time is the sender's own.
                {**base, "senderUserJid": "15551001003@c.us", "reactionText": "🕰", "timestamp": 9e18},
            ]
        )
    )

    found = {reaction.sender_id: reaction for reaction in storage.reactions(SINCE)}

    assert {sender: reaction.emoji for sender, reaction in found.items()} == {
        "15551001001@c.us": "👍",
        OWN.id: None,
        "15551001003@c.us": "🕰",
    }
    assert found["15551001003@c.us"].reacted_at.year == 3000
    assert found[OWN.id].message_key == MessageKey(False, "15551001001@c.us", "3EB0A1")
    assert found[OWN.id].reacted_at == NOW - timedelta(days=1)


def test_phone_numbers_are_known_by_lid_from_both_places(open_storage):
    storage = open_storage(
        stores(
            lid_pn_mapping=[{"id": "111@lid", "phoneNumber": "15551001001@c.us"}],
            contact=[{"id": "222@lid", "phoneNumber": {"user": "15551001002", "server": "c.us"}}],
        )
    )

    assert storage.lid_map() == {"111@lid": "15551001001@c.us", "222@lid": "15551001002@c.us"}


def test_errors_of_the_storage_hold_no_data(open_storage):
    storage = open_storage(stores(contact=[{"id": "15551001001@c.us", "name": "Ana Lund"}]))
    storage.browser_page.evaluate("() => { JSON.stringify = () => { throw new TypeError('Ana Lund'); }; }")

    with pytest.raises(Exception, match="storage contacts") as raised:
        storage.contacts()

    assert "Ana" not in json.dumps(str(raised.value))
