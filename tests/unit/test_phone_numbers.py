"""A phone number as people write it."""

import pytest

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.phone_numbers import own_number


@pytest.mark.parametrize(
    "text",
    [
        "+49 1512 3456789",
        "0049-1512-3456789",
        "+49 (0) 1512/345 67 89",
        "tel:+49-1512-3456789",
        "+4915123456789",
    ],
)
def test_every_usual_notation_is_one_number(text):
    number = own_number(text)

    assert (number.country, number.calling_code, number.national) == ("Germany", "49", "15123456789")
    assert number.digits == "4915123456789"


def test_a_zero_that_belongs_to_the_number_stays():
    assert own_number("+39 06 698 12345").national == "0669812345"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("01512 3456789", "country code"),
        ("+49 12", "no such"),
        ("+1 555 000 1111", "no such"),
        ("+49 call me", "no phone number"),
        ("", "country code"),
    ],
)
def test_what_is_no_number_is_refused_and_not_repeated(text, told):
    with pytest.raises(ConfigurationError, match=f"^--phone: .*{told}") as error:
        own_number(text)

    assert "+49 1512 3456789" in str(error.value)
    assert not text or text not in str(error.value).replace("+49 1512 3456789", "")


def test_a_number_is_not_shown_where_it_is_printed():
    assert "3456789" not in repr(own_number("+49 1512 3456789"))
