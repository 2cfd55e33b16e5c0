"""When a delivery is tried again, and when it is given up."""

from datetime import timedelta

import pytest

from tests.fixtures.events import NOW, make_event
from whatsapp_etl.events.retry import Outcome, Policy, after_try, retry_after, wait_after
from whatsapp_etl.happenings import Delivery, DeliveryState

POLICY = Policy()
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


def make_delivery(attempts=0, **changes):
    return Delivery(make_event(), "here", DeliveryState.PENDING, attempts, NOW, **changes)


def after(outcome, attempts=0, jitter=0.5):
    return after_try(make_delivery(attempts), outcome, NOW, jitter, POLICY)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 5), (2, 10), (3, 20), (10, 2560), (11, 3600), (19, 3600), (10_000, 3600)]
)
def test_the_pause_doubles_up_to_an_hour_and_is_shortened_by_chance_to_half(failures, seconds):
    whole = timedelta(seconds=seconds)

    assert wait_after(failures, 0.0, POLICY) == whole / 2
    assert whole * 0.99 < wait_after(failures, 0.999, POLICY) < whole


def test_all_tries_take_about_ten_hours():
    pauses = [wait_after(number, 1.0, POLICY) for number in range(1, POLICY.most_attempts)]

    assert timedelta(hours=9) < sum(pauses, timedelta(0)) < timedelta(hours=12)


def test_what_was_taken_is_delivered():
    done = after(Outcome(None), attempts=3)

    assert (done.state, done.attempts, done.settled_at, done.last_error) == ("delivered", 4, NOW, None)


def test_what_failed_is_tried_again_later():
    again = after(Outcome("http_500"))

    assert (again.state, again.attempts, again.last_error) == ("pending", 1, "http_500")
    assert again.next_try_at == NOW + timedelta(seconds=3.75)
    assert again.settled_at is None


def test_the_last_failure_gives_it_up():
    assert after(Outcome("http_500"), attempts=18).state is DeliveryState.PENDING
    dead = after(Outcome("http_500", retry_after=HOUR), attempts=19)
    assert (dead.state, dead.settled_at, dead.last_error) == ("dead", NOW, "http_500")


def test_a_receiver_that_asks_for_time_gets_it():
    assert after(Outcome("http_429", retry_after=HOUR)).next_try_at == NOW + HOUR


def test_a_receiver_cannot_ask_for_less_than_the_pause():
    assert after(Outcome("http_503", retry_after=timedelta(0)), attempts=5).next_try_at > NOW + 60 * SECOND


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("120", 120 * SECOND),
        (" 7 ", 7 * SECOND),
        ("99999999999999999999", DAY),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("Sun, 23 Aug 2026 12:02:00 GMT", 120 * SECOND),
        ("Sun, 23 Aug 2026 11:00:00 GMT", timedelta(0)),
        ("Sun, 23 Aug 2099 11:00:00 GMT", DAY),
        ("Sun, 23 Aug 2026 12:02:00 -0000", 120 * SECOND),
    ],
)
def test_retry_after_is_read_in_both_forms_and_bounded(header, wait):
    assert retry_after(header, NOW) == wait
