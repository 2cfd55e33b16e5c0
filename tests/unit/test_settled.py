"""What needs no reading while Postgres cannot be asked."""

from dataclasses import replace
from datetime import timedelta

from tests.fixtures.load import ANA, CLUB, NOW, make_entry, make_message
from whatsapp_etl.model import ChatDiff
from whatsapp_etl.spool.settled import Settled

SINCE = NOW - timedelta(days=30)
OLD, MIDDLE, NEW = (make_entry(make_message(number)) for number in (1, 2, 3))


def compared(*entries, wanted=()):
    """Return what is settled after a comparison that listed these."""
    settled = Settled()
    for _ in settled.noting([entries]):
        pass
    keys = tuple(each.external_id for each in wanted)
    settled.compared({ANA: ChatDiff(ANA, len(entries), len(entries) - len(keys), keys)})
    return settled


def wanted(settled, *entries, now=NOW):
    diffs = settled.diff([entries], SINCE, now)
    return [key for diff in diffs.values() for key in diff.wanted]


def test_only_what_was_not_listed_at_the_last_comparison_is_wanted():
    settled = compared(OLD, MIDDLE)

    assert settled.diff([[NEW, OLD], [MIDDLE]], SINCE, NOW) == {
        ANA: ChatDiff(
            ANA,
            expected=3,
            stored=2,
            wanted=(NEW.external_id,),
            newest_at=NEW.sent_at,
            first_id=OLD.external_id,
            last_id=NEW.external_id,
        )
    }


def test_another_revision_is_wanted():
    edited = replace(MIDDLE, source_revision="chat|edited||")

    assert wanted(compared(OLD, MIDDLE), OLD, edited) == [edited.external_id]


def test_what_was_wanted_stays_so_until_it_is_settled_and_the_newest_comes_first():
    settled = compared(OLD, MIDDLE, NEW, wanted=[OLD, NEW])
    assert wanted(settled, OLD, MIDDLE, NEW) == [NEW.external_id, OLD.external_id]

    settled.settle([NEW.external_id, "false_unknown"])

    assert wanted(settled, OLD, MIDDLE, NEW) == [OLD.external_id]


def test_what_was_settled_while_postgres_was_away_is_settled_in_the_revision_that_was_seen():
    settled = compared(OLD)
    assert wanted(settled, OLD, NEW) == [NEW.external_id]
    settled.settle([NEW.external_id])

    assert wanted(settled, OLD, NEW) == []
    assert wanted(settled, OLD, replace(NEW, source_revision="revoked|||")) == [NEW.external_id]


def test_chats_are_compared_each_by_itself():
    other = make_entry(make_message(9, thread_external_id=CLUB))

    assert Settled().diff([[OLD, other]], SINCE, NOW).keys() == {ANA, CLUB}


def test_what_lies_before_the_look_back_or_has_disappeared_is_not_wanted():
    settled = compared(OLD)
    early = replace(NEW, sent_at=SINCE - timedelta(seconds=1))
    gone = replace(MIDDLE, expires_at=NOW)

    assert wanted(settled, OLD, early, gone) == []
    assert wanted(settled, OLD, replace(MIDDLE, expires_at=NOW + timedelta(seconds=1))) == [
        MIDDLE.external_id
    ]


def test_a_comparison_that_broke_off_counts_for_nothing():
    settled = compared(OLD)
    next(iter(settled.noting([[NEW]])))

    assert wanted(settled, OLD, NEW) == [NEW.external_id]
    assert not Settled().is_known
    assert settled.is_known
