"""Two machines and one session: who waits, who steps aside, what an overtaken one may still do."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.vault import everything_in, word_in
from whatsapp_etl.errors import (
    SessionTakenError,
)
from whatsapp_etl.vault.lease import Lease


def test_one_machine_uses_the_session_and_the_other_is_told_which(machine):
    first, second = machine("a", filled="word"), machine("b")
    first.keeper.before_start()

    with pytest.raises(SessionTakenError, match="process 1 on a") as told:
        second.keeper.before_start()
    assert "s after it was cut off" in str(told.value)
    assert told.value.exit_code == 4
    assert everything_in(second.folder) == {}

    first.keeper.after_close(is_worth_keeping=True, is_last=True)
    second.keeper.before_start()
    assert word_in(second.folder) == "word"


def test_a_machine_that_waits_begins_when_the_other_has_ended(machine):
    first, second = machine("a", filled="word"), machine("b")
    first.keeper.before_start()
    asked = []

    def again():
        asked.append(1)
        first.keeper.after_close(is_worth_keeping=True, is_last=True)
        return True

    second.keeper._again = again
    second.keeper.before_start()

    assert asked == [1]
    assert word_in(second.folder) == "word"


def test_a_lease_that_ran_out_passes_on_and_its_old_holder_decides_nothing_more(machine):
    first = machine("a", filled="first", valid_for=timedelta(0))
    first.keeper.before_start()
    second = machine("b", filled="second")
    second.keeper.before_start()

    with pytest.raises(SessionTakenError, match="process 1 on b"):
        first.lease.renew()
    with pytest.raises(SessionTakenError):
        first.keeper.backup()
    first.keeper.after_close(is_worth_keeping=True, is_last=True)
    assert second.keeper.listed() == ()

    second.lease.renew()
    second.keeper.after_close(is_worth_keeping=True, is_last=True)
    assert len(second.keeper.listed()) == 1


def test_a_machine_that_was_suspended_sees_at_its_next_start_that_it_was_overtaken(machine):
    first, second = machine("a", filled="first"), machine("b", filled="second")
    first.keeper.before_start()
    # The other machine saw the lease run out while this one, by its own clock, has renewed it just now.
    newest = first.lease._newest()[0]
    second.objects.create(
        f"lease/{newest.number + 1:012}", replace(newest, holder=second.lease.holder).to_bytes()
    )
    assert first.lease.is_held

    with pytest.raises(SessionTakenError, match="process 1 on b"):
        first.keeper.before_start()

    assert not first.lease.is_held


def test_a_holder_that_lost_the_lease_is_told_while_it_works(machine):
    it, lost = machine("a", filled="word"), threading.Event()
    lease = Lease(it.objects, renew_every=timedelta(milliseconds=20), on_lost=lost.set)
    lease.take()
    claim = lease._newest()[0]

    number = claim.number + 100
    it.objects.create(f"lease/{number:012}", replace(claim, holder=it.lease.holder).to_bytes())

    assert lost.wait(20)
    assert not lease.is_held
    lease.release()
    assert it.objects.numbers("lease")[-1] == number


def test_a_holder_whose_store_is_gone_steps_aside_before_anybody_else_may_begin(machine, faulty, s3_url):
    it, lost = machine("a", filled="word", url=s3_url), threading.Event()
    lease = Lease(
        it.objects,
        valid_for=timedelta(seconds=2),
        renew_every=timedelta(milliseconds=50),
        on_lost=lost.set,
    )
    lease.take()
    begun = time.monotonic()
    faulty.arm("500")

    assert lost.wait(20)

    assert not lease.is_held
    assert time.monotonic() - begun >= 1
    lease._stop_renewing()


def test_a_backup_that_was_overtaken_does_not_move_the_pointer(machine):
    first = machine("a", filled="first")
    first.keeper.before_start()
    second = machine("b", filled="second")
    around = first.keeper._around

    def overtaken(folder):
        # While the first one proves its copy, its machine is suspended and the other takes over.
        first.lease._valid_for = timedelta(0)
        newest = first.lease._newest()[0]
        first.objects.create(
            f"lease/{newest.number + 1:012}", replace(newest, valid_for=timedelta(0)).to_bytes()
        )
        second.keeper.backup()
        return around.account_in(folder)

    first.keeper._around = replace(around, account_in=overtaken)
    with pytest.raises(SessionTakenError):
        first.keeper.backup()

    assert [(each.kept.number, each.is_current) for each in second.keeper.listed()] == [(2, True), (1, False)]


def test_a_process_takes_over_at_once_from_its_dead_predecessor_on_the_same_profile(machine):
    first = machine("a", filled="word")
    first.keeper.before_start()

    first.begin()
    first.keeper.before_start()

    other = machine("b")
    with pytest.raises(SessionTakenError):
        other.keeper.before_start()


def test_claims_are_tidied_while_the_lease_is_renewed(machine):
    it = machine("a", filled="word")
    it.keeper.before_start()
    for _ in range(10):
        it.lease.renew()

    assert it.objects.numbers("lease") == [7, 8, 9, 10, 11]
    # Whoever listed the claims long ago and creates an old number gets nothing by it.
    late = machine("b")
    with pytest.raises(SessionTakenError):
        late.lease._create(3)
