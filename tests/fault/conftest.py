"""Accounts whose database can be spoilt at any step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from tests.fixtures.cycle import Account
from tests.fixtures.proxy import Proxy
from whatsapp_etl import bootstrap
from whatsapp_etl.load.database import Database
from whatsapp_etl.load.store import Store

#: How long these tests let a server say nothing.
SILENCE = timedelta(seconds=1)


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
