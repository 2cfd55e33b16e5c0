"""The control API: what it changes, what it refuses, and that pages hear of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest


def row_of(simulator, external_id):
    return next(row for row in simulator.truth() if row["external_id"] == external_id)


def person_chat(simulator):
    return next(
        chat["id"] for chat in simulator.world()["chats"] if chat["kind"] == "person" and chat["in_scope"]
    )


def group_chat(simulator):
    return next(chat["id"] for chat in simulator.world()["chats"] if chat["kind"] == "group")


def call(simulator, method, path, **arguments):
    return httpx.request(method, f"{simulator.url}/__sim/{path}", trust_env=False, **arguments)


def test_a_new_message_is_unread_and_at_the_end(simulator):
    chat = person_chat(simulator)

    external_id = simulator.add_message(chat, "hello *you*", stanza="3EB0F00D")

    assert external_id == f"false_{chat}_3EB0F00D"
    assert row_of(simulator, external_id)["content_snippet"] == "hello you"
    assert simulator.unread()[chat] == 1


def test_an_own_message_is_not_unread(simulator):
    chat = person_chat(simulator)

    external_id = simulator.add_message(chat, "hello", sender="me")

    assert external_id.startswith(f"true_{chat}_")
    assert chat not in simulator.unread()


def test_the_truth_keeps_what_a_message_said_before_edits_and_deletion(simulator):
    external_id = simulator.add_message(person_chat(simulator), "one *way*")

    simulator.edit(external_id, "another way")
    simulator.edit(external_id, "no way")
    edited = row_of(simulator, external_id)
    simulator.delete(external_id)

    assert (edited["content_snippet"], edited["earlier_texts"]) == ("no way", ["one way", "another way"])
    assert row_of(simulator, external_id)["earlier_texts"] == ["one way", "another way", "no way"]


def test_the_truth_keeps_that_a_deleted_message_was_forwarded(simulator):
    external_id = simulator.add_message(person_chat(simulator), "passed on", forwarding_score=1)
    shown = row_of(simulator, external_id)

    simulator.delete(external_id)
    gone = row_of(simulator, external_id)

    assert (shown["is_forwarded"], shown["was_forwarded"]) == (1, 0)
    assert (gone["is_forwarded"], gone["was_forwarded"]) == (0, 1)


def test_a_notice_does_not_count_as_unread(simulator):
    chat = group_chat(simulator)

    simulator.add_message(chat, "Somebody left", type="gp2")

    assert chat not in simulator.unread()


def test_a_reply_names_what_it_answers(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()
    chat = person_chat(simulator)
    question = simulator.add_message(chat, "when?", stanza="3AQUESTION")
    page.pull()

    simulator.add_message(chat, "now", sender="me", quoted=question)

    row = next(change["value"] for change in page.pull() if change["store"] == "message")
    assert (row["quotedStanzaID"], row["quotedParticipant"]["_serialized"]) == ("3AQUESTION", chat)
    assert row["$body"]["quoted"]["text"] == "when?"


def test_edit_react_and_delete_reach_the_truth(simulator):
    external_id = simulator.add_message(person_chat(simulator), "frist")

    simulator.edit(external_id, "first")
    simulator.react(external_id, "👍")
    row = row_of(simulator, external_id)
    assert (row["content_snippet"], row["is_edited"]) == ("first", 1)
    assert row["reactions"] == [{"sender_id": "15550001111@c.us", "emoji": "👍"}]

    simulator.react(external_id, None)
    simulator.delete(external_id)
    row = row_of(simulator, external_id)
    assert (row["message_type"], row["content_snippet"], row["reactions"]) == ("deleted", None, [])


def test_a_waiting_message_is_decrypted_under_its_id(simulator):
    waiting = next(row["external_id"] for row in simulator.truth() if row["message_type"] == "waiting")

    simulator.decrypt(waiting, "late but here")

    assert row_of(simulator, waiting)["content_snippet"] == "late but here"


def test_an_expired_file_is_no_longer_attainable(simulator):
    picture = next(row["external_id"] for row in simulator.truth() if row["file_sha256"])

    simulator.expire(picture)

    left = {row["external_id"]: row["file_sha256"] for row in simulator.truth(view="attainable")}
    assert left[picture] is None


def test_a_new_chat_is_there_with_its_title(simulator):
    chat = simulator.add_chat(kind="group", name="Night shift 🌙", members=4, archived=True)

    listed = next(entry for entry in simulator.world()["chats"] if entry["id"] == chat)
    assert (listed["title"], listed["kind"], listed["archived"]) == ("Night shift 🌙", "group", True)
    external_id = simulator.add_message(chat, "first")
    assert len(row_of(simulator, external_id)["recipient_ids"]) == 4


def test_a_chat_that_gets_locked_is_out_of_scope(simulator):
    chat = person_chat(simulator)

    simulator.change_chat(chat, locked=True)

    assert not [row for row in simulator.truth() if row["thread_external_id"] == chat]


def test_a_chat_can_be_renamed_and_marked_unread(simulator):
    chat = person_chat(simulator)

    simulator.change_chat(chat, name="Somebody Else", marked_unread=True)

    listed = next(entry for entry in simulator.world()["chats"] if entry["id"] == chat)
    assert (listed["title"], listed["unread"]) == ("Somebody Else", -1)


def test_the_look_back_is_counted_from_the_worlds_clock(simulator):
    since = datetime(2026, 2, 13, 12, tzinfo=UTC)

    rows = simulator.truth(lookback_days=30)

    assert rows == simulator.truth(since)
    assert 0 < len(rows) < len(simulator.truth())
    assert all(datetime.fromisoformat(row["ts"]) >= since for row in rows)


def test_since_may_come_with_an_unescaped_offset(simulator):
    plain = call(simulator, "GET", "truth?since=2026-03-01T00:00:00+00:00").json()

    assert plain == simulator.truth(datetime(2026, 3, 1, tzinfo=UTC))


def test_the_world_goes_by_the_instant_that_its_page_is_given(simulator):
    later = datetime.fromisoformat(simulator.world()["now"]) + timedelta(hours=5)

    simulator.set_config(now=later.isoformat())
    key = simulator.add_message(simulator.world()["chats"][0]["id"], "Five hours later")

    assert simulator.world()["now"] == later.isoformat()
    (said,) = [row for row in simulator.truth() if row["external_id"] == key]
    assert datetime.fromisoformat(said["ts"]) == later


def test_configuration_reaches_the_pages(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()

    simulator.set_config(fiber=False, delays={"open_chat_ms": 50})

    config = page.hear("config")["config"]
    assert config["fiber"] is False
    assert (config["delays"]["open_chat_ms"], config["delays"]["phone_ms"]) == (50, 0)


def test_a_dialog_reaches_open_and_later_pages(simulator, say_hello):
    page = say_hello(simulator)
    page.hear_linked()

    simulator.dialog("terms")

    assert page.hear("dialog")["kind"] == "terms"
    later = say_hello(simulator)
    later.hear_linked()
    assert later.hear("dialog")["kind"] == "terms"


@pytest.mark.parametrize(
    ("method", "path", "payload", "status"),
    [
        ("POST", "messages", {"chat": "nobody@c.us"}, 404),
        ("PATCH", "messages/false_nobody_1", {"body": "x"}, 404),
        ("DELETE", "messages/false_nobody_1", None, 404),
        ("POST", "reactions", {"message": "false_nobody_1", "emoji": "👍"}, 404),
        ("PATCH", "chats/nobody@c.us", {"archived": True}, 404),
        ("POST", "decrypt", {"message": "false_nobody_1"}, 404),
        ("POST", "dialog", {"kind": "surprise"}, 400),
        ("POST", "config", {"colour": "green"}, 400),
        ("POST", "chats", {"kind": "club"}, 400),
        ("POST", "messages", [], 400),
        ("GET", "truth?since=yesterday", None, 400),
        ("GET", "truth?since=2026-03-01T00:00:00", None, 400),
        ("GET", "truth?view=all", None, 400),
    ],
)
def test_a_wrong_call_is_refused_with_the_reason(shared_simulator, method, path, payload, status):
    content = None if payload is None else json.dumps(payload)

    answer = call(shared_simulator, method, path, content=content)

    assert answer.status_code == status
    assert answer.json()["error"]


def test_only_groups_have_admins_who_delete(simulator):
    external_id = simulator.add_message(person_chat(simulator), "hm")

    assert call(simulator, "DELETE", f"messages/{external_id}?by=admin").status_code == 400


def test_the_truth_gives_the_columns_that_are_asked_for(shared_simulator):
    rows = shared_simulator.truth(columns=("external_id", "ts"))

    assert rows == [{"external_id": row["external_id"], "ts": row["ts"]} for row in shared_simulator.truth()]
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        shared_simulator.truth(columns=("surprise",))
