"""Cycles that read the page's message store: the same rows as from the page, and without opening a chat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.browser import Lender
from tests.fixtures.cycle import Account, assert_in_step, make_settings, open_account
from tests.fixtures.postgres import fresh_database
from whatsapp_etl.load import migrate
from whatsapp_etl.load.database import open_database
from whatsapp_etl.model import RunReport, RunStatus, StopReason
from whatsapp_etl.simulator.serve import RunningSimulator, SimulatorOptions

pytestmark = pytest.mark.matrix  # each of the three reads a whole account

#: Everything of a message but which run wrote it when, by which way, and the place of its bytes.
COLUMNS = (
    "thread_external_id, sender_id, recipient_ids, content_snippet, ts, ts_precision, is_outgoing,"
    " has_attachments, stanza_id, message_type, subtype, reply_to_external_id, is_forwarded, is_edited,"
    " deleted_at, deleted_by, deleted_by_id, album_id, album_position, expires_at,"
    " replace(source_revision, '|no picture', '')"
)
FILES = (
    "SELECT m.external_id, a.position, a.media_type, a.checksum, a.state, a.size_bytes, a.width, a.height,"
    " a.duration_seconds, a.file_name FROM attachments a JOIN messages m ON m.id = a.message_id"
    " WHERE a.source = 'whatsapp'"
)


def rows(account: Account) -> dict[str, tuple[Any, ...]]:
    found = account.query(f"SELECT external_id, {COLUMNS} FROM messages")
    return {key: tuple(row) for key, *row in found}


def quotes(account: Account) -> dict[str, str]:
    return dict(account.query("SELECT external_id, quoted_text FROM messages WHERE quoted_text IS NOT NULL"))


def read_paths(account: Account) -> dict[str, int]:
    return dict(account.query("SELECT read_path, count(*) FROM messages GROUP BY 1"))


@pytest.fixture(scope="module")
def three(
    lender: Lender, server_url: str, small_world: SimulatorOptions, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, tuple[Account, RunReport]]]:
    """One account read in the three ways, each into a database of its own."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr("whatsapp_etl.extract.source.Browser", lender.lend)
        found = {}
        for reader in ("dom", "store", "auto"):
            simulator = stack.enter_context(RunningSimulator(small_world))
            url = stack.enter_context(fresh_database(server_url))
            database = stack.enter_context(open_database(url, "public", Path("/nonexistent")))
            migrate.upgrade(database)
            folder = tmp_path_factory.mktemp(reader)
            settings = make_settings(simulator.url, folder, url, small_world.now, whatsapp_reader=reader)
            account = open_account(stack, simulator, settings, database)
            account.unread_before = simulator.unread()
            found[reader] = (account, account.sync())
            account.source.close()
        yield found


def test_all_three_ways_store_the_same_rows(three: Mapping[str, tuple[Account, RunReport]]):
    (dom, _), (store, _), (auto, _) = (three[each] for each in ("dom", "store", "auto"))
    by_page = rows(dom)
    notices = {key for key, row in by_page.items() if row[9] == "system"}

    assert_in_step(dom)
    assert_in_step(auto)
    assert rows(auto) == by_page
    # The words of a notice are the page's own: without opening a chat nobody knows them.
    assert notices
    assert {key: row for key, row in rows(store).items() if key not in notices} == {
        key: row for key, row in by_page.items() if key not in notices
    }
    assert {key: (*row[:3], *row[4:]) for key, row in rows(store).items() if key in notices} == {
        key: (*row[:3], *row[4:]) for key, row in by_page.items() if key in notices
    }
    assert {row[3] for key, row in rows(store).items() if key in notices} == {None}


def test_files_are_the_same_and_those_of_pictures_come_from_the_page(
    three: Mapping[str, tuple[Account, RunReport]],
):
    dom, store, auto = (
        {row[0]: row[1:] for row in three[each][0].query(FILES)} for each in ("dom", "store", "auto")
    )
    assert auto == dom
    assert store.keys() == dom.keys()
    held = {key for key, (_, _, checksum, *_) in dom.items() if checksum}
    assert held
    assert {key: row for key, row in store.items() if key not in held} == {
        key: row for key, row in dom.items() if key not in held
    }
    assert {store[key][2:4] for key in held} == {(None, "seen")}


def test_each_row_says_by_which_way_it_was_read(three: Mapping[str, tuple[Account, RunReport]]):
    paths = {each: read_paths(account) for each, (account, _) in three.items()}
    assert paths["dom"].keys() == {"dom"}
    assert paths["store"].keys() == {"store"}
    assert paths["auto"]["store"] > paths["auto"]["dom"] > 0


def test_without_the_page_no_chat_is_opened_and_nobody_notices(
    three: Mapping[str, tuple[Account, RunReport]],
):
    account, report = three["store"]
    ledger = account.simulator.ledger()
    assert (report.chats_opened, report.receipts_observed, report.rejects) == (0, 0, 0)
    assert (report.status, report.store_unavailable) == (RunStatus.SUCCESS, None)
    assert report.rows_by_store == report.stages.seen > 100
    assert (
        ledger["receipts"],
        ledger["presence"]["available"],
        ledger["calls"],
        ledger["client_errors"],
    ) == (
        0,
        0,
        {},
        {},
    )
    assert account.simulator.unread() == account.unread_before


def test_with_the_page_a_chat_is_opened_only_for_what_the_store_does_not_tell(
    three: Mapping[str, tuple[Account, RunReport]],
):
    account, report = three["auto"]
    assert report.status is RunStatus.SUCCESS
    assert report.missing == report.rejects == report.disagreements == 0
    assert 0 < report.chats_opened <= three["dom"][1].chats_opened
    assert account.simulator.ledger()["receipts"] == 0
    assert set(report.stop_reasons) <= {
        StopReason.ALL_FOUND,
        StopReason.NOTHING_TO_READ,
        StopReason.NEEDS_PHONE,
    }


def test_text_that_is_answered_is_quoted_alike(three: Mapping[str, tuple[Account, RunReport]]):
    dom, store = quotes(three["dom"][0]), quotes(three["store"][0])
    assert store
    assert store == {key: dom[key] for key in store}
