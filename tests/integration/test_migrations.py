"""The migrations: up, down, equal to the tables in code, and safe when two processes run them."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pytest_alembic.tests import (  # noqa: F401  # collected here
    test_model_definitions_match_ddl,
    test_single_head_revision,
    test_up_down_consistency,
    test_upgrade,
)

from tests.fixtures.load import rows
from whatsapp_etl.errors import SchemaOutdatedError
from whatsapp_etl.load import migrate
from whatsapp_etl.load.tables import VIEWS, metadata


@pytest.fixture
def alembic_config():
    """For pytest-alembic's own tests."""
    return migrate.alembic_config()


@pytest.fixture
def alembic_engine(empty_database):
    """For pytest-alembic's own tests."""
    with empty_database.connect() as connection:
        connection.execute(f"CREATE SCHEMA {empty_database.schema}")
    with empty_database.engine() as engine:
        yield engine


CATALOG = (
    """SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default, is_identity,
       col_description(format('%%I.%%I', table_schema, table_name)::regclass, ordinal_position::int)
       FROM information_schema.columns WHERE table_schema = %s""",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(c.oid) FROM pg_constraint c
       JOIN pg_namespace n ON n.oid = c.connamespace WHERE nspname = %s AND contype <> 'n'""",
    """SELECT tablename, indexname, replace(indexdef, schemaname || '.', '') FROM pg_indexes
       WHERE schemaname = %s""",
    """SELECT relname, obj_description(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
       WHERE nspname = %s AND relkind IN ('r', 'v')""",
    "SELECT viewname, definition FROM pg_views WHERE schemaname = %s",
)


def catalog(database):
    """Return everything that Postgres knows of the schema's tables, but for their names' order."""
    return [
        sorted(row for row in rows(database, query, database.schema) if row[0] != "alembic_version")
        for query in CATALOG
    ]


def test_the_migrated_schema_is_that_of_the_tables_in_code(empty_database):
    migrate.upgrade(empty_database)

    with empty_database.engine() as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_checks_defaults_and_comments_are_those_of_the_tables_in_code(empty_database):
    migrate.upgrade(empty_database)
    migrated = catalog(empty_database)
    migrate.downgrade(empty_database)
    with empty_database.engine() as engine, engine.begin() as connection:
        metadata.create_all(connection)

    assert catalog(empty_database) == migrated


def test_every_view_says_what_each_of_its_columns_is(empty_database):
    migrate.upgrade(empty_database)
    described = {view.name: [(name, kind) for name, kind, _ in view.columns] for view in VIEWS}

    found = rows(
        empty_database,
        "SELECT table_name, column_name, replace(data_type, 'timestamp with time zone', 'timestamptz')"
        " FROM information_schema.columns JOIN information_schema.views USING (table_schema, table_name)"
        " WHERE table_schema = %s ORDER BY table_name, ordinal_position",
        empty_database.schema,
    )

    assert {
        name: [row[1:] for row in found if row[0] == name] for name in {row[0] for row in found}
    } == described


def test_cycles_of_an_older_program_are_told_apart_by_what_decided_them(empty_database):
    migrate.upgrade(empty_database, "0004")
    with empty_database.connect() as connection:
        connection.execute(
            "INSERT INTO sync_runs (status, started_at, error) VALUES ('success', now(), NULL),"
            " ('partial', now(), 'MetadataUnreadableError: The list cannot be read.'), ('failed', now(), 'X')"
        )

    migrate.upgrade(empty_database)

    assert rows(empty_database, "SELECT read_by, lookback_begin FROM sync_runs ORDER BY id") == [
        ("metadata", None),
        ("chat_list", None),
        (None, None),
    ]


def test_what_an_older_program_kept_of_deletions_and_titles_is_taken_over(empty_database):
    migrate.upgrade(empty_database, "0006")
    with empty_database.connect() as connection:
        connection.execute("UPDATE change_counter SET value = 3")
        connection.execute(
            "INSERT INTO messages (external_id, thread_external_id, ts, stanza_id, message_type, subtype,"
            " ts_precision, source_revision, content_hash, read_path, observed_at, first_run_id, last_run_id,"
            " change_seq)"
            " SELECT 'k' || n, 'c', now(), 's' || n, type, subtype, 'second', '', '', 'dom', now(), 1, 1, n"
            " FROM (VALUES (1, 'deleted', 'admin'), (2, 'text', 'sender'), (3, 'deleted', NULL))"
            " AS v (n, type, subtype)"
        )
        connection.execute(
            "INSERT INTO threads (external_id, kind, title, first_run_id, last_run_id)"
            " VALUES ('c', 'person', 'Ana', 1, 1), ('d', 'person', NULL, 1, 1)"
        )

    migrate.upgrade(empty_database)

    assert rows(empty_database, "SELECT deleted_by, change_seq FROM messages ORDER BY external_id") == [
        ("admin", 4),
        (None, 2),
        (None, 3),
    ]
    assert rows(empty_database, "SELECT value FROM change_counter") == [(4,)]
    assert rows(
        empty_database,
        "SELECT h.title, h.valid_from = t.created_at, h.valid_to FROM thread_titles h"
        " JOIN threads t ON t.id = h.thread_id",
    ) == [("Ana", True, None)]


def test_what_an_older_program_noted_of_sessions_is_told_apart_into_cause_and_error(empty_database):
    migrate.upgrade(empty_database, "0011")
    with empty_database.connect() as connection:
        connection.execute(
            "INSERT INTO session_events (state, cause, occurred_at) VALUES"
            " ('ready', NULL, now()), ('conflict', 'SessionNeedsPersonError: It waits.', now()),"
            " ('wrong_account', 'SessionNeedsPersonError: Another.', now())"
        )

    migrate.upgrade(empty_database)

    assert rows(empty_database, "SELECT state, previous, cause, error FROM session_events ORDER BY id") == [
        ("ready", None, "shown", None),
        ("conflict", "ready", "shown", "SessionNeedsPersonError"),
        ("wrong_account", "conflict", "other_account", "SessionNeedsPersonError"),
    ]


ROWS_OF_0003 = """
    INSERT INTO messages (external_id, thread_external_id, ts, stanza_id, message_type, ts_precision,
        source_revision, content_hash, read_path, observed_at, first_run_id, last_run_id, change_seq)
    VALUES ('k1', 'c', now(), 's1', 'image', 'second', '', '', 'dom', now(), 1, 1, 1);
    INSERT INTO message_versions (message_id, message_type, content_snippet, replaced_seen_at, run_id)
    SELECT id, 'text', 'before', now() + interval '1 day', 1 FROM messages;
    INSERT INTO reactions (message_id, sender_id, emoji, reacted_at, first_run_id, last_run_id, change_seq)
    SELECT id, 'a', '🌧', now(), 1, 1, 2 FROM messages;
    INSERT INTO tombstones VALUES (3, 'k2', 'c', 'expired', now()), (4, 'k3', 'c', 'forgotten', now());
    UPDATE change_counter SET value = 4;
    INSERT INTO threads (external_id, kind, title, participant_ids, first_run_id, last_run_id)
    VALUES ('c', 'group', 'Kettles', '{a,b}', 1, 1);
    INSERT INTO missing_messages SELECT 'm' || reason, 'c', reason, 1, now(), now(), 1
    FROM unnest(ARRAY['not_shown', 'not_reached', 'needs_phone', 'empty_row', 'unreadable',
                      'picture_not_loaded', 'chat_not_opened']) AS r (reason);
    INSERT INTO sync_coverage (thread_external_id, expected, stored, missing, stop_reason, observed_at,
        run_id)
    VALUES ('c', 8, 1, '{"not_shown": 1, "chat_not_opened": 6}', 'not_stored', now(), 1);
    INSERT INTO sync_coverage_history (thread_external_id, expected, stored, missing, stop_reason,
        observed_at, run_id)
    VALUES ('c', 8, 0, '{"needs_phone": 8}', 'excluded', now(), 1);
    INSERT INTO session_events (state, cause, occurred_at) VALUES ('qr', NULL, now()),
        ('wrong_account', 'SessionNeedsPersonError: The browser is linked to another account.', now());
    INSERT INTO sync_runs (status, started_at) VALUES ('success', now());
"""


def test_the_rows_of_an_older_program_survive_the_way_up_down_and_up_again(empty_database):
    migrate.upgrade(empty_database, "0003")
    with empty_database.connect() as connection:
        connection.execute(ROWS_OF_0003)
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s", (empty_database.schema,)
            )
        ]
    before = {name: rows(empty_database, f"SELECT count(*) FROM {name}") for name in tables}

    migrate.upgrade(empty_database)
    migrate.downgrade(empty_database, "0003")
    migrate.upgrade(empty_database)

    assert {name: rows(empty_database, f"SELECT count(*) FROM {name}") for name in tables} == before | {
        "tombstones": [(1,)]
    }
    assert rows(empty_database, "SELECT content_snippet FROM messages_as_of(now())") == [("before",)]
    assert rows(empty_database, "SELECT title, valid_to FROM thread_titles") == [("Kettles", None)]


def test_downgrading_leaves_nothing(empty_database):
    migrate.upgrade(empty_database)

    migrate.downgrade(empty_database)

    assert (
        rows(
            empty_database,
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = %s AND table_name <> 'alembic_version'",
            empty_database.schema,
        )
        == []
    )


def test_the_tables_lie_in_the_schema_of_the_setting_only(empty_database):
    migrate.upgrade(empty_database)

    assert rows(
        empty_database,
        "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename IN ('messages', 'alembic_version')",
    ) == [(empty_database.schema,)]


def test_a_database_without_tables_is_refused_with_the_command_to_run(empty_database):
    with pytest.raises(SchemaOutdatedError, match="whatsapp-etl migrate"):
        migrate.require_current(empty_database)


def test_older_tables_are_refused_with_the_command_to_run(empty_database):
    migrate.upgrade(empty_database, "0001")

    with pytest.raises(SchemaOutdatedError, match=r"older.*whatsapp-etl migrate"):
        migrate.require_current(empty_database)


def test_newer_tables_are_refused(empty_database):
    migrate.upgrade(empty_database)
    with empty_database.connect() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaOutdatedError, match="newer"):
        migrate.require_current(empty_database)


def test_current_tables_are_accepted_and_upgrading_again_does_nothing(empty_database):
    migrate.upgrade(empty_database)
    migrate.upgrade(empty_database)

    migrate.require_current(empty_database)


def test_a_role_that_may_read_every_new_table_may_not_read_the_key_of_what_was_forgotten(empty_database):
    with empty_database.connect() as connection:
        # A role that every server has stands for the analysts'.
        connection.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor")
    migrate.upgrade(empty_database)

    may_read = "SELECT has_table_privilege('pg_monitor', %s, 'SELECT')"
    assert rows(empty_database, may_read, f"{empty_database.schema}.messages") == [(True,)]
    assert rows(empty_database, may_read, f"{empty_database.schema}.forget_key") == [(False,)]


def test_two_upgrades_at_once_end_with_one_schema(empty_database):
    errors = []
    start = threading.Barrier(2)

    def upgrade():
        start.wait(10)
        try:
            migrate.upgrade(empty_database)
        except BaseException as error:  # noqa: BLE001  # told to the test's thread
            errors.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert errors == []
    migrate.require_current(empty_database)
