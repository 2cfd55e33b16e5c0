"""The judgement about session and data: facts and an instant in, `Health` out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from whatsapp_etl.happenings import OutboxFacts
from whatsapp_etl.model import (
    UNLISTED_REASONS,
    AgentState,
    CoverageSummary,
    MissingReason,
    RunReport,
    RunStatus,
    SessionSnapshot,
    SessionState,
    SpoolFacts,
    StopReason,
    StoreFacts,
)
from whatsapp_etl.service.delivery_health import agent_codes, told_codes
from whatsapp_etl.service.file_health import file_codes
from whatsapp_etl.service.reasons import REASONS, Reason, ReasonCode, Severity
from whatsapp_etl.service.thresholds import Thresholds


class SessionWord(StrEnum):
    """`session` in /health: the published words for the states of the page."""

    STARTING = "starting"
    LINK_REQUIRED = "link_required"
    PAIRING = "pairing"
    PASSKEY_REQUIRED = "passkey_required"
    LINK_RESTING = "link_resting"  #: Nobody scanned; no codes are shown until a person asks.
    LOGGED_IN = "logged_in"
    EXPIRED = "expired"  #: Was linked; the account was logged out.
    OFFLINE = "offline"
    CONFLICT = "conflict"
    UNSUPPORTED = "unsupported"
    UPDATE_REQUIRED = "update_required"
    TERMS = "terms"
    LOCKED = "locked"
    BANNED = "banned"
    UNAVAILABLE = "unavailable"
    WRONG_ACCOUNT = "wrong_account"
    CRASHED = "crashed"
    UNKNOWN = "unknown"


class DatabaseState(StrEnum):
    """`postgres` in /health."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"  #: Not asked yet.


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """Everything that health is judged by."""

    started_at: datetime  #: Of the program.
    session: SessionSnapshot
    session_checked_at: datetime | None  #: When the page was last looked at.
    database: DatabaseState
    store: StoreFacts | None  #: As last read; kept while Postgres is down.
    coverage: CoverageSummary | None
    last_run: RunReport | None
    last_success_at: datetime | None  #: From Postgres or from this program's own cycles.
    shield_alarm: bool
    is_session_unkept: bool = False  #: It was to be kept in its store, and could not be.
    outbox: OutboxFacts | None = None  #: Events on their way; None: not asked yet.
    agent_outbox: OutboxFacts | None = None  #: The agent's messages on their way; None: not asked yet.


@dataclass(frozen=True, slots=True)
class CoverageHealth:
    """How much of the look-back is stored."""

    chats: int
    chats_complete: int
    expected: int | None
    stored: int
    missing: int  #: Expected and not stored, whether or not a reason is known.
    missing_by_reason: Mapping[MissingReason, int]
    explained: int  #: Of `missing`: nothing this program does would bring them.
    complete_until: datetime | None

    @property
    def share(self) -> float | None:
        """Stored of expected, 0 to 1; None while unknown."""
        if self.expected is None:
            return None
        return max(1 - self.missing / self.expected, 0.0) if self.expected else 1.0


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the data is."""

    is_fresh: bool
    sync_age: timedelta | None  #: Since the last successful cycle; None: there was none.
    sync_stale_after: timedelta
    newest_message_age: timedelta | None  #: A quiet account is no fault: never a reason.


@dataclass(frozen=True, slots=True)
class Health:
    """What /health says."""

    checked_at: datetime
    session: SessionWord
    session_since: datetime | None
    last_successful_sync: datetime | None
    last_seen: datetime | None
    postgres: DatabaseState
    freshness: Freshness
    coverage: CoverageHealth | None
    spool: SpoolFacts | None  #: As the last cycle left it; None before the first.
    events: OutboxFacts | None  #: On their way to their receivers; None: not known yet.
    agent: AgentState | None  #: Whether the agent's thread is told apart; None: not known yet.
    agent_messages: OutboxFacts | None  #: On their way to the agent's pipeline; None: not known yet.
    reasons: tuple[Reason, ...]  #: Worst first, each code once.

    @property
    def is_ok(self) -> bool:
        return all(reason.severity is not Severity.DEGRADED for reason in self.reasons)

    @property
    def http_status(self) -> int:
        return 200 if self.is_ok else 503


#: The published word for each state of the page and the reason that it gives.
SESSION_WORDS: Mapping[SessionState, tuple[SessionWord, ReasonCode | None]] = MappingProxyType(
    {
        SessionState.READY: (SessionWord.LOGGED_IN, None),
        SessionState.STARTING: (SessionWord.STARTING, None),
        SessionState.LOADING: (SessionWord.STARTING, None),
        SessionState.QR: (SessionWord.LINK_REQUIRED, ReasonCode.SESSION_LINK_REQUIRED),
        SessionState.PAIRING: (SessionWord.PAIRING, ReasonCode.SESSION_PAIRING),
        SessionState.PASSKEY_REQUIRED: (
            SessionWord.PASSKEY_REQUIRED,
            ReasonCode.SESSION_PASSKEY_REQUIRED,
        ),
        SessionState.LINK_RESTING: (SessionWord.LINK_RESTING, ReasonCode.SESSION_LINK_RESTING),
        SessionState.LOGGED_OUT: (SessionWord.EXPIRED, ReasonCode.SESSION_LOGGED_OUT),
        SessionState.OFFLINE: (SessionWord.OFFLINE, ReasonCode.SESSION_OFFLINE),
        SessionState.CONFLICT: (SessionWord.CONFLICT, ReasonCode.SESSION_CONFLICT),
        SessionState.UNSUPPORTED: (SessionWord.UNSUPPORTED, ReasonCode.SESSION_UNSUPPORTED),
        SessionState.UPDATE_REQUIRED: (SessionWord.UPDATE_REQUIRED, ReasonCode.SESSION_UPDATE_REQUIRED),
        SessionState.TERMS: (SessionWord.TERMS, ReasonCode.SESSION_TERMS),
        SessionState.LOCKED: (SessionWord.LOCKED, ReasonCode.SESSION_LOCKED),
        SessionState.BANNED: (SessionWord.BANNED, ReasonCode.SESSION_BANNED),
        SessionState.UNAVAILABLE: (SessionWord.UNAVAILABLE, ReasonCode.SESSION_UNAVAILABLE),
        SessionState.WRONG_ACCOUNT: (SessionWord.WRONG_ACCOUNT, ReasonCode.SESSION_WRONG_ACCOUNT),
        SessionState.CRASHED: (SessionWord.CRASHED, ReasonCode.SESSION_CRASHED),
        SessionState.UNKNOWN: (SessionWord.UNKNOWN, ReasonCode.SESSION_UNKNOWN),
    }
)

#: Missing for a reason that reading again does not cure: shown, but never a failure for ever.
#: Unreadable rows have their own reason in the cycle that rejects them.
EXPLAINED = (
    frozenset({MissingReason.NEEDS_PHONE, MissingReason.UNREADABLE, MissingReason.PICTURE_NOT_LOADED})
    | UNLISTED_REASONS
)

#: The reason for the error class that a report names. A session that needs a person speaks for itself.
ERROR_REASONS: Mapping[str, ReasonCode | None] = MappingProxyType(
    {
        "SessionNeedsPersonError": None,
        "StopRequestedError": None,
        "SelectorDriftError": ReasonCode.DRIFT,
        "MetadataUnreadableError": ReasonCode.METADATA_UNREADABLE,
        "BrowserCrashedError": ReasonCode.BROWSER_CRASHED,
        "BrowserHungError": ReasonCode.BROWSER_CRASHED,
        "BrowserRestingError": ReasonCode.BROWSER_RESTING,
        "BrowserMissingError": ReasonCode.BROWSER_MISSING,
        "ProfileLockedError": ReasonCode.PROFILE_LOCKED,
        "SessionTakenError": ReasonCode.SESSION_TAKEN,
        "VaultUnreachableError": ReasonCode.SESSION_STORE,
        "VaultRefusedError": ReasonCode.SESSION_STORE,
        "VaultKeyError": ReasonCode.SESSION_STORE,
        "VaultMismatchError": ReasonCode.SESSION_STORE,
        "NoGenerationError": ReasonCode.SESSION_STORE,
        "GenerationDamagedError": ReasonCode.SESSION_STORE,
        "VaultError": ReasonCode.SESSION_STORE,
        "ProfileUnwritableError": ReasonCode.PROFILE_UNWRITABLE,
        "PageTimeoutError": ReasonCode.PAGE_TIMEOUT,
        "PageRefusedError": ReasonCode.PAGE_REFUSED,
        "UnknownDialogError": ReasonCode.DIALOG_UNKNOWN,
        "DatabaseUnreachableError": ReasonCode.POSTGRES_DOWN,
        "DatabaseUnwritableError": ReasonCode.POSTGRES_UNWRITABLE,
        "SpoolFullError": ReasonCode.SPOOL_FULL,
        "SchemaOutdatedError": ReasonCode.SCHEMA_OUTDATED,
        "WriterBusyError": ReasonCode.WRITER_BUSY,
    }
)

_STOP_REASONS: Mapping[StopReason, ReasonCode] = MappingProxyType(
    {
        StopReason.DRIFT: ReasonCode.DRIFT,
        StopReason.CHAT_UNIDENTIFIED: ReasonCode.CHAT_UNIDENTIFIED,
        StopReason.CHAT_NOT_FOUND: ReasonCode.CHAT_NOT_FOUND,
        StopReason.SHIELDED: ReasonCode.SHIELD_ALARM,
    }
)

_CLASS_NAME = re.compile(r"\b[A-Z]\w*Error\b")


def assess(facts: HealthFacts, now: datetime, thresholds: Thresholds | None = None) -> Health:
    """Judge the facts as they stand at `now`.

    Nothing counts as healthy that is not known to be: a session not looked at for too long is
    `unknown`, a database not asked yet is no success.
    """
    limits = thresholds or Thresholds()
    codes = dict.fromkeys(_codes(facts, now, limits))
    reasons = sorted((REASONS[code] for code in codes), key=lambda reason: reason.severity is Severity.NOTICE)
    word = SESSION_WORDS[facts.session.state][0]
    return Health(
        checked_at=now,
        session=SessionWord.UNKNOWN if ReasonCode.SESSION_STALE in codes else word,
        session_since=facts.session.since,
        last_successful_sync=facts.last_success_at,
        last_seen=facts.store.last_seen if facts.store else None,
        postgres=facts.database,
        freshness=_freshness(facts, now, limits),
        coverage=_coverage(facts.coverage),
        spool=facts.last_run.spool if facts.last_run else None,
        events=facts.outbox,
        agent=facts.store.agent if facts.store else None,
        agent_messages=facts.agent_outbox,
        reasons=tuple(reasons),
    )


def causes_of(run: RunReport) -> tuple[ReasonCode, ...]:
    """Return what was wrong in one cycle, the cause first."""
    session = SESSION_WORDS[run.session_state][1]
    found = list(_run_codes(run, Thresholds()))
    if session is not None:
        # A page that nothing is known of explains less than the error that was met on it.
        found.insert(len(found) if session is ReasonCode.SESSION_UNKNOWN else 0, session)
    return tuple(dict.fromkeys(found)) or ((ReasonCode.RUN_FAILED,) if run.status is RunStatus.FAILED else ())


def _codes(facts: HealthFacts, now: datetime, limits: Thresholds) -> Iterator[ReasonCode]:
    """Yield what is wrong, the causes before their consequences."""
    yield from _session_codes(facts, now, limits)
    if facts.database is DatabaseState.DOWN:
        yield ReasonCode.POSTGRES_DOWN
    if facts.shield_alarm:
        yield ReasonCode.SHIELD_ALARM
    if facts.last_run is not None:
        yield from _run_codes(facts.last_run, limits)
    # A quiet account has few rows in one cycle; a day of them adds up.
    if facts.store is not None and _is_high(facts.store.disagreements, facts.store.rows_compared, limits):
        yield ReasonCode.DISAGREEMENTS_HIGH
    yield from _coverage_codes(facts.coverage, limits)
    if facts.last_success_at is None:
        yield ReasonCode.SYNC_NEVER
    # Further ahead than a cycle lasts: a clock was set back since, and nobody knows how long ago it was.
    elif abs(now - facts.last_success_at) > limits.sync_stale_after:
        yield ReasonCode.SYNC_STALE
    if _is_data_stale(facts, now, limits):
        yield ReasonCode.DATA_STALE
    if facts.is_session_unkept:
        yield ReasonCode.SESSION_UNKEPT
    if facts.store is not None:
        yield from file_codes(
            facts.store,
            now,
            started_at=facts.started_at,
            dead_for=limits.given_up_for,
            idle_after=limits.extraction_idle_after,
            uncopied_after=limits.uncopied_after,
        )
        yield from agent_codes(facts.store.agent)
    yield from told_codes(
        facts.outbox,
        facts.agent_outbox,
        now,
        dead_for=limits.given_up_for,
        stuck_after=limits.events_stuck_after,
    )


def _is_data_stale(facts: HealthFacts, now: datetime, limits: Thresholds) -> bool:
    """Whether the browser has long known a message that is newer than everything stored."""
    if facts.store is None:
        return False
    # A program that has just started, or whose cycles fail, knows it from the last one that saw the list.
    listed = (facts.last_run.newest_listed_at if facts.last_run else None) or facts.store.newest_listed_at
    if listed is None or now - listed <= limits.sync_stale_after:
        return False
    return facts.store.last_seen is None or facts.store.last_seen < listed


def _session_codes(facts: HealthFacts, now: datetime, limits: Thresholds) -> Iterator[ReasonCode]:
    looked_at = facts.session_checked_at or facts.started_at
    if now - looked_at > limits.session_stale_after:
        yield ReasonCode.SESSION_STALE
        return
    if facts.session.resting_until is not None and now < facts.session.resting_until:
        yield ReasonCode.BROWSER_RESTING
    word, code = SESSION_WORDS[facts.session.state]
    if code is not None:
        yield code
    elif word is SessionWord.STARTING:
        since = facts.session.since or facts.started_at
        if now - since > limits.session_start_grace:
            yield ReasonCode.SESSION_STARTING


def _run_codes(run: RunReport, limits: Thresholds) -> Iterator[ReasonCode]:
    if run.error is not None:
        name = _CLASS_NAME.search(run.error)
        code = ERROR_REASONS.get(name.group() if name else "", ReasonCode.RUN_FAILED)
        if code is not None:
            yield code
    elif run.status is RunStatus.FAILED:
        yield ReasonCode.RUN_FAILED
    if run.status is RunStatus.PARTIAL:
        yield ReasonCode.RUN_PARTIAL
    for stop, code in _STOP_REASONS.items():
        if run.stop_reasons.get(stop):
            yield code
    if run.receipts_observed:
        yield ReasonCode.SHIELD_ALARM
    if run.spool.batches:
        yield ReasonCode.SPOOL_WAITING
    if run.spool.set_aside:
        yield ReasonCode.SPOOL_DAMAGED
    yield from _signal_codes(run, limits)


def _signal_codes(run: RunReport, limits: Thresholds) -> Iterator[ReasonCode]:
    """Yield what the page or its storage no longer tell as they used to."""
    if run.metadata_unreadable:
        yield ReasonCode.METADATA_UNREADABLE
    if run.rejects >= limits.reject_minimum and run.rejects > limits.reject_share * run.stages.seen:
        yield ReasonCode.REJECTS_HIGH
    if _is_high(run.disagreements, run.rows_compared, limits):
        yield ReasonCode.DISAGREEMENTS_HIGH
    if run.lost_facts:
        yield ReasonCode.FACTS_LOST


def _is_high(disagreements: int, compared: int, limits: Thresholds) -> bool:
    return (
        disagreements >= limits.disagreement_minimum and disagreements > limits.disagreement_share * compared
    )


def _coverage_codes(summary: CoverageSummary | None, limits: Thresholds) -> Iterator[ReasonCode]:
    coverage = _coverage(summary)
    if summary is None or coverage is None:
        return
    if coverage.missing_by_reason.get(MissingReason.NO_LONGER_LISTED):
        yield ReasonCode.STORAGE_REWOUND
    if not coverage.missing:
        return
    # A quiet account has few rows in one cycle; what none of them understood adds up here.
    unreadable = coverage.missing_by_reason.get(MissingReason.UNREADABLE, 0)
    if unreadable >= limits.reject_minimum and unreadable > limits.reject_share * (coverage.expected or 0):
        yield ReasonCode.REJECTS_HIGH
    recent = sum(count for reason, count in summary.recent.items() if reason not in EXPLAINED)
    unexplained = coverage.missing - coverage.explained - recent
    if unexplained > limits.missing_share * (coverage.expected or 0):
        yield ReasonCode.COVERAGE_SHORT
    else:
        yield ReasonCode.COVERAGE_GAPS


def _coverage(summary: CoverageSummary | None) -> CoverageHealth | None:
    if summary is None:
        return None
    # What the browser no longer lists is not among what is expected: it is told by its reason only.
    expected = {reason: n for reason, n in summary.missing.items() if reason not in UNLISTED_REASONS}
    # What is neither stored nor listed as missing is missing all the same.
    unaccounted = max((summary.expected or 0) - summary.stored - sum(expected.values()), 0)
    return CoverageHealth(
        chats=summary.chats,
        chats_complete=summary.chats_complete,
        expected=summary.expected,
        stored=summary.stored,
        missing=sum(expected.values()) + unaccounted,
        missing_by_reason=summary.missing,
        explained=sum(count for reason, count in expected.items() if reason in EXPLAINED),
        complete_until=summary.complete_until,
    )


def _freshness(facts: HealthFacts, now: datetime, limits: Thresholds) -> Freshness:
    sync_age = _age(facts.last_success_at, now)
    return Freshness(
        is_fresh=sync_age is not None and sync_age <= limits.sync_stale_after,
        sync_age=sync_age,
        sync_stale_after=limits.sync_stale_after,
        newest_message_age=_age(facts.store.last_seen if facts.store else None, now),
    )


def _age(instant: datetime | None, now: datetime) -> timedelta | None:
    """Return the time since `instant`; a clock that is ahead of ours gives zero, not less."""
    return None if instant is None else max(now - instant, timedelta(0))
