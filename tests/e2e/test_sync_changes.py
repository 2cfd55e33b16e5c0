"""What happens between two cycles arrives in the next one, and nothing else is opened for it."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.fixtures.cycle import assert_in_step
from whatsapp_etl import bootstrap
from whatsapp_etl.model import RunStatus
from whatsapp_etl.retention import parse_retention


def texts(account, *, outgoing=None):
    """Return the truth's ordinary texts, oldest first."""
    rows = [(key, row) for key, row in account.truth().items() if row["message_type"] == "text"]
    return sorted(
        ((key, row) for key, row in rows if outgoing is None or row["is_outgoing"] == outgoing),
        key=lambda each: each[1]["ts"],
    )


def test_new_edited_deleted_and_reacted_messages_arrive_in_the_next_cycle(account):
    it = account()
    assert it.sync().status is RunStatus.SUCCESS
    own = texts(it, outgoing=1)
    (edited, _), (deleted, was) = own[-1], own[0]
    reacted, row = texts(it, outgoing=0)[-1]
    new = it.simulator.add_message(row["thread_external_id"], "The lamp is on the porch 🏮")
    it.simulator.edit(edited, "The ladder stays here")
    it.simulator.delete(deleted)
    it.simulator.react(reacted, "🌻")
    touched = {row["thread_external_id"], it.truth()[edited]["thread_external_id"]}

    report = it.sync()

    assert report.status is RunStatus.SUCCESS
    assert report.chats_opened <= len(touched)
    assert_in_step(it)
    assert it.stored()[new]["content_snippet"] == "The lamp is on the porch 🏮"
    assert it.query(
        "SELECT v.content_snippet FROM message_versions v JOIN messages m ON m.id = v.message_id"
        " WHERE m.external_id = %s",
        deleted,
    ) == [(was["content_snippet"],)]
    assert it.query("SELECT deleted_seen_at IS NOT NULL FROM messages WHERE external_id = %s", deleted) == [
        (True,)
    ]
    assert it.query(
        "SELECT r.emoji FROM reactions r JOIN messages m ON m.id = r.message_id"
        " WHERE m.external_id = %s AND r.sender_id = %s",
        reacted,
        it.query("SELECT account_id FROM sync_state")[0][0],
    ) == [("🌻",)]


@pytest.mark.matrix
def test_a_message_that_could_not_be_decrypted_gets_its_text_later(account):
    it = account()
    chat = texts(it)[0][1]["thread_external_id"]
    waiting = it.simulator.add_message(chat, {}, type="ciphertext")
    it.sync()
    assert it.stored()[waiting]["message_type"] == "waiting"

    it.simulator.decrypt(waiting, "Now it can be read")
    it.sync()

    assert it.stored()[waiting]["content_snippet"] == "Now it can be read"
    assert_in_step(it)


def test_a_reaction_taken_back_keeps_its_row(account):
    it = account(world={"chats": 3, "messages": 30})
    key, _ = texts(it, outgoing=0)[-1]
    it.simulator.react(key, "🌻")
    it.sync()
    it.simulator.react(key, None)

    it.sync()

    assert it.query(
        "SELECT r.emoji FROM reactions r JOIN messages m ON m.id = r.message_id WHERE m.external_id = %s"
        " AND r.sender_id = (SELECT account_id FROM sync_state)",
        key,
    ) == [(None,)]


def test_who_deleted_what_a_reaction_was_and_what_a_group_was_called_is_kept(account):
    it = account({"now": None})  # what is replaced has its instant: the clock must not stand still
    by_chat = Counter(row["thread_external_id"] for _, row in texts(it, outgoing=0))
    group = next(chat for chat, count in by_chat.most_common() if chat.endswith("@g.us") and count > 1)
    (first, was), (second, _) = [
        each for each in texts(it, outgoing=0) if each[1]["thread_external_id"] == group
    ][:2]
    it.simulator.react(second, "🌻")
    assert it.sync().status is RunStatus.SUCCESS
    title = it.query("SELECT title FROM threads WHERE external_id = %s", group)[0][0]
    it.simulator.delete(first, by="admin")
    it.simulator.react(second, "🌧")
    it.simulator.change_chat(group, name="The lamp lighters")

    assert it.sync().status is RunStatus.SUCCESS

    assert_in_step(it)
    told = next(row for row in it.simulator.truth() if row["external_id"] == first)
    assert it.query(
        "SELECT m.deleted_by, m.deleted_by_id, m.deleted_at, m.sender_id, v.content_snippet FROM messages m"
        " JOIN message_versions v ON v.message_id = m.id WHERE m.external_id = %s",
        first,
    ) == [
        (
            "admin",
            told["deleted_by_id"],
            datetime.fromisoformat(told["deleted_at"]),
            was["sender_id"],
            was["content_snippet"],
        )
    ]
    assert it.query(
        "SELECT v.emoji, r.emoji, v.replaced_seen_at >= r.reacted_at FROM reaction_versions v"
        " JOIN reactions r USING (message_id, sender_id) JOIN messages m ON m.id = v.message_id"
        " WHERE m.external_id = %s",
        second,
    ) == [("🌻", "🌧", True)]
    assert it.query(
        "SELECT h.title, h.valid_to IS NULL FROM thread_titles h JOIN threads t ON t.id = h.thread_id"
        " WHERE t.external_id = %s ORDER BY h.id",
        group,
    ) == [(title, False), ("The lamp lighters", True)]


@pytest.mark.matrix
def test_everything_is_found_without_the_react_fiber_too(account):
    it = account()
    it.simulator.set_config(fiber=False)
    assert it.sync().status is RunStatus.SUCCESS
    assert_in_step(it)


def test_an_excluded_chat_leaves_no_trace(account):
    plain = account(world={"chats": 4, "messages": 40})
    chat = texts(plain)[0][1]["thread_external_id"]
    plain.source.close()

    it = account(
        world={"chats": 4, "messages": 40},
        whatsapp_exclude_chats=(chat,),
        whatsapp_profile_dir=plain.settings.attachments_dir.parent / "other",
    )
    assert it.sync().status is RunStatus.SUCCESS

    assert it.stored().keys() == {key for key, row in it.truth().items() if row["thread_external_id"] != chat}
    for table, column in (
        ("threads", "external_id"),
        ("sync_coverage", "thread_external_id"),
        ("missing_messages", "external_id"),
        ("contact_identifiers", "value"),
    ):
        assert it.query(f"SELECT count(*) FROM {table} WHERE {column} LIKE %s", f"%{chat}%") == [(0,)]
    assert it.query("SELECT (chats_skipped ->> 'excluded')::int FROM sync_runs") == [(1,)]


@pytest.mark.matrix
def test_a_stop_between_two_chats_keeps_what_was_read_and_the_next_cycle_the_rest(account):
    it = account()

    class StopAfterTwo:
        done = 0

        def stage(self, name): ...
        def chats(self, total): ...
        def chat_done(self, messages):
            self.done += 1
            if self.done == 2:
                it.stop.set()

    interrupted = it.cycle.run(StopAfterTwo())
    assert interrupted.status is RunStatus.INTERRUPTED
    assert 0 < len(it.stored()) < len(it.truth())

    it.stop.clear()
    assert it.sync().status is RunStatus.SUCCESS
    assert_in_step(it)


@pytest.mark.matrix
def test_disappearing_messages_go_when_whatsapp_lets_them_go(account):
    it = account(world={"chats": 12, "messages": 300})
    it.sync()
    expiring = it.query("SELECT external_id, expires_at FROM messages WHERE expires_at IS NOT NULL")
    assert expiring
    later = max(when for _, when in expiring) + timedelta(minutes=1)

    it.store.expire_messages(later)

    assert it.query("SELECT count(*) FROM messages WHERE expires_at IS NOT NULL") == [(0,)]
    assert {row[0] for row in it.query("SELECT external_id FROM tombstones")} == {key for key, _ in expiring}


@pytest.mark.matrix
def test_messages_that_were_kept_long_enough_go_and_are_not_missed(account):
    it = account()
    assert it.sync().status is RunStatus.SUCCESS
    # As after the person shortened both: nothing is read again, and nothing is missing.
    settings = it.settings.model_copy(
        update={"whatsapp_sync_lookback_days": 10, "retention_days": parse_retention("messages=10")}
    )
    short = replace(it, settings=settings, cycle=bootstrap.cycle_of(settings, it.source, it.store))
    gone = it.truth().keys() - short.truth().keys()
    assert gone
    assert short.truth()

    first, second = short.sync(), short.sync()

    assert {each.status for each in (first, second)} == {RunStatus.SUCCESS}
    assert (first.chats_opened, second.chats_opened, second.missing) == (0, 0, 0)
    assert_in_step(short)
    assert it.query("SELECT count(*), min(reason), max(reason) FROM tombstones") == [
        (len(gone), "retention", "retention")
    ]
    assert it.query("SELECT count(*) FROM missing_messages") == [(0,)]
    files = {path.name for path in it.settings.attachments_dir.rglob("*") if path.is_file()}
    stored = it.query("SELECT file_path FROM attachments WHERE file_path IS NOT NULL")
    assert files == {path.rpartition("/")[2] for (path,) in stored}


@pytest.mark.matrix
def test_a_picture_that_did_not_load_is_asked_for_again_and_counts_until_then(account):
    it = account(world={"chats": 6, "messages": 160}, attachments_ways=("shown",))
    it.simulator.set_config(auto_download=False)
    assert it.sync().status is RunStatus.SUCCESS
    waiting = (
        "SELECT count(*) FROM attachments a JOIN messages m ON m.id = a.message_id"
        " WHERE m.message_type = 'image' AND a.checksum IS NULL"
    )
    ((pictures,),) = it.query(waiting)
    assert pictures > 0
    assert it.query("SELECT DISTINCT reason FROM missing_messages") == [("picture_not_loaded",)]
    assert it.query("SELECT count(*) FROM extraction_jobs") == [(0,)]
    before = it.written_by()
    assert it.sync().chats_opened == 0
    assert it.written_by() == before

    it.simulator.set_config(auto_download=True)
    it.query("UPDATE missing_messages SET next_try_at = '2000-01-01' RETURNING 1")
    report = it.sync()

    assert report.applied.updated == report.applied.attachments_saved == pictures
    assert it.query(waiting) == [(0,)]
    assert it.query("SELECT count(*) FROM missing_messages") == [(0,)]
    assert it.query("SELECT count(*) FROM attachments WHERE state = 'stored' AND is_verified = 1") == [
        (pictures,)
    ]
    assert it.sync().chats_opened == 0
    assert_in_step(it)


@pytest.mark.matrix
def test_a_message_that_changes_with_every_cycle_keeps_all_that_it_said(account):
    it = account({"now": None})  # a version has its instant: the clock must not stand still
    key, _ = texts(it, outgoing=0)[-1]
    assert it.sync().status is RunStatus.SUCCESS

    for change in (lambda: it.simulator.edit(key, "The blue ladder"), lambda: it.simulator.delete(key)):
        change()
        assert it.sync().status is RunStatus.SUCCESS

    said = next(row["earlier_texts"] for row in it.simulator.truth() if row["external_id"] == key)
    versions = it.query(
        "SELECT v.content_snippet FROM message_versions v JOIN messages m ON m.id = v.message_id"
        " WHERE m.external_id = %s ORDER BY v.id",
        key,
    )
    assert_in_step(it)
    assert len(said) == 2
    assert [text for (text,) in versions] == said
