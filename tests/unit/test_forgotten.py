"""What was erased on request is left out wherever it could come back from."""

from dataclasses import replace

import pytest

from tests.transform_values import (
    GROUP,
    NOW,
    OTHER,
    OWN,
    account,
    batch,
    chat,
    context,
    facts,
    group_context,
    row,
)
from whatsapp_etl.forgotten import Forgotten, digest, key_of, quotable, variants
from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import (
    CapturedFile,
    ChatKind,
    ContactFacts,
    GroupFacts,
    MessageKey,
    MessageType,
    Reject,
    RejectReason,
    StopReason,
)
from whatsapp_etl.transform.listing import refusal
from whatsapp_etl.transform.messages import to_message
from whatsapp_etl.transform.plan import plan_load
from whatsapp_etl.transform.visits import Rules, allowed_contacts, allowed_groups, is_allowed

SECRET = b"k" * 32
LID = "777@lid"
MESSAGE = MessageKey(False, OTHER, "3EB0A1")


def forgotten(phone_ids=None, **ids):
    """Return a memory of these ids: forgotten(chat=[...], message=[...])."""
    digests = {digest(SECRET, kind, some_id) for kind, each in ids.items() for some_id in each}
    return Forgotten(SECRET, frozenset(digests), phone_ids or {})


def forgotten_message(key, phone_ids=None):
    return forgotten(phone_ids, message=[str(key)], stanza=[key.stanza_id])


def test_nothing_is_forgotten_at_first():
    nothing = Forgotten()
    assert not nothing
    assert not nothing.has_chat(OTHER)
    assert not nothing.has_message(MESSAGE)
    assert not nothing.has_quoted("3EB0A1", OTHER)
    assert nothing.remembered((OTHER, LID)) == (OTHER, LID)


@pytest.mark.parametrize(("told", "asked"), [(OTHER, LID), (LID, OTHER), (OTHER, OTHER)])
def test_a_person_is_known_under_phone_id_and_lid(told, asked):
    memory = forgotten({LID: OTHER}, contact=[told], chat=[told])
    assert memory.has_contact(asked)
    assert memory.has_chat(asked)
    assert memory.remembered((OWN, asked)) == (OWN,)
    assert memory.has_message(MessageKey(False, GROUP, "3EB0B2", asked))
    assert not memory.has_message(MessageKey(True, GROUP, "3EB0B2", OWN))


@pytest.mark.parametrize(
    "key", [MESSAGE, MessageKey(False, GROUP, "3EB0_odd", OTHER), MessageKey(True, GROUP, "A", OWN)]
)
def test_a_key_is_read_as_it_is_written(key):
    assert key_of(str(key)) == key
    assert list(variants(key, lambda some_id: [some_id])) == [key]
    assert forgotten_message(key).has_key(str(key))


def test_a_message_is_known_when_its_chat_has_another_id():
    memory = forgotten_message(MESSAGE, {LID: OTHER})
    assert memory.has_message(replace(MESSAGE, chat_id=LID))
    assert not memory.has_message(replace(MESSAGE, stanza_id="3EB0A2"))


def test_somebody_who_reuses_an_id_hides_nothing():
    memory = forgotten_message(MESSAGE)
    assert not memory.has_message(replace(MESSAGE, is_outgoing=True))
    assert not memory.has_message(MessageKey(False, GROUP, MESSAGE.stanza_id, LID))


def test_a_forgotten_chat_is_not_in_scope_under_any_of_its_ids():
    rules = Rules(forgotten=forgotten(chat=[LID]))
    assert is_allowed(chat(), rules)
    assert not is_allowed(chat(other_ids=(LID,)), rules)
    assert refusal(LID, "Mira", account(), rules) is StopReason.EXCLUDED
    assert refusal(OTHER, "Mira", account(), rules) is None


def test_whose_chat_was_forgotten_is_still_a_person_and_who_was_forgotten_is_none():
    person = ContactFacts(OTHER, "Mira", None, None)
    of_lid = ContactFacts(LID, None, "mira", OTHER)
    only_chat = Rules(forgotten=forgotten(chat=[OTHER]))
    everything = Rules(forgotten=forgotten(chat=[OTHER], contact=[OTHER]))
    assert allowed_contacts([person, of_lid], [chat()], only_chat) == (person, of_lid)
    assert allowed_contacts([person, of_lid], [chat()], everything) == ()


def test_groups_lose_forgotten_participants():
    club = GroupFacts(GROUP, "Club", (OTHER, OWN))
    rules = Rules(forgotten=forgotten(contact=[OTHER]))
    assert allowed_groups([club], [chat(id=GROUP, kind=ChatKind.GROUP)], rules) == {
        GROUP: replace(club, participant_ids=(OWN,))
    }


def test_a_listed_message_that_was_forgotten_is_neither_stored_nor_missed_nor_rejected():
    gone, kept = facts("3EB0A1"), facts("3EB0A2", minute=1)
    seen = batch("3EB0A1", "3EB0A2")

    plan = plan_load(
        seen,
        [row("3EB0A1"), row("3EB0A2", minute=1)],
        [gone, kept],
        {},
        context(forgotten=forgotten_message(MESSAGE)),
        NOW,
    )

    assert [each.stanza_id for each in plan.messages] == ["3EB0A2"]
    assert (plan.missing, plan.rejects) == ((), ())
    assert (plan.coverage.expected, plan.coverage.stored) == (1, 1)


def test_the_bytes_of_a_forgotten_picture_do_not_stay_because_an_album_shows_them():
    def picture(stanza_id, digest, minute):
        return facts(stanza_id, minute=minute, type=MessageType.IMAGE, file_sha256=digest)

    gone, kept = picture("3EB0A1", "aa", 0), picture("3EB0A2", "bb", 1)
    shown_id = "album-3EB0A1-3EB0A2-2"
    files = tuple(CapturedFile(each, "image/jpeg", 9, f"{each}.jpg") for each in ("aa", "bb"))

    plan = plan_load(
        replace(batch(shown_id), files={shown_id: files}),
        [row("3EB0A1", shown_id=shown_id, type=MessageType.ALBUM, text=None)],
        [gone, kept],
        {},
        context(forgotten=forgotten_message(MESSAGE)),
        NOW,
    )

    assert [each.attachments[0].file_path for each in plan.messages] == ["bb.jpg"]
    assert plan.unused_files == ("aa.jpg",)


def test_without_metadata_a_forgotten_person_is_told_by_the_keys_of_rows():
    key = MessageKey(False, GROUP, "3EB0A1", OTHER)
    theirs, other = row("3EB0A1", shown_id=str(key), key=key), replace(key, stanza_id="3EB0A2")
    unread = Reject(GROUP, hash_id(str(other)), RejectReason.NO_TIME, "2026-08", "<i>xxx</i>", NOW)

    plan = plan_load(
        batch(str(key), str(other), chat_id=GROUP),
        [theirs],
        None,
        {},
        group_context(forgotten=forgotten(contact=[OTHER])),
        NOW,
        rejects=[unread],
    )

    assert plan.messages == ()
    assert plan.rejects == ()


def test_an_answer_is_stored_without_what_it_quotes_of_forgotten_things():
    answer = facts("3EB0B1", quoted_stanza_id=MESSAGE.stanza_id, quoted_participant_id=OWN)
    shown = row("3EB0B1", quoted_text="the old words")

    def stored(memory):
        message = to_message(shown, answer, context(forgotten=memory), NOW)
        return message.quoted_text, message.reply_to_external_id, message.content_snippet

    assert stored(Forgotten())[0] == "the old words"
    assert stored(forgotten_message(MESSAGE)) == (None, None, "hello")
    assert stored(forgotten(contact=[OWN])) == (None, None, "hello")


def test_a_quote_of_which_nothing_is_listed_is_known_by_its_words_or_by_who_said_it():
    shown = row("3EB0B1", quoted_text="the old \n words", quoted_sender_name="~\u202fAna")

    def stored(memory, listed=None):
        packed = replace(shown, key=MESSAGE, shown_id=str(MESSAGE))
        return to_message(packed, listed, context(forgotten=memory), NOW).quoted_text

    assert stored(forgotten(text=["other words"], name=["An"])) == "the old \n words"
    assert stored(forgotten(text=["the old words"])) is None
    assert stored(forgotten(name=["Ana"])) is None
    # What is listed tells the quoted message by its id, whatever it says.
    named = facts("3EB0B1", quoted_stanza_id="3EB0Q1", quoted_participant_id=OWN)
    assert to_message(shown, named, context(forgotten=forgotten(text=["the old words"])), NOW).quoted_text


def test_a_long_text_is_known_again_where_its_quote_is_cut_short():
    text = "The kettle whistles. " * 20
    memory = forgotten(text=quotable(text))

    assert memory.has_quote(text[:150], None)
    assert not memory.has_quote(text[1:150], None)
    assert not memory.has_quote(text[:20], None)
    assert not memory.has_quote("", None)
