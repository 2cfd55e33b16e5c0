"""A fact that the storage lists and no row shows is counted and named."""

import pytest

from tests.transform_values import NOW, account, batch, context, facts, row
from whatsapp_etl.blind_spots import BlindSpots
from whatsapp_etl.model import MessageType
from whatsapp_etl.transform.cross_check import agreement, lost_facts
from whatsapp_etl.transform.joining import FactsIndex, Joined
from whatsapp_etl.transform.plan import plan_load


def compared(shown, listed, pictures_unseen=()):
    (joined,) = FactsIndex([listed], account()).join(shown)
    return agreement([joined], pictures_unseen)


def test_a_row_that_shows_what_is_listed_loses_nothing():
    shown = row(is_forwarded=True, is_edited=True, quoted_text="the question")
    listed = facts(is_forwarded=True, latest_edit_key="e", quoted_stanza_id="3EB0A0")

    assert {said for _, said in compared(shown, listed)} == {"shown"}


@pytest.mark.parametrize(
    ("fact", "shown", "listed"),
    [
        ("forwarded", {}, {"is_forwarded": True}),
        ("edited", {}, {"latest_edit_key": "e"}),
        ("quote", {}, {"quoted_stanza_id": "3EB0A0"}),
        ("sender", {"sender_name": None}, {}),
        ("text", {"text": None}, {}),
        ("direction", {"is_outgoing": None}, {}),
        ("time", {"sent_at": None}, {}),
        ("time", {"signals": {"time": "neighbour"}}, {}),
    ],
)
def test_what_is_listed_and_not_shown_is_lost(fact, shown, listed):
    counts = compared(row(**shown), facts(**listed))

    assert [key for key in counts if key[1] != "shown"] == [(fact, "lost")]


def test_what_is_shown_otherwise_than_listed_is_told_apart_from_lost():
    counts = compared(row(minute=3, is_outgoing=True, type=MessageType.IMAGE), facts())

    assert counts["direction", "other"] == counts["time", "other"] == counts["kind", "other"] == 1


def test_a_picture_is_lost_where_its_row_shows_neither_it_nor_a_reason():
    shown, listed = row(type=MessageType.IMAGE, text=None), facts(type=MessageType.IMAGE)

    assert compared(shown, listed)["picture", "shown"] == 1
    assert compared(shown, listed, {"3EB0A1"})["picture", "lost"] == 1


def test_a_kind_that_the_page_may_refine_and_a_deleted_message_lose_nothing():
    video = compared(row(type=MessageType.GIF), facts(type=MessageType.VIDEO))
    deleted = compared(row(type=MessageType.DELETED, text=None), facts(is_forwarded=True))

    assert {said for _, said in [*video, *deleted]} == {"shown"}


def test_a_row_that_is_not_listed_is_not_compared():
    assert agreement([Joined(row(), None)]) == {}


def test_a_load_says_how_far_its_rows_agree():
    plan = plan_load(batch("3EB0A1"), [row()], [facts(is_forwarded=True)], {}, context(), NOW)

    assert lost_facts(plan.agreement)["forwarded"] == (0, 1)


def test_a_fact_missed_again_and_again_is_named_over_several_cycles():
    spots = BlindSpots()
    spots.note({("forwarded", "lost"): 1, ("kind", "shown"): 4})
    spots.note({("forwarded", "lost"): 1, ("kind", "shown"): 4})
    assert spots.facts == ()

    spots.note({("forwarded", "lost"): 1})
    assert spots.facts == ("forwarded",)

    spots.note({("forwarded", "shown"): 1})
    assert spots.facts == ()


def test_a_few_rows_that_differ_among_many_are_no_blind_spot():
    spots = BlindSpots()
    spots.note({("kind", "shown"): 90, ("kind", "other"): 10})

    assert spots.facts == ()
