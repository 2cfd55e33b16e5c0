"""What page scripts answer is read whatever some client cut in half."""

import json

import pytest

from whatsapp_etl.extract.page_script import read_answer


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (r'{"name": "Mira \ud83d"}', "Mira \N{REPLACEMENT CHARACTER}"),
        (r'{"name": "\udf3b\ud83d\\"}', "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\\"),
        (r'{"name": "C:\\\ud83d"}', "C:\\\N{REPLACEMENT CHARACTER}"),
        (r'{"name": "C:\\ud83d"}', r"C:\ud83d"),
        ('{"name": "Mira 🌻 \\\\u00e9"}', "Mira 🌻 \\u00e9"),
    ],
)
def test_half_a_character_is_replaced_and_everything_else_stays(answer, read):
    assert read_answer(answer) == {"name": read}


def test_an_answer_without_halves_is_plain_json():
    assert read_answer(json.dumps({"rows": [1, None, "x"]})) == {"rows": [1, None, "x"]}
