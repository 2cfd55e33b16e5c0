"""What is claimed of a chat: where the device does not hold all of it, and where two paths say two things."""

from __future__ import annotations

import pytest

from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import DisagreementFact, RunStatus


@pytest.mark.matrix
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


@pytest.mark.matrix
@pytest.mark.parametrize("way", ["older profile", "linked again"])
def test_a_storage_that_was_set_back_doubles_nothing_and_its_gaps_are_known(account, way):
    it = account(world={"chats": 6, "messages": 90})
    assert it.sync().status is RunStatus.SUCCESS
    before = it.stored()
    if way == "older profile":
        it.simulator.restore(6)
    else:
        it.simulator.link_again(days=6)

    reports = [it.sync(), it.sync()]  # the first may meet the page while it is being linked

    assert reports[-1].status is RunStatus.SUCCESS
    assert any(report.is_rewound for report in reports)
    assert [report.applied.inserted for report in reports] == [0, 0]
    assert it.stored() == before
    listed = it.truth("attainable").keys()
    lost = {key for key, row in before.items() if key not in listed}
    gaps = it.query("SELECT external_id, is_stored FROM coverage_gaps WHERE reason = 'no_longer_listed'")
    assert {key for key, _ in gaps} == lost
    assert {is_stored for _, is_stored in gaps} == {True}
    counted = it.query("SELECT sum((missing ->> 'no_longer_listed')::int) FROM sync_coverage")
    assert counted == [(len(lost),)]
    chat = it.query("SELECT thread_external_id FROM messages ORDER BY ts LIMIT 1")[0][0]
    new = it.simulator.add_message(chat, "Back again")
    assert it.sync().applied.inserted == 1
    assert it.stored().keys() == {*before, new}
    assert not it.sync().is_rewound
