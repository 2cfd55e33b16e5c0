from datetime import timedelta

import pytest

from tests.transform_values import GROUP, NOW, OTHER, account, chat, facts
from whatsapp_etl.model import ChatDiff, ChatKind, MessageKey, MessageType, StopReason
from whatsapp_etl.transform.visits import Rules, chats_to_examine, excluded_chats, list_positions, plan_visits


def other(number, **changes):
    return chat(id=f"49155500{number:02}@c.us", title=f"Person {number}", **changes)


def visits(chats, rules=None, listed=None, wanted=True):
    found = (
        {each.id: (facts("A", key=MessageKey(False, each.id, "A")),) for each in chats}
        if listed is None
        else listed
    )
    diffs = {
        chat_id: ChatDiff(chat_id, 1, 0, tuple(str(each.key) for each in some) if wanted else ())
        for chat_id, some in found.items()
    }
    return plan_visits(diffs, chats, found, rules or Rules(), account())


def opened(plan):
    return [visit.chat.id for visit in plan.visits]


def test_only_chats_with_something_wanted_are_opened():
    assert opened(visits([chat()])) == [OTHER]
    assert opened(visits([chat()], wanted=False)) == []
    assert opened(visits([chat()], listed={})) == []


def test_chats_are_opened_from_the_top_of_the_list():
    old = other(1, last_activity=NOW - timedelta(days=1))
    new, pinned, silent = other(2), other(3, is_pinned=True, last_activity=None), other(4, last_activity=None)
    archived, late = other(5, is_archived=True), other(6, last_activity=NOW - timedelta(days=9))

    plan = visits([old, new, silent, archived, pinned, late], Rules(first=frozenset({late.id})))

    assert opened(plan) == [late.id, pinned.id, new.id, old.id, silent.id, archived.id]
    assert [visit.list_position for visit in plan.visits] == [3, 0, 1, 2, 4, 0]


def test_each_list_has_its_own_places():
    assert list_positions([other(1), other(2, is_archived=True)]) == {other(1).id: 0, other(2).id: 0}


def test_wanted_messages_are_newest_first():
    listed = [facts("A"), facts("B", minute=1)]

    plan = visits([chat()], listed={OTHER: listed})

    assert [each.key.stanza_id for each in plan.visits[0].wanted] == ["B", "A"]


@pytest.mark.parametrize("kind", [ChatKind.CHANNEL, ChatKind.STATUS, ChatKind.BOT, ChatKind.OTHER])
def test_kinds_out_of_scope_are_left_alone(kind):
    plan = visits([chat(kind=kind)])

    assert opened(plan) == []
    assert plan.excluded == {OTHER: StopReason.EXCLUDED}


def test_locked_chats_are_left_alone():
    assert opened(visits([chat(is_locked=True)])) == []


@pytest.mark.parametrize(
    "entry", [OTHER, "mira vogel", " Mira Vogel ", "+49 155 50001", "004915550001", "4915550001"]
)
def test_a_chat_is_excluded_by_id_title_or_number(entry):
    assert excluded_chats([chat()], Rules(exclude=(entry,))) == {OTHER: StopReason.EXCLUDED}
    assert excluded_chats([chat()], Rules(agent=(entry,))) == {OTHER: StopReason.EXCLUDED}


@pytest.mark.parametrize("entry", ["", "Mira", "50001", "Mira Vogel 2", "491555"])
def test_other_entries_exclude_nothing(entry):
    assert excluded_chats([chat()], Rules(exclude=(entry,))) == {}


def test_a_chat_under_a_hidden_number_is_excluded_by_the_number():
    hidden = chat(id="777@lid", title=None)

    assert excluded_chats([hidden], Rules(exclude=("+49 155 50001",))) == {}
    rules = Rules(exclude=("+49 155 50001",), phone_ids={"777@lid": OTHER})
    assert excluded_chats([hidden], rules) == {"777@lid": StopReason.EXCLUDED}


def test_a_group_has_no_number():
    assert excluded_chats([chat(id=GROUP, kind=ChatKind.GROUP)], Rules(exclude=("120363000000000001",))) == {}


def test_bodiless_differences_need_no_visit():
    plan = visits(
        [chat()], listed={OTHER: [facts(type=MessageType.DELETED), facts("B", type=MessageType.WAITING)]}
    )

    assert opened(plan) == []
    assert [(visit.chat.id, reason) for visit, reason in plan.unopened] == [
        (OTHER, StopReason.NOTHING_TO_READ)
    ]


def test_disappearing_messages_need_no_visit_when_they_are_skipped():
    listed = {OTHER: [facts(expires_at=NOW)]}

    assert opened(visits([chat()], Rules(disappearing="skip"), listed)) == []
    assert opened(visits([chat()], Rules(disappearing="expire"), listed)) == [OTHER]


@pytest.mark.parametrize("unread", [3, -1])
def test_unread_chats_stay_closed_while_the_shield_is_alarmed(unread):
    plan = visits([chat(unread_count=unread), other(1)], Rules(is_shield_alarmed=True))

    assert opened(plan) == [other(1).id]
    assert [reason for _, reason in plan.unopened] == [StopReason.SHIELDED]


def test_messages_are_looked_up_only_where_something_is_wanted():
    diffs = {name: ChatDiff(name, 1, 0, wanted) for name, wanted in (("a", ("x",)), ("b", ()), ("c", ("y",)))}

    assert chats_to_examine(diffs, {"c"}) == ("a",)
