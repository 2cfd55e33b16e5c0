"""What is tried for the bytes of an attachment, and when no more."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.transform_values import NOW, all_known, batch, context, facts, row
from whatsapp_etl.downloads import (
    Download,
    DownloadReason,
    DownloadRules,
    DownloadState,
    DownloadWay,
    MediaKind,
    parse_limits,
    parse_size,
)
from whatsapp_etl.model import CapturedFile, ChatDiff, MessageType, MissingReason, StopReason
from whatsapp_etl.transform.downloads import MOST_TRIES, REFUSALS_BELIEVED, after_failure, begun
from whatsapp_etl.transform.missing import wait_after
from whatsapp_etl.transform.plan import plan_load

DIGEST = "ab" * 32
FILE = CapturedFile(DIGEST, "image/jpeg", 1234, "ab/ab/x.jpg")
PAGE_ONLY = DownloadRules()
ALL_DIRECT = DownloadRules(frozenset(MediaKind), frozenset(DownloadWay))
KEY = "false_4915550001@c.us_A"


def plan(kind=MessageType.IMAGE, *, rules=PAGE_ONLY, known=None, attempts=0, size=1234, **captured):
    """Plan a visit that shows one message with a file."""
    listed = [facts("A", type=kind, file_sha256=DIGEST, size_bytes=size, source_revision="image|||abc")]
    where = context(downloads=rules, attempts={KEY: attempts})
    captured.setdefault("observed_at", NOW)
    return plan_load(
        batch("A", **captured), [row("A", type=kind, text=None)], listed, known or {}, where, NOW
    )


def state(made):
    (entry,) = made.downloads
    return entry.state, entry.reason, entry.attempts


def test_a_picture_that_the_page_showed_is_stored():
    made = plan(files={"A": (FILE,)})

    assert state(made) == (DownloadState.STORED, None, 0)
    assert made.missing == ()


def test_a_picture_that_did_not_load_is_queued_with_the_time_of_its_next_look():
    made = plan(attempts=2)

    (entry,), (gap,) = made.downloads, made.missing
    assert (entry.state, entry.attempts, entry.next_try_at) == ("queued", 3, NOW + wait_after(3))
    assert (gap.reason, gap.next_try_at) == (MissingReason.PICTURE_NOT_LOADED, entry.next_try_at)


def test_one_refusal_of_the_page_may_be_a_lost_connection_and_several_are_believed():
    first = plan(pictures_refused=("A",))
    last = plan(pictures_refused=("A",), attempts=REFUSALS_BELIEVED - 1)

    assert state(first) == (DownloadState.EXPIRED, DownloadReason.PAGE_REFUSED, 1)
    assert first.downloads[0].next_try_at is not None
    assert [gap.reason for gap in first.missing] == [MissingReason.PICTURE_NOT_LOADED]
    assert state(last) == (DownloadState.EXPIRED, DownloadReason.PAGE_REFUSED, REFUSALS_BELIEVED)
    assert last.downloads[0].next_try_at is None
    assert last.missing == ()
    assert last.messages[0].attachments[0].state == "unavailable"
    assert last.messages[0].source_revision == "image|||abc"


def test_a_picture_that_never_loads_is_given_up_and_a_visit_that_was_cut_off_counts_as_no_try():
    cut = plan(attempts=MOST_TRIES - 1, stop_reason=StopReason.TIME_BUDGET)
    last = plan(attempts=MOST_TRIES - 1)

    assert state(cut) == (DownloadState.QUEUED, DownloadReason.NOT_LOADED, MOST_TRIES - 1)
    assert state(last) == (DownloadState.GAVE_UP, DownloadReason.NOT_LOADED, MOST_TRIES)
    assert last.missing == ()


def test_what_was_given_up_is_not_missed_again_and_is_taken_when_it_is_shown_after_all():
    given_up = plan(attempts=MOST_TRIES - 1).messages

    again = plan(known=all_known(given_up), observed_at=NOW + timedelta(hours=1))
    shown = plan(known=all_known(given_up), observed_at=NOW + timedelta(hours=1), files={"A": (FILE,)})

    assert (again.messages, again.missing, again.downloads) == ((), (), ())
    assert shown.messages[0].attachments[0].state == "stored"
    assert state(shown) == (DownloadState.STORED, None, 0)


def test_a_picture_above_the_limit_is_left_where_it_is():
    made = plan(size=4097, rules=DownloadRules(limits=parse_limits("image=4K")))

    assert state(made) == (DownloadState.TOO_LARGE, DownloadReason.FILE_SIZE, 1)
    assert made.missing == ()


def test_a_picture_for_which_there_was_no_room_waits_for_room():
    made = plan(pictures_left=("A",))

    assert state(made) == (DownloadState.TOO_LARGE, DownloadReason.TOTAL_SIZE, 1)
    assert made.downloads[0].next_try_at is not None


@pytest.mark.parametrize(
    ("kind", "rules", "expected"),
    [
        (
            MessageType.VIDEO,
            replace(ALL_DIRECT, limits=parse_limits("video=1K")),
            (DownloadState.TOO_LARGE, DownloadReason.FILE_SIZE, 0),
        ),
        (
            MessageType.DOCUMENT,
            DownloadRules(frozenset(MediaKind)),
            (DownloadState.SEEN, DownloadReason.NO_WAY, 0),
        ),
        (MessageType.IMAGE, DownloadRules(frozenset()), (DownloadState.SEEN, DownloadReason.NOT_CHOSEN, 0)),
        (MessageType.VIDEO, PAGE_ONLY, (DownloadState.SEEN, DownloadReason.NOT_CHOSEN, 0)),
        (MessageType.VIDEO, ALL_DIRECT, (DownloadState.QUEUED, None, 0)),
        (MessageType.DOCUMENT, ALL_DIRECT, (DownloadState.QUEUED, None, 0)),
        (MessageType.STICKER, ALL_DIRECT, (DownloadState.QUEUED, DownloadReason.NOT_LOADED, 1)),
    ],
)
def test_only_what_is_chosen_is_waited_for(kind, rules, expected):
    made = plan(kind, rules=rules)

    assert state(made) == expected
    assert bool(made.missing) is (kind is MessageType.STICKER)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (DownloadReason.GONE, DownloadState.PHONE_NEEDED),
        (DownloadReason.UNREACHABLE, DownloadState.QUEUED),
        (DownloadReason.DAMAGED, DownloadState.QUEUED),
        (DownloadReason.TOTAL_SIZE, DownloadState.TOO_LARGE),
    ],
)
def test_a_direct_try_that_fails_is_made_again_later_and_later(reason, expected):
    entry = Download(KEY, DownloadState.QUEUED)
    waits = []
    for tries in range(1, 5):
        running = begun(entry, NOW)
        assert (running.state, running.attempts) == (DownloadState.DOWNLOADING, tries)
        entry = after_failure(running, reason, NOW)
        assert (entry.state, entry.reason, entry.attempts) == (expected, reason, tries)
        assert entry.next_try_at is not None
        waits.append(entry.next_try_at - NOW)

    assert waits == sorted(set(waits))


def test_direct_tries_end():
    entry = Download(KEY, DownloadState.QUEUED, attempts=MOST_TRIES - 1)

    ended = after_failure(begun(entry, NOW), DownloadReason.UNREACHABLE, NOW)
    too_large = after_failure(begun(entry, NOW), DownloadReason.FILE_SIZE, NOW)

    assert (ended.state, ended.next_try_at) == (DownloadState.GAVE_UP, None)
    assert (too_large.state, too_large.next_try_at) == (DownloadState.TOO_LARGE, None)


def test_sizes_are_read_with_their_units():
    assert [parse_size(text) for text in ("4096", "500K", "32M", "2g", "1MB")] == [
        4096,
        512_000,
        33_554_432,
        2_147_483_648,
        1_048_576,
    ]
    limits = parse_limits("image=1K, video=2M")
    assert (limits.bytes[MediaKind.IMAGE], limits.bytes[MediaKind.VIDEO]) == (1024, 2_097_152)
    assert parse_limits(str(limits)) == limits


@pytest.mark.parametrize(
    "text", ["image", "image=", "image=-1", "picture=1M", "image=1M,image=2M", "image=1.5M"]
)
def test_other_limits_are_refused(text):
    with pytest.raises(ValueError, match=r"size|none of"):
        parse_limits(text)


def test_what_is_known_of_a_file_that_was_given_up_stands_when_its_message_changes():
    given_up = plan(attempts=MOST_TRIES - 1).messages
    listed = [facts("A", type=MessageType.IMAGE, file_sha256=DIGEST, source_revision="image|E|abc")]
    visit = batch("A", observed_at=NOW + timedelta(hours=1))
    shown = [row("A", type=MessageType.IMAGE, text="a caption", is_edited=True)]

    made = plan_load(visit, shown, listed, all_known(given_up), context(), NOW)

    assert made.messages[0].content_snippet == "a caption"
    assert made.messages[0].attachments[0].state == "unavailable"
    assert made.downloads == ()


def test_a_picture_that_was_only_passed_is_queued_and_is_no_gap():
    listed = [facts("A", type=MessageType.IMAGE, file_sha256=DIGEST, size_bytes=1234)]
    where = context(diff=ChatDiff("4915550001@c.us", wanted=(), expected=1, stored=0))

    made = plan_load(
        batch("A", observed_at=NOW), [row("A", type=MessageType.IMAGE, text=None)], listed, {}, where, NOW
    )

    assert made.missing == ()
    assert state(made)[:2] == (DownloadState.QUEUED, DownloadReason.NOT_LOADED)
