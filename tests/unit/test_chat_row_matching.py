import pytest

from tests.transform_values import chat
from whatsapp_etl.extract.chat_list import ChatRow, matches, normalise
from whatsapp_etl.extract.titles import format_phone
from whatsapp_etl.model import ChatKind

ANA = "15551001001@c.us"


def named(title, **changes):
    return chat(id=ANA, title=title, **changes)


def row(title, *, chat_id=None):
    return ChatRow(title, 0, chat_id)


@pytest.mark.parametrize(
    ("shown", "stored"),
    [
        ("Ana Lund", "Ana Lund"),
        ("\u202aAna\u00a0Lund\u202c", "Ana Lund"),
        ("Sommer 🚀 Team ❤️", "Sommer 🚀 Team ❤️"),
        ("\u200fليلى", "ليلى"),
        ("+1 (555) 100-1001", "+1 555-100-1001"),
        ("+1 (555) 100-1001", None),
        ("~Ana", "~Ana"),
        ("Ana", "~Ana"),
    ],
)
def test_a_title_matches_through_marks_spaces_and_the_grouping_of_digits(shown, stored):
    meant = named(stored or format_phone(ANA))

    assert matches(row(shown), meant, {ANA})


def test_another_title_or_number_does_not_match():
    assert not matches(row("Ana Lundin"), named("Ana Lund"), {ANA})
    assert not matches(row("+1 (555) 100-1002"), named("+1 555-100-1001"), {ANA})
    assert not matches(row("Ana Lund"), named(None), {ANA})


def test_the_id_decides_where_the_row_tells_it():
    assert matches(row("Renamed", chat_id=ANA), named("Ana Lund"), {ANA})
    assert not matches(row("Ana Lund", chat_id="15551009999@c.us"), named("Ana Lund"), {ANA})
    assert matches(row("Ana Lund", chat_id="777@lid"), named("Ana Lund"), {ANA, "777@lid"})


def test_the_own_chat_may_have_a_suffix_and_no_other_chat():
    own = named("Mika Holm", kind=ChatKind.SELF)

    assert matches(row("Mika Holm (You)"), own, {ANA})
    assert not matches(row("Ana Lund (Work)"), named("Ana Lund"), {ANA})


def test_ids_of_the_page_are_written_as_everywhere():
    assert normalise("15551001001:7@s.whatsapp.net") == ANA
    assert normalise("120363000000000001@g.us") == "120363000000000001@g.us"
    assert normalise(None) is None


def test_a_number_is_written_internationally_and_an_impossible_one_by_its_digits():
    assert format_phone("15551001001@c.us") == "+1 555-100-1001"
    assert format_phone("4915112345678@c.us") == "+49 1511 2345678"
    assert format_phone("0@c.us") == "+0"
