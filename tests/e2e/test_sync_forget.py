"""What was erased on request stays away, however often the account is read, and is no gap."""

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
