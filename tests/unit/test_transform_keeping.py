"""What of a captured chat lies on disk, and what is taken out of it on request."""

import json
from dataclasses import replace

import pytest

from tests.fixtures.captured import (
    ANA,
    ANA_LID,
    NOW,
    OWN,
    key,
    make_captured,
    make_facts,
    make_raw,
    make_reject,
    make_row,
    stanza,
)
from whatsapp_etl.forgotten import Forgotten, Wish, digest, forgotten_of
from whatsapp_etl.model import MessageKey, MessageType, TimeDissent
from whatsapp_etl.plain_json import plain
from whatsapp_etl.transform.keeping import fit_to_keep, without_forgotten

BEN = "491555000002@c.us"
CLUB = "120363000000000001@g.us"


def message(number):
    return forgotten_of(Wish("message", key(number)))


def by_ben(number):
    return MessageKey(is_outgoing=False, chat_id=CLUB, stanza_id=stanza(number), participant_id=BEN)


def club(*numbers, of_ben=()):
    """Return a visit to a group: messages of Ana and of Ben."""
    captured = make_captured(*numbers)
    facts = tuple(
        make_facts(n, key=by_ben(n), sender_id=BEN)
        if n in of_ben
        else make_facts(n, key=MessageKey(False, CLUB, stanza(n), ANA))
        for n in numbers
    )
    return replace(
        captured,
        chat=replace(captured.chat, id=CLUB),
        facts=facts,
        participant_ids=(OWN, ANA, BEN),
        diff=replace(captured.diff, wanted=tuple(str(each.key) for each in facts)),
    )


def test_markup_is_kept_without_a_word_and_ids_only_of_people_who_are_in_it():
    captured = make_captured(1, phone_ids={ANA_LID: ANA, "78@lid": "491999@c.us"})

    kept = fit_to_keep(captured)

    assert kept.batch.rows[0].html == "<div>Xxxxxx 9</div>".replace("X", "x")
    assert kept.phone_ids == {ANA_LID: ANA}
    assert kept.parsed == captured.parsed


def test_a_chat_without_facts_can_be_kept():
    assert fit_to_keep(make_captured(1, facts=None)).facts is None


def test_nothing_is_taken_out_of_a_chat_that_the_wish_does_not_concern():
    captured = make_captured(1, 2, picture="ab/cd/abcd.jpg")

    left = without_forgotten(captured, message(9))

    assert (left.captured, left.gone_keys, left.gone_files) == (captured, (), frozenset())


@pytest.mark.parametrize("some_id", [ANA, ANA_LID])
def test_of_a_forgotten_chat_nothing_is_left_under_either_id(some_id):
    captured = make_captured(1, 2, picture="ab/cd/abcd.jpg")

    left = without_forgotten(captured, forgotten_of(Wish("chat", some_id)))

    assert (left.captured, left.gone_keys) == (None, (key(1), key(2)))
    assert left.gone_files == {"ab/cd/abcd.jpg"}


def test_a_forgotten_chat_without_facts_is_told_by_the_keys_of_its_rows():
    rows = (make_row(1, key=make_facts(1).key), make_row(2))

    left = without_forgotten(make_captured(1, 2, facts=None, parsed=rows), forgotten_of(Wish("chat", ANA)))

    assert left.gone_keys == (key(1),)


def test_a_forgotten_message_goes_with_its_row_its_markup_and_its_picture():
    differing = tuple(TimeDissent(stanza(number), NOW, NOW) for number in (1, 2))
    captured = make_captured(1, 2, picture="ab/cd/abcd.jpg", dissents=differing)

    left = without_forgotten(captured, message(1))

    wanted = replace(captured.diff, wanted=(key(2),))
    assert left.captured == make_captured(2, diff=wanted, dissents=differing[1:])
    assert (left.gone_keys, left.gone_files) == ((key(1),), {"ab/cd/abcd.jpg"})


def test_a_row_that_proves_its_own_key_goes_without_facts():
    rows = (make_row(1, key=make_facts(1).key), make_row(2))

    left = without_forgotten(make_captured(1, 2, facts=None, parsed=rows), message(1))

    assert left.captured is not None
    assert [row.stanza_id for row in left.captured.parsed] == [stanza(2)]
    assert left.captured.facts is None
    assert left.gone_keys == (key(1),)


def test_an_answer_of_which_nothing_is_listed_loses_a_quote_by_its_words():
    row = make_row(2, quoted_text="The kettle  whistles", quoted_sender_name="Ana")
    captured = make_captured(2, facts=None, parsed=(row,))

    def left(text):
        forgotten = Forgotten(b"key", frozenset({digest(b"key", "text", text)}))
        (answer,) = without_forgotten(captured, forgotten).captured.parsed
        return answer.quoted_text, answer.quoted_sender_name

    assert left("The kettle whistles") == (None, None)
    assert left("The kettle") == (row.quoted_text, "Ana")


def test_an_answer_loses_the_quote_of_what_was_forgotten():
    answer = make_facts(2, quoted_stanza_id=stanza(1), quoted_participant_id=ANA)
    row = make_row(2, quoted_text="The kettle whistles", quoted_sender_name="Ana")
    captured = make_captured(2, facts=(answer,), parsed=(row,))

    left = without_forgotten(captured, message(1)).captured

    assert left is not None
    assert (left.parsed[0].quoted_text, left.parsed[0].quoted_sender_name) == (None, None)
    assert (left.facts[0].quoted_stanza_id, left.facts[0].quoted_participant_id) == (None, None)
    assert left.parsed[0].text == row.text


def test_a_forgotten_person_goes_from_a_group_with_what_they_wrote():
    captured = club(1, 2, of_ben=[2])

    left = without_forgotten(captured, forgotten_of(Wish("contact", BEN)))

    assert left.captured is not None
    assert [each.sender_id for each in left.captured.facts] == [ANA]
    assert left.captured.participant_ids == (OWN, ANA)
    assert left.captured.diff.wanted == (str(captured.facts[0].key),)
    assert left.gone_keys == (str(by_ben(2)),)


def test_the_numbers_of_a_forgotten_persons_lid_go_too():
    captured = replace(club(1), phone_ids={"78@lid": BEN, ANA_LID: ANA})

    left = without_forgotten(captured, forgotten_of(Wish("contact", BEN)))

    assert left.captured is not None
    assert left.captured.phone_ids == {ANA_LID: ANA}


def test_a_row_that_was_not_understood_goes_with_its_reject():
    packed = replace(make_raw(3), shown_id=key(3))
    captured = make_captured(1)
    captured = replace(
        captured,
        batch=replace(captured.batch, rows=(*captured.batch.rows, packed)),
        rejects=(make_reject(key(3)),),
    )

    assert without_forgotten(captured, message(9)).captured == captured
    left = without_forgotten(captured, message(3)).captured

    assert left is not None
    assert left.rejects == ()
    assert [row.shown_id for row in left.batch.rows] == [stanza(1)]


def test_no_id_of_a_forgotten_person_is_left_anywhere_in_the_file():
    captured = club(1, 2, 3, of_ben=[2])
    shown = tuple(str(each.key) for each in captured.facts)
    revoked = replace(captured.facts[2], type=MessageType.DELETED, revoked_by_id=BEN)
    album = f"album-{stanza(1)}-{stanza(2)}-2"
    captured = replace(
        captured,
        facts=(*captured.facts[:2], revoked),
        diff=replace(captured.diff, first_id=shown[1], last_id=shown[2]),
        batch=replace(
            captured.batch,
            shown_ids=(*shown, album),
            unlisted_ids=(f"false_{CLUB}_{stanza(9)}_{BEN}", stanza(8)),
            empty_ids=(shown[1], shown[2]),
            pictures_unseen=(shown[1],),
            oldest_shown_id=shown[1],
        ),
    )

    left = without_forgotten(captured, forgotten_of(Wish("contact", BEN))).captured

    assert left is not None
    told = json.dumps(plain(left))
    assert (BEN in told, stanza(2) in told) == (False, False)
    assert left.batch.shown_ids == (shown[0], shown[2])
    assert (left.batch.unlisted_ids, left.batch.empty_ids) == ((stanza(8),), (shown[2],))
    assert (left.diff.first_id, left.diff.last_id) == (None, shown[2])
