import pytest

from whatsapp_etl.extract.session import person_needed
from whatsapp_etl.extract.states import PageFacts, next_state
from whatsapp_etl.model import NEEDS_PERSON, SessionState

CHAT_LIST = {"has_app": True, "has_chat_list": True}
QR_SCREEN = {"has_app": True, "has_qr_screen": True, "qr_payload": "2@ref,key"}


def state_of(current=SessionState.STARTING, was_ready=False, labels=(), **facts) -> SessionState:
    return next_state(current, PageFacts(labels=frozenset(labels), **facts), was_ready=was_ready)


def test_a_chat_list_without_anything_over_it_is_ready():
    assert state_of(**CHAT_LIST) is SessionState.READY


def test_a_qr_code_on_a_new_profile_is_qr():
    assert state_of(**QR_SCREEN) is SessionState.QR


def test_a_qr_screen_whose_code_is_still_fetched_is_qr():
    assert state_of(has_app=True, has_qr_screen=True) is SessionState.QR


def test_a_code_to_be_typed_on_the_phone_is_pairing_also_after_a_logout():
    assert state_of(has_app=True, has_link_code=True) is SessionState.PAIRING
    assert state_of(was_ready=True, has_link_code=True, **QR_SCREEN) is SessionState.PAIRING


def test_a_qr_code_after_the_session_was_ready_is_logged_out():
    assert state_of(was_ready=True, **QR_SCREEN) is SessionState.LOGGED_OUT


def test_a_qr_code_at_the_address_of_a_logout_is_logged_out():
    assert state_of(is_after_logout=True, **QR_SCREEN) is SessionState.LOGGED_OUT


def test_the_address_of_a_logout_does_not_matter_once_there_is_a_chat_list():
    assert state_of(is_after_logout=True, **CHAT_LIST) is SessionState.READY


@pytest.mark.parametrize(
    ("label", "state"),
    [
        ("conflict", SessionState.CONFLICT),
        ("update_required", SessionState.UPDATE_REQUIRED),
        ("terms", SessionState.TERMS),
        ("banned", SessionState.BANNED),
        ("locked", SessionState.LOCKED),
        ("passkey", SessionState.PASSKEY_REQUIRED),
        ("unavailable", SessionState.UNAVAILABLE),
        ("offline", SessionState.OFFLINE),
    ],
)
@pytest.mark.parametrize("behind", [{}, CHAT_LIST, {"has_app": True, "is_loading": True}])
def test_a_blocking_word_wins_over_what_lies_behind_it(label, state, behind):
    assert state_of(labels=[label], has_dialog=True, **behind) is state


def test_a_conflict_wins_over_every_other_word():
    assert state_of(labels=["conflict", "offline", "terms"], **CHAT_LIST) is SessionState.CONFLICT


def test_the_page_for_unsupported_browsers_is_known_by_having_no_client():
    assert state_of(labels=["unsupported"]) is SessionState.UNSUPPORTED
    assert state_of(labels=["unsupported"], **CHAT_LIST) is SessionState.READY


def test_an_unknown_dialog_over_the_chat_list_is_unknown():
    assert state_of(has_dialog=True, **CHAT_LIST) is SessionState.UNKNOWN


def test_another_account_is_told_only_where_a_chat_list_is_shown():
    assert state_of(is_other_account=True, **CHAT_LIST) is SessionState.WRONG_ACCOUNT
    assert state_of(is_other_account=True, **QR_SCREEN) is SessionState.QR


def test_progress_without_a_chat_list_is_loading():
    assert state_of(has_app=True, is_loading=True) is SessionState.LOADING


def test_progress_beside_a_chat_list_is_ready():
    assert state_of(is_loading=True, **CHAT_LIST) is SessionState.READY


def test_a_splash_is_starting():
    assert state_of(SessionState.UNKNOWN, has_splash=True) is SessionState.STARTING


@pytest.mark.parametrize("current", [SessionState.STARTING, SessionState.LOADING])
def test_an_empty_moment_between_two_screens_changes_nothing(current):
    assert state_of(current, has_app=True) is current


@pytest.mark.parametrize(
    "current", [state for state in SessionState if state not in {SessionState.STARTING, SessionState.LOADING}]
)
def test_an_empty_page_after_any_other_state_is_unknown(current):
    assert state_of(current) is SessionState.UNKNOWN


@pytest.mark.parametrize("current", list(SessionState))
def test_a_dead_page_is_crashed_from_every_state(current):
    assert state_of(current, is_alive=False, **CHAT_LIST) is SessionState.CRASHED


@pytest.mark.parametrize("current", list(SessionState))
def test_a_chat_list_ends_every_state(current):
    assert state_of(current, was_ready=True, **CHAT_LIST) is SessionState.READY


def test_every_state_can_be_reached():
    labels = ["passkey", "conflict", "update_required", "terms", "banned", "locked", "unavailable", "offline"]
    reached = {state_of(labels=[label]) for label in labels}
    reached |= {
        state_of(labels=["unsupported"]),
        state_of(**QR_SCREEN),
        state_of(has_app=True, has_link_code=True),
        state_of(was_ready=True, **QR_SCREEN),
    }
    reached |= {state_of(is_alive=False), state_of(**CHAT_LIST), state_of(is_other_account=True, **CHAT_LIST)}
    reached |= {state_of(), state_of(is_loading=True), state_of(has_dialog=True)}

    # No page shows that: the browser is closed then.
    assert reached == set(SessionState) - {SessionState.LINK_RESTING}


def test_every_state_that_waits_for_a_person_says_what_to_do():
    for state in NEEDS_PERSON:
        assert person_needed(state).remedy


def test_facts_are_taken_from_what_the_page_script_says():
    told = {
        "has_app": True,
        "has_splash": False,
        "has_qr_screen": True,
        "has_link_code": False,
        "qr_payload": None,
        "is_qr_expired": False,
        "is_loading": True,
        "loading_percent": 42,
        "has_chat_list": False,
        "has_dialog": False,
        "is_after_logout": True,
        "labels": ["offline"],
    }

    facts = PageFacts.from_json(told, is_other_account=True)

    assert facts == PageFacts(
        has_app=True,
        has_qr_screen=True,
        is_after_logout=True,
        is_other_account=True,
        is_loading=True,
        loading_percent=42,
        labels=frozenset({"offline"}),
    )
    assert PageFacts.from_json({**told, "qr_payload": "2@ref"}).qr_payload == "2@ref"
    assert PageFacts.from_json({**told, "loading_percent": None}).loading_percent is None


@pytest.mark.parametrize(
    "known",
    [{"has_splash": True}, {"has_qr_screen": True}, {"has_link_code": True}, {"is_loading": True},
     {"has_chat_list": True}, {"has_dialog": True}, {"labels": frozenset({"offline"})}, {"has_app": False}],
)  # fmt: skip
def test_a_screen_is_strange_when_nothing_of_it_is_known(known):
    assert PageFacts(has_app=True).is_strange
    assert not PageFacts(**({"has_app": True} | known)).is_strange
