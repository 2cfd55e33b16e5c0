"""What is loaded beside reading is loaded in order, within bounds, and not after a failure."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from whatsapp_etl.overlap import Overlap

PATIENCE = 20


def test_work_is_done_while_the_caller_goes_on():
    is_further = threading.Event()
    seen: list[bool] = []
    with Overlap() as beside:
        beside.submit(lambda: seen.append(is_further.wait(PATIENCE)))
        is_further.set()
    assert seen == [True]


def test_it_is_done_in_order_and_to_the_end():
    done: list[int] = []
    with Overlap(3) as beside:
        for number in range(20):
            beside.submit(lambda number=number: done.append(number))  # type: ignore[misc]
    assert done == list(range(20))


def test_who_brings_more_than_may_wait_waits():
    begun, is_free = threading.Event(), threading.Event()
    brought: list[int] = []
    with Overlap(2) as beside:

        def bring() -> None:
            for number in range(3):
                beside.submit(lambda: is_free.wait(PATIENCE) and None)
                brought.append(number)
                begun.set()

        bringing = threading.Thread(target=bring)
        bringing.start()
        begun.wait(PATIENCE)
        bringing.join(0.2)
        assert bringing.is_alive()
        assert brought == [0, 1]
        is_free.set()
        bringing.join(PATIENCE)
    assert brought == [0, 1, 2]


@pytest.mark.parametrize("error", [ValueError("refused"), KeyboardInterrupt()])
def test_after_a_failure_nothing_is_done_and_the_caller_learns_of_it(error: BaseException):
    done: list[str] = []

    def fails() -> None:
        raise error

    def brings(beside: Overlap, *works: Callable[[], None]) -> None:
        for work in works:
            beside.submit(work)

    with pytest.raises(type(error)), Overlap(5) as beside:
        brings(beside, lambda: done.append("before"), fails, lambda: done.append("after"))
    assert done == ["before"]


def test_what_was_brought_is_done_although_the_caller_fails():
    done: list[str] = []

    def reads_until_it_is_stopped() -> None:
        with Overlap() as beside:
            beside.submit(lambda: done.append("read"))
            raise ValueError("asked to stop")

    with pytest.raises(ValueError, match="asked to stop"):
        reads_until_it_is_stopped()
    assert done == ["read"]
