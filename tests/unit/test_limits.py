import threading
import time

import pytest

from whatsapp_etl.errors import StopRequestedError
from whatsapp_etl.extract.limits import Limits, Pace


def test_events_keep_the_least_distance():
    pace = Pace(20, threading.Event())
    started = time.monotonic()

    for _ in range(4):
        pace.wait()

    assert time.monotonic() - started >= 3 / 20


def test_zero_means_no_limit():
    limits = Limits.of(chats_per_minute=0, scrolls_per_second=0, stop=threading.Event())
    started = time.monotonic()

    for _ in range(1000):
        limits.chats.wait()
        limits.scrolls.wait()

    assert time.monotonic() - started < 5


def test_a_request_to_stop_ends_a_long_wait_at_once():
    stop = threading.Event()
    pace = Pace(0.001, stop)
    pace.wait()
    threading.Timer(0.05, stop.set).start()
    started = time.monotonic()

    with pytest.raises(StopRequestedError):
        pace.wait()

    assert time.monotonic() - started < 60


def test_nothing_goes_on_after_a_request_to_stop():
    stop = threading.Event()
    stop.set()

    with pytest.raises(StopRequestedError):
        Pace(0, stop).wait()
