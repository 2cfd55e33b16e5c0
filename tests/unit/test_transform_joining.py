"""Which listed message a row of the page is; an album's row is several."""

import pytest

from tests.transform_values import GROUP, OTHER, OWN, account, facts, row
from tests.unit.test_transform_messages import FILE, message
from whatsapp_etl.model import MessageKey, MessageType, ParsedAttachment
from whatsapp_etl.transform.joining import FactsIndex


def join(shown, *listed):
    return [each.facts for each in FactsIndex(listed, account()).join(shown)]


def test_a_packed_row_joins_by_its_whole_key():
    mine, theirs = facts(key=MessageKey(True, OTHER, "A")), facts(key=MessageKey(False, OTHER, "A"))

    assert join(row("A", key=MessageKey(True, OTHER, "A")), mine, theirs) == [mine]
    assert join(row("A", key=MessageKey(False, OTHER, "B")), mine, theirs) == [theirs]


def test_a_packed_row_of_another_participant_joins_nothing():
    listed = facts(key=MessageKey(False, GROUP, "A", OTHER))

    assert join(row("A", key=MessageKey(False, GROUP, "A", "777@lid")), listed) == [None]
    assert join(row("A", key=MessageKey(False, GROUP, "A")), listed) == [listed]


def test_a_reused_stanza_id_is_told_apart_by_direction_and_minute():
    mine = facts(key=MessageKey(True, GROUP, "A", OWN), sender_id=OWN)
    early = facts(key=MessageKey(False, GROUP, "A", OTHER), minute=1)
    late = facts(key=MessageKey(False, GROUP, "A", "777@lid"), minute=2)

    assert join(row("A", is_outgoing=True), mine, early, late) == [mine]
    assert join(row("A", minute=2), mine, early, late) == [late]
    assert join(row("A", sent_at=None), mine, early, late) == [None]
    assert join(row("A", is_outgoing=None, sent_at=None), mine, early) == [None]
    assert join(row("B"), mine) == [None]


def image(stanza_id, minute, **changes):
    return facts(stanza_id, minute=minute, type=MessageType.IMAGE, **changes)


def album(shown_id):
    return row(shown_id, type=MessageType.ALBUM, text=None)


def test_an_albums_row_shows_its_messages_in_order():
    listed = [image("A", 0), facts("T", minute=1), image("B", 2), image("C", 3)]

    assert join(album("album-A-C-3"), *listed) == [listed[0], listed[2], listed[3]]


def test_another_picture_that_its_sender_sent_meanwhile_is_none_of_an_album():
    parts = [image(name, minute, parent_stanza_id="P") for name, minute in (("A", 0), ("B", 2), ("C", 4))]
    listed = [*parts, image("X", 1), image("Y", 3, parent_stanza_id="Q")]

    assert join(album("album-A-C-3"), *listed) == parts
    # Their order is the page's; a second earlier or later tells nothing.
    assert join(album("album-C-A-3"), *listed) == parts


def test_without_parents_the_order_of_the_chat_tells_which_pictures_are_an_albums():
    parts = [image(name, minute) for name, minute in (("A", 0), ("B", 2), ("C", 4))]
    meanwhile = [image("X", 1), image("Y", 3)]

    assert join(album("album-A-C-3"), *parts, *meanwhile) == parts
    assert join(album("album-A-C-3"), *meanwhile, *parts) == parts
    assert join(album("album-A-C-5"), *parts, *meanwhile) == sorted(
        (*parts, *meanwhile), key=lambda each: each.sent_at
    )


def test_an_album_that_something_cuts_in_two_has_two_rows():
    parts = [image(name, minute, parent_stanza_id="P") for minute, name in enumerate("ABCDEFGH")]
    listed = [*parts, facts("T", minute=4)]

    assert join(album("album-A-D-4"), *listed) == parts[:4]
    assert join(album("album-E-H-4"), *listed) == parts[4:]


def test_an_album_whose_parent_is_listed_of_some_pictures_only_is_known_by_its_ends():
    listed = [image("A", 0, parent_stanza_id="P"), image("B", 1), image("C", 2)]

    assert join(album("album-A-C-3"), *listed) == listed


@pytest.mark.parametrize("shown_id", ["album-A-C-9", "album-A-X-2", "album-X-C-2", "strange"])
def test_an_album_that_does_not_add_up_shows_nothing(shown_id):
    assert join(album(shown_id), image("A", 0), image("C", 1)) == []


def pictures_row(shown_id, count):
    return row(shown_id, type=MessageType.ALBUM, text=None, attachment=ParsedAttachment(count=count))


def test_an_album_under_its_first_id_shows_as_many_pictures_of_one_sender_as_it_has_places():
    listed = [image("Z", 0), image("A", 1), image("X", 2, sender_id=OWN), image("B", 3), image("C", 4)]

    assert join(pictures_row("A", 2), *listed) == [listed[1], listed[3]]
    assert join(pictures_row("A", 4), *listed) == []
    assert join(pictures_row("X", 1), facts("X")) == []
    assert join(album("A"), *listed) == []
    assert join(pictures_row("Q", 2), *listed) == []


def test_an_album_under_its_first_id_shows_the_pictures_of_its_parent():
    listed = [image("A", 1, parent_stanza_id="P"), image("B", 1), image("C", 2, parent_stanza_id="P")]

    assert join(pictures_row("A", 9), *listed) == [listed[0], listed[2]]
    made = message(pictures_row("A", 2), image("B", 0), album_position=1)
    assert made.album_id == "A"


def test_an_albums_messages_know_their_place():
    made = message(album("album-A-C-2"), image("A", 0), files=(FILE,), album_position=0)

    assert (made.message_type, made.album_id, made.album_position) == (MessageType.IMAGE, "album-A-C-2", 0)
    parent = message(album("album-A-C-2"), image("A", 0, parent_stanza_id="P"), album_position=1)
    assert parent.album_id == "P"


def test_stickers_in_one_row_are_messages_of_their_own_and_no_album():
    listed = [facts("A", minute=0, type=MessageType.STICKER), facts("B", minute=1, type=MessageType.STICKER)]
    pair = album("grouped-sticker-A-B-2")

    assert join(pair, *listed) == listed
    made = message(pair, listed[1], album_position=1)
    assert (made.message_type, made.album_id) == (MessageType.STICKER, None)


def test_an_album_alone_is_no_message_of_a_known_kind():
    key = MessageKey(False, OTHER, "A")

    assert message(row("A", key=key, type=MessageType.ALBUM)).message_type is MessageType.OTHER
