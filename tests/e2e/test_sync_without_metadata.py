"""Cycles on a page whose storage cannot be read: the chat list decides, and the rows prove."""

import shutil
from datetime import timedelta

import pytest

from whatsapp_etl.model import RunStatus, StopReason

SMALL = {"chats": 4, "messages": 40}


def reload_with(account, **config):
    """Open the page anew with another configuration, in a browser that holds nothing of before."""
    account.simulator.set_config(**config)
    account.source.close()
    shutil.rmtree(account.settings.whatsapp_profile_dir)


@pytest.mark.matrix
def test_rows_with_models_are_stored_and_later_metadata_completes_them(account):
    it = account(world=SMALL)
    it.simulator.set_config(hidden_idb=True)
    unread = it.simulator.unread()

    first = it.sync()

    assert (first.status, first.read_by) == (RunStatus.PARTIAL, "chat_list")
    assert first.metadata_unreadable == ("chats: missing_database", "lids: missing_database")
    assert first.error is not None
    assert "MetadataUnreadableError" in first.error
    assert it.judged("page").is_equal, str(it.judged("page"))
    assert it.truth("page")
    assert it.simulator.unread() == unread
    assert it.query("SELECT DISTINCT expected FROM sync_coverage") == [(None,)]
    assert it.query("SELECT read_by, metadata_unreadable FROM sync_runs") == [
        ("chat_list", list(first.metadata_unreadable))
    ]
    assert it.query("SELECT runs, run_id, missing FROM coverage_trend") == [(1, None, None)]
    key = next(iter(it.truth("page")))
    assert not it.store.whereabouts((key,), "", (), with_text=False).stored.is_listed

    before = it.written_by()
    quiet = it.sync()
    assert (quiet.chats_opened, quiet.applied.inserted, quiet.applied.updated) == (0, 0, 0)
    assert it.written_by() == before

    reload_with(it, hidden_idb=False)
    assert it.sync().status is RunStatus.SUCCESS
    assert it.judged().is_equal, str(it.judged())
    assert it.store.whereabouts((key,), "", (), with_text=False).stored.is_listed


@pytest.mark.matrix
def test_what_metadata_told_stays_when_it_is_gone(account):
    it = account(world=SMALL)
    assert it.sync().status is RunStatus.SUCCESS
    before = it.stored()
    reload_with(it, hidden_idb=True)
    chat = next(row["thread_external_id"] for row in before.values() if row["message_type"] == "text")
    new = it.simulator.add_message(chat, "The kettle is back in the shed")

    report = it.sync()

    assert (report.read_by, report.applied.inserted, report.applied.updated) == ("chat_list", 1, 0)
    stored = it.stored()
    assert {key: row for key, row in stored.items() if key != new} == before
    assert stored[new]["content_snippet"] == "The kettle is back in the shed"
    assert abs(stored[new]["ts"] - it.truth("page")[new]["ts"]) < timedelta(seconds=1)


@pytest.mark.matrix
def test_of_chats_that_no_row_proves_nothing_is_written(account):
    it = account(world=SMALL)
    it.simulator.set_config(hidden_idb=True, fiber=False)

    report = it.sync()

    assert report.status is RunStatus.PARTIAL
    assert report.chats_listed > 0
    assert dict(report.stop_reasons) == {StopReason.CHAT_UNIDENTIFIED: report.chats_listed}
    assert it.truth("page") == {}
    for table in ("messages", "threads", "sync_coverage", "rejects", "contacts"):
        assert it.query(f"SELECT count(*) FROM {table}") == [(0,)], table


@pytest.mark.matrix
def test_packed_ids_prove_their_chats_without_models_and_later_metadata_gives_the_seconds(account):
    it = account(world={**SMALL, "profile": "apr26"})
    it.simulator.set_config(hidden_idb=True, fiber=False)

    report = it.sync()

    assert (report.status, report.read_by) == (RunStatus.PARTIAL, "chat_list")
    found = it.judged("page")
    assert [*found.absent, *found.surplus, *found.doubled] == [], str(found)
    # A notice shows no time of its own; everything else must be right to the minute.
    wrong = [(column, found.kinds[key]) for column, each in found.columns.items() for key, _, _ in each]
    assert set(wrong) <= {("ts", "system")}, str(found)
    assert it.query("SELECT DISTINCT ts_precision FROM messages WHERE message_type <> 'system'") == [
        ("minute",)
    ]

    reload_with(it, hidden_idb=False)
    assert it.sync().status is RunStatus.SUCCESS
    assert it.judged().is_equal, str(it.judged())
