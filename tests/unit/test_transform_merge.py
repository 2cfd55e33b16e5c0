from dataclasses import replace
from datetime import timedelta

import pytest

from tests.transform_values import NOW, OTHER, OWN, context, facts, known, row
from whatsapp_etl.model import Attachment, Message, MessageKey, MessageType, ParsedAttachment
from whatsapp_etl.transform.merge import marked, merge, merge_attachments
from whatsapp_etl.transform.messages import to_message

LATER = NOW + timedelta(minutes=10)
ADMIN = "4915550009@c.us"


def message(shown=None, listed=None, *, at=NOW) -> Message:
    result = to_message(shown or row(), listed or facts(), context(), at)
    assert isinstance(result, Message)
    return result


FIRST = message()


def test_the_same_again_writes_nothing():
    merged = merge(message(at=LATER), known(FIRST))

    assert (merged.message, merged.version, merged.is_disagreement) == (None, None, False)


def test_an_older_observation_writes_nothing():
    assert (
        merge(message(row(text="other", is_edited=True), at=NOW - timedelta(hours=1)), known(FIRST)).message
        is None
    )


def test_an_observation_by_a_clock_that_was_ahead_is_no_reason_to_leave_out_what_is_seen_now():
    ahead = known(message(at=NOW + timedelta(days=1)))
    edited = message(row(text="better", is_edited=True), facts(source_revision="chat||k|"), at=NOW)

    assert merge(edited, ahead, now=NOW).message is not None
    assert merge(edited, ahead, now=NOW + timedelta(days=1)).message is None


def test_an_edit_keeps_the_earlier_text():
    edited = message(row(text="better", is_edited=True), facts(source_revision="chat||k|"), at=LATER)

    merged = merge(edited, known(FIRST))

    assert merged.message is not None
    assert merged.version is not None
    assert (merged.message.content_snippet, merged.message.edited_seen_at) == ("better", LATER)
    assert (merged.version.content_snippet, merged.version.replaced_seen_at) == ("hello", LATER)


def test_a_second_edit_keeps_the_first_ones_text():
    first = message(row(text="a", is_edited=True), facts(source_revision="chat||k1|"))
    second = message(row(text="b", is_edited=True), facts(source_revision="chat||k2|"), at=LATER)

    merged = merge(second, known(first))

    assert merged.version is not None
    assert merged.version.content_snippet == "a"
    assert merged.message is not None
    assert merged.message.edited_seen_at == LATER


def test_an_edit_without_metadata_is_an_edit():
    key = MessageKey(False, OTHER, "3EB0A1")
    old = to_message(row(key=key, is_edited=True), None, context(), NOW)
    new = to_message(row(key=key, is_edited=True, text="b"), None, context(), LATER)

    assert merge(new, known(old)).version is not None


def test_another_text_without_a_sign_of_an_edit_is_a_disagreement():
    merged = merge(message(row(text="other"), at=LATER), known(FIRST))

    assert merged.is_disagreement
    assert merged.message is None


def test_two_texts_under_one_edit_are_a_disagreement():
    old = message(row(text="a", is_edited=True))
    merged = merge(message(row(text="b", is_edited=True), at=LATER), known(old))

    assert merged.is_disagreement
    assert merged.version is None


def test_a_disagreement_keeps_the_text_and_takes_the_rest():
    merged = merge(message(row(text="other"), facts(source_revision="new"), at=LATER), known(FIRST))

    assert merged.is_disagreement
    assert merged.version is None
    assert merged.message is not None
    assert (merged.message.content_snippet, merged.message.source_revision) == ("hello", "new")


def test_an_edit_mark_on_the_same_text_makes_no_version():
    merged = merge(message(row(is_edited=True), at=LATER), known(FIRST))

    assert merged.message is not None
    assert (merged.message.is_edited, merged.message.edited_seen_at, merged.version) == (True, LATER, None)


def test_a_lost_edit_mark_stays():
    old = message(row(is_edited=True))

    assert merge(message(row(), at=LATER), known(old)).message is None


def test_a_deletion_keeps_the_text_as_a_version():
    merged = merge(message(listed=facts(type=MessageType.DELETED), at=LATER), known(FIRST))

    assert merged.message is not None
    assert merged.version is not None
    assert (merged.message.content_snippet, merged.message.deleted_seen_at) == (None, LATER)
    assert (merged.version.message_type, merged.version.content_snippet) == (MessageType.TEXT, "hello")


def test_what_was_forwarded_stays_so_though_its_tombstone_does_not_say_it():
    merged = merge(
        message(listed=facts(type=MessageType.DELETED), at=LATER), known(replace(FIRST, is_forwarded=True))
    )

    assert merged.message is not None
    assert merged.message.is_forwarded


def test_a_deleted_pictures_attachment_stays():
    old = message(row(type=MessageType.IMAGE, text=None), facts(type=MessageType.IMAGE))
    merged = merge(message(listed=facts(type=MessageType.DELETED), at=LATER), known(old))

    assert merged.message is not None
    assert not merged.message.has_attachments
    assert merged.message.attachments == old.attachments
    assert merged.version is not None


def test_who_deleted_a_message_is_completed_and_never_lost():
    listed = facts(type=MessageType.DELETED, subtype="admin", revoked_at=NOW, revoked_by_id=ADMIN)
    shown = message(row(type=MessageType.DELETED, deletion="sender"), facts())
    whole = message(listed=listed, at=LATER)
    merged = merge(whole, known(shown)).message

    assert merged is not None
    assert (merged.deleted_at, merged.deleted_by, merged.deleted_by_id) == (NOW, "admin", ADMIN)
    assert merge(message(listed=facts(type=MessageType.DELETED), at=LATER), known(whole)).message is None
    key = MessageKey(False, OTHER, "3EB0A1")
    page_only = to_message(row(key=key, type=MessageType.DELETED, deletion="sender"), None, context(), LATER)
    assert merge(page_only, known(whole)).message is None


def test_a_deletion_is_final():
    old = message(listed=facts(type=MessageType.DELETED))
    merged = merge(message(row(text="back"), facts(source_revision="chat|||"), at=LATER), known(old))

    assert merged.message is None
    assert merge(message(listed=facts(type=MessageType.DELETED), at=LATER), known(old)).message is None


@pytest.mark.parametrize("kind", [MessageType.WAITING, MessageType.UNSUPPORTED])
def test_a_message_read_late_replaces_its_placeholder(kind):
    old = replace(FIRST, message_type=kind, content_snippet=None if kind is MessageType.WAITING else "?")
    merged = merge(message(at=LATER), known(old))

    assert merged.message is not None
    assert (merged.message.message_type, merged.message.content_snippet) == (MessageType.TEXT, "hello")
    assert merged.version is None


def test_a_deleted_placeholder_leaves_no_version():
    old = replace(FIRST, message_type=MessageType.WAITING, content_snippet=None)

    assert merge(message(listed=facts(type=MessageType.DELETED), at=LATER), known(old)).version is None


def test_a_message_once_read_never_waits_again():
    waiting = message(listed=facts(type=MessageType.WAITING), shown=row(type=MessageType.WAITING), at=LATER)

    assert merge(waiting, known(FIRST)).message is None


def test_a_coarser_kind_does_not_overwrite_a_finer_one():
    gif = message(row(type=MessageType.GIF, text="x"), facts(type=MessageType.VIDEO))
    video = message(row(type=MessageType.VIDEO, text="x"), facts(type=MessageType.VIDEO), at=LATER)

    assert merge(video, known(gif)).message is None
    finer = merge(replace(gif, observed_at=LATER), known(video, observed_at=NOW)).message
    assert finer is not None
    assert finer.message_type is MessageType.GIF


def test_what_turns_out_to_be_view_once_leaves_no_version():
    old = message(row(type=MessageType.IMAGE, text="caption"), facts(type=MessageType.IMAGE))
    once = message(row(type=MessageType.VIEW_ONCE), facts(type=MessageType.IMAGE), at=LATER)

    merged = merge(once, known(old))

    assert merged.message is not None
    assert (merged.message.content_snippet, merged.version) == (None, None)


def test_a_body_that_was_not_read_does_not_overwrite_one():
    old = message(row(type=MessageType.IMAGE, text="caption"), facts(type=MessageType.IMAGE))
    new = message(row(type=MessageType.IMAGE, text=None), facts(type=MessageType.IMAGE), at=LATER)

    assert merge(new, known(marked(old))).message is None
    filled = merge(replace(old, observed_at=LATER), known(new, observed_at=NOW))
    assert filled.message is not None
    assert (filled.message.content_snippet, filled.version) == ("caption", None)


def test_sender_time_and_recipients_are_fixed():
    other = replace(
        FIRST,
        sender_id="9@c.us",
        recipient_ids=("8@c.us",),
        ts=NOW,
        source_revision="new",
        observed_at=LATER,
    )

    merged = merge(other, known(FIRST)).message

    assert merged is not None
    assert (merged.sender_id, merged.recipient_ids, merged.ts) == (OTHER, (OWN,), FIRST.ts)


def test_an_unknown_recipient_list_is_completed():
    merged = merge(replace(FIRST, observed_at=LATER), known(FIRST, recipient_ids=())).message

    assert merged is not None
    assert merged.recipient_ids == (OWN,)


def test_an_unknown_sender_is_completed_but_not_of_a_notice():
    completed = merge(replace(FIRST, observed_at=LATER), known(FIRST, sender_id=None)).message
    assert completed is not None
    assert completed.sender_id == OTHER
    notice = replace(FIRST, message_type=MessageType.SYSTEM, sender_id=None)
    assert merge(replace(notice, observed_at=LATER), known(notice)).message is None


def test_an_exacter_time_replaces_a_minute_and_not_the_other_way_round():
    minute = replace(FIRST, ts=FIRST.ts.replace(second=0), ts_precision="minute")

    exact = merge(replace(FIRST, observed_at=LATER), known(minute)).message
    assert exact is not None
    assert (exact.ts, exact.ts_precision) == (FIRST.ts, "second")
    assert merge(replace(minute, observed_at=LATER), known(FIRST)).message is None


def test_facts_that_one_observation_lacks_stay():
    end = NOW + timedelta(days=7)
    old = replace(FIRST, is_forwarded=True, reply_to_external_id="r", quoted_text="q", expires_at=end)

    assert merge(replace(FIRST, source_revision="", observed_at=LATER), known(old)).message is None


SEEN = Attachment(0, "image/png", "seen", width=6)
STORED = Attachment(0, "image/jpeg", "stored", "a/b", "ab", True, 12)
GONE = Attachment(0, None, "unavailable")


@pytest.mark.parametrize(
    ("new", "old", "merged"),
    [
        ((SEEN,), (), (SEEN,)),
        ((), (SEEN,), (SEEN,)),
        ((SEEN,), (STORED,), (replace(STORED, width=6),)),
        ((STORED,), (SEEN,), (replace(STORED, width=6),)),
        ((GONE,), (STORED,), (STORED,)),
        ((GONE,), (SEEN,), (replace(GONE, media_type="image/png", width=6),)),
        ((SEEN,), (GONE,), (replace(GONE, media_type="image/png", width=6),)),
        ((STORED,), (GONE,), (STORED,)),
        ((replace(SEEN, position=1),), (SEEN,), (SEEN, replace(SEEN, position=1))),
    ],
)
def test_bytes_once_held_stay_held(new, old, merged):
    assert merge_attachments(new, old) == merged


def test_a_picture_without_bytes_is_not_settled_until_they_are_held():
    waiting = marked(message(row(type=MessageType.IMAGE), facts(type=MessageType.IMAGE)))
    held = replace(
        waiting, attachments=(replace(waiting.attachments[0], checksum="ab" * 32, state="stored"),)
    )

    assert waiting.source_revision != facts(type=MessageType.IMAGE).source_revision
    assert marked(held).source_revision == facts(type=MessageType.IMAGE).source_revision
    assert marked(waiting) is waiting
    assert (
        merge(replace(held, observed_at=LATER), known(waiting)).message.attachments[0].checksum == "ab" * 32
    )
    assert merge(replace(waiting, observed_at=LATER), known(waiting)).message is None


def test_what_the_page_alone_tells_never_replaces_what_the_storage_told():
    listed = facts(type=MessageType.DOCUMENT, size_bytes=120_345, file_name="Rota.pdf")
    shown = row(
        type=MessageType.DOCUMENT,
        text=None,
        key=listed.key,
        attachment=ParsedAttachment(size_bytes=120_000, file_name="Rota.pdf"),
    )
    told = message(shown, listed)
    seen = to_message(shown, None, context(), LATER)
    assert isinstance(seen, Message)

    assert merge(seen, known(told)).message is None
    completed = merge(replace(told, observed_at=LATER), known(replace(seen, observed_at=NOW))).message
    assert completed is not None
    assert [each.size_bytes for each in completed.attachments] == [120_345]
    assert (completed.ts, completed.ts_precision) == (listed.sent_at, "second")
