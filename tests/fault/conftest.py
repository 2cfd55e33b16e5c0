"""Accounts whose database can be spoilt at any step, and what no fault may leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fault.footprint import Footprint, half_written
from tests.fixtures.cycle import Account, make_settings
from tests.fixtures.proxy import Proxy
from whatsapp_etl import bootstrap
from whatsapp_etl.attachments.files import save
from whatsapp_etl.attachments.mirror import Mirror
from whatsapp_etl.load.database import Database
from whatsapp_etl.load.store import Store

#: How long these tests let a server say nothing.
SILENCE = timedelta(seconds=1)
#: What the first test that wants it starts for all.
_LASTING = {"session_database", "s3_server", "store_client"}


@pytest.fixture(scope="session")
def store_client(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Start the event loop of the object stores' client, which stays for the life of the process."""
    folder = tmp_path_factory.mktemp("store")
    path = save(b"content", folder).relative_path
    assert Mirror((folder / "copies").as_uri()).put(path, folder / path)


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Assert after every fault that no more is held than before, and that no file is half-written."""
    for lasting in _LASTING & set(request.fixturenames):
        request.getfixturevalue(lasting)  # is there already for every test but the first
    if "machine" in request.fixturenames:
        request.getfixturevalue("store_client")
    if "lender" in request.fixturenames:
        settings = make_settings("http://127.0.0.1:1", tmp_path, "", now=None)
        request.getfixturevalue("lender").browser(bootstrap.browser_options_of(settings, is_headless=True))
    before = Footprint.now()
    yield
    before.assert_not_outgrown(holds_store="s3_server" in request.fixturenames)
    assert half_written(tmp_path) == []


@pytest.fixture
def behind_proxy(account: Callable[..., Account], proxy: Proxy) -> Iterator[Callable[..., Account]]:
    """Open accounts that reach their database through `proxy`; the test itself looks past it."""
    with ExitStack() as stack:

        def opened(lock_patience: timedelta = SILENCE / 2, **options: object) -> Account:
            it = account(**options)
            reached = Database(proxy.url, it.database.schema, silence=SILENCE, lock_patience=lock_patience)
            it.store = stack.enter_context(Store(reached))
            it.cycle = bootstrap.cycle_of(it.settings, it.source, it.store)
            return it

        yield opened
