"""A storage that was set back, and what only looks like one."""

import pytest

from tests.transform_values import GROUP, OTHER, account, chat
from whatsapp_etl.model import ListedBefore
from whatsapp_etl.scope import Directory
from whatsapp_etl.transform.rewinding import is_rewound
from whatsapp_etl.transform.visits import Rules


def whole(number, **changes):
    return ListedBefore(
        **{"chat_id": f"49155500{number:02}@c.us", "has_first": True, "has_last": True, **changes}
    )


@pytest.mark.parametrize("end", ["has_first", "has_last"])
def test_a_storage_in_which_several_chats_lack_an_end_was_set_back(end):
    assert is_rewound([whole(1), whole(2, **{end: False}), whole(3, **{end: False})])
    assert not is_rewound([whole(1), whole(2), whole(3, **{end: False}, unlisted=1)])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"has_last": False, "unlisted": 3}, True),
        ({"has_first": False, "unlisted": 3}, True),
        ({"has_first": None, "has_last": False, "unlisted": 3}, True),
        ({"has_last": False, "unlisted": 2}, False),
        ({"has_first": False, "has_last": False, "unlisted": 90}, False),
        ({"has_first": None, "has_last": None}, False),
    ],
    ids=["newest", "oldest", "oldest unknown", "deleted by hand", "cleared", "unknown"],
)
def test_a_single_chat_counts_when_one_end_lacks_many(changes, expected):
    assert is_rewound([whole(1), whole(2, **changes)]) is expected


def test_an_account_of_which_nothing_was_known_was_not_set_back():
    assert not is_rewound([])


def test_only_where_messages_are_kept_past_their_time_does_a_chat_of_which_they_disappear_prove_nothing():
    chats = (chat(disappearing_seconds=86400), chat(id=GROUP))
    directory = {
        rule: Directory(account(), chats, {}, (), {}, Rules(disappearing=rule), {})
        for rule in ("keep", "expire", "skip")
    }

    assert {rule: each.fleeting for rule, each in directory.items()} == {
        "keep": {OTHER},
        "expire": frozenset(),
        "skip": frozenset(),
    }
