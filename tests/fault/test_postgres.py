"""Postgres is out of connections, locked, restarted or migrated while a cycle runs."""

import threading
import uuid
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.fault.footprint import Footprint
from tests.fault.recovery import assert_recovered, assert_told_as_unreachable
from tests.fixtures.cycle import make_settings
from tests.fixtures.postgres import end_sessions
from tests.fixtures.proxy import Fault, next_after, nth
from whatsapp_etl import bootstrap
from whatsapp_etl.attending import _show_store
from whatsapp_etl.errors import DatabaseRefusedError
from whatsapp_etl.load import migrate
from whatsapp_etl.load.database import Database
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import RunStatus
from whatsapp_etl.service.app import ServiceOptions
from whatsapp_etl.service.health import DatabaseState
from whatsapp_etl.service.state import ServiceState

WORLD = {"chats": 4, "messages": 60}
#: Instead of the program's half minute.
SHORT = timedelta(milliseconds=300)


@contextmanager
def locked(database, table="messages"):
    """Hold a table against everybody, as a long change of it does."""
    with database.connect(autocommit=False) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


@contextmanager
def limited_role(database, connections):
    """Make a user who may hold so many connections; yield the database's URL for them."""
    name = f"wetl_{uuid.uuid4().hex[:12]}"
    with database.connect() as connection:
        rights = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        if connection.execute(rights).fetchone() != (True,):
            pytest.skip("only a superuser of the server makes another user")
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}' CONNECTION LIMIT {connections}")
        connection.execute(f"GRANT {connection.info.user} TO {name}")
    try:
        parts = urlsplit(database.url)
        yield name, urlunsplit(parts._replace(netloc=f"{name}:{name}@{parts.netloc.rpartition('@')[2]}"))
    finally:
        end_sessions(database)
        with database.connect() as connection:
            connection.execute(f"DROP ROLE {name}")


@pytest.mark.matrix
def test_a_server_out_of_connections_is_told_and_the_next_cycle_is_whole(account, database):
    it = account(world=WORLD)
    with limited_role(database, 1) as (role, url), Store(Database(url, database.schema)) as store:
        it.cycle = bootstrap.cycle_of(it.settings, it.source, store)

        report = it.sync()  # writing takes the one connection, looking something up another

        assert_told_as_unreachable(report)
        assert "no connection left" in report.error
        with it.database.connect() as connection:
            connection.execute(f"ALTER ROLE {role} CONNECTION LIMIT 10")
        assert_recovered(it)


def test_a_table_that_somebody_locks_ends_the_cycle_and_not_the_program(account, database):
    it = account(world=WORLD)
    with Store(Database(database.url, database.schema, lock_patience=SHORT)) as store:
        it.cycle = bootstrap.cycle_of(it.settings, it.source, store)
        with locked(database):
            report = it.sync()

        assert report.status is RunStatus.FAILED
        assert "LockNotAvailable" in report.error
        assert_recovered(it)


def test_a_locked_table_is_shown_as_postgres_being_down_and_ends_no_service(database, tmp_path):
    settings = make_settings("http://127.0.0.1:1", tmp_path, database.url, now=None)
    options = ServiceOptions.of(settings)
    state = ServiceState(bootstrap.clock_of(settings))
    with Store(Database(database.url, database.schema, lock_patience=SHORT)) as store:
        with locked(database):
            _show_store(store, state, settings, options)
        assert state.snapshot.database is DatabaseState.DOWN

        _show_store(store, state, settings, options)
        assert state.snapshot.database is not DatabaseState.DOWN


@pytest.mark.matrix
def test_a_table_locked_between_two_chats_costs_one_cycle(behind_proxy, proxy):
    it = behind_proxy(world=WORLD, lock_patience=SHORT)
    with ExitStack() as held:
        proxy.arm(lambda: held.enter_context(locked(it.database)), nth(3, "P SELECT k.asked"))
        report = it.sync()

    assert proxy.struck is not None
    assert report.status in {RunStatus.FAILED, RunStatus.PARTIAL}
    assert_recovered(it)


@pytest.mark.matrix
def test_a_migration_meanwhile_costs_one_cycle_at_most(behind_proxy, proxy):
    it = behind_proxy(world=WORLD)
    ended = threading.Event()

    def migrate_back_and_forth():
        with suppress(DatabaseRefusedError):  # Postgres may end this one where both wait for each other
            migrate.downgrade(it.database, "-1")
        migrate.upgrade(it.database)
        ended.set()

    migration = threading.Thread(target=migrate_back_and_forth)
    proxy.arm(migration.start, nth(2, "Q COPY messages"))
    it.sync()
    migration.join(60)

    assert ended.is_set()
    migrate.require_current(it.database)
    assert_recovered(it)


@pytest.mark.matrix
@pytest.mark.parametrize(
    "when",
    [
        pytest.param(lambda: next_after("Q COPY messages", "Q COMMIT"), id="in a chat"),
        pytest.param(lambda: nth(1, "P UPDATE sync_runs"), id="at the end"),
        pytest.param(lambda: nth(1, "P SELECT k.asked"), id="while looking up"),
    ],
)
def test_a_restart_of_postgres_is_one_cause_and_loses_nothing(behind_proxy, proxy, when):
    it = behind_proxy(world=WORLD)
    proxy.arm(lambda: end_sessions(it.database), when())

    report = it.sync()

    assert proxy.struck is not None
    assert report.status is RunStatus.SUCCESS or report.error.startswith("DatabaseUnreachableError: ")
    assert_recovered(it)


@contextmanager
def read_only(database):
    """Let the server take no writes, as a standby does, also on connections that are open already."""
    with database.connect() as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    end_sessions(database)
    try:
        yield
    finally:
        with database.connect() as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        end_sessions(database)


def test_a_server_that_became_a_standby_is_named_and_the_chats_are_kept(behind_proxy, proxy):
    it = behind_proxy(world=WORLD)
    with ExitStack() as standby:
        proxy.arm(lambda: standby.enter_context(read_only(it.database)), nth(2, "Q COPY messages"))
        it.sync()  # its connection is cut
        it.simulator.add_message(max(row["thread_external_id"] for row in it.truth().values()), "A lamp")

        report = it.sync()

        assert proxy.struck is not None
        assert report.status is RunStatus.FAILED
        assert report.error.startswith("DatabaseUnwritableError: Postgres takes no writes: it is read-only")
        assert report.chats_opened == 1
        waiting = report.spool.batches
        assert waiting > 1
    after = assert_recovered(it)
    assert (after.chats_opened, after.unspooled) == (0, waiting)


@pytest.mark.parametrize("is_midway", [True, pytest.param(False, marks=pytest.mark.matrix)])
def test_another_server_takes_over_with_a_copy(behind_proxy, proxy, server_url, is_midway):
    it = behind_proxy(world=WORLD)
    copy = f"wetl_{uuid.uuid4().hex[:12]}"
    original = it.database

    def fail_over():
        end_sessions(original)
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {copy} TEMPLATE {urlsplit(original.url).path[1:]}")
        proxy.target = urlunsplit(urlsplit(original.url)._replace(path=f"/{copy}"))
        proxy.cut_all()

    try:
        if is_midway:
            proxy.arm(fail_over, nth(2, "Q COPY messages"))
            assert_told_as_unreachable(it.sync())
        else:
            assert it.sync().status is RunStatus.SUCCESS
            fail_over()
        it.database = Database(proxy.target, original.schema)
        it.simulator.add_message(max(row["thread_external_id"] for row in it.truth().values()), "A lamp")

        assert_recovered(it)
    finally:
        it.store.close()
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")


@pytest.mark.parametrize(
    "kind",
    [
        Fault.CUT,
        *(pytest.param(each, marks=pytest.mark.matrix) for each in (Fault.CUT_ANSWER, Fault.SWALLOW)),
    ],
)
def test_faults_leave_no_connection_no_process_and_no_memory_behind(behind_proxy, proxy, kind):
    """While the program goes on; what it holds after its end is asked after every test."""
    it = behind_proxy(world=WORLD)

    def fault(when):
        proxy.arm(kind, when)
        chat = max(row["thread_external_id"] for row in it.truth().values())
        it.simulator.add_message(chat, "One more of these")
        it.sync()
        assert proxy.struck is not None
        assert_recovered(it)

    fault(nth(2, "Q COPY messages"))
    fault(nth(1, "Q COPY messages"))  # what is made once is made by now
    before = Footprint.now()

    for message in ("Q BEGIN", "Q COPY messages", "Q COPY messages"):
        fault(nth(1, message))

    before.assert_not_outgrown()
