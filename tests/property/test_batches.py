"""However a chat's messages are divided among cycles, in whatever order they come, the rows are the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.transform_values import NOW, all_known, batch, context, facts, row
from whatsapp_etl.model import Message, MessageType
from whatsapp_etl.transform.plan import plan_load

#: What a row of each kind may say, and whether it may be marked as edited.
KINDS = [
    (MessageType.TEXT, ["one", "two\nlines", "🙂", "[1, 2] x: "], [False, True]),
    (MessageType.POLL, ["Which day?\nMonday\nTuesday"], [False]),
    (MessageType.SYSTEM, ["Somebody left"], [False]),
    (MessageType.VOICE, [None], [False]),
    (MessageType.DELETED, [None], [False]),
]


@st.composite
def pairs(draw):
    """Draw a row of the page and what the metadata lists of it."""
    kind, texts, marks = draw(st.sampled_from(KINDS))
    stanza_id = draw(st.text("0123456789ABCDEF", min_size=20, max_size=20))
    minute = draw(st.integers(0, 90))
    said = {"text": draw(st.sampled_from(texts)), "is_edited": draw(st.sampled_from(marks))}
    return row(stanza_id, minute=minute, type=kind, **said), facts(stanza_id, minute=minute, type=kind)


talks = st.lists(pairs(), min_size=1, max_size=8, unique_by=lambda pair: pair[0].stanza_id)


def stored_after(talk, cycles):
    """Load a talk in cycles, each of which captures some of its rows; return what is stored in the end."""
    listed = [each for _, each in talk]
    stored: dict[str, Message] = {}
    for number, captured in enumerate(cycles):
        at = NOW + timedelta(minutes=10 * number)
        rows = [talk[index][0] for index in captured]
        known = all_known(tuple(stored.values()))
        plan = plan_load(batch(observed_at=at), rows, listed, known, context(), at)
        stored |= {message.external_id: message for message in plan.messages}
    return {key: without_times_of_reading(message) for key, message in stored.items()}


def without_times_of_reading(message):
    """Leave out when and from which words of the page something was learnt: not what was learnt."""
    edited = message.edited_seen_at and NOW
    deleted = message.deleted_seen_at and NOW
    return replace(message, observed_at=NOW, ts_raw=None, edited_seen_at=edited, deleted_seen_at=deleted)


@given(talks, st.data())
def test_any_split_into_cycles_ends_in_the_same_rows(talk, data):
    everything = range(len(talk))
    cuts = data.draw(st.lists(st.integers(0, len(talk)), max_size=3).map(sorted))
    parts = [range(begin, end) for begin, end in zip([0, *cuts], [*cuts, len(talk)], strict=True)]

    assert stored_after(talk, parts) == stored_after(talk, [everything])


@given(talks, st.data())
def test_rows_seen_twice_end_in_the_same_rows(talk, data):
    everything = range(len(talk))
    some = data.draw(st.lists(st.sampled_from(everything), unique=True).map(sorted))

    assert stored_after(talk, [some, everything, some]) == stored_after(talk, [everything])


@given(talks, st.randoms(use_true_random=False))
def test_the_order_within_a_batch_does_not_matter(talk, chance):
    mixed = chance.sample(talk, len(talk))

    assert stored_after(mixed, [range(len(talk))]) == stored_after(talk, [range(len(talk))])
