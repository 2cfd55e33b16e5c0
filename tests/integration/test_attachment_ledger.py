"""The ledger of attachments' bytes in Postgres, and how it is told."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from tests.fixtures.load import ACCOUNT, NOW, make_image, make_message, make_plan, rows
from whatsapp_etl.cli import app
from whatsapp_etl.downloads import NO_PICTURE, Download, DownloadReason, DownloadState
from whatsapp_etl.model import Attachment, MissingMessage, MissingReason

LEDGER = (
    "SELECT m.external_id, d.state, d.reason, d.attempts FROM attachment_downloads d"
    " JOIN attachments a ON a.id = d.attachment_id JOIN messages m ON m.id = a.message_id ORDER BY 1"
)
HELD = Attachment(0, "image/jpeg", "stored", "ab/ab/x.jpg", "ab" * 32, is_verified=True, size_bytes=99)


@pytest.fixture
def waiting(store):
    """Two pictures: one is held, one is waited for."""
    store.pin_account(ACCOUNT, NOW)
    held, awaited = make_image(1), make_image(2, stored=False, source_revision=f"image|||abc{NO_PICTURE}")
    gap = MissingMessage(awaited.external_id, MissingReason.PICTURE_NOT_LOADED, 1, NOW)
    entries = (
        Download(held.external_id, DownloadState.STORED, way="page"),
        Download(awaited.external_id, DownloadState.QUEUED, DownloadReason.NOT_LOADED, "page", 1, NOW),
    )
    plan = make_plan(held, awaited, missing=(gap,), downloads=entries)
    store.apply(plan, run_id=1)
    return plan


def test_a_plan_writes_the_ledger_and_the_same_plan_again_touches_no_row(store, database, waiting):
    before = rows(database, "SELECT xmin::text, * FROM attachment_downloads ORDER BY attachment_id")
    assert [row[1:] for row in rows(database, LEDGER)] == [("stored", None, 0), ("queued", "not_loaded", 1)]

    store.apply(waiting, run_id=2)

    assert rows(database, "SELECT xmin::text, * FROM attachment_downloads ORDER BY attachment_id") == before


def test_an_entry_never_contradicts_the_attachment(store, database, waiting):
    wrong = Download(waiting.messages[0].external_id, DownloadState.QUEUED, attempts=7)
    unknown = Download("false_491555000001@c.us_NEVER", DownloadState.QUEUED)

    store.attachments.note([wrong, unknown], 2, NOW)

    assert [row[1] for row in rows(database, LEDGER)] == ["stored", "queued"]


def test_bytes_that_came_directly_settle_the_message_for_the_page_too(store, database, waiting):
    (due,) = store.attachments.due(["image"], NOW.replace(year=2020), NOW)
    ((before,),) = rows(database, "SELECT max(change_seq) FROM messages")

    assert store.attachments.settle(due, HELD, 3, NOW) == (1, 1)

    key = due.download.external_id
    assert rows(database, LEDGER)[-1] == (key, "stored", None, 0)
    assert rows(database, "SELECT source_revision, change_seq FROM messages WHERE external_id = %s", key) == [
        ("image|||abc", before + 1)
    ]
    assert rows(database, "SELECT count(*) FROM missing_messages") == [(0,)]
    assert store.attachments.due(["image"], NOW.replace(year=2020), NOW) == ()
    # What the page shows later is the same, and changes nothing.
    seen_again = replace(store.known([key])[key], observed_at=NOW)
    assert seen_again.attachments[0].checksum == HELD.checksum


def test_bytes_of_a_message_that_was_erased_meanwhile_are_not_stored(store, database, waiting):
    (due,) = store.attachments.due(["image"], NOW.replace(year=2020), NOW)
    rows(database, "DELETE FROM messages WHERE id = %s RETURNING id", due.message_id)

    assert store.attachments.settle(due, HELD, 3, NOW) == (0, 0)
    assert rows(database, "SELECT count(*) FROM attachments WHERE checksum = %s", HELD.checksum) == [(0,)]


def test_a_kind_that_is_chosen_later_is_looked_for(store, database):
    store.pin_account(ACCOUNT, NOW)
    image = make_image(1, stored=False, source_revision="image|||abc")
    entry = Download(image.external_id, DownloadState.SEEN, DownloadReason.NOT_CHOSEN)
    store.apply(make_plan(image, make_message(2), downloads=(entry,)), run_id=1)

    assert store.attachments.choose_again({"video": 9999}, 2, NOW) == 0
    assert store.attachments.choose_again({"image": 1233}, 2, NOW) == 0  # it is larger
    assert store.attachments.choose_again({"image": 1234}, 2, NOW) == 1
    assert store.attachments.choose_again({"image": 1234}, 3, NOW) == 0

    assert rows(database, LEDGER) == [(image.external_id, "queued", None, 0)]
    assert rows(database, "SELECT source_revision FROM messages ORDER BY ts LIMIT 1") == [
        (f"image|||abc{NO_PICTURE}",)
    ]


def test_status_tells_the_states_with_their_reasons(store, database, waiting, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no `.env` of the developer's
    monkeypatch.setenv("PG_URL", database.url)
    monkeypatch.setenv("ATTACHMENTS_MAX_BYTES", "1G")

    told = CliRunner().invoke(app, ["attachments", "status"], catch_exceptions=False)
    as_json = CliRunner().invoke(app, ["attachments", "status", "--json"], catch_exceptions=False)

    assert told.exit_code == as_json.exit_code == 0
    assert "queued         not_loaded           1" in told.stdout
    assert "2026-08-23 12:00" in told.stdout
    facts = json.loads(as_json.stdout)
    assert (facts["states"]["stored"], facts["states"]["queued"], facts["states"]["expired"]) == (1, 1, 0)
    assert (facts["stored_bytes"], facts["max_bytes"]) == (1234, 1024**3)
    facts = store.health_facts(NOW)
    assert (facts.attachments["queued"], facts.last_given_up_at) == (1, None)


def test_files_that_were_given_up_are_told_but_those_that_are_on_the_phone_only(store, database, waiting):
    (due,) = store.attachments.due(["image"], NOW.replace(year=2020), NOW)
    for reason, told in ((DownloadReason.GONE, None), (DownloadReason.DAMAGED, NOW)):
        given_up = replace(due.download, state=DownloadState.GAVE_UP, reason=reason, next_try_at=None)
        store.attachments.note([given_up], 3, NOW)
        assert store.health_facts(NOW).last_given_up_at == told


def test_what_was_given_up_is_looked_for_again_when_somebody_asks(
    store, database, waiting, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)  # no `.env` of the developer's
    monkeypatch.setenv("PG_URL", database.url)
    monkeypatch.setenv("WHATSAPP_ETL_NOW", NOW.isoformat())
    awaited = waiting.messages[1]
    key = awaited.external_id
    given_up = Download(key, DownloadState.GAVE_UP, DownloadReason.DAMAGED, "direct", 12)
    settled = replace(awaited, source_revision="image|||abc", observed_at=NOW + timedelta(minutes=1))
    store.apply(make_plan(settled, downloads=(given_up,)), run_id=3)
    assert rows(database, LEDGER)[-1] == (key, "gave_up", "damaged", 12)
    store.close()

    def retry():
        done = CliRunner().invoke(app, ["attachments", "retry"], catch_exceptions=False)
        return done.exit_code, done.stdout

    assert retry() == (0, "1 file is looked for again.\n")
    assert retry() == (0, "0 files are looked for again.\n")
    assert rows(database, LEDGER)[-1] == (key, "queued", "not_loaded", 0)
    assert [
        each.download.external_id for each in store.attachments.due(["image"], NOW.replace(year=2020), NOW)
    ] == [key]
    # The page is asked again, too.
    assert rows(database, "SELECT source_revision FROM messages WHERE external_id = %s", key) == [
        (f"image|||abc{NO_PICTURE}",)
    ]


def test_it_is_told_since_when_files_wait_for_their_copy_and_none_was_made(store, database, waiting):
    held = waiting.messages[0].attachments[0].file_path
    assert store.health_facts(NOW).uncopied_since == NOW
    store.attachments.note_copies([held], NOW + timedelta(hours=1))
    assert store.health_facts(NOW).uncopied_since is None

    (due,) = store.attachments.due(["image"], NOW.replace(year=2020), NOW)
    store.attachments.settle(due, HELD, 3, NOW + timedelta(minutes=1))

    assert store.health_facts(NOW).uncopied_since == NOW + timedelta(hours=1)
