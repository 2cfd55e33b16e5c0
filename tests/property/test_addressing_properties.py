"""Calling the agent, whatever is written around its name."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from whatsapp_etl.addressing import is_addressed

INVISIBLE = st.text("\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\u200b\ufe0f", max_size=4)
BLANKS = st.text(" \t\n\u00a0👋🏽❤🎉🇩🇪\u200f\u200e\ufe0f", max_size=6)
COMMAS = st.sampled_from(",،、\uff0c\ufe50")
NAMES = st.text(st.characters(categories=("Lu", "Ll", "Lo")), min_size=1, max_size=12).filter(
    lambda name: unicodedata.normalize("NFKC", name).casefold() == name.casefold()
)
LETTERS = st.characters(categories=("Lu", "Ll", "Lo", "Nd"))
CASES = st.sampled_from([str, str.upper, str.lower, str.swapcase])


def same(name, case):
    """Return the name in another case, where the two cases are one letter each way."""
    other = case(name)
    return other if other.casefold() == name.casefold() else name


@given(st.tuples(NAMES, CASES), st.tuples(BLANKS, BLANKS), COMMAS, st.text())
def test_a_name_with_a_comma_calls(called, blanks, comma, rest):
    before, between = blanks
    assert is_addressed(f"{before}{same(*called)}{between}{comma}{rest}", called[:1])


@given(
    st.tuples(NAMES, CASES),
    st.tuples(BLANKS, INVISIBLE, INVISIBLE),
    st.sampled_from([" ", "\n", ", ", ": ", "👋"]),
    st.text(),
)
def test_an_at_with_a_name_calls(called, around, end, rest):
    before, inside, behind = around
    assert is_addressed(f"{before}@{inside}{same(*called)}{behind}{end}{rest}", called[:1])
    assert is_addressed(f"{before}@{inside}{same(*called)}{behind}", called[:1])


@given(NAMES, LETTERS, INVISIBLE, st.text(), st.sampled_from(["'", "\u2019", "-", "`", "\u00b4", "."]))
def test_a_word_that_goes_on_calls_nobody(name, letter, invisible, rest, joint):
    assert not is_addressed(f"@{name}{joint}{invisible}{letter}{rest}", (name,))
    assert not is_addressed(f"{name}{joint}{letter},{rest}", (name,))


@given(NAMES, LETTERS, st.text())
def test_a_word_before_the_name_calls_nobody(name, letter, rest):
    if not (letter + name).casefold().startswith(name.casefold()):
        assert not is_addressed(f"{letter}{name},{rest}", (name,))
        assert not is_addressed(f"{letter}@{name} {rest}", (name,))


@given(st.text(), st.lists(NAMES, max_size=3))
def test_any_text_is_judged_and_more_names_call_no_less(text, names):
    assert is_addressed(text, names) == any(is_addressed(text, (name,)) for name in names)
