"""The judgement about session and data, fact by fact."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fixtures.service import (
    NOW,
    codes,
    healthy_state,
    make_facts,
    make_report,
    make_store,
    ready_session,
)
from whatsapp_etl.extracted import ExtractionFacts
from whatsapp_etl.happenings import OutboxFacts
from whatsapp_etl.model import (
    RunStatus,
    SessionSnapshot,
    SessionState,
    SpoolFacts,
    StageCounts,
    StopReason,
)
from whatsapp_etl.service.health import (
    SESSION_WORDS,
    DatabaseState,
    SessionWord,
    assess,
)
from whatsapp_etl.service.reasons import REASONS, ReasonCode, Severity
from whatsapp_etl.service.thresholds import Thresholds


def session_in(state: SessionState, minutes: float = 60) -> SessionSnapshot:
    return SessionSnapshot(state, since=NOW - timedelta(minutes=minutes))


def test_nothing_wrong_is_200_without_reasons():
    health = assess(make_facts(), NOW)

    assert (health.http_status, health.reasons) == (200, ())
    assert health.session is SessionWord.LOGGED_IN
    assert health.last_successful_sync == NOW - timedelta(minutes=1)
    assert health.last_seen == NOW - timedelta(minutes=4)
    assert health.freshness.is_fresh
    assert health.postgres is DatabaseState.UP


@pytest.mark.parametrize(
    ("state", "word", "code"),
    [
        (SessionState.QR, "link_required", "session_link_required"),
        (SessionState.PAIRING, "pairing", "session_pairing"),
        (SessionState.PASSKEY_REQUIRED, "passkey_required", "session_passkey_required"),
        (SessionState.LINK_RESTING, "link_resting", "session_link_resting"),
        (SessionState.LOGGED_OUT, "expired", "session_logged_out"),
        (SessionState.OFFLINE, "offline", "session_offline"),
        (SessionState.CONFLICT, "conflict", "session_conflict"),
        (SessionState.UNSUPPORTED, "unsupported", "session_unsupported"),
        (SessionState.UPDATE_REQUIRED, "update_required", "session_update_required"),
        (SessionState.TERMS, "terms", "session_terms"),
        (SessionState.LOCKED, "locked", "session_locked"),
        (SessionState.BANNED, "banned", "session_banned"),
        (SessionState.UNAVAILABLE, "unavailable", "session_unavailable"),
        (SessionState.WRONG_ACCOUNT, "wrong_account", "session_wrong_account"),
        (SessionState.CRASHED, "crashed", "session_crashed"),
        (SessionState.UNKNOWN, "unknown", "session_unknown"),
        (SessionState.STARTING, "starting", "session_starting"),
        (SessionState.LOADING, "starting", "session_starting"),
    ],
)
def test_each_state_of_the_page_has_its_word_and_its_reason(state: SessionState, word: str, code: str):
    health = assess(make_facts(session=session_in(state)), NOW)

    assert (health.session.value, codes(health), health.http_status) == (word, [code], 503)


def test_every_state_of_the_page_is_in_the_table():
    assert set(SESSION_WORDS) == set(SessionState)


def test_a_page_that_has_just_begun_to_load_is_no_fault():
    health = assess(make_facts(session=session_in(SessionState.LOADING, minutes=1)), NOW)

    assert (health.session, health.http_status) == (SessionWord.STARTING, 200)


def test_a_session_not_looked_at_for_too_long_is_unknown():
    facts = make_facts(session_checked_at=NOW - timedelta(minutes=61), session=ready_session())

    health = assess(facts, NOW, Thresholds(session_stale_after=timedelta(minutes=60)))

    assert health.session is SessionWord.UNKNOWN
    assert codes(health) == ["session_stale"]


def test_without_any_success_health_says_so():
    health = assess(make_facts(last_success_at=None), NOW)

    assert codes(health) == ["sync_never"]
    assert not health.freshness.is_fresh
    assert health.freshness.sync_age is None


def test_a_sync_is_stale_only_past_its_limit():
    limits = Thresholds(sync_stale_after=timedelta(minutes=30))
    at_limit = make_facts(last_success_at=NOW - timedelta(minutes=30))
    past_it = make_facts(last_success_at=NOW - timedelta(minutes=30, seconds=1))

    assert codes(assess(at_limit, NOW, limits)) == []
    assert codes(assess(past_it, NOW, limits)) == ["sync_stale"]


@pytest.mark.parametrize(
    ("interval", "sync_minutes", "session_minutes"), [(1, 15, 60), (10, 30, 60), (60, 180, 120)]
)
def test_limits_follow_the_interval(interval: int, sync_minutes: int, session_minutes: int):
    limits = Thresholds.of(interval=timedelta(minutes=interval), session_max_age=timedelta(minutes=60))

    assert limits.sync_stale_after == timedelta(minutes=sync_minutes)
    assert limits.session_stale_after == timedelta(minutes=session_minutes)


def test_a_database_that_is_down_is_named():
    assert codes(assess(make_facts(database=DatabaseState.DOWN), NOW)) == ["postgres_down"]


def test_a_session_that_could_not_be_kept_is_told_without_degrading_health():
    state = healthy_state()
    state.show_session_kept(is_unkept=True)
    health = assess(state.snapshot.health_facts, NOW)

    assert (codes(health), health.http_status) == (["session_unkept"], 200)

    state.show_session_kept(is_unkept=False)
    assert codes(assess(state.snapshot.health_facts, NOW)) == []


def test_a_part_of_the_storage_that_cannot_be_read_degrades_health():
    run = make_report(status=RunStatus.PARTIAL, metadata_unreadable=("contacts: missing_store",))

    assert codes(assess(make_facts(last_run=run), NOW)) == ["metadata_unreadable", "run_partial"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("SelectorDriftError: pack 2026-08, chat_list. Run `whatsapp-etl selectors check`.", "drift"),
        ("MetadataUnreadableError: missing_store", "metadata_unreadable"),
        ("BrowserCrashedError", "browser_crashed"),
        ("BrowserMissingError: no Chromium", "browser_missing"),
        ("ProfileLockedError: pid 12", "profile_locked"),
        ("SessionTakenError: process 3 on tern", "session_taken"),
        ("VaultUnreachableError: HTTP 500", "session_store"),
        ("PageTimeoutError: chat list", "page_timeout"),
        ("DatabaseUnreachableError: localhost", "postgres_down"),
        ("SchemaOutdatedError: 3 of 4", "schema_outdated"),
        ("WriterBusyError: lock", "writer_busy"),
        ("ZeroDivisionError", "run_failed"),
        ("something without a class", "run_failed"),
        (None, "run_failed"),
    ],
)
def test_a_failed_cycle_is_told_by_its_error(error: str | None, code: str):
    run = make_report(status=RunStatus.FAILED, error=error)

    assert codes(assess(make_facts(last_run=run), NOW)) == [code]


def test_a_cycle_that_ended_for_want_of_a_person_leaves_the_word_to_the_session():
    run = make_report(status=RunStatus.FAILED, error="SessionNeedsPersonError: scan")

    health = assess(make_facts(last_run=run, session=session_in(SessionState.QR)), NOW)

    assert codes(health) == ["session_link_required"]


def test_a_partial_cycle_is_worth_a_notice_only():
    health = assess(make_facts(last_run=make_report(status=RunStatus.PARTIAL)), NOW)

    assert (codes(health), health.http_status) == (["run_partial"], 200)


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        (StopReason.DRIFT, "drift"),
        (StopReason.CHAT_UNIDENTIFIED, "chat_unidentified"),
        (StopReason.SHIELDED, "shield_alarm"),
    ],
)
def test_a_stop_reason_in_one_chat_degrades_health(stop: StopReason, code: str):
    health = assess(make_facts(last_run=make_report(stop_reasons={stop: 1})), NOW)

    assert (codes(health), health.http_status) == ([code], 503)


def test_an_observed_receipt_is_an_alarm():
    health = assess(make_facts(last_run=make_report(receipts_observed=1)), NOW)

    assert codes(health) == ["shield_alarm"]


def test_the_alarm_is_named_once_whatever_raised_it():
    facts = make_facts(
        shield_alarm=True, last_run=make_report(receipts_observed=1, stop_reasons={StopReason.SHIELDED: 2})
    )

    assert codes(assess(facts, NOW)) == ["shield_alarm"]


@pytest.mark.parametrize(("rejects", "expected"), [(2, []), (10, []), (11, ["rejects_high"])])
def test_rejects_count_when_they_are_more_than_a_hundredth(rejects: int, expected: list[str]):
    run = make_report(rejects=rejects, stages=StageCounts(seen=1000))

    assert codes(assess(make_facts(last_run=run), NOW)) == expected


def test_a_single_reject_in_a_small_cycle_is_no_alarm():
    run = make_report(rejects=2, stages=StageCounts(seen=3))

    assert codes(assess(make_facts(last_run=run), NOW)) == []


def test_a_newest_message_from_the_future_is_zero_seconds_old():
    facts = make_facts(store=make_store(last_seen=NOW + timedelta(hours=1)))

    assert assess(facts, NOW).freshness.newest_message_age == timedelta(0)


def test_chats_that_wait_on_disk_are_told_and_degrade_nothing():
    run = make_report(spool=SpoolFacts(batches=2, bytes=900, oldest_at=NOW, set_aside=1))

    health = assess(make_facts(last_run=run), NOW)

    assert (codes(health), health.http_status) == (["spool_waiting", "spool_damaged"], 200)
    assert health.spool == run.spool


def test_a_full_spool_is_a_reason_of_its_own():
    run = make_report(status=RunStatus.FAILED, error="SpoolFullError: Postgres is away.")

    assert codes(assess(make_facts(last_run=run), NOW)) == ["spool_full"]


def test_a_postgres_that_takes_no_writes_is_a_reason_of_its_own():
    run = make_report(status=RunStatus.FAILED, error="DatabaseUnwritableError: Postgres takes no writes.")

    assert codes(assess(make_facts(last_run=run), NOW)) == ["postgres_unwritable"]


def test_before_the_first_cycle_nobody_knows_what_waits():
    assert assess(make_facts(last_run=None), NOW).spool is None


def test_a_success_far_in_the_future_is_none_to_go_by():
    ahead = make_facts(last_success_at=NOW + timedelta(days=1))
    a_little = make_facts(last_success_at=NOW + timedelta(minutes=1))

    assert codes(assess(ahead, NOW)) == ["sync_stale"]
    assert codes(assess(a_little, NOW)) == []


def test_reasons_that_degrade_stand_before_notices():
    facts = make_facts(
        last_run=make_report(status=RunStatus.PARTIAL), last_success_at=NOW - timedelta(days=1)
    )

    assert codes(assess(facts, NOW)) == ["sync_stale", "run_partial"]


def test_every_code_has_words_and_a_remedy():
    assert set(REASONS) == set(ReasonCode)
    for reason in REASONS.values():
        assert reason.summary.endswith(".")
        assert len(reason.remedy) > 10


def test_every_code_is_in_the_documentation_with_its_remedy():
    text = (Path(__file__).parents[2] / "docs" / "health.md").read_text(encoding="utf-8")

    for reason in REASONS.values():
        status = "503" if reason.severity is Severity.DEGRADED else "200"
        assert f"| `{reason.code.value}` | {status} | {reason.summary} | {reason.remedy} |" in text


@pytest.mark.parametrize(
    ("outbox", "expected"),
    [
        (None, []),
        (OutboxFacts(targets=1, delivered=9), []),
        (OutboxFacts(targets=1, pending=1, oldest_pending_at=NOW - timedelta(minutes=30)), []),
        (OutboxFacts(targets=1, pending=1, oldest_pending_at=NOW - timedelta(minutes=31)), ["events_stuck"]),
        (OutboxFacts(targets=1, dead=1, last_dead_at=NOW - timedelta(days=7)), ["events_dead"]),
        (OutboxFacts(targets=1, dead=1, last_dead_at=NOW - timedelta(days=8)), []),
    ],
)
def test_events_that_reach_nobody_are_a_reason(outbox, expected):
    health = assess(make_facts(outbox=outbox), NOW)

    assert codes(health) == expected
    assert health.events == outbox
    assert health.is_ok == (not expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"last_given_up_at": NOW - timedelta(days=7)}, ["attachments_given_up"]),
        ({"last_given_up_at": NOW - timedelta(days=8)}, []),
        ({"last_dead_at": NOW - timedelta(days=7)}, ["extraction_dead"]),
        ({"last_dead_at": NOW - timedelta(days=8)}, []),
        # What a sender spoiled is counted, and is no reason.
        ({"dead_reasons": {"truncated": 9}}, []),
        ({"idle_for": timedelta(minutes=30)}, []),
        ({"idle_for": timedelta(minutes=31)}, ["extraction_idle"]),
    ],
)
def test_files_and_texts_that_were_given_up_are_a_reason_for_a_week(changes, expected):
    given_up = {key: value for key, value in changes.items() if key == "last_given_up_at"}
    reading = {key: value for key, value in changes.items() if key not in given_up}
    facts = ExtractionFacts({}, **{"dead_reasons": {}, **reading})
    limits = Thresholds.of(
        interval=timedelta(minutes=10), session_max_age=timedelta(hours=1), reads_pictures=True
    )

    store = make_store(extraction=facts, **given_up)
    health = assess(make_facts(store=store, started_at=NOW - timedelta(hours=1)), NOW, limits)

    assert codes(health) == expected
    assert health.is_ok == (expected != ["extraction_idle"])


def test_files_that_wait_for_their_copy_are_a_reason_after_a_day_where_there_is_a_second_store():
    store = make_store(uncopied_since=NOW - timedelta(days=9))
    limits = Thresholds(uncopied_after=timedelta(days=1))
    facts = make_facts(store=store, started_at=NOW - timedelta(days=1))

    assert codes(assess(facts, NOW, limits)) == []
    assert codes(assess(replace(facts, started_at=NOW - timedelta(days=2)), NOW)) == []
    assert codes(assess(replace(facts, started_at=NOW - timedelta(days=2)), NOW, limits)) == [
        "attachments_uncopied"
    ]
    copied = make_store(uncopied_since=NOW - timedelta(hours=23))
    assert codes(assess(make_facts(store=copied, started_at=NOW - timedelta(days=2)), NOW, limits)) == []


def test_pictures_that_wait_for_a_worker_are_no_reason_where_none_is_wanted_or_it_has_just_begun():
    store = make_store(extraction=ExtractionFacts({}, {}, idle_for=timedelta(days=9)))
    wanted = Thresholds(extraction_idle_after=timedelta(minutes=30))

    assert codes(assess(make_facts(store=store), NOW)) == []
    begun = make_facts(store=store, started_at=NOW - timedelta(minutes=30))
    assert codes(assess(begun, NOW, wanted)) == []
    assert codes(assess(begun, NOW + timedelta(seconds=1), wanted)) == ["extraction_idle"]
    assert codes(assess(make_facts(store=make_store(extraction=None)), NOW, wanted)) == []


def test_a_browser_that_rests_is_a_reason_until_it_may_be_started_again():
    resting = replace(session_in(SessionState.CRASHED), resting_until=NOW + timedelta(minutes=20))

    assert codes(assess(make_facts(session=resting), NOW)) == ["browser_resting", "session_crashed"]
    assert codes(assess(make_facts(session=resting), NOW + timedelta(minutes=20))) == ["session_crashed"]
