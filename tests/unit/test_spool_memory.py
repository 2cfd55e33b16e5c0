"""What is settled, kept for a program that starts while Postgres is away."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.load import ANA, NOW, make_entry, make_message
from whatsapp_etl.errors import SpoolDamagedError
from whatsapp_etl.forgotten import Forgotten
from whatsapp_etl.model import Account, ChatDiff
from whatsapp_etl.recollection import Recollection
from whatsapp_etl.scope import Standing
from whatsapp_etl.spool.folder import Spool
from whatsapp_etl.spool.memory import packed_memory, unpacked_memory
from whatsapp_etl.spool.settled import Settled

OWN, OTHER = Account("491555000000@c.us"), Account("491555000009@c.us")
STANDING = Standing(OWN.id, is_shield_alarmed=False, forgotten=Forgotten(b"key", frozenset({b"gone"})))
OLD, NEW = (make_entry(make_message(number)) for number in (1, 2))
SINCE = NOW - timedelta(days=30)


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool", 1_000_000)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "spool" / "settled.memory"


def kept(spool, *entries, standing=STANDING):
    """Return what a program knows that compared these and has kept it."""
    known = Recollection(spool, standing=standing)
    for _ in known.settled.noting([entries]):
        pass
    known.settled.compared({ANA: ChatDiff(ANA, len(entries), len(entries), ())})
    known.keep()
    return known


def recalled(spool, account=OWN):
    known = Recollection(spool)
    known.recall(account)
    return known


def wanted(known, *entries):
    diffs = known.settled.diff([entries], SINCE, NOW)
    return [key for diff in diffs.values() for key in diff.wanted]


def test_another_program_goes_on_where_one_stopped(spool):
    kept(spool, OLD)

    known = recalled(spool)

    assert known.standing == STANDING
    assert known.settled.is_known
    edited = replace(OLD, source_revision="chat|edited||")
    assert wanted(known, OLD, NEW) == [NEW.external_id]
    assert wanted(known, edited) == [OLD.external_id]


def test_what_was_settled_since_is_kept_too_and_an_alarm(spool):
    known = kept(spool, OLD)
    wanted(known, OLD, NEW)
    known.settled.settle([NEW.external_id])
    known.raise_alarm()
    known.keep()

    again = recalled(spool)

    assert wanted(again, OLD, NEW) == []
    assert again.standing.is_shield_alarmed


def test_only_what_a_program_does_not_know_is_taken_up(spool):
    kept(spool, OLD)
    known = Recollection(spool, standing=replace(STANDING, is_shield_alarmed=True))

    known.recall(OWN)

    assert known.standing.is_shield_alarmed  # what Postgres said last stands
    assert wanted(known, OLD, NEW) == [NEW.external_id]
    known.settled = Settled(b"key", {})
    known.recall(OWN)
    assert wanted(known, OLD) == [OLD.external_id]


def test_of_another_account_nothing_is_taken_up(spool):
    kept(spool, OLD)

    assert recalled(spool, OTHER).standing is None


def test_nothing_is_kept_before_a_comparison_nor_of_a_refused_account(spool, place):
    Recollection(spool, standing=STANDING).keep()
    kept(spool, OLD, standing=replace(STANDING, account_id=None))

    assert not place.exists()
    assert not spool.has_memory


def test_it_names_nobody_is_the_owners_alone_and_is_written_only_when_it_changes(spool, place):
    known = kept(spool, OLD)

    content = place.read_bytes()
    for each in (OWN.id, OLD.external_id, OLD.chat_id, "491555"):
        assert each.encode() not in content
    assert place.stat().st_mode & 0o777 == 0o600
    inode = place.stat().st_ino
    known.keep()
    assert place.stat().st_ino == inode


@pytest.mark.parametrize("cut", [1, 8, 40, 300])
def test_a_damaged_one_is_told_and_taken_for_none(spool, place, cut):
    kept(spool, OLD)
    data = place.read_bytes()
    place.write_bytes(data[:-cut])

    with pytest.raises(SpoolDamagedError):
        spool.memory()
    assert recalled(spool).standing is None


def test_its_content_comes_back_and_is_always_the_same(spool):
    kept(spool, OLD, NEW)
    memory = spool.memory()

    assert unpacked_memory(packed_memory(memory)) == memory
    turned = dict(reversed(memory.revisions.items()))
    assert packed_memory(replace(memory, revisions=turned)) == packed_memory(memory)


def test_a_bound_that_is_reached_keeps_the_one_before(tmp_path, place):
    kept(Spool(tmp_path / "spool", 1_000_000), OLD)
    before = place.read_bytes()
    small = Spool(tmp_path / "spool", len(before))

    kept(small, OLD, NEW)

    assert place.read_bytes() == before
