"""The judge of all syncs is judged itself: each sort of difference is seen, and told."""

import pytest

from tests.fixtures.comparison import compare

KETTLE = {"message_type": "text", "content_snippet": "the kettle"}
LAMP = {"message_type": "image", "content_snippet": None}
TRUTH = {"a": KETTLE, "b": LAMP}


def test_equal_rows_are_equal():
    result = compare(TRUTH, [("b", LAMP), ("a", KETTLE)])

    assert result.is_equal
    assert str(result) == "2 messages, all equal"


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ([("a", KETTLE)], "1 absent (1 image): b"),
        ([("a", KETTLE), ("b", LAMP), ("c", LAMP)], "1 surplus (1 unknown): c"),
        ([("a", KETTLE), ("a", KETTLE), ("b", LAMP)], "1 doubled (1 text): a"),
        (
            [("a", {**KETTLE, "content_snippet": "the kettl"}), ("b", LAMP)],
            "1 differ in content_snippet (1 text)",
        ),
    ],
    ids=["absent", "surplus", "doubled", "another column"],
)
def test_each_sort_of_difference_is_seen(stored, told):
    result = compare(TRUTH, stored)

    assert not result.is_equal
    assert told in str(result)


def test_a_message_stored_under_another_of_its_keys_is_found():
    assert compare(TRUTH, [("old", KETTLE), ("b", LAMP)], {"old": "a"}).is_equal


def test_a_message_stored_under_two_of_its_keys_is_doubled():
    result = compare(TRUTH, [("a", KETTLE), ("old", KETTLE), ("b", LAMP)], {"old": "a"})

    assert result.doubled == ["a"]
