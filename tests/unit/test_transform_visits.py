from datetime import timedelta

import pytest

from tests.transform_values import GROUP, NOW, OTHER, account, chat, facts
from whatsapp_etl.model import ChatDiff, ChatKind, ContactFacts, MessageKey, MessageType, SkipRule, StopReason
from whatsapp_etl.transform.visits import (
    Rules,
    allowed_contacts,
    is_allowed,
    list_positions,
    plan_visit,
    skipped_by,
    visiting_order,
)


def other(number, **changes):
    return chat(id=f"49155500{number:02}@c.us", title=f"Person {number}", **changes)


def planned(chats, rules=None, listed=None, wanted=True):
    """Return what is decided about each chat that is due, in order."""
    rules = rules or Rules()
    found = (
        {each.id: (facts("A", key=MessageKey(False, each.id, "A")),) for each in chats}
        if listed is None
        else listed
    )
    diffs = {
        chat_id: ChatDiff(chat_id, 1, 0, tuple(str(each.key) for each in some) if wanted else ())
        for chat_id, some in found.items()
    }
    places = list_positions(chats)
    return [
        plan_visit(each, diffs[each.id], found[each.id], rules, account(), list_position=places[each.id])
        for each in visiting_order(diffs, chats, rules)
    ]


def opened(plans):
    return [each.visit.chat.id for each in plans if each.unopened is None]


def reasons(plans):
    return [each.unopened for each in plans if each.unopened is not None]


def test_only_chats_with_something_wanted_are_opened():
    assert opened(planned([chat()])) == [OTHER]
    assert opened(planned([chat()], wanted=False)) == []
    assert opened(planned([chat()], listed={})) == []


def test_chats_are_opened_from_the_top_of_the_list():
    old = other(1, last_activity=NOW - timedelta(days=1))
    new, pinned, silent = other(2), other(3, is_pinned=True, last_activity=None), other(4, last_activity=None)
    archived, late = other(5, is_archived=True), other(6, last_activity=NOW - timedelta(days=9))

    plans = planned([old, new, silent, archived, pinned, late], Rules(first=frozenset({late.id})))

    assert opened(plans) == [late.id, pinned.id, new.id, old.id, silent.id, archived.id]
    assert [each.visit.list_position for each in plans] == [3, 0, 1, 2, 4, 0]


def test_each_list_has_its_own_places():
    assert list_positions([other(1), other(2, is_archived=True)]) == {other(1).id: 0, other(2).id: 0}


def test_wanted_messages_are_newest_first():
    listed = [facts("A"), facts("B", minute=1)]

    plans = planned([chat()], listed={OTHER: listed})

    assert [each.key.stanza_id for each in plans[0].visit.wanted] == ["B", "A"]


@pytest.mark.parametrize("kind", [ChatKind.CHANNEL, ChatKind.STATUS, ChatKind.BOT, ChatKind.OTHER])
def test_kinds_out_of_scope_are_left_alone(kind):
    assert not is_allowed(chat(kind=kind), Rules())


def test_locked_chats_are_left_alone():
    assert not is_allowed(chat(is_locked=True), Rules())


@pytest.mark.parametrize(
    "entry", [OTHER, "mira vogel", " Mira Vogel ", "+49 155 50001", "004915550001", "4915550001"]
)
def test_a_chat_is_excluded_by_id_title_or_number(entry):
    assert not is_allowed(chat(), Rules(exclude=(entry,)))


@pytest.mark.parametrize("entry", ["", "Mira", "50001", "Mira Vogel 2", "491555"])
def test_other_entries_exclude_nothing(entry):
    assert is_allowed(chat(), Rules(exclude=(entry,)))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, None),
        ({"kind": ChatKind.CHANNEL}, SkipRule.OUT_OF_SCOPE),
        ({"is_locked": True}, SkipRule.LOCKED),
        ({"title": "Bank", "is_locked": True}, SkipRule.EXCLUDED),
    ],
)
def test_a_chat_that_is_left_alone_says_by_which_rule(changes, rule):
    assert skipped_by(chat(**changes), Rules(exclude=("bank",))) is rule


def test_a_chat_under_a_hidden_number_is_excluded_by_the_number():
    hidden = chat(id="777@lid", title=None)

    assert is_allowed(hidden, Rules(exclude=("+49 155 50001",)))
    rules = Rules(exclude=("+49 155 50001",), phone_ids={"777@lid": OTHER})
    assert not is_allowed(hidden, rules)


def person(some_id, saved_name=None, phone_id=None):
    return ContactFacts(some_id, saved_name, None, phone_id)


@pytest.mark.parametrize("entry", ["777@lid", OTHER, "+49 155 50001", "mira vogel"])
def test_a_person_left_out_is_no_contact_under_any_id(entry):
    people = [
        person("777@lid", phone_id=OTHER),
        person(OTHER, "Mira Vogel"),
        person("4915550010@c.us", "Kai Lund"),
    ]
    rules = Rules(exclude=(entry,), phone_ids={"777@lid": OTHER})
    hidden = chat(id="777@lid", title="Mira Vogel")

    for chats in ([hidden], [chat()], []):
        kept = allowed_contacts(people, chats, rules)
        assert [each.id for each in kept] == ["4915550010@c.us"]


def test_a_group_has_no_number():
    assert is_allowed(chat(id=GROUP, kind=ChatKind.GROUP), Rules(exclude=("120363000000000001",)))


def test_bodiless_differences_need_no_visit():
    plans = planned(
        [chat()], listed={OTHER: [facts(type=MessageType.DELETED), facts("B", type=MessageType.WAITING)]}
    )

    assert opened(plans) == []
    assert reasons(plans) == [StopReason.NOTHING_TO_READ]


def test_disappearing_messages_need_no_visit_when_they_are_skipped():
    listed = {OTHER: [facts(expires_at=NOW)]}

    assert opened(planned([chat()], Rules(disappearing="skip"), listed)) == []
    assert opened(planned([chat()], Rules(disappearing="expire"), listed)) == [OTHER]


@pytest.mark.parametrize("unread", [3, -1])
def test_unread_chats_stay_closed_while_the_shield_is_alarmed(unread):
    plans = planned([chat(unread_count=unread), other(1)], Rules(is_shield_alarmed=True))

    assert opened(plans) == [other(1).id]
    assert reasons(plans) == [StopReason.SHIELDED]
