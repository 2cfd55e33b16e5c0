from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_etl.extract.capture import (
    PAGE_ROWS,
    Capture,
    Shown,
    Step,
    Verdict,
    judge,
    shown_chat_id,
    stanza_ids,
)
from whatsapp_etl.model import MessageFacts, MessageKey, MessageType, RawRow, RowModel

CHAT = "15551001001@c.us"
NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)


def fact(stanza, *, minutes=0, kind=MessageType.TEXT, parent=None):
    return MessageFacts(
        key=MessageKey(False, CHAT, stanza),
        type=kind,
        subtype=None,
        wa_type="chat",
        sent_at=NOW - timedelta(minutes=minutes),
        sender_id=CHAT,
        source_revision="chat|||",
        parent_stanza_id=parent,
    )


def row(shown_id, *, key=None):
    model = RowModel(key=key, sent_at_seconds=None, type=None, author=None) if key else None
    return RawRow(shown_id, "<div></div>", "flex-start", None, 0, model=model)


def step(*ids, new=None, empty=(), pictures=0):
    fresh = [shown_id for shown_id in (ids if new is None else new) if shown_id not in empty]
    rows = tuple(Shown(row(i), is_cut=False, pictures=pictures) for i in fresh)
    return Step("Ana", rows, tuple(ids), tuple(empty), "quiet", 0, False)


def times(*stanzas):
    """Return instants a minute apart, oldest first."""
    return {stanza: NOW - timedelta(minutes=len(stanzas) - place) for place, stanza in enumerate(stanzas)}


@pytest.mark.parametrize(
    ("shown_id", "stanzas"),
    [
        ("3EB0A1", ("3EB0A1",)),
        ("false_15551001001@c.us_3EB0A1", ("3EB0A1",)),
        ("true_120363000000000001@g.us_3EB0A1_15550001111@c.us", ("3EB0A1",)),
        ("true_15550001111@c.us_3EB0A1_out", ("3EB0A1",)),
        ("album-3EB0A1-3EB0A4-4", ("3EB0A1", "3EB0A4")),
        ("grouped-sticker-3EB0A1-3EB0A4-2", ("3EB0A1", "3EB0A4")),
    ],
)
def test_every_form_of_a_shown_id_names_its_stanza_ids(shown_id, stanzas):
    assert stanza_ids(shown_id) == stanzas


def test_a_packed_id_or_the_model_names_the_chat():
    assert shown_chat_id(row("false_15551001001:7@s.whatsapp.net_3EB0A1")) == CHAT
    assert shown_chat_id(row("3EB0A1", key="false_15551001001@c.us_3EB0A1")) == CHAT
    assert shown_chat_id(row("3EB0A1")) is None


def test_rows_that_the_metadata_lists_are_ours():
    assert judge([row("A"), row("B")], {CHAT}, times("A", "B", "C")) is Verdict.OURS


def test_one_unlisted_row_among_them_is_not_proven():
    assert judge([row("A"), row("X")], {CHAT}, times("A", "B")) is Verdict.UNKNOWN


def test_rows_of_which_none_is_listed_are_another_chats():
    assert judge([row("X"), row("Y")], {CHAT}, times("A", "B")) is Verdict.OTHER


def test_a_row_that_names_another_chat_is_not_ours_whatever_else_is_shown():
    rows = [row("A"), row("X", key="false_15551009999@c.us_X")]

    assert judge(rows, {CHAT}, times("A")) is Verdict.OTHER


def test_a_new_row_that_names_our_chat_is_ours():
    assert judge([row("NEW", key="false_15551001001@c.us_NEW")], {CHAT}, times("A")) is Verdict.OURS


def test_context_cards_prove_nothing_and_disprove_nothing():
    assert judge([row("12345678901234567890"), row("A")], {CHAT}, times("A")) is Verdict.OURS
    assert judge([row("12345678901234567890")], {CHAT}, times("A")) is Verdict.UNKNOWN


def test_without_metadata_only_rows_that_name_the_chat_are_ours():
    assert judge([row("false_15551001001@c.us_A")], {CHAT}, None) is Verdict.OURS
    assert judge([row("A")], {CHAT}, None) is Verdict.UNKNOWN


def test_only_wanted_rows_are_kept():
    capture = Capture([fact("B")])

    capture.add(step("A", "B", "C"))

    assert [kept.shown_id for kept in capture.rows] == ["B"]
    assert capture.missing == ()
    assert capture.seen == ["A", "B", "C"]


def test_rows_to_be_compared_are_kept_where_they_are_shown_and_waited_for_nowhere():
    capture = Capture([fact("B")], [fact("A"), fact("Z")])

    capture.add(step("A", "B", "C", empty=["A"]))

    assert capture.is_complete
    assert capture.empty_ids == ()
    capture.add(step("A", "B", "C", new=["A"]))
    assert [kept.shown_id for kept in capture.rows] == ["A", "B"]
    assert capture.shown_ids == ("A", "B", "C")


def test_a_row_that_no_list_has_is_told_but_for_cards_and_groups():
    capture = Capture([fact("B")])

    capture.add(step("A", "B", "12345678901234567890", f"false_{CHAT}_X", "album-A-B-2"))

    assert capture.unlisted(times("A", "B")) == (f"false_{CHAT}_X",)
    assert capture.unlisted(times("A", "B", "X")) == ()


def test_rows_come_in_page_order_however_they_were_met():
    capture = Capture([fact(stanza) for stanza in "ABCDEF"])

    capture.add(step("C", "D"))
    capture.add(step("A", "B", "C", new=["A", "B"]))
    capture.add(step("D", "F", new=["F"]))
    capture.add(step("D", "E", "F", new=["E"]))

    assert [kept.shown_id for kept in capture.rows] == ["A", "B", "C", "D", "E", "F"]
    assert capture.oldest_id == "A"


def test_a_row_that_left_the_page_before_it_was_placed_is_missing_until_it_comes_back():
    capture = Capture([fact("A"), fact("B"), fact("C")])

    kept = capture.add(step("B", "C", new=["A", "B", "C"]))

    assert [shown.row.shown_id for shown in kept] == ["B", "C"]
    assert [gap.key.stanza_id for gap in capture.missing] == ["A"]
    assert not capture.is_complete
    capture.add(step("A", "B", new=["A"]))
    assert capture.is_complete
    assert [row.shown_id for row in capture.rows] == ["A", "B", "C"]


def test_a_row_that_left_the_page_within_a_step_has_the_place_in_which_it_stood():
    capture = Capture([fact(stanza) for stanza in "ABCD"])

    capture.add(replace(step("A", "B", new=["C", "D", "B", "A"]), looks=(("C", "D"), ("B", "C"))))

    assert capture.is_complete
    assert [row.shown_id for row in capture.rows] == ["A", "B", "C", "D"]


def test_a_row_that_stayed_empty_is_named_until_it_is_captured():
    capture = Capture([fact("A"), fact("B")])

    capture.add(step("A", "B", empty=["A"]))
    before = capture.empty_ids
    capture.add(step("A", "B", new=["A"]))

    assert before == ("A",)
    assert capture.empty_ids == ()
    assert capture.missing == ()


def test_an_albums_row_stands_for_all_its_pictures():
    pictures = [fact(f"P{n}", minutes=9 - n, kind=MessageType.IMAGE, parent="ALBUM") for n in range(4)]
    capture = Capture([*pictures, fact("T")])

    capture.add(step("album-P0-P3-4"))

    assert [missing.key.stanza_id for missing in capture.missing] == ["T"]


def test_an_album_without_a_known_parent_covers_the_pictures_between_its_ends():
    pictures = [fact(f"P{n}", minutes=9 - n, kind=MessageType.IMAGE) for n in range(4)]
    capture = Capture([*pictures, fact("T", minutes=8)])

    capture.add(step("album-P0-P3-4"))

    assert [missing.key.stanza_id for missing in capture.missing] == ["T"]


@pytest.mark.parametrize("parent", [None, "ALBUM"])
def test_an_album_under_its_first_id_covers_as_many_pictures_as_it_stands_for(parent):
    pictures = [fact(f"P{n}", minutes=9 - n, kind=MessageType.IMAGE, parent=parent) for n in range(4)]
    older = fact("OLD", minutes=20, kind=MessageType.IMAGE)
    own = replace(
        fact("OWN", minutes=8, kind=MessageType.IMAGE), key=MessageKey(True, CHAT, "OWN"), sender_id="1@c.us"
    )
    capture = Capture([*reversed(pictures), own, older, fact("LAST", kind=MessageType.IMAGE)])

    capture.add(step("P0", pictures=4))

    assert [missing.key.stanza_id for missing in capture.missing] == ["OWN", "OLD", "LAST"]
    assert capture.is_picture("P0")


@pytest.mark.parametrize("shown_id", ["P0", "album-P0-P3-4"])
def test_an_album_is_kept_while_a_picture_is_wanted_that_it_may_show(shown_id):
    wanted = fact("P1", minutes=8, kind=MessageType.IMAGE)
    capture, other = Capture([wanted]), Capture([fact("T")])

    for each in (capture, other):
        each.add(step(shown_id, pictures=4))

    assert [row.shown_id for row in capture.rows] == [shown_id]
    assert capture.is_picture(shown_id)
    assert capture.missing == (wanted,)
    assert other.rows == ()


def test_the_edge_is_passed_by_a_whole_page_of_older_rows_only():
    ids = [f"M{number:03}" for number in range(PAGE_ROWS + 1)]
    listed = times(*ids)
    capture = Capture([fact("X")])
    capture.add(step(*ids))

    assert capture.is_past(listed[ids[PAGE_ROWS]], listed)
    assert not capture.is_past(listed[ids[PAGE_ROWS - 1]], listed)


def test_rows_without_a_known_time_do_not_count_towards_the_edge():
    ids = [f"M{number:03}" for number in range(PAGE_ROWS)]
    listed = times(*ids, "EDGE")
    capture = Capture([fact("X")])
    capture.add(step("card", *ids))

    assert capture.is_past(listed["EDGE"], listed)
    assert not capture.is_past(listed["EDGE"], {stanza: listed[stanza] for stanza in ids[1:]})


def test_the_metadata_tells_whether_older_rows_are_to_come():
    listed = times("A", "B", "C")
    capture = Capture([fact("A", minutes=60)])
    capture.add(step("B", "C"))
    before = capture.has_more_stored(listed), capture.misses_older(listed)
    capture.add(step("A", "B", "C", new=["A"]))

    assert before == (True, True)
    assert (capture.has_more_stored(listed), capture.misses_older(listed)) == (False, False)


def test_a_notice_that_the_page_may_not_show_is_not_waited_for():
    listed = times("N", "B")
    capture = Capture([replace(fact("N", minutes=60), type=MessageType.SYSTEM)])
    capture.add(step("B"))

    assert not capture.misses_older(listed)
