"""The past as a query: `messages_as_of`."""

from dataclasses import replace

from tests.fixtures.load import (
    NOW,
    make_message,
    make_plan,
    rows,
)
from whatsapp_etl.forgotten import Wish
from whatsapp_etl.model import (
    MessageType,
    MessageVersion,
)


def test_messages_are_told_as_they_were_known_at_an_instant(database, store):
    def now():
        return rows(database, "SELECT clock_timestamp()")[0][0]

    def change(message, before, text, **changes):
        seen = now()
        after = replace(before, content_snippet=text, observed_at=seen, **changes)
        version = MessageVersion(message.external_id, before.message_type, before.content_snippet, seen)
        store.apply(make_plan(after, versions=(version,)), 1)
        return after

    first = make_message(1, observed_at=now())
    nothing_yet = now()
    store.apply(make_plan(first), 1)
    as_sent = now()
    edited = change(first, first, "The kettle sings", is_edited=True)
    after_edit = now()
    store.apply(make_plan(make_message(2, observed_at=now())), 1)
    gone = change(
        first,
        edited,
        None,
        message_type=MessageType.DELETED,
        deleted_seen_at=now(),
        deleted_at=NOW,
        deleted_by="sender",
    )
    assert gone.content_snippet is None
    after_deletion = now()

    def known_at(instant):
        return rows(
            database,
            "SELECT external_id, message_type, content_snippet, deleted_seen_at IS NOT NULL, deleted_at,"
            " deleted_by"
            " FROM messages_as_of(%s) ORDER BY ts",
            instant,
        )

    one, two = first.external_id, make_message(2)
    assert known_at(nothing_yet) == []
    assert known_at(as_sent) == [(one, "text", first.content_snippet, False, None, None)]
    assert known_at(after_edit) == [(one, "text", "The kettle sings", False, None, None)]
    assert known_at(after_deletion) == [
        (one, "deleted", None, True, NOW, "sender"),
        (two.external_id, "text", two.content_snippet, False, None, None),
    ]

    store.erase(Wish("message", one), now())

    assert known_at(after_edit) == []
