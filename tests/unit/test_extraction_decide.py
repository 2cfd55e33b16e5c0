"""When a picture is tried again, when it is given up, and what of a reading is stored."""

from datetime import timedelta

import pytest

from tests.fixtures.load import NOW
from whatsapp_etl.extracted import Block, JobState, Reading
from whatsapp_etl.extraction.decide import Policy, after_failure, after_loss, given_up, storable
from whatsapp_etl.picture_worker import restart_pause

POLICY = Policy(first=timedelta(minutes=2), longest=timedelta(minutes=10), most_attempts=4)
BOX = ((0.0, 0.0), (9.0, 0.0), (9.0, 5.0), (0.0, 5.0))


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 2), (2, 4), (3, 8)])
def test_pauses_double_with_each_failure_up_to_the_last_try(attempts, minutes):
    longest = after_failure("engine_failed", attempts, NOW, 1, POLICY)
    shortest = after_failure("engine_failed", attempts, NOW, 0, POLICY)

    assert longest.state is shortest.state is JobState.QUEUED
    assert longest.next_try_at == NOW + timedelta(minutes=minutes)
    assert shortest.next_try_at == NOW + timedelta(minutes=minutes / 2)


def test_no_pause_is_longer_than_the_longest_however_often_it_failed():
    patient = Policy(longest=timedelta(minutes=10), most_attempts=10_000)

    assert after_failure("x", 9_999, NOW, 1, patient).next_try_at == NOW + timedelta(minutes=10)


def test_the_last_try_gives_up_with_its_reason():
    verdict = after_failure("file_missing", 4, NOW, 0, POLICY)

    assert (verdict.state, verdict.reason, verdict.next_try_at) == (JobState.DEAD, "file_missing", NOW)


def test_a_picture_whose_worker_is_gone_is_begun_again_at_once_until_the_tries_are_spent():
    assert after_loss(3, NOW, POLICY).state is JobState.QUEUED
    assert after_loss(3, NOW, POLICY).next_try_at == NOW
    assert after_loss(4, NOW, POLICY) == given_up("worker_lost", NOW)


def test_a_worker_may_miss_two_beats_before_it_is_taken_for_lost():
    assert Policy(lease=timedelta(seconds=60)).beat == timedelta(seconds=20)


def test_what_postgres_cannot_hold_is_left_out_of_a_reading():
    reading = Reading((Block("a\x00b \ud800", 1.5, BOX), Block(" \x00 ", 0.5, BOX), Block("c", -1, BOX)))

    kept = storable(reading)

    assert kept.text == "ab ?\nc"
    assert [block.confidence for block in kept.blocks] == [1.0, 0.0]


def test_a_text_without_end_is_cut():
    endless = storable(Reading((Block("x" * 60_000, 1, BOX),) * 3))

    assert len(endless.text) == 100_000
    assert len(endless.blocks) == 2


def test_a_worker_that_ends_at_once_again_and_again_is_started_ever_more_rarely():
    assert [restart_pause(n).total_seconds() for n in (1, 2, 3, 9, 10_000)] == [1, 2, 4, 256, 300]
