"""What health makes of coverage: gaps and their grace, stale data, disagreements, and shares."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.fixtures.service import NOW, codes, make_coverage, make_facts, make_report
from whatsapp_etl.model import (
    DisagreementFact,
    MissingReason,
)
from whatsapp_etl.service.health import (
    assess,
)
from whatsapp_etl.service.thresholds import Thresholds


def test_a_storage_that_was_set_back_is_told_and_lowers_no_share():
    gone = {MissingReason.NO_LONGER_LISTED: 300, MissingReason.EXPIRED: 2}

    health = assess(make_facts(coverage=make_coverage(gone, stored=415)), NOW)

    assert (codes(health), health.http_status) == (["storage_rewound"], 200)
    assert health.coverage is not None
    assert (health.coverage.missing, health.coverage.share) == (0, 1.0)
    assert health.coverage.missing_by_reason == gone


@pytest.mark.parametrize(("disagreements", "expected"), [(2, []), (10, []), (11, ["disagreements_high"])])
def test_disagreements_count_when_they_are_more_than_a_hundredth_of_a_cycle_or_a_day(
    disagreements: int, expected: list[str]
):
    facts = make_facts()
    assert facts.store is not None
    run = make_report(disagreed={DisagreementFact.TIME: disagreements}, rows_compared=1000)
    store = replace(facts.store, disagreements=disagreements, rows_compared=1000)

    assert codes(assess(replace(facts, last_run=run), NOW)) == expected
    assert codes(assess(replace(facts, store=store), NOW)) == expected


def test_two_disagreements_are_none_to_be_told_however_few_rows_were_compared():
    run = make_report(disagreed={DisagreementFact.ID: 1, DisagreementFact.COUNT: 1}, rows_compared=3)

    assert codes(assess(make_facts(last_run=run), NOW)) == []


@pytest.mark.parametrize(
    ("missing", "expected", "status"),
    [
        ({MissingReason.NOT_REACHED: 4}, ["coverage_gaps"], 200),
        ({MissingReason.NOT_REACHED: 5}, ["coverage_short"], 503),
        ({MissingReason.NEEDS_PHONE: 400}, ["coverage_gaps"], 200),
        ({MissingReason.UNREADABLE: 4}, ["coverage_gaps"], 200),
        ({MissingReason.UNREADABLE: 5}, ["rejects_high", "coverage_gaps"], 503),
        ({MissingReason.NEEDS_PHONE: 100, MissingReason.NOT_SHOWN: 5}, ["coverage_short"], 503),
    ],
)
def test_unexplained_gaps_of_more_than_a_hundredth_degrade_health(
    missing: dict[MissingReason, int], expected: list[str], status: int
):
    health = assess(make_facts(coverage=make_coverage(missing)), NOW)

    assert (codes(health), health.http_status) == (expected, status)


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        ({MissingReason.NOT_REACHED: 1}, ["coverage_gaps"]),
        ({MissingReason.NEEDS_PHONE: 1}, ["coverage_short"]),  # explained already: not counted twice
    ],
)
def test_a_gap_degrades_health_only_after_its_grace(recent: dict[MissingReason, int], expected: list[str]):
    missing = {MissingReason.NOT_REACHED: 5, MissingReason.NEEDS_PHONE: 3}
    coverage = replace(make_coverage(missing), recent=recent)

    assert codes(assess(make_facts(coverage=coverage), NOW)) == expected


@pytest.mark.parametrize(
    ("listed", "seen", "expected"),
    [
        (31, 32, ["data_stale"]),
        (31, None, ["data_stale"]),
        (29, 32, []),  # not for long
        (31, 31, []),
        (31, 4, []),
        (None, 32, []),
    ],
)
def test_a_message_that_the_browser_knows_for_long_and_nobody_stored_degrades_health(
    listed: int | None, seen: int | None, expected: list[str]
):
    def ago(minutes: int | None) -> datetime | None:
        return None if minutes is None else NOW - timedelta(minutes=minutes)

    facts = make_facts()
    assert facts.last_run is not None
    assert facts.store is not None
    facts = replace(
        facts,
        last_run=replace(facts.last_run, newest_listed_at=ago(listed)),
        store=replace(facts.store, last_seen=ago(seen)),
    )

    assert codes(assess(facts, NOW, Thresholds(sync_stale_after=timedelta(minutes=30)))) == expected


@pytest.mark.parametrize("last_run", [True, False])
def test_what_an_earlier_program_saw_listed_still_tells_that_the_data_is_stale(last_run: bool):
    facts = make_facts()
    assert facts.store is not None
    store = replace(
        facts.store, last_seen=NOW - timedelta(hours=2), newest_listed_at=NOW - timedelta(hours=1)
    )

    health = assess(replace(facts, store=store, last_run=facts.last_run if last_run else None), NOW)

    assert codes(health) == ["data_stale"]


def test_coverage_tells_share_and_explained_part():
    coverage = assess(
        make_facts(coverage=make_coverage({MissingReason.NEEDS_PHONE: 83, MissingReason.NOT_SHOWN: 0})), NOW
    ).coverage

    assert coverage is not None
    assert (coverage.missing, coverage.explained, coverage.share) == (83, 83, 0.8)


def test_what_is_neither_stored_nor_listed_as_missing_is_missing_all_the_same():
    health = assess(make_facts(coverage=make_coverage(stored=400)), NOW)

    assert health.coverage is not None
    assert (health.coverage.missing, health.coverage.explained) == (15, 0)
    assert codes(health) == ["coverage_short"]


def test_coverage_of_an_account_without_messages_is_whole():
    coverage = assess(make_facts(coverage=make_coverage(expected=0, stored=0)), NOW).coverage

    assert coverage is not None
    assert coverage.share == 1.0


def test_coverage_without_readable_metadata_has_no_share():
    coverage = assess(make_facts(coverage=make_coverage(expected=None)), NOW).coverage

    assert coverage is not None
    assert coverage.share is None
