"""What the status page says, in words: a snapshot and its health in, a view for the template out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from markupsafe import Markup

from whatsapp_etl.model import UNLISTED_REASONS, MissingReason, RunSummary
from whatsapp_etl.service.charts import Chart, days_chart, runs_chart, seconds_text
from whatsapp_etl.service.health import DatabaseState, Health, SessionWord
from whatsapp_etl.service.payload import instant
from whatsapp_etl.service.qr import qr_tag, seconds_left, shown_qr
from whatsapp_etl.service.reasons import Reason, ReasonCode, Severity
from whatsapp_etl.service.state import Snapshot

#: How often the page loads itself again, in seconds.
REFRESH_SECONDS = 60
REFRESH_WHILE_WAITING_SECONDS = 5

_LISTED_RUNS = 12

SESSION_TEXTS = {
    SessionWord.STARTING: "Starting",
    SessionWord.LINK_REQUIRED: "Not linked",
    SessionWord.PAIRING: "Waiting for the pairing code",
    SessionWord.PASSKEY_REQUIRED: "A passkey is asked for",
    SessionWord.LINK_RESTING: "Not linked, resting",
    SessionWord.LOGGED_IN: "Linked",
    SessionWord.EXPIRED: "Logged out",
    SessionWord.OFFLINE: "Offline",
    SessionWord.CONFLICT: "Open elsewhere",
    SessionWord.UNSUPPORTED: "Browser refused",
    SessionWord.UPDATE_REQUIRED: "Update needed",
    SessionWord.TERMS: "Terms to accept",
    SessionWord.LOCKED: "Locked",
    SessionWord.BANNED: "Banned",
    SessionWord.UNAVAILABLE: "Unavailable",
    SessionWord.WRONG_ACCOUNT: "Wrong account",
    SessionWord.CRASHED: "Browser ended",
    SessionWord.UNKNOWN: "Unknown",
}

MISSING_TEXTS = {
    MissingReason.NOT_SHOWN: "not shown where they belong",
    MissingReason.NOT_REACHED: "not reached yet",
    MissingReason.NEEDS_PHONE: "only on the phone",
    MissingReason.EMPTY_ROW: "stayed empty on the page",
    MissingReason.UNREADABLE: "not understood",
    MissingReason.PICTURE_NOT_LOADED: "pictures that did not load",
    MissingReason.CHAT_NOT_OPENED: "in chats not opened yet",
    MissingReason.SKIPPED_BY_RULE: "in chats that a rule keeps closed",
    MissingReason.EXPIRED: "disappeared before they were stored",
    MissingReason.NO_LONGER_LISTED: "no longer known to the browser",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One tile: a name, a value, and a smaller line."""

    name: str
    value: str
    note: str = ""
    at: str | None = None  #: The instant behind the value, for <time>.
    tone: str = ""  #: "", "good", "wait" or "bad".


@dataclass(frozen=True, slots=True)
class Run:
    """One line of the list of cycles."""

    at: str
    started: str
    status: str
    seconds: str
    chats_opened: int
    written: int
    missing: int
    error: str


@dataclass(frozen=True, slots=True)
class CoverageView:
    """The share of the look-back that is stored."""

    permille: int  #: For the bar.
    percent: str
    sentence: str
    missing: tuple[str, ...]
    tone: str


@dataclass(frozen=True, slots=True)
class View:
    """Everything that the template prints."""

    tone: str
    title: str
    lead: str
    refresh_seconds: int
    session: str  #: The word of /health.
    qr_tag: str | None  #: Not None while a QR code is shown.
    qr_seconds_left: int | None  #: Until the next code is expected; None: not known.
    is_resting: bool  #: No codes are shown until a person asks.
    is_live: bool  #: The page follows by itself, where it may run its script.
    reasons: tuple[Reason, ...]
    facts: tuple[Fact, ...]
    coverage: CoverageView | None
    runs_chart: Chart | None
    days_chart: Chart | None
    days_total: int
    runs: tuple[Run, ...]
    days: tuple[tuple[str, int], ...]  #: Newest first.
    version: str
    checked: str
    checked_at: str


def view_of(
    snapshot: Snapshot, health: Health, *, lookback: timedelta, interval: timedelta, version: str
) -> View:
    """Return what the page says at `health.checked_at`."""
    now = health.checked_at
    qr = shown_qr(snapshot.session, now)
    tone, title, lead = _headline(snapshot, health, has_qr=qr is not None, interval=interval)
    # Waiting for the scan has its own card; the same advice twice would only be noise.
    is_resting = health.session is SessionWord.LINK_RESTING
    told = {ReasonCode.SESSION_LINK_REQUIRED, ReasonCode.SYNC_NEVER} if qr else set()
    if is_resting:
        told = {ReasonCode.SESSION_LINK_RESTING, ReasonCode.SYNC_NEVER}
    if tone == "wait":
        told.add(ReasonCode.SYNC_NEVER)
    is_waiting = qr is not None or tone == "wait"
    today = _today(snapshot, now)
    days = days_chart(snapshot.days, today)
    return View(
        tone=tone,
        title=title,
        lead=lead,
        refresh_seconds=REFRESH_WHILE_WAITING_SECONDS if is_waiting else REFRESH_SECONDS,
        session=health.session.value,
        qr_tag=qr_tag(qr) if qr else None,
        qr_seconds_left=seconds_left(snapshot.session, now) if qr else None,
        is_resting=is_resting,
        is_live=is_waiting or is_resting,
        reasons=tuple(reason for reason in health.reasons if reason.code not in told),
        facts=_facts(snapshot, health, interval),
        coverage=_coverage(health, lookback),
        runs_chart=runs_chart(snapshot.recent_runs),
        days_chart=days,
        days_total=_recent_messages(snapshot, today),
        runs=tuple(_run(run) for run in list(reversed(snapshot.recent_runs))[:_LISTED_RUNS]),
        days=tuple((f"{day.day:%a %d %b %Y}", day.messages) for day in reversed(snapshot.days)),
        version=version,
        checked=f"{now:%d %b %Y, %H:%M:%S} UTC",
        checked_at=instant(now) or "",
    )


def _headline(
    snapshot: Snapshot, health: Health, *, has_qr: bool, interval: timedelta
) -> tuple[str, str, str]:
    wrong = [reason for reason in health.reasons if reason.severity is Severity.DEGRADED]
    is_resting = health.session is SessionWord.LINK_RESTING
    if has_qr or is_resting:
        lead = "Scan the code once. Everything after that runs unattended."
        return "wait", "Link an account", "Nobody scanned the QR codes." if is_resting else lead
    if snapshot.is_stopping:
        return "wait", "Stopping", "The current chat is being finished."
    if not wrong:
        every = duration_text(interval)
        return "good", "Everything is up to date", f"The database follows WhatsApp every {every}."
    if [reason.code for reason in wrong] == [ReasonCode.SYNC_NEVER]:
        lead = "The first cycle is running." if snapshot.cycle_started_at else "The first cycle begins soon."
        return "wait", "Getting started", lead
    if len(wrong) == 1:
        return "bad", "Attention needed", "One thing is not as it should be."
    return "bad", "Attention needed", f"{len(wrong)} things are not as they should be."


def _facts(snapshot: Snapshot, health: Health, interval: timedelta) -> tuple[Fact, ...]:
    now = health.checked_at
    facts = [
        Fact(
            "Session",
            SESSION_TEXTS[health.session],
            f"since {_ago(health.session_since, now)}" if health.session_since else "",
            instant(health.session_since),
            _session_tone(health.session),
        ),
        Fact(
            "Last good sync",
            _ago(health.last_successful_sync, now).capitalize(),
            "" if health.last_successful_sync is None else f"{health.last_successful_sync:%d %b, %H:%M} UTC",
            instant(health.last_successful_sync),
            "good" if health.freshness.is_fresh else "bad" if health.last_successful_sync else "",
        ),
        _next_cycle(snapshot, now, interval),
        Fact(
            "Postgres",
            {DatabaseState.UP: "Up", DatabaseState.DOWN: "Down", DatabaseState.UNKNOWN: "Not asked yet"}[
                health.postgres
            ],
            tone={DatabaseState.UP: "good", DatabaseState.DOWN: "bad"}.get(health.postgres, ""),
        ),
    ]
    if snapshot.store:
        chats = _count(snapshot.store.threads, "chat")
        files = _count(snapshot.store.attachments_stored, "file")
        facts += [
            Fact(
                "Messages stored",
                f"{snapshot.store.messages:,}",
                f"{chats}, {files}",
            ),
            Fact(
                "Newest message",
                _ago(snapshot.store.last_seen, now).capitalize(),
                f"{snapshot.store.last_seen:%d %b, %H:%M} UTC" if snapshot.store.last_seen else "",
                instant(snapshot.store.last_seen),
            ),
        ]
    return tuple(facts)


def _next_cycle(snapshot: Snapshot, now: datetime, interval: timedelta) -> Fact:
    if snapshot.cycle_started_at:
        return Fact("Cycle", "Running now", f"for {duration_text(now - snapshot.cycle_started_at)}")
    if snapshot.next_cycle_at is None:
        return Fact("Next cycle", "Not planned")
    wait = snapshot.next_cycle_at - now
    value = "Now" if wait <= timedelta(seconds=1) else f"In {duration_text(wait)}"
    note = f"every {duration_text(interval)}"
    if snapshot.failures_in_a_row:
        note = f"after {_count(snapshot.failures_in_a_row, 'failure')} in a row"
    return Fact("Next cycle", value, note, instant(snapshot.next_cycle_at))


def _session_tone(word: SessionWord) -> str:
    if word is SessionWord.LOGGED_IN:
        return "good"
    return (
        ""
        if word
        in {SessionWord.STARTING, SessionWord.LINK_REQUIRED, SessionWord.PAIRING, SessionWord.LINK_RESTING}
        else "bad"
    )


def _coverage(health: Health, lookback: timedelta) -> CoverageView | None:
    coverage = health.coverage
    if coverage is None or coverage.share is None or coverage.expected is None:
        return None
    # Rounded down: 100 % is said only when nothing is missing.
    permille = int(coverage.share * 1000)
    missing = [
        f"{count:,} {MISSING_TEXTS[reason]}"
        for reason, count in sorted(coverage.missing_by_reason.items(), key=lambda item: -item[1])
        if count
    ]
    unaccounted = coverage.missing - sum(
        count for reason, count in coverage.missing_by_reason.items() if reason not in UNLISTED_REASONS
    )
    if unaccounted:
        missing.append(f"{unaccounted:,} without a known reason")
    return CoverageView(
        permille=permille,
        percent="100 %" if permille == 1000 else f"{permille / 10:.1f} %",  # noqa: PLR2004  # all of 1000
        sentence=f"{coverage.expected - coverage.missing:,} of {coverage.expected:,} messages of the last "
        f"{lookback.days} days are stored; {coverage.chats_complete:,} of {_count(coverage.chats, 'chat')} "
        "complete.",
        missing=tuple(missing),
        tone="wait" if any(reason.code is ReasonCode.COVERAGE_SHORT for reason in health.reasons) else "good",
    )


def _today(snapshot: Snapshot, now: datetime) -> date:
    """Return the last day of the chart; the zone in which days were counted may be ahead of UTC."""
    return max([now.date(), *(day.day for day in snapshot.days[-1:])])


def _recent_messages(snapshot: Snapshot, today: date) -> int:
    first = today - timedelta(days=29)
    return sum(day.messages for day in snapshot.days if first <= day.day <= today)


def _run(run: RunSummary) -> Run:
    return Run(
        at=instant(run.started_at) or "",
        started=f"{run.started_at:%d %b, %H:%M}",
        status=run.status.value,
        seconds=seconds_text(run.seconds),
        chats_opened=run.chats_opened,
        written=run.written,
        missing=run.missing,
        # The class of the error; the advice stands with the reasons.
        error=(run.error or "").partition(":")[0].partition(" ")[0],
    )


def _ago(instant_: datetime | None, now: datetime) -> str:
    if instant_ is None:
        return "never"
    age = now - instant_
    return "just now" if age < timedelta(seconds=5) else f"{duration_text(age)} ago"


def code_spans(text: str) -> Markup:
    """Turn `words` between backticks into <code>; everything else is escaped."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else part for index, part in enumerate(parts)
    )


def duration_text(span: timedelta) -> str:
    """Write a span in its largest fitting unit: "40 seconds", "10 minutes", "3 days"."""
    seconds = max(round(span.total_seconds()), 0)
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size or (seconds >= size and seconds % size < size / 10):
            return _count(seconds // size, unit)
    return _count(seconds, "second")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
