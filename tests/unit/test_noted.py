import stat
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_etl.extract.noted import leave_noted, take_noted
from whatsapp_etl.model import SessionState
from whatsapp_etl.transitions import SessionCause, TransitionLog

NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)
S = SessionState


def linked():
    log = TransitionLog()
    for second, state in enumerate((S.STARTING, S.QR, S.LOADING, S.READY)):
        log.note(state, SessionCause.SHOWN, NOW + timedelta(seconds=second))
    return log.pending


def test_what_one_program_noted_the_next_one_takes_once(tmp_path):
    leave_noted(tmp_path, linked())

    assert take_noted(tmp_path) == linked()
    assert take_noted(tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_is_the_owners_alone(tmp_path):
    leave_noted(tmp_path, linked())

    (place,) = tmp_path.iterdir()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", '{"state": 1}', "[1]", '[{"state": "dreaming"}]'])
def test_what_cannot_be_read_is_dropped_and_holds_nothing(tmp_path, text):
    (tmp_path / "whatsapp-etl.transitions").write_text(text)

    assert take_noted(tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


def test_what_another_program_noted_is_dropped_as_it_is_stored_and_apart_from_the_own():
    log = TransitionLog()
    log.note(S.STARTING, SessionCause.OPENED, NOW + timedelta(minutes=1))
    log.go_on_from(linked())

    assert log.earlier == linked()
    for each in log.earlier:
        log.stored(each)

    assert log.earlier == ()
    assert [each.state for each in log.pending] == [S.STARTING]
