"""A program that starts while Postgres is away: it goes on where another stopped, or ends and says why."""

import pytest

from tests.fixtures.cycle import make_settings
from tests.fixtures.proxy import Proxy
from whatsapp_etl import bootstrap
from whatsapp_etl.errors import DatabaseUnreachableError
from whatsapp_etl.forgotten import Forgotten
from whatsapp_etl.load import migrate
from whatsapp_etl.spool.memory import Memory


@pytest.fixture
def away(empty_database):
    proxy = Proxy(empty_database.url)
    proxy.refuses = True
    yield proxy
    proxy.close()


@pytest.fixture
def settings(away, empty_database, tmp_path):
    return make_settings("http://127.0.0.1:1", tmp_path, away.url, None, pg_schema=empty_database.schema)


def test_the_schema_is_made_current_before_the_first_statement(away, settings, empty_database):
    bootstrap.spool_of(settings).keep_memory(Memory(b"", False, Forgotten(), b"key", {}))
    with bootstrap.open_store(settings, may_be_away=True) as store:
        for _ in range(2):
            with pytest.raises(DatabaseUnreachableError):
                store.forgotten()
        assert migrate.schema_state(empty_database).relation == "none"
        away.refuses = False

        assert store.forgotten() == Forgotten()

    migrate.require_current(empty_database)


def test_with_nothing_to_go_by_it_ends(settings):
    with pytest.raises(DatabaseUnreachableError), bootstrap.open_store(settings, may_be_away=True):
        pass


def test_a_command_that_cannot_do_without_postgres_ends(settings):
    bootstrap.spool_of(settings).keep_memory(Memory(b"", False, Forgotten(), b"key", {}))

    with pytest.raises(DatabaseUnreachableError), bootstrap.open_store(settings):
        pass
