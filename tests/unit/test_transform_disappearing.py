"""Messages that disappear: left out where wished, never stored again, and gaps that say so."""

from datetime import timedelta

import pytest

from tests.transform_values import NOW, OTHER, context, diff, facts, ids, plan, row
from whatsapp_etl.model import (
    ChatDiff,
    MessageType,
    MissingReason,
)


def test_disappearing_messages_can_be_left_out():
    listed = [facts("A", expires_at=NOW + timedelta(days=1)), facts("B", minute=1)]

    made = plan([row("B", minute=1)], listed, where=context(disappearing="skip"))

    assert ids(made.messages) == ["B"]
    assert made.missing == ()


@pytest.mark.parametrize(("rule", "stored"), [("expire", ["B"]), ("keep", ["A", "B"])])
def test_what_has_disappeared_is_not_stored_again_while_the_page_still_lists_it(rule, stored):
    listed = [
        facts("A", type=MessageType.STICKER, expires_at=NOW),
        facts("B", minute=1, type=MessageType.STICKER, expires_at=NOW + timedelta(seconds=1)),
    ]

    assert ids(plan([], listed, where=context(disappearing=rule)).messages) == stored


@pytest.mark.parametrize("is_packed", [True, False], ids=["packed ids", "bare ids"])
@pytest.mark.parametrize(("rule", "leaves_in"), [("skip", 1), ("expire", 0)])
def test_a_row_of_a_message_that_disappears_is_neither_stored_nor_a_reject(is_packed, rule, leaves_in):
    listed = facts("A", expires_at=NOW + timedelta(days=leaves_in))
    shown = row("A", shown_id=str(listed.key), key=listed.key) if is_packed else row("A")

    made = plan([shown], [listed], where=context(disappearing=rule))

    assert (made.messages, made.rejects) == ((), ())


def test_what_was_wanted_and_disappeared_before_it_could_be_stored_is_a_gap_that_says_so():
    listed = facts("A", expires_at=NOW)
    key = str(listed.key)

    (gap,) = plan([row("A")], [listed], where=context(diff=ChatDiff(OTHER, 1, 0, (key,)))).missing

    assert (gap.external_id, gap.reason, gap.expires_at) == (key, MissingReason.EXPIRED, NOW)


def test_what_is_skipped_because_it_disappears_is_no_gap():
    listed = facts("A", expires_at=NOW)
    where = context(disappearing="skip", diff=diff(str(listed.key)))

    assert plan([row("A")], [listed], where=where).missing == ()
