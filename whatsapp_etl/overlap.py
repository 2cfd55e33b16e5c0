"""One thing after the other beside what the caller does: loading, while the page is asked for more."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Overlap:
    """Runs what it is given in a thread of its own, in order; at the end everything is done.

    Args:
        most: So much may wait or run; who brings more waits. It bounds the memory.
    """

    def __init__(self, most: int = 2) -> None:
        self._most = most
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loading")
        self._pending: deque[Future[None]] = deque()
        self._is_sound = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while self._pending:
                self._pending.popleft().result()
        finally:
            self._pool.shutdown()

    def submit(self, work: Callable[[], None]) -> None:
        """Do this when everything before it is done.

        Raises:
            BaseException: What something before it raised; nothing is done after that.
        """
        while len(self._pending) >= self._most:
            self._pending.popleft().result()
        self._pending.append(self._pool.submit(self._run, work))

    def _run(self, work: Callable[[], None]) -> None:
        if self._is_sound:
            self._is_sound = False
            work()
            self._is_sound = True
