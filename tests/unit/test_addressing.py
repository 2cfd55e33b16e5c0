"""Which texts call the agent: "Kenny, …" and "@Kenny …", and no others."""

import pytest

from whatsapp_etl.addressing import is_addressed, name_of

NAMES = ("Kenny",)


@pytest.mark.parametrize(
    "text",
    [
        "Kenny, file this",
        "kenny, file this",
        "KENNY,file this",
        "Kenny,",
        "@Kenny file this",
        "@kenny",
        "@Kenny: file this",
        "@Kenny, file this",
        "@Kenny,file this",
        "@Kenny!",
        "@Kenny\nfile this",
        "@Kenny 's late again",
        "  \n Kenny , file this",
        "👋 Kenny, file this",
        "👍🏽@Kenny file this",
        "Kenny 👋🏽, file this",
        "❤️ Kenny❤️, file this",
        "🇩🇪 Kenny, file this",
        "👨‍👩‍👧 Kenny, file this",
        "@Kenny👋 file this",
        "\u200fKenny, file this",
        "@\u2068Kenny\u2069 file this",
        "\u202eKenny\u202c، file this",
        "Kenny、file this",
        "Kenny\uff0cfile this",
        "\uff2b\uff45\uff4e\uff4e\uff59\uff0cfile this",
        "\uff20Kenny file this",
    ],
)
def test_what_calls_the_agent(text):
    assert is_addressed(text, NAMES)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Kenny",
        "Kenny's bike",
        "Kenny\u2019s, I think",
        "@Kenny's bike",
        "@Kenny\u2019s bike",
        "@Kenny`s bike",
        "@Kenny\u00b4s bike",
        "@Kenny\u2019\u200ds bike",
        "@Kennys",
        "@Kenny_2",
        "@Kenny2",
        "@Kenny-Lee is here",
        "@Kenny.example",
        "@Kenny@home",
        "@Kenny\u0301 file this",
        "Kenny is here, too",
        "Kenny: file this",
        "Kenny-Lee, file this",
        "Hello Kenny, file this",
        "Hello @Kenny",
        "*@Kenny file this",
        "a@kenny",
        "@ Kenny file this",
        "Kennyy, file this",
        "1Kenny, file this",
        "👋",
        "@",
    ],
)
def test_what_calls_nobody(text):
    assert not is_addressed(text, NAMES)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("כני", "כני, תקליט"),
        ("כני", "\u200f@כני תקליט"),
        ("كيني", "كيني، سجل هذا"),
        ("كيني", "@\u2067كيني\u2069 سجل هذا"),
        ("Straße", "STRASSE, file this"),
        ("Łukasz", "łUKASZ, file this"),
        ("Renée", "Rene\u0301e, file this"),
        ("李雷", "李雷\uff0c请记录"),
        ("Agent 7", "agent 7, file this"),
        ("İnci", "@İnci dosyala"),
    ],
)
def test_names_of_all_scripts_are_called(name, text):
    assert is_addressed(text, (name,))


@pytest.mark.parametrize(
    ("name", "text"), [("کنی", "@کنی\u200c\u0647\u0627"), ("كيني", "@كيني\u0647"), ("कैनी", "@कैनीजी")]
)
def test_a_longer_word_of_another_script_is_another_word(name, text):
    assert not is_addressed(text, (name,))


@pytest.mark.parametrize(
    ("entry", "name"), [("Kenny", "Kenny"), (" @Kenny ", "Kenny"), ("Agent  7", "Agent 7")]
)
def test_a_name_is_read_as_it_is_written(entry, name):
    assert name_of(entry) == name


@pytest.mark.parametrize("entry", ["", "@", "!", "Kenny,", "Kenny's'", "k" * 65])
def test_what_cannot_be_called_is_refused(entry):
    with pytest.raises(ValueError, match="no name"):
        name_of(entry)
