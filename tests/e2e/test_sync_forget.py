"""What was erased on request stays away, however often the account is read, and is no gap."""

import pytest

from tests.e2e.test_sync_without_metadata import reload_with
from whatsapp_etl.forgotten import Wish
from whatsapp_etl.model import RunStatus


def test_a_forgotten_chat_message_and_person_do_not_come_back(account):
    it = account(world={"chats": 6, "messages": 90})
    it.sync()
    now = it.cycle.clock()
    own = it.store.account().id
    (group,) = it.query(
        "SELECT thread_external_id FROM messages WHERE thread_external_id LIKE '%%@g.us' AND is_outgoing = 0"
        " AND sender_id IS NOT NULL GROUP BY 1 ORDER BY count(DISTINCT sender_id) DESC, 1 LIMIT 1"
    )[0]
    (person,) = it.query(
        "SELECT sender_id FROM messages WHERE thread_external_id = %s AND sender_id <> %s"
        " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
        group,
        own,
    )[0]
    (chat,) = it.query(
        "SELECT thread_external_id FROM messages WHERE thread_external_id NOT IN (%s, %s, %s)"
        " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
        group,
        person,
        own,
    )[0]
    (message,) = it.query(
        "SELECT external_id FROM messages WHERE thread_external_id = %s AND sender_id = %s"
        " AND message_type = 'text' ORDER BY ts DESC LIMIT 1",
        group,
        own,
    )[0]
    for wish in (Wish("chat", chat), Wish("message", message), Wish("contact", person)):
        assert it.store.erase(wish, now).counts["messages"] > 0
    left = it.stored()
    # Something new makes the chats be read again, the forgotten ones too if nobody left them out.
    new = it.simulator.add_message(group, "The lamp is on the porch")
    it.simulator.add_message(chat, "Nobody keeps this")
    it.simulator.edit(message, "Nobody keeps this either")
    it.simulator.react(new, "🌋", sender=person)

    report = it.sync()

    assert report.status is RunStatus.SUCCESS
    assert (report.missing, report.rejects) == (0, 0)
    assert it.stored().keys() == {*left, new}
    everything = " ".join(
        text
        for table in ("messages", "threads", "contacts", "contact_identifiers", "reactions", "sync_coverage")
        for (text,) in it.query(f"SELECT t::text FROM {table} t")
    )
    assert everything.count("🌋") == 0
    phone_ids = it.simulator.world()["phone_ids"]
    assert not any(each in everything for each in (person, phone_ids.get(person, person)))
    assert message not in everything
    assert it.query("SELECT count(*) FROM threads WHERE external_id = %s", chat) == [(0,)]
    summary = it.store.coverage_summary(now)
    assert summary.missing == {}
    assert summary.expected == summary.stored
    assert it.sync().chats_opened == 0


@pytest.mark.matrix
def test_a_new_quote_of_it_stays_away_also_while_the_storage_cannot_be_read(account):
    it = account(world={"chats": 4, "messages": 40})
    it.sync()
    texts = it.query(
        "SELECT DISTINCT ON (content_snippet) external_id, thread_external_id, content_snippet FROM messages"
        " WHERE message_type = 'text' AND length(content_snippet) BETWEEN 12 AND 60"
    )
    (gone, chat, said), (kept, _, kept_said) = next(
        (one, other) for one in texts for other in texts if one[1] == other[1] and one[0] != other[0]
    )
    it.store.erase(Wish("message", gone), it.cycle.clock())
    reload_with(it, hidden_idb=True)
    first, second = (it.simulator.add_message(chat, "So it is", quoted=each) for each in (gone, kept))

    for is_hidden in (True, False):
        if not is_hidden:
            reload_with(it, hidden_idb=False)
        report = it.sync()
        assert report.read_by == ("chat_list" if is_hidden else "metadata")
        quotes = dict(
            it.query("SELECT external_id, quoted_text FROM messages WHERE content_snippet = 'So it is'")
        )
        assert quotes == {first: None, second: kept_said}
        assert it.query("SELECT 1 FROM messages WHERE content_snippet = %s", said) == []
