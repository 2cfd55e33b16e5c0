"""Which chat is the agent's: saved names, numbers in any notation, and groups that count."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_etl.agent import AgentWish, MessageFace, Routing, ThreadChoice
from whatsapp_etl.model import Account, AgentState, ChatFacts, ChatKind, ContactFacts, GroupFacts, MessageType
from whatsapp_etl.transform.agent_thread import People, choose_thread, is_outdated, next_routing

OWN = Account("491555000000@c.us", lid="70000000000000@lid")
KENNY, KENNY_LID = "491555000001@c.us", "77000000000001@lid"
ANA, STRANGER = "491555000002@c.us", "491555000009@c.us"
CLUB, OTHER_CLUB = "120363000000000001@g.us", "120363000000000002@g.us"
NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)


def chat(some_id, title=None):
    kind = ChatKind.GROUP if some_id.endswith("@g.us") else ChatKind.PERSON
    return ChatFacts(some_id, kind, title, NOW, 0, False, False, False, False, False, None, 1)


def person(some_id, saved=None, push=None, phone_id=None, **changes):
    return ContactFacts(some_id, saved, push, phone_id, **changes)


def group(some_id=CLUB, subject="Kenny", members=(KENNY, ANA), owner=OWN.id):
    return GroupFacts(some_id, subject, (*members, OWN.id), owner_id=owner)


def people(*contacts, groups=(), **changes):
    return People(OWN, (), contacts, groups, **changes)


def chosen(found, **wish):
    choice = choose_thread(AgentWish(**wish), found)
    return choice.thread_id if choice.state is AgentState.THREAD else (choice.state.value, choice.candidates)


# --- people ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Kenny Agent", "kenny  agent", " KENNY AGENT ", "\u2068Kenny Agent\u2069"])
def test_a_saved_name_is_found(name):
    found = people(person(KENNY, "Kenny Agent"), person(ANA, "Ana"))

    assert chosen(found, contact=name) == KENNY
    assert chosen(found, thread_name=name) == KENNY


def test_a_name_that_strangers_chose_is_never_found():
    found = people(
        person(STRANGER, push="Kenny"),
        person(ANA, "Kenny", is_saved=False),  # a business' own name
    )

    assert chosen(found, contact="Kenny") == ("not_found", ())
    assert chosen(found, thread_name="Kenny") == ("not_found", ())


def test_a_push_name_beside_a_saved_name_makes_nothing_ambiguous():
    found = people(person(KENNY, "Kenny"), person(STRANGER, push="Kenny"))

    assert chosen(found, contact="Kenny") == KENNY


def test_two_people_of_one_name_are_ambiguous():
    found = people(person(KENNY, "Kenny"), person(ANA, "kenny"))

    assert chosen(found, contact="Kenny") == ("ambiguous", (KENNY, ANA))


def test_one_person_listed_under_number_and_lid_is_one_and_pinned_by_the_number():
    found = people(
        person(KENNY, "Kenny"),
        person(KENNY_LID, "Kenny", phone_id=KENNY),
        phone_ids={KENNY_LID: KENNY},
    )

    assert chosen(found, contact="Kenny") == KENNY
    assert chosen(found, contact=KENNY_LID) == KENNY


def test_names_that_look_the_same_are_ambiguous():
    found = people(person(KENNY, "Kenny"), person(ANA, "Ken\u200bny"))

    assert chosen(found, contact="Kenny") == ("ambiguous", (KENNY, ANA))


@pytest.mark.parametrize(
    "number",
    [
        "+49 1555 000001",
        "0049-1555-000001",
        "+49 (0) 1555/000001",
        "01555 000001",
        "tel:+49-1555-000001",
        "491555000001@c.us",
        "491555000001@s.whatsapp.net",
        "\uff0b49 1555 000001",
    ],
)
def test_a_number_is_read_in_any_usual_notation_and_needs_nobody_to_be_saved(number):
    assert chosen(people(), contact=number) == KENNY


@pytest.mark.parametrize(
    ("number", "known"),
    [
        ("+52 55 1234 5678", "5215512345678@c.us"),
        ("+52 1 55 1234 5678", "525512345678@c.us"),
        ("+54 11 2345 6789", "5491123456789@c.us"),
        ("+55 11 91234 5678", "551112345678@c.us"),
        ("+55 11 1234 5678", "5511912345678@c.us"),
    ],
)
def test_a_number_is_known_with_and_without_the_digit_that_only_mobiles_have(number, known):
    assert chosen(people(person(known)), contact=number) == known


def test_two_spellings_of_a_number_that_are_two_people_are_ambiguous():
    found = people(person("525512345678@c.us"), person("5215512345678@c.us"))

    assert chosen(found, contact="+52 55 1234 5678")[0] == "ambiguous"


@pytest.mark.parametrize("number", ["+49 1", "123456789012345678901", "000000"])
def test_what_is_no_number_is_not_found(number):
    assert chosen(people(), contact=number) == ("not_found", ())


def test_who_must_not_be_stored_is_not_found():
    found = people(may_be_stored=lambda some_id: some_id != KENNY)

    assert chosen(found, contact="+49 1555 000001") == ("not_found", ())


# --- groups ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "changes"),
    [(OWN.id, {}), (OWN.lid, {}), (ANA, {}), (STRANGER, {"written_in": frozenset({CLUB})})],
    ids=["own", "own lid", "a saved contact's", "written in"],
)
def test_a_group_is_found_by_its_subject_where_it_is_no_strangers(owner, changes):
    found = people(person(ANA, "Ana"), groups=(group(owner=owner),), **changes)

    assert chosen(found, thread_name="kenny") == CLUB


@pytest.mark.parametrize("owner", [STRANGER, None])
def test_a_group_that_a_stranger_named_is_only_told(owner):
    found = people(person(ANA, "Ana"), person(STRANGER, push="x"), groups=(group(owner=owner),))

    assert chosen(found, thread_name="Kenny") == ("not_found", (CLUB,))
    assert chosen(found, thread_name=CLUB) == CLUB


def test_a_strangers_group_beside_the_right_one_keeps_routing_off():
    found = people(groups=(group(), group(OTHER_CLUB, owner=STRANGER)))

    assert chosen(found, thread_name="Kenny") == ("ambiguous", (CLUB, OTHER_CLUB))


def test_a_group_and_a_contact_of_one_name_are_ambiguous():
    found = people(person(KENNY, "Kenny"), groups=(group(),))

    assert chosen(found, thread_name="Kenny") == ("ambiguous", (CLUB, KENNY))
    assert chosen(found, contact="Kenny") == KENNY


def test_with_both_settings_it_is_the_chat_of_the_name_with_the_contact_in_it():
    both = {"contact": KENNY, "thread_name": "Kenny"}
    without = group(OTHER_CLUB, members=(ANA,))

    assert chosen(people(groups=(group(), without)), **both) == CLUB
    assert chosen(people(person(KENNY, "Kenny")), **both) == KENNY
    assert chosen(people(person(KENNY, "Kenny"), groups=(group(),)), **both) == ("ambiguous", (CLUB, KENNY))
    assert chosen(people(groups=(without,)), **both) == ("not_found", (OTHER_CLUB, KENNY))
    assert chosen(people(groups=(group(owner=STRANGER),)), **both) == ("not_found", (CLUB,))
    by_lid = people(groups=(group(members=(KENNY_LID,)),), phone_ids={KENNY_LID: KENNY})
    assert chosen(by_lid, **both) == CLUB


def test_an_unknown_group_is_not_found():
    assert chosen(people(), thread_name=CLUB) == ("not_found", ())
    assert chosen(people(), thread_name="Kenny") == ("not_found", ())


# --- what is in force ------------------------------------------------------------------------

FOUND = ThreadChoice(AgentState.THREAD, KENNY)
WISH = AgentWish(contact="Kenny")


def unasked():
    raise AssertionError("it was decided before")


def test_a_chat_is_resolved_once_and_stays():
    first = next_routing(Routing(), WISH, OWN, lambda: FOUND, NOW)

    assert (first.state, first.thread_id, first.since) == (AgentState.THREAD, KENNY, NOW)
    assert next_routing(first, WISH, OWN, unasked, NOW + timedelta(days=1)) is first


@pytest.mark.parametrize(
    ("wish", "account"), [(AgentWish(thread_name="Kenny"), OWN), (WISH, replace(OWN, id=ANA))]
)
def test_another_name_or_account_is_resolved_anew(wish, account):
    first = next_routing(Routing(), WISH, OWN, lambda: FOUND, NOW)

    other = next_routing(
        first, wish, account, lambda: ThreadChoice(AgentState.AMBIGUOUS, None, ("a", "b")), NOW
    )

    assert (other.state, other.thread_id, other.candidates) == (AgentState.AMBIGUOUS, None, ("a", "b"))


def test_what_was_not_found_is_looked_for_again():
    nobody = next_routing(Routing(), WISH, OWN, lambda: ThreadChoice(AgentState.NOT_FOUND), NOW)

    assert nobody.state is AgentState.NOT_FOUND
    assert next_routing(nobody, WISH, OWN, lambda: FOUND, NOW).thread_id == KENNY


def test_keywords_count_only_where_no_chat_is_named():
    wish = AgentWish(keywords=("Kenny",), allowed=(ANA,))

    assert next_routing(Routing(), wish, OWN, unasked, NOW).state is AgentState.KEYWORDS
    named = replace(wish, contact="Kenny")
    nobody = next_routing(Routing(), named, OWN, lambda: ThreadChoice(AgentState.NOT_FOUND), NOW)
    assert nobody.keywords == ()
    assert next_routing(nobody, AgentWish(), OWN, unasked, NOW) == Routing()


def face(text="Kenny, file this", **changes):
    made = MessageFace(ANA, ANA, is_outgoing=False, text=text, type=MessageType.TEXT, sent_at=NOW)
    return replace(made, **changes)


def flags(mark):
    return (mark.is_agent_channel, mark.exclude_from_automation, mark.is_routed)


THREAD = Routing(AgentState.THREAD, thread_id=KENNY, thread_ids=(KENNY, KENNY_LID), since=NOW)
KEYWORDS = Routing(AgentState.KEYWORDS, keywords=("Kenny",), allowed_ids=(KENNY,), since=NOW)


@pytest.mark.parametrize(
    ("routing", "message", "expected"),
    [
        (Routing(), face(), (False, False, False)),
        (THREAD, face(), (False, False, False)),
        (THREAD, face(None, thread_id=KENNY_LID), (True, True, True)),
        (THREAD, face(thread_id=KENNY, sent_at=NOW - timedelta(seconds=1)), (True, True, False)),
        (THREAD, face(thread_id=KENNY, type=MessageType.SYSTEM), (True, True, False)),
        (THREAD, face(thread_id=KENNY, type=MessageType.WAITING), (True, True, False)),
        (KEYWORDS, face(), (False, True, False)),
        (KEYWORDS, face(is_outgoing=True), (False, True, True)),
        (KEYWORDS, face(sender_id=KENNY), (False, True, True)),
        (KEYWORDS, face("Kenny's here"), (False, False, False)),
        (KEYWORDS, face(type=MessageType.SYSTEM), (False, False, False)),
        (KEYWORDS, face(is_outgoing=True, sent_at=NOW - timedelta(days=1)), (False, True, False)),
        (Routing(AgentState.AMBIGUOUS), face(is_outgoing=True), (False, False, False)),
    ],
)
def test_flags_and_route_of_a_message(routing, message, expected):
    assert flags(routing.mark(message)) == expected


def test_a_message_of_which_only_the_minute_is_known_is_routed_in_the_minute_of_the_setting():
    since = NOW + timedelta(seconds=40)
    minute = face(thread_id=KENNY, ts_precision="minute")

    assert replace(THREAD, since=since).mark(minute).is_routed
    assert not replace(THREAD, since=since).mark(replace(minute, ts_precision="second")).is_routed


def test_other_settings_than_those_in_force_are_noticed():
    named = AgentWish(contact="Kenny")
    pinned = next_routing(Routing(), named, OWN, lambda: FOUND, NOW)
    called = AgentWish(keywords=("Kenny",), allowed=(ANA,))
    listening = next_routing(Routing(), called, OWN, unasked, NOW)

    assert not is_outdated(pinned, named, OWN.id)
    assert is_outdated(pinned, replace(named, contact="Ana"), OWN.id)
    assert is_outdated(pinned, AgentWish(), OWN.id)
    assert not is_outdated(listening, called, OWN.id)
    assert is_outdated(listening, replace(called, allowed=(ANA, KENNY)), OWN.id)
    assert is_outdated(listening, replace(called, keywords=("Mia",)), OWN.id)


def test_a_chat_of_a_contact_who_is_not_one_person_is_not_chosen():
    found = people(person(KENNY, "Kenny"), person(ANA, "kenny"), groups=(group(),))

    assert chosen(found, contact="Kenny", thread_name="Kenny") == ("ambiguous", (KENNY, ANA))
    assert chosen(found, contact="Nobody", thread_name="Kenny") == ("not_found", ())
