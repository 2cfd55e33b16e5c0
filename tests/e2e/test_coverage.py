"""What the coverage of a chat claims, where the device does not hold all of it."""

from __future__ import annotations


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
