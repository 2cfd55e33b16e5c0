"""`whatsapp-etl runs` and `why`, as a person reads them."""

import json
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from tests.fixtures.load import (
    ACCOUNT,
    ANA,
    CLUB,
    NOW,
    OWN,
    make_coverage,
    make_image,
    make_message,
    make_plan,
    make_report,
    make_thread,
)
from whatsapp_etl.cli import app
from whatsapp_etl.errors import ConfigurationError, SchemaOutdatedError, UnknownRunError
from whatsapp_etl.forgotten import Wish
from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import (
    ChatKind,
    MessageType,
    MessageVersion,
    MissingMessage,
    MissingReason,
    Reject,
    RejectReason,
    RunStatus,
)

SECRET = "The spare key lies\x1b[2J under the fern"


@pytest.fixture(autouse=True)
def settings(database, store, tmp_path, monkeypatch):
    """The settings that lead to the database."""
    store.pin_account(ACCOUNT, NOW)
    monkeypatch.chdir(tmp_path)  # no `.env` of the developer's
    monkeypatch.setenv("PG_URL", database.url)
    monkeypatch.setenv("WHATSAPP_ETL_NOW", NOW.isoformat())
    monkeypatch.setenv("COLUMNS", "200")


def whatsapp_etl(*arguments):
    """Run a command and return what it printed; an error is raised."""
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def cycle(store, *plans, **changes):
    run_id = store.begin_run(NOW, NOW - timedelta(days=30))
    for plan in plans:
        store.apply(plan, run_id)
    store.finish_run(make_report(run_id, **changes))
    return run_id


def why(message, *options):
    """Return what `why` prints as pairs of label and value."""
    lines = whatsapp_etl("why", message.external_id, *options).splitlines()
    return [tuple(line.split(": ", 1)) for line in lines]


def test_runs_are_one_line_each_newest_first_and_name_their_error_by_its_class(store):
    cycle(store)
    cycle(store, status=RunStatus.FAILED, error="SelectorDriftError: a long story")
    store.begin_run(NOW, NOW)

    head, *lines = whatsapp_etl("runs").splitlines()

    assert head.split()[:2] == ["run", "status"]
    assert [line.split()[:2] for line in lines] == [["3", "running"], ["2", "failed"], ["1", "success"]]
    assert lines[1].endswith("2026-08 SelectorDriftError")
    assert [line.split()[8:10] for line in lines[1:]] == [["unknown", "0"], ["1", "0"]]
    last = [json.loads(line) for line in whatsapp_etl("runs", "--last", "2", "--json").splitlines()]
    assert [(run["run_id"], run["seconds"]) for run in last] == [(3, None), (2, 4.0)]


def test_a_run_is_shown_with_its_counts_and_the_chats_it_changed(store):
    coverage = make_coverage(stored=2, missing={MissingReason.NOT_SHOWN: 1})
    gap = MissingMessage(make_message(9).external_id, MissingReason.NOT_SHOWN, 1, NOW)
    message = make_message(1, content_snippet=SECRET)
    run_id = cycle(
        store,
        make_plan(message, missing=(gap,), coverage=coverage),
        lost_facts=("forwarded",),
        error="X: [why] it stopped",
    )

    shown = whatsapp_etl("runs", "show", str(run_id))

    lines = {
        cells[1].strip(): cells[2].strip()
        for line in shown.splitlines()
        if len(cells := line.split("│")) == 4
    }
    assert lines["begun, ended"] == "2026-08-23 12:00:00 UTC, 2026-08-23 12:00:04 UTC"
    assert lines["looked back to"] == "2026-07-24 12:00:00 UTC"
    assert (lines["rows seen"], lines["… with a body"], lines["expected, missing"]) == ("5", "4", "5, 1")
    assert (lines["stop reasons"], lines["seconds by stage"]) == ("all_found 1", "read 1.5")
    assert (lines["facts lost"], lines["error"]) == ("forwarded", "X: [why] it stopped")
    assert lines["not found by it last"] == "not_shown 1"
    assert ANA in shown
    assert "2 of 3, all_found (not_shown 1)" in shown
    assert "fern" not in shown
    details = json.loads(whatsapp_etl("runs", "show", str(run_id), "--json"))
    assert (details["run"]["stages"]["seen"], details["chats"][0]["thread_external_id"]) == (5, ANA)
    assert "fern" not in json.dumps(details)


def test_an_unknown_run_is_refused_with_those_there_are(store):
    cycle(store)
    cycle(store)

    with pytest.raises(
        UnknownRunError, match=r"no run 4711.*Runs 1 to 2 are kept.*`whatsapp-etl runs`"
    ) as told:
        whatsapp_etl("runs", "show", "4711")
    assert told.value.exit_code == 2


def test_why_tells_everything_about_a_stored_message_but_its_text(store):
    first = make_image(1, content_snippet=SECRET)
    cycle(store, make_plan(first))
    edited = replace(first, content_snippet="Nothing to see", is_edited=True, source_revision="image|e|held")
    version = MessageVersion(first.external_id, first.message_type, SECRET, NOW)
    hits = {("row_direction", "tail"): 3, ("row_text", "none"): 1}
    cycle(store, make_plan(edited, versions=(version,)), pack_id="2026-12", selector_hits=hits)

    told = why(first)

    facts = dict(told)
    assert told[0] == ("state", "stored")
    assert facts["path"] == "storage and page"
    assert facts["first run"].startswith(
        "1 (success, begun 2026-08-23 12:00:00 UTC, decided by the browser's"
    )
    assert "pack 2026-12, WhatsApp Web 2.3000.1" in facts["last run that changed it"]
    assert facts["earlier version"] == "image, replaced by edit, seen 2026-08-23 12:00:00 UTC in run 2"
    assert facts["attachment"].startswith("0: stored, image/jpeg, 1234 bytes, changed in run")
    assert "is not kept" in facts["signs in run 2"]
    assert facts["  direction"] == "tail 3"
    assert "fern" not in str(told)
    assert "fern" not in whatsapp_etl("why", first.external_id, "--json")


def test_why_tells_who_deleted_a_message_and_when(store):
    deletion = {"deleted_seen_at": NOW, "deleted_at": NOW - timedelta(minutes=2), "deleted_by": "sender"}
    deleted = make_message(1, message_type=MessageType.DELETED, content_snippet=None, **deletion)
    cycle(store, make_plan(deleted))

    facts = dict(why(deleted))

    assert facts["deletion seen"] == "2026-08-23 12:00:00 UTC"
    assert (facts["deleted"], facts["deleted by"]) == ("2026-08-23 11:58:00 UTC", "sender")


def test_a_text_that_is_asked_for_cannot_command_the_terminal(store):
    cycle(store, make_plan(make_message(1, content_snippet=SECRET)))

    assert ("text", "The spare key lies\\x1b[2J under the fern") in why(make_message(1), "--text")
    told = json.loads(whatsapp_etl("why", make_message(1).external_id, "--json", "--text"))
    assert told["stored"]["text"] == SECRET


def test_why_tells_of_a_missing_message_whose_row_was_rejected(store):
    message = make_message(2)
    gap = MissingMessage(message.external_id, MissingReason.UNREADABLE, 3, NOW + timedelta(minutes=40))
    reject = Reject(ANA, hash_id(message.stanza_id), RejectReason.NO_TIME, "2026-08", "<div>xxx</div>", NOW)
    cycle(store, make_plan(make_message(1), missing=(gap,), rejects=(reject,)))

    told = dict(why(message))

    assert told["state"] == "missing"
    assert "not before 2026-08-23 12:40 UTC" in told["next"]
    assert told["missing"].startswith("unreadable, looked for 3 times, last in run 1, first missed")
    assert told["rejected"].startswith("no_time, pack 2026-08, in 1 runs")
    assert told["its chat"].startswith(f"{ANA}, 3 stored of 3 expected, all_found, complete from")


def test_why_tells_of_what_disappeared_and_of_what_was_forgotten(store):
    cycle(store, make_plan(make_message(1, expires_at=NOW), make_message(2)))
    store.expire_messages(NOW)
    store.erase(Wish("message", make_message(2).external_id), NOW)

    gone, forgotten = dict(why(make_message(1))), dict(why(make_message(2)))

    assert (gone["state"], gone["removed"]) == ("removed", "expired, 2026-08-23 12:00:00 UTC")
    assert (forgotten["state"], forgotten["removed"]) == ("removed", "forgotten, 2026-08-23 12:00:00 UTC")
    assert "erased on request" in forgotten["next"]


def test_a_key_in_another_form_is_the_same_message(store):
    own = make_message(
        1,
        external_id=f"true_{CLUB}_3EB01_{OWN}",
        thread_external_id=CLUB,
        sender_id=OWN,
        is_outgoing=True,
        stanza_id="3EB01",
    )
    club = make_thread(CLUB, kind=ChatKind.GROUP, title="Club")
    cycle(store, make_plan(own, thread=club))

    assert dict(why(replace(own, external_id=f"true_{CLUB}_3EB01")))["key"] == own.external_id
    with_device = f"true_{CLUB}_3EB01_{OWN.replace('@c.us', ':7@s.whatsapp.net')}"
    assert dict(why(replace(own, external_id=with_device)))["key"] == own.external_id


def test_what_is_no_key_is_refused_with_where_to_find_one():
    with pytest.raises(ConfigurationError, match=r"messages\.external_id") as told:
        whatsapp_etl("why", "3EB0")
    assert told.value.exit_code == 2


def test_a_look_at_an_older_schema_changes_nothing_and_says_what_to_do(empty_database, monkeypatch):
    monkeypatch.setenv("PG_URL", empty_database.url)

    with pytest.raises(SchemaOutdatedError, match="whatsapp-etl migrate"):
        whatsapp_etl("runs")


@pytest.fixture
def looker(database):
    """A role that may read what analysts may read."""
    name = f"looker_{uuid.uuid4().hex[:8]}"
    with database.connect() as connection:
        if not connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()[0]:
            pytest.skip("only a superuser can make a role and become it")
        connection.execute(f"CREATE ROLE {name}")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
        connection.execute(f"REVOKE ALL ON forget_key FROM {name}")
    yield name
    with database.connect() as connection:
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")


def test_a_look_needs_no_more_than_the_right_to_read(store, looker, monkeypatch):
    cycle(store, make_plan(make_message(1)))

    with monkeypatch.context() as as_looker:
        as_looker.setenv("PGOPTIONS", f"-crole={looker} -cdefault_transaction_read_only=on")
        assert dict(why(make_message(1)))["state"] == "stored"
        assert dict(why(make_message(2)))["state"] == "unknown"
        assert whatsapp_etl("runs", "show", "1")
