"""All that may go wrong on a page, singly and mixed: what can be had is stored, and no more is claimed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.fixtures.cycle import link
from tests.matrix.choices import mixtures
from whatsapp_etl.model import (
    PHONE_HAS_MORE,
    MissingReason,
    RunStatus,
    SessionSnapshot,
    SessionState,
    StopReason,
)
from whatsapp_etl.service.health import DatabaseState, HealthFacts, assess
from whatsapp_etl.service.reasons import ReasonCode
from whatsapp_etl.simulator.behaviours import BEHAVIOURS

#: Only what the device has is listed in its storage; so long ago lies what only the phone has.
WORLD = {"chats": 12, "messages": 300, "phone_only_days": 20}
CYCLES = 4  #: What a cycle cannot finish the next ones do.
#: A page that does not come need not be waited for as long as a real one.
READY_WITHIN = timedelta(seconds=20)

HARMLESS = {name: behaviour for name, behaviour in BEHAVIOURS.items() if not behaviour.hinders}
HINDERING = sorted(BEHAVIOURS.keys() - HARMLESS.keys())
MIXTURES = mixtures(HARMLESS)
_SAMPLE = MIXTURES[0]

SINGLY = [pytest.param((name,), id=name, marks=pytest.mark.matrix) for name in sorted(HARMLESS)]
MIXED = [
    pytest.param(names, id=" + ".join(names), marks=() if names == _SAMPLE else pytest.mark.matrix)
    for names in MIXTURES
]


@pytest.fixture
def misbehaving(account):
    """Open an account on a page that behaves so, asking the phone where that is about the phone."""

    def opened(*names):
        asks = {"whatsapp_phone_history": "auto"} if any(name.startswith("phone") for name in names) else {}
        is_unlinked = any(BEHAVIOURS[name].unlinks for name in names)
        it = account(world={**WORLD, "linked": not is_unlinked}, **asks)
        it.source._options = replace(it.source._options, ready_within=READY_WITHIN)
        if is_unlinked:
            link(it)
        it.simulator.behave(*names)
        return it

    return opened


def nobody_noticed(it, unread_before):
    ledger = it.simulator.ledger()
    assert (ledger["receipts"], ledger["presence"]["available"]) == (0, 0)
    now = it.simulator.unread()
    assert {chat: count for chat, count in unread_before.items() if now.get(chat, 0) < count} == {}


def sync_until_quiet(it):
    """Run cycles until one has nothing to do; return the last report."""
    report = it.sync()
    for _ in range(CYCLES - 1):
        if report.status is RunStatus.SUCCESS and not report.applied.inserted:
            break
        report = it.sync()
    return report


@pytest.mark.parametrize("names", [*SINGLY, *MIXED])
def test_what_can_be_had_is_stored(misbehaving, names):
    it = misbehaving(*names)
    unread_before = it.simulator.unread()

    report = sync_until_quiet(it)

    result = it.judged("attainable")
    assert result.is_equal, str(result)
    assert report.rejects == 0
    assert unexplained(it) == {}
    unread = it.simulator.unread() if "chatter" in names or "late_decryption" in names else unread_before
    nobody_noticed(it, unread)

    it.simulator.behave()
    sync_until_quiet(it)
    after = it.judged("attainable")
    # Rows that had no body are asked for again with growing pauses; all else is there.
    assert not after.absent or "rows_without_body" in names, str(after)
    assert not after.surplus, str(after)
    assert not after.doubled, str(after)
    assert not after.columns, str(after)
    pressed = it.simulator.ledger()["pressed"]
    assert set(pressed) <= {"Continue"}, pressed


@dataclass(frozen=True)
class Outcome:
    """What a cycle must say of what hinders it: the session's state, the error, all codes of /health."""

    states: frozenset[SessionState]  #: One of these: how far the page had come.
    error: str | None
    codes: frozenset[ReasonCode]


def told(state: SessionState | frozenset[SessionState], error: str | None, *codes: ReasonCode) -> Outcome:
    states = state if isinstance(state, frozenset) else frozenset({state})
    return Outcome(states, error, frozenset(codes))


READY, UNKNOWN, LOADING = SessionState.READY, SessionState.UNKNOWN, SessionState.LOADING
PERSON, DIALOG, TIMEOUT = "SessionNeedsPersonError", "UnknownDialogError", "PageTimeoutError"
_BY_LIST = told(READY, "MetadataUnreadableError", ReasonCode.METADATA_UNREADABLE, ReasonCode.RUN_PARTIAL)
_ASKED = told(UNKNOWN, DIALOG, ReasonCode.SESSION_UNKNOWN, ReasonCode.DIALOG_UNKNOWN)

#: A behaviour that hinders and is not listed fails the test.
OUTCOMES = {
    "load_fails": told(SessionState.STARTING, "PageRefusedError", ReasonCode.PAGE_REFUSED),
    "script_missing": told(SessionState.STARTING, TIMEOUT, ReasonCode.PAGE_TIMEOUT),
    "loading_hangs": told(LOADING, TIMEOUT, ReasonCode.PAGE_TIMEOUT),
    "unsupported_browser": told(
        SessionState.UNSUPPORTED, "ExtractError", ReasonCode.SESSION_UNSUPPORTED, ReasonCode.RUN_FAILED
    ),
    "conflict": told(SessionState.CONFLICT, PERSON, ReasonCode.SESSION_CONFLICT),
    "another_session": told(SessionState.CONFLICT, PERSON, ReasonCode.SESSION_CONFLICT),
    "terms": told(SessionState.TERMS, PERSON, ReasonCode.SESSION_TERMS),
    "temp_ban": told(SessionState.BANNED, PERSON, ReasonCode.SESSION_BANNED),
    "service_unavailable": told(
        SessionState.UNAVAILABLE, TIMEOUT, ReasonCode.SESSION_UNAVAILABLE, ReasonCode.PAGE_TIMEOUT
    ),
    "deprecated": told(SessionState.UPDATE_REQUIRED, PERSON, ReasonCode.SESSION_UPDATE_REQUIRED),
    "screen_lock": told(SessionState.LOCKED, PERSON, ReasonCode.SESSION_LOCKED),
    "proxyblock": told(
        SessionState.UNAVAILABLE, TIMEOUT, ReasonCode.SESSION_UNAVAILABLE, ReasonCode.PAGE_TIMEOUT
    ),
    "offline": told(SessionState.OFFLINE, TIMEOUT, ReasonCode.SESSION_OFFLINE, ReasonCode.PAGE_TIMEOUT),
    "reconnecting": told(SessionState.OFFLINE, TIMEOUT, ReasonCode.SESSION_OFFLINE, ReasonCode.PAGE_TIMEOUT),
    "permission": _ASKED,
    "passkey": told(SessionState.PASSKEY_REQUIRED, PERSON, ReasonCode.SESSION_PASSKEY_REQUIRED),
    "log_out_question": _ASKED,
    "news_and_question": _ASKED,
    "logging_out": _ASKED,
    # It is the first cycle, and what was not read yet is newer than what was.
    "logged_out_in_mid_read": told(
        SessionState.LOGGED_OUT, PERSON, ReasonCode.SESSION_LOGGED_OUT, ReasonCode.DATA_STALE
    ),
    # Reading a page that thinks it is seen would send receipts: none is opened.
    "tab_hidden": told(
        frozenset({SessionState.STARTING, LOADING, READY}), "ShieldError", ReasonCode.RUN_FAILED
    ),
    # What was listed of it is missing, the newest message too; what stands in its place is not taken for it.
    "chat_deleted_while_open": told(
        READY,
        None,
        ReasonCode.CHAT_UNIDENTIFIED,
        ReasonCode.COVERAGE_SHORT,
        ReasonCode.RUN_PARTIAL,
        ReasonCode.DATA_STALE,
    ),
    "idb_missing": _BY_LIST,
    "idb_renamed_fields": _BY_LIST,
    "idb_locked": _BY_LIST,
}


def health_codes(it, report):
    """Return the codes with which /health would answer 503, or that it would mention, after this cycle."""
    now = report.finished_at
    facts = HealthFacts(
        started_at=report.started_at,
        session=SessionSnapshot(state=report.session_state, since=report.started_at),
        session_checked_at=now,
        database=DatabaseState.UP,
        store=it.store.health_facts(now),
        coverage=it.store.coverage_summary(now),
        last_run=report,
        last_success_at=now,
        shield_alarm=it.store.has_shield_alarm(),
    )
    return {reason.code for reason in assess(facts, now).reasons}


def unexplained(it):
    """Return the messages that are neither stored nor accounted for with a reason of the closed set."""
    truth = it.truth()
    listed = dict(it.query("SELECT external_id, reason FROM missing_messages"))
    coverage = {
        chat_id: (until, history)
        for chat_id, until, history in it.query(
            "SELECT thread_external_id, complete_until, history_type FROM sync_coverage"
        )
    }
    found = {}
    for key in truth.keys() - it.stored().keys():
        if key in listed:
            assert listed[key] in set(MissingReason)
            continue
        # No id of it is listed here. Then the phone has more of the chat, which does not claim to be whole.
        until, history = coverage.get(truth[key]["thread_external_id"], (None, None))
        if history not in PHONE_HAS_MORE or (until is not None and until <= truth[key]["ts"]):
            found[key] = (truth[key]["ts"], until, history)
    return found


@pytest.mark.timeout(600)
@pytest.mark.matrix
@pytest.mark.parametrize("name", HINDERING)
def test_what_hinders_a_cycle_is_told_by_name_and_nothing_wrong_is_stored(misbehaving, name):
    it = misbehaving(name)
    unread_before = it.simulator.unread()
    known = it.truth()

    report = it.sync()

    expected = OUTCOMES[name]
    error = report.error.partition(":")[0] if report.error else None
    assert report.session_state in expected.states
    assert error == expected.error, report.error
    assert health_codes(it, report) == expected.codes
    assert it.stored().keys() <= known.keys()
    now = it.judged("page" if report.read_by == "chat_list" else "attainable")
    differing = {(column, must, is_) for column, rows in now.columns.items() for _, must, is_ in rows}
    # Nothing on the page tells a video note from a video.
    assert differing <= {("message_type", "video_note", "video")}, str(now)
    nobody_noticed(it, unread_before)
    pressed = it.simulator.ledger()["pressed"]
    assert pressed == {}, pressed

    it.simulator.behave()
    it.source.close()  # how a page keeps its storage is decided when it is loaded
    if BEHAVIOURS[name].unlinks:
        link(it)
    sync_until_quiet(it)
    after = it.judged("attainable")
    assert not after.absent, str(after)
    assert not after.doubled, str(after)
    assert not after.columns, str(after)
    assert unexplained(it) == {}
    # What a deleted chat held stays: absence is never a delete.
    assert name == "chat_deleted_while_open" or not after.surplus, str(after)


@pytest.mark.matrix
@pytest.mark.parametrize("profile", ["apr26", "aug26"])
def test_of_a_chat_whose_identity_no_row_proves_nothing_is_written(misbehaving, profile):
    it = misbehaving("no_fiber", "idb_missing")
    it.simulator.set_config(profile=profile)

    report = it.sync()

    if profile == "apr26":  # packed ids prove it
        assert it.stored()
        assert not it.judged("page").surplus
    else:
        assert it.stored() == {}
        assert report.stop_reasons[StopReason.CHAT_UNIDENTIFIED] > 0
        assert ReasonCode.CHAT_UNIDENTIFIED in health_codes(it, report)
