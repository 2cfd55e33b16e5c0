"""A typed text without its marks says what the page shows of it."""

import time

import pytest

from whatsapp_etl.simulator.people import FORMATTED
from whatsapp_etl.simulator.plain_text import plain_text
from whatsapp_etl.transform.markup import mentioned, shown


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain", "plain"),
        ("*bold* and _slanted_ and ~gone~", "bold and slanted and gone"),
        ("*_both_*", "both"),
        ("_*both*_", "both"),
        ("2*3*4 and a_b_c", "2*3*4 and a_b_c"),
        ("* not bold*", "- not bold*"),
        ("*two* *words*", "two words"),
        ("**", "**"),
        ("a ** b", "a ** b"),
        ("`*kept*` and *not*", "*kept* and not"),
        ("```\nx = *y*\n```", "x = *y*"),
        ("before ```a\nb``` after *c*", "before a\nb after c"),
        ("an open ``` fence *c*\nd", "an open ``` fence c\nd"),
        ("``````", "``````"),
        ("- one\n* two\n- *three*", "- one\n- two\n- three"),
        ("1. first\n02. second", "1. first\n2. second"),
        ("> said\n> twice\nanswer", "said\ntwice\nanswer"),
        (">not a quote", ">not a quote"),
        ("*over\nlines*", "*over\nlines*"),
        ("  spaces  ", "spaces"),
        ("nul\0", "nul"),
        ("\n\n", None),
        ("", None),
        (None, None),
    ],
)
def test_marks_are_left_out_as_the_page_leaves_them_out(raw, text):
    assert shown(raw) == text


@pytest.mark.parametrize("raw", FORMATTED)
def test_the_stand_in_s_own_account_of_a_text_is_the_same(raw):
    assert shown(raw) == plain_text(raw, {})


def test_people_are_mentioned_by_name_also_inside_marks_and_not_in_code():
    names = {"15552001001@c.us": "Ana", "777888999@lid": "Ben"}
    raw = "@15552001001 and *@777888999* and `@15552001001` and @15552001002"
    assert shown(raw, names) == "@Ana and @Ben and @15552001001 and @15552001002"
    assert mentioned(raw, (*names, "123456@c.us")) == names.keys()


@pytest.mark.parametrize("piece", ["*a", "*a* ", "_", "```a", "`a` ", "~a _b *c ", "- ", "\n```", "@12345"])
def test_no_text_that_the_client_takes_holds_up_a_cycle(piece):
    raw = (piece * 65_536)[:65_536]
    begun = time.perf_counter()
    shown(raw, {"12345@c.us": "x"})
    assert time.perf_counter() - begun < 5
