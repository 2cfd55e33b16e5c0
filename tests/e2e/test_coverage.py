"""What is claimed of a chat: where the device does not hold all of it, and where two paths say two things."""

from __future__ import annotations

from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import DisagreementFact


def test_a_chat_of_which_only_the_phone_has_more_is_not_called_complete(account):
    it = account(world={"chats": 8, "messages": 160, "phone_only_days": 20})
    it.sync()
    truth = it.truth()
    only_there = truth.keys() - it.truth("attainable").keys()
    assert only_there

    complete_until = dict(it.query("SELECT thread_external_id, complete_until FROM sync_coverage"))

    for key in only_there:
        until = complete_until[truth[key]["thread_external_id"]]
        assert until is None or until > truth[key]["ts"]
    # What the device does hold is claimed: nothing lies between the oldest of it and that time.
    held = it.truth("attainable").values()
    for chat_id in {truth[key]["thread_external_id"] for key in only_there}:
        times = [row["ts"] for row in held if row["thread_external_id"] == chat_id]
        assert complete_until[chat_id] in ({None} if not times else {min(times)})
    account_wide = it.query("SELECT complete_until FROM sync_state")[0][0]
    assert account_wide == max(filter(None, complete_until.values()))


def test_what_is_stored_otherwise_than_the_page_shows_it_is_told_when_its_chat_is_opened_anyway(account):
    it = account(world={"chats": 4, "messages": 60})
    assert it.sync().rows_compared > 0
    chat = max(
        it.query("SELECT thread_external_id, count(*) FROM messages GROUP BY 1"), key=lambda row: row[1]
    )[0]
    texts = "thread_external_id = %s AND message_type = 'text' AND content_snippet IS NOT NULL"
    with it.database.connect() as connection:
        connection.execute(f"UPDATE messages SET content_snippet = 'Something else' WHERE {texts}", (chat,))
    it.simulator.add_message(chat, "The kettle sings")

    report = it.sync()

    assert report.applied.inserted == 1
    # A few of them were on the way; what was stored first stays.
    assert 0 < report.disagreed[DisagreementFact.TEXT] == report.disagreements <= 5
    kept = it.query("SELECT external_id, fact, known FROM disagreements")
    assert len(kept) == report.disagreements
    assert {row[1:] for row in kept} == {("text", f"14 characters, sha256 {hash_id('Something else')}")}
    stored = it.stored()
    assert {stored[key]["content_snippet"] for key, *_ in kept} == {"Something else"}
