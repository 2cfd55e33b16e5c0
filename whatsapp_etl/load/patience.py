"""A connection that does not wait for ever for a server that says nothing.

A dead peer is noticed by TCP. A pooler, a proxy or a stopped server that keeps the connection and
never answers is not, and the driver knows no time-out for an answer.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

_RV = TypeVar("_RV")


class Connection(psycopg.Connection[TupleRow]):
    """A connection that ends when its server says nothing for `silence` while it is awaited."""

    silence: timedelta | None = None  #: None: wait for ever.

    def wait(self, gen: PQGen[_RV], *arguments: Any, **options: Any) -> _RV:  # noqa: ANN401  # as psycopg's
        """Consume a generator of the driver; all that waits for the server goes through here.

        Raises:
            psycopg.OperationalError: The server said nothing; the connection is closed.
        """
        return super().wait(self._bounded(gen), *arguments, **options)

    def _bounded(self, gen: PQGen[_RV]) -> PQGen[_RV]:
        # The driver wakes the generator several times a second, with 0 when nothing has come.
        try:
            awaited = next(gen)
            heard_at = time.monotonic()
            while True:
                ready = yield awaited
                now = time.monotonic()
                if ready:
                    heard_at = now
                elif self.silence is not None and now - heard_at > self.silence.total_seconds():
                    # Closed before anybody tries to roll back, who would wait as long again.
                    self.pgconn.finish()
                    raise psycopg.OperationalError("the server does not answer")
                awaited = gen.send(ready)
        except StopIteration as end:
            answer: _RV = end.value
            return answer
