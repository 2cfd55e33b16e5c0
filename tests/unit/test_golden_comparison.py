"""The comparison that judges recorded screens: what it must see, and what it must leave aside."""

from __future__ import annotations

import pytest

from tests.conformance.golden import Explanation, differences, elements, table_of, unexplained

BUBBLE = (
    '<div class="_amk4 x78zum5"><span aria-label="You:"></span>'
    '<div><div><span dir="auto">hi</span></div></div></div>'
)


def compared(recorded: str, drawn: str) -> list[str]:
    return differences(elements(recorded), elements(drawn))


def test_styles_generated_classes_and_drawings_are_left_aside():
    drawing = "<svg><title>tail-in</title><path></path></svg>"
    styled = f'<div style="top: 0" class="_amk4 xh8">{drawing}</div>'

    assert compared('<div class="_amk4"><svg><title>tail-in</title></svg></div>', styled) == []


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (BUBBLE.replace("_amk4", "_amk5"), "class is “_amk4”, here “_amk5”"),
        (BUBBLE.replace('aria-label="You:"', ""), "aria-label is “You:”, here absent"),
        (BUBBLE.replace('dir="auto"', 'dir="rtl"'), "dir is “auto”, here “rtl”"),
        (BUBBLE.replace("<div><div>", "<p><div>"), "inside div > div, here"),
        (BUBBLE.replace("hi", "ho"), "says “hi”, here “ho”"),
        (BUBBLE.replace("</span><div>", "</span><img alt='x'><div>"), 'has img[alt="x"]'),
    ],
)  # fmt: skip
def test_a_difference_is_told(drawn, said):
    told = compared(BUBBLE, drawn)

    assert told
    assert any(said in sentence for sentence in told)


def test_a_level_more_is_told_once_and_what_it_holds_is_compared_still():
    row = '<div role="row"><b title="a"></b><b title="b"></b></div>'
    recorded, drawn = f'<div id="list">{row}</div>', f'<div id="list"><div role="grid">{row}</div></div>'

    assert len(compared(recorded, drawn)) == 1
    assert len(compared(recorded, drawn.replace('title="b"', 'title="d"'))) == 2


def test_a_difference_needs_a_reason_and_a_reason_a_difference():
    document = (
        "<!-- golden: explained -->\n| `chat*` | `div[x]: lacks *` | Not drawn. |\n| `qr` | `gone` | Old. |\n"
        "<!-- golden: end -->"
    )
    found = {"chatlist": ["div[x]: lacks span", "div: has b"]}

    left, idle = unexplained(found, table_of(document))

    assert left == {"chatlist": ["div: has b"]}
    assert idle == [Explanation("qr", "gone", "Old.")]
