"""`whatsapp-etl doctor`: each check on real files, locks, servers and databases."""

import os
import subprocess
import sys
import threading
from contextlib import ExitStack
from datetime import timedelta

import pytest
import uvicorn
from pydantic import SecretStr

from tests.fixtures.captured import make_captured
from tests.fixtures.doctor import found, only, settings_for
from tests.fixtures.load import (
    ACCOUNT,
    NOW,
    make_coverage,
    make_message,
    make_plan,
    make_report,
)
from tests.fixtures.service import FixedClock, healthy_state
from tests.fixtures.service import make_report as make_cycle
from whatsapp_etl.attachments.files import save
from whatsapp_etl.bootstrap import open_store_to_read
from whatsapp_etl.doctor import attachments, database, machine, private_places, session
from whatsapp_etl.doctor.findings import Outcome, exit_code_of
from whatsapp_etl.errors import SchemaOutdatedError
from whatsapp_etl.extract.profile import Profile
from whatsapp_etl.extract.snapshot import write_snapshot
from whatsapp_etl.load import migrate
from whatsapp_etl.model import MissingReason, RunStatus, SessionState
from whatsapp_etl.scheduler import listen
from whatsapp_etl.service.app import ServiceOptions, create_app
from whatsapp_etl.spool.folder import Spool
from whatsapp_etl.transitions import SessionCause, Transition

OWNER = """
import sys
from pathlib import Path
from whatsapp_etl.spool.folder import Spool
from whatsapp_etl.extract.profile import Profile
with Profile(Path(sys.argv[1])):
    print("taken", flush=True)
    sys.stdin.read()
"""

SHORT = make_coverage(expected=90, missing={MissingReason.NOT_REACHED: 60})


def cycle(store, *plans, **changes):
    run_id = store.begin_run(NOW, NOW - timedelta(days=30))
    for plan in plans:
        store.apply(plan, run_id)
    state = changes.get("session_state", SessionState.READY)
    store.record_transition(Transition(state, SessionCause.SHOWN, NOW))
    store.finish_run(make_report(run_id, missing=0, **changes))


# --- health ------------------------------------------------------------------------------------


def test_health_comes_from_the_database_where_no_service_runs(store, installation):
    store.pin_account(ACCOUNT, NOW)
    cycle(store, make_plan(make_message(ts=NOW)))

    told, trouble = database.ask_health(installation)

    assert trouble == ()
    assert (told.source, told.body["status"], told.body["session"]) == ("database", "ok", "logged_in")
    (finding,) = database.health_findings(told)
    assert finding.outcome is Outcome.OK
    assert "2026-08-23T12:00:04Z" in finding.told


@pytest.mark.parametrize(
    ("left", "code", "exit_code"),
    [
        ({"session_state": SessionState.QR}, "session_link_required", 6),
        ({"status": RunStatus.FAILED, "error": "SelectorDriftError: chat_list"}, "drift", 7),
        ({"lost_facts": ("forwarded",)}, "facts_lost", 1),
        ({"coverage": SHORT}, "coverage_short", 1),
    ],
)
def test_what_the_last_cycle_left_is_told_with_the_codes_and_remedies_of_health(
    store, installation, left, code, exit_code
):
    store.pin_account(ACCOUNT, NOW)
    changes = {"coverage": make_coverage(), **left}
    cycle(store, make_plan(make_message(), coverage=changes.pop("coverage")), **changes)

    told, _ = database.ask_health(installation)

    findings = {finding.code: finding for finding in database.health_findings(told)}
    assert code in findings
    assert (findings[code].outcome, findings[code].exit_code) == (Outcome.WRONG, exit_code)
    assert findings[code].remedy == next(
        reason["remedy"] for reason in told.body["reasons"] if reason["code"] == code
    )


def test_a_cycle_long_ago_is_stale_and_a_database_without_one_never_synced(store, installation):
    never, _ = database.ask_health(installation)
    assert [reason["code"] for reason in never.body["reasons"]] == ["sync_never"]

    store.pin_account(ACCOUNT, NOW)
    cycle(store)
    later = installation.model_copy(update={"whatsapp_etl_now": NOW + timedelta(hours=5)})
    stale, _ = database.ask_health(later)
    assert [reason["code"] for reason in stale.body["reasons"]] == ["session_stale", "sync_stale"]


def test_on_a_machine_where_nothing_was_made_yet_nothing_is_made_and_nothing_is_wrong(tmp_path):
    settings = settings_for("", tmp_path, pg_data_dir=tmp_path / "postgres")

    told = [*found(database.database, settings), *found(attachments.stored_files, settings)]

    assert {each.outcome for each in told} == {Outcome.OK}
    assert database.ask_health(settings) == (None, ())
    with pytest.raises(SchemaOutdatedError, match="whatsapp-etl migrate"), open_store_to_read(settings):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def serving(installation):
    """Serve a state as the program does: `serving(state)` returns settings that lead there."""
    with ExitStack() as stack:

        def serve(state, token=""):
            app = create_app(state, ServiceOptions(token=token), FixedClock())
            config = uvicorn.Config(app, log_config=None, lifespan="off")
            listener = listen("127.0.0.1", 0)
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, args=([listener],))
            thread.start()

            def end():
                server.should_exit = True
                thread.join(10)
                listener.close()

            stack.callback(end)
            return installation.model_copy(update={"port": listener.getsockname()[1]})

        yield serve


def test_a_running_service_is_asked_and_its_answer_is_told_as_it_is(serving):
    state = healthy_state()
    state.cycle_finished(make_cycle(status=RunStatus.FAILED, error="UnknownDialogError: covered"))

    told, trouble = database.ask_health(serving(state))

    assert (told.source, trouble) == ("service", ())
    assert [each.code for each in database.health_findings(told)] == ["dialog_unknown"]
    (finding,) = database.health_findings(told)
    assert "`whatsapp-etl login`" in finding.remedy
    assert finding.exit_code == 7


def test_a_service_with_another_token_is_named_and_the_database_asked_instead(serving):
    it = serving(healthy_state(), token="invented")

    told, (trouble,) = database.ask_health(it)

    assert told.source == "database"
    assert (trouble.outcome, trouble.exit_code) == (Outcome.WRONG, 2)
    assert "HTTP_TOKEN" in trouble.told
    allowed = it.model_copy(update={"http_token": SecretStr("invented")})
    assert database.ask_health(allowed)[0].source == "service"


def test_a_database_that_does_not_answer_is_postgres_down(installation):
    nowhere = installation.model_copy(update={"pg_url": SecretStr("postgresql://nobody@127.0.0.1:1/none")})

    told, (finding,) = database.ask_health(nowhere)

    assert told is None
    assert (finding.code, finding.exit_code) == ("postgres_down", 5)
    assert exit_code_of(found(database.database, nowhere)) == 5


# --- migrations --------------------------------------------------------------------------------


def test_tables_that_are_current_lacking_older_or_newer_are_told_apart(empty_database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = settings_for(empty_database.url, tmp_path, pg_schema=empty_database.schema)

    def migrations():
        return next(each for each in found(database.database, settings) if each.check == "migrations")

    none = migrations()
    assert (none.code, none.exit_code) == ("schema_outdated", 5)
    assert "no tables" in none.told
    migrate.upgrade(empty_database, "0003")
    behind = migrations()
    assert "older" in behind.told
    assert "0003" in behind.told
    assert behind.remedy == "Run `whatsapp-etl migrate`."
    assert database.ask_health(settings) == (None, ())  # nothing is judged by tables of another shape
    migrate.upgrade(empty_database)
    assert migrations().outcome is Outcome.OK
    with empty_database.connect() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer" in migrations().told
    assert migrations().remedy == "Upgrade the program."


# --- profile, packs, snapshots -----------------------------------------------------------------


def test_who_holds_the_profile_is_told_and_what_a_killed_owner_left(installation):
    assert "not made yet" in only(session.profile, installation).told
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, installation.whatsapp_profile_dir],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert owner.stdout.readline() == "taken\n"
        held = only(session.profile, installation)
        assert held.outcome is Outcome.OK
        assert f"in use by process {owner.pid} on {os.uname().nodename}" in held.told
    finally:
        owner.kill()
        owner.communicate()

    left = only(session.profile, installation)
    assert left.outcome is Outcome.NOTICE
    assert f"process {owner.pid}" in left.told
    with Profile(installation.whatsapp_profile_dir):  # as the next start does
        pass
    assert only(session.profile, installation).told.endswith("free")


def test_a_lock_of_chromium_that_names_another_machine_is_a_leftover(installation):
    installation.whatsapp_profile_dir.mkdir(mode=0o700)
    (installation.whatsapp_profile_dir / "SingletonLock").symlink_to("a-container-made-anew-17")
    assert "Chromium's own lock" in only(session.profile, installation).told


def test_a_pack_that_is_forced_must_be_there(installation):
    assert "chosen by the page" in only(session.packs, installation).told
    forced = installation.model_copy(update={"whatsapp_selector_pack": "1999-01"})
    finding = only(session.packs, forced)
    assert (finding.outcome, finding.exit_code) == (Outcome.WRONG, 2)
    assert "1999-01" in finding.told


def test_a_pack_file_that_does_not_fit_the_schema_is_named(installation, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('id = "mine"\nformat = 1\n')
    finding = only(session.packs, installation.model_copy(update={"whatsapp_selector_pack": str(file)}))
    assert (finding.outcome, finding.exit_code) == (Outcome.WRONG, 2)
    assert "mine" in finding.told


def test_the_newest_page_that_was_not_understood_is_named(installation, tmp_path):
    assert only(session.snapshots, installation).outcome is Outcome.OK
    folder = tmp_path / "snapshots"
    write_snapshot("<p>xxxx</p>", folder, "drift-message_row", NOW - timedelta(hours=2))
    newest = write_snapshot("<p>xxxx</p>", folder, "drift-chat_list", NOW)
    (folder / "notes.txt").touch()

    finding = only(session.snapshots, installation)

    assert finding.outcome is Outcome.NOTICE
    assert str(newest) in finding.told
    assert f"selectors check '{newest}'" in finding.remedy


# --- disks and permissions ---------------------------------------------------------------------


def test_each_place_is_judged_by_its_own_disk(installation):
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    folder = installation.attachments_dir
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        places = {each.place: each for each in found(machine.disk, installation)}
    finally:
        subprocess.run(["umount", folder], check=True)
    assert places["ATTACHMENTS_DIR"].outcome is Outcome.WRONG
    assert f"0.0 GB free at {folder}" in places["ATTACHMENTS_DIR"].told
    assert places["WHATSAPP_PROFILE_DIR"].told != places["ATTACHMENTS_DIR"].told
    assert "PG_DATA_DIR" not in places  # another machine's


def test_what_others_can_read_is_named_with_the_command_that_ends_it(installation, tmp_path):
    assert {each.outcome for each in found(private_places.permissions, installation)} == {Outcome.OK}
    installation.whatsapp_profile_dir.mkdir(mode=0o700)
    picture = (
        installation.attachments_dir
        / save(b"\xff\xd8\xff a kettle", installation.attachments_dir).relative_path
    )
    evidence = write_snapshot("<p>xxxx</p>", tmp_path / "snapshots", "drift", NOW)
    waiting = installation.spool_dir / Spool(installation.spool_dir, 10**6).put(make_captured(1))
    (tmp_path / ".env").touch(mode=0o640)
    (tmp_path / ".env").chmod(0o640)
    assert {each.outcome for each in found(private_places.permissions, installation)} == {Outcome.OK}

    for path in (installation.whatsapp_profile_dir, picture, evidence, waiting, tmp_path / ".env"):
        path.chmod(0o755)

    findings = {each.place: each for each in found(private_places.permissions, installation)}
    assert {each.outcome for each in findings.values()} == {Outcome.WRONG}
    assert str(picture) in findings["ATTACHMENTS_DIR"].told
    assert str(evidence) in findings["snapshots"].told
    for finding in findings.values():
        subprocess.run(finding.remedy.removeprefix("Run: "), shell=True, check=True)
    assert {each.outcome for each in found(private_places.permissions, installation)} == {Outcome.OK}


def test_the_embedded_servers_data_is_looked_at_where_it_is_used(installation, tmp_path):
    own = installation.model_copy(update={"pg_url": SecretStr(""), "pg_data_dir": tmp_path / "postgres"})
    (tmp_path / "postgres" / "data").mkdir(parents=True, mode=0o750)
    finding = only(private_places.permissions, own, "PG_DATA_DIR")
    assert finding.outcome is Outcome.WRONG
    assert "PG_DATA_DIR" in {each.place for each in found(machine.disk, own)}
