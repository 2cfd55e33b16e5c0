"""Whatever a page shows and takes away between two looks: what counts as found is handed on."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from whatsapp_etl.extract.capture import Capture, Shown, Step, stanza_ids
from whatsapp_etl.model import MessageFacts, MessageKey, MessageType, RawRow

CHAT = "15551001001@c.us"
NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)
CHAT_ROWS = [f"3EB0{number:02}" for number in range(30)]

windows = st.tuples(st.integers(0, 29), st.integers(1, 12)).map(lambda each: CHAT_ROWS[each[0] : sum(each)])
#: What stood there before a step's end, what stands there at its end, and whether the former is told.
looks = st.lists(st.tuples(windows, windows, st.booleans()), min_size=1, max_size=12)


def fact(stanza):
    sent_at = NOW + timedelta(minutes=CHAT_ROWS.index(stanza))
    return MessageFacts(
        MessageKey(False, CHAT, stanza), MessageType.TEXT, None, "chat", sent_at, CHAT, "chat|||"
    )


def step(before, after, *, is_told):
    taken = dict.fromkeys([*before, *after])
    rows = tuple(Shown(RawRow(each, "<div></div>", "flex-start", None, 0), is_cut=False) for each in taken)
    told = (tuple(before),) if is_told else ()
    return Step("Ana", rows, tuple(after), (), "quiet", 0, is_quiet=False, looks=told)


@given(looks, st.sets(st.sampled_from(CHAT_ROWS), min_size=1))
def test_every_message_is_either_missing_or_handed_on_once(steps, wanted):
    capture = Capture([fact(stanza) for stanza in sorted(wanted)])

    for before, after, is_told in steps:
        capture.add(step(before, after, is_told=is_told))

    handed_on = [stanza for row in capture.rows for stanza in stanza_ids(row.shown_id)]
    missing = {each.key.stanza_id for each in capture.missing}
    assert len(handed_on) == len(set(handed_on))
    assert set(handed_on) == wanted - missing
    told = {
        stanza for before, after, is_told in steps for stanza in ([*before, *after] if is_told else after)
    }
    assert wanted & told <= set(handed_on)
    assert capture.is_complete is (set(handed_on) == wanted)
