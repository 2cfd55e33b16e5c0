from datetime import datetime, timedelta

import pytest

from tests.transform_values import (
    GROUP,
    NOW,
    OTHER,
    OWN,
    OWN_LID,
    account,
    chat,
    context,
    facts,
    group_context,
    row,
)
from whatsapp_etl.forgotten import Forgotten, digest
from whatsapp_etl.model import (
    Attachment,
    CapturedFile,
    ChatKind,
    Message,
    MessageKey,
    MessageType,
    ParsedAttachment,
    RejectReason,
)
from whatsapp_etl.transform import kinds
from whatsapp_etl.transform.messages import to_message

FILE = CapturedFile("ab" * 32, "image/jpeg", 1234, "ab/ab/x.jpg")


def message(shown=None, listed=None, where=None, **changes) -> Message:
    result = to_message(shown, listed, where or context(), NOW, **changes)
    assert isinstance(result, Message)
    return result


def test_ids_and_seconds_are_the_storages_and_the_text_is_the_pages():
    made = message(row(text="hello"), facts())

    assert made.external_id == f"false_{OTHER}_3EB0A1"
    assert made.thread_external_id == OTHER
    assert (made.ts.second, made.ts_precision) == (7, "second")
    assert made.content_snippet == "hello"
    assert (made.sender_id, made.recipient_ids) == (OTHER, (OWN,))
    assert made.source_revision == "chat|||"


def test_an_own_message_in_a_group_carries_the_own_id():
    key = MessageKey(True, GROUP, "3EB0A1")
    made = message(row(), facts(key=key, sender_id=OWN), group_context())

    assert made.external_id == f"true_{GROUP}_3EB0A1_{OWN}"
    assert made.sender_id == OWN
    assert made.recipient_ids == tuple(sorted((OTHER, "777@lid")))


def test_a_packed_row_is_a_message_without_metadata():
    made = message(row(key=MessageKey(False, OTHER, "3EB0A1")))

    assert made.external_id == f"false_{OTHER}_3EB0A1"
    assert (made.ts_precision, made.source_revision) == ("minute", "")


@pytest.mark.parametrize(
    ("sign", "precision"), [("model", "second"), ("neighbour", "clamped"), ("prefix", "minute")]
)
def test_a_rows_time_is_as_exact_as_its_sign(sign, precision):
    made = message(row(key=MessageKey(False, OTHER, "3EB0A1"), signals={"time": sign}))

    assert made.ts_precision == precision


def reason(shown, listed=None, where=None):
    return to_message(shown, listed, where or context(), NOW)


def test_a_bare_row_proves_no_chat():
    assert reason(row()) is RejectReason.CHAT_UNPROVEN
    assert reason(None) is RejectReason.CHAT_UNPROVEN


def test_a_packed_row_of_another_chat_is_not_written_here():
    assert reason(row(key=MessageKey(False, "491@c.us", "3EB0A1"))) is RejectReason.CHAT_UNPROVEN


def test_a_group_row_without_a_participant_proves_no_sender():
    key = MessageKey(False, GROUP, "3EB0A1")

    assert reason(row(key=key), None, group_context()) is RejectReason.SENDER_UNPROVEN


def test_a_row_without_a_time_is_no_message():
    assert reason(row(key=MessageKey(False, OTHER, "1"), sent_at=None)) is RejectReason.NO_TIME


@pytest.mark.parametrize(
    ("shown", "listed"),
    [
        (row(text=None), facts()),
        (row(is_truncated=True), facts()),
        (None, facts()),
    ],
)
def test_a_text_that_was_not_read_whole_is_no_message(shown, listed):
    assert reason(shown, listed) is RejectReason.NO_CONTENT


@pytest.mark.parametrize(
    "kind", [MessageType.DELETED, MessageType.WAITING, MessageType.VOICE, MessageType.STICKER]
)
def test_kinds_without_a_text_need_no_row(kind):
    assert message(None, facts(type=kind)).content_snippet is None


def test_a_deleted_message_keeps_nothing_and_tells_when_it_was_seen():
    made = message(row(type=MessageType.DELETED, text="x", quoted_text="q"), facts())

    assert made.message_type is MessageType.DELETED
    assert (made.content_snippet, made.quoted_text, made.has_attachments) == (None, None, False)
    assert made.deleted_seen_at == NOW


def test_what_the_storage_lists_as_deleted_says_nothing_whatever_its_row_was_taken_for():
    made = message(row(type=MessageType.TEXT, text="此訊息已刪除"), facts(type=MessageType.DELETED))

    assert made.message_type is MessageType.DELETED
    assert made.content_snippet is None


DELETED_AT = NOW - timedelta(minutes=3)
ADMIN = "4915550009@c.us"


def deleted(shown=None, where=None, key=None, **listed) -> tuple[datetime | None, str | None, str | None]:
    """Return when, by whom and by which admin a message was deleted."""
    key = key or MessageKey(False, GROUP, "3EB0A1", OTHER)
    made = message(
        row(type=MessageType.DELETED, deletion=shown),
        facts(key=key, type=MessageType.DELETED, **listed),
        where or group_context(),
    )
    return made.deleted_at, made.deleted_by, made.deleted_by_id


def test_the_storage_says_who_deleted_a_message_and_when():
    listed = {"subtype": "admin", "revoked_at": DELETED_AT, "revoked_by_id": ADMIN}

    assert deleted(**listed) == (DELETED_AT, "admin", ADMIN)
    assert deleted(**{**listed, "revoked_by_id": OWN_LID}) == (DELETED_AT, "admin", OWN)
    assert deleted(**{**listed, "revoked_by_id": None}) == (DELETED_AT, "admin", None)
    assert deleted(subtype="sender", revoked_by_id=OTHER) == (None, "sender", None)


def test_without_a_subtype_who_deleted_a_message_is_told_by_comparing_with_its_author():
    lids = group_context(phone_ids={"888@lid": OTHER})
    own = MessageKey(True, GROUP, "3EB0A1", OWN)

    assert deleted(revoked_by_id=ADMIN) == (None, "admin", ADMIN)
    assert deleted(where=lids, revoked_by_id="888@lid") == (None, "sender", None)
    assert deleted(key=own, revoked_by_id=OWN_LID) == (None, "sender", None)
    assert deleted(revoked_by_id=OWN) == (None, "admin", OWN)
    assert deleted() == (None, None, None)


@pytest.mark.parametrize(
    ("shown", "by", "admin"),
    [("sender", "sender", None), ("admin", "admin", None), ("own_admin", "admin", OWN), (None, None, None)],
)
def test_a_row_alone_says_who_deleted_a_message_and_a_name_is_no_id(shown, by, admin):
    assert deleted(shown) == (None, by, admin)
    not_yet_listed = message(row(type=MessageType.DELETED, deletion=shown), facts(revoked_by_id=ADMIN))
    assert (not_yet_listed.deleted_by, not_yet_listed.deleted_by_id) == (by, admin)


def test_the_storage_is_believed_before_the_row():
    assert deleted("sender", subtype="admin", revoked_by_id=ADMIN) == (None, "admin", ADMIN)


def test_an_admin_who_was_forgotten_is_not_named_again():
    key = b"k" * 32
    known = Forgotten(key, frozenset({digest(key, "contact", ADMIN)}))

    assert deleted(where=group_context(forgotten=known), subtype="admin", revoked_by_id=ADMIN) == (
        None,
        "admin",
        None,
    )


def test_what_is_not_deleted_was_deleted_by_nobody():
    made = message(row(deletion="sender"), facts(subtype="sender", revoked_at=DELETED_AT))

    assert (made.deleted_at, made.deleted_by, made.deleted_by_id) == (None, None, None)


def test_what_can_be_seen_only_once_is_never_held():
    made = message(row(type=MessageType.VIEW_ONCE, text="x"), facts(type=MessageType.IMAGE), files=(FILE,))

    assert made.message_type is MessageType.VIEW_ONCE
    assert (made.content_snippet, made.attachments) == (None, ())


def test_a_notice_has_no_sender():
    made = message(row(type=MessageType.SYSTEM), facts(type=MessageType.SYSTEM, sender_id=None))

    assert (made.sender_id, made.recipient_ids) == (None, ())


def test_an_image_whose_bytes_are_held_is_stored_and_verified():
    made = message(
        row(type=MessageType.IMAGE, text=None),
        facts(type=MessageType.IMAGE, file_sha256=FILE.sha256, width=6, height=4, mimetype="image/png"),
        files=(FILE,),
    )

    assert made.has_attachments
    assert made.attachments == (
        Attachment(0, "image/jpeg", "stored", FILE.relative_path, FILE.sha256, True, 1234, 6, 4),
    )


@pytest.mark.parametrize(("expected", "verified"), [("cd" * 32, False), (None, None)])
def test_other_bytes_than_the_storage_says_are_not_verified(expected, verified):
    made = message(
        row(type=MessageType.IMAGE), facts(type=MessageType.IMAGE, file_sha256=expected), files=(FILE,)
    )

    assert made.attachments[0].is_verified is verified


def test_bytes_without_metadata_are_not_verified():
    made = message(row(type=MessageType.IMAGE, key=MessageKey(False, OTHER, "1")), files=(FILE,))

    assert made.attachments[0].is_verified is None


def test_a_document_is_known_by_what_storage_and_page_say():
    shown = row(
        type=MessageType.DOCUMENT, text=None, attachment=ParsedAttachment("application/pdf", "a.pdf", 12_000)
    )

    by_page = message(row(**{**_values(shown), "key": MessageKey(False, OTHER, "1")})).attachments[0]
    by_both = message(
        shown, facts(type=MessageType.DOCUMENT, file_name="b\0.pdf", size_bytes=12_345)
    ).attachments[0]

    assert (by_page.file_name, by_page.size_bytes, by_page.media_type) == ("a.pdf", 12_000, "application/pdf")
    assert (by_both.file_name, by_both.size_bytes, by_both.state) == ("b.pdf", 12_345, "seen")


@pytest.mark.parametrize("number", [2**64 - 1, -1])
def test_what_no_column_holds_is_not_taken_for_the_size_of_a_file(number):
    absurd = facts(type=MessageType.DOCUMENT, size_bytes=number, width=number, height=number)
    shown = row(type=MessageType.DOCUMENT, attachment=ParsedAttachment(size_bytes=number))

    for made in (message(shown, absurd), message(shown, facts(type=MessageType.DOCUMENT))):
        (file,) = made.attachments
        assert (file.size_bytes, file.width, file.height) == (None, None, None)


def _values(shown):
    return {name: getattr(shown, name) for name in shown.__dataclass_fields__}


def test_a_videos_length_is_the_storages_or_the_pages():
    shown = row(type=MessageType.VIDEO, attachment=ParsedAttachment(duration_seconds=65.0))

    assert message(shown, facts(type=MessageType.VIDEO)).attachments[0].duration_seconds == 65.0
    exact = facts(type=MessageType.VIDEO, duration_seconds=64.5)
    assert message(shown, exact).attachments[0].duration_seconds == 64.5
    assert (
        message(row(type=MessageType.VIDEO), facts(type=MessageType.VIDEO)).attachments[0].media_type is None
    )


@pytest.mark.parametrize(("rule", "is_kept"), [("expire", True), ("skip", True), ("keep", False)])
def test_a_disappearing_message_expires_unless_it_is_kept(rule, is_kept):
    end = NOW + timedelta(days=7)
    made = message(row(), facts(expires_at=end), context(disappearing=rule))

    assert made.expires_at == (end if is_kept else None)


def test_an_edit_is_known_from_either_side():
    assert message(row(is_edited=True), facts()).edited_seen_at == NOW
    assert message(row(), facts(latest_edit_key="k")).is_edited
    assert message(row(), facts()).edited_seen_at is None


def test_forwarding_is_known_from_either_side():
    assert message(row(is_forwarded=True), facts()).is_forwarded
    assert message(row(), facts(is_forwarded=True)).is_forwarded


def answered(listed, where=None, keys=()):
    return message(row(quoted_text="q"), listed, where, chat_keys=keys).reply_to_external_id


def test_an_answer_finds_the_message_known_in_its_chat():
    keys = (MessageKey(True, OTHER, "Q"), MessageKey(False, OTHER, "Q"), MessageKey(False, OTHER, "R"))

    assert (
        answered(facts(quoted_stanza_id="Q", quoted_participant_id=OWN_LID), keys=keys) == f"true_{OTHER}_Q"
    )
    assert answered(facts(quoted_stanza_id="Q", quoted_participant_id=OTHER), keys=keys) == f"false_{OTHER}_Q"
    assert answered(facts(quoted_stanza_id="R"), keys=keys) == f"false_{OTHER}_R"


def test_an_answer_to_an_unknown_message_has_a_built_key():
    in_group = facts(
        key=MessageKey(False, GROUP, "3EB0A1", OTHER), quoted_stanza_id="Q", quoted_participant_id=OWN
    )
    keys = (MessageKey(False, GROUP, "Q", OTHER),)

    assert answered(facts(quoted_stanza_id="Q", quoted_participant_id=OTHER)) == f"false_{OTHER}_Q"
    assert answered(in_group, group_context(), keys) == f"true_{GROUP}_Q_{OWN}"
    by_other = facts(key=in_group.key, quoted_stanza_id="Q", quoted_participant_id="777@lid")
    assert answered(by_other, group_context()) == f"false_{GROUP}_Q_777@lid"


def test_an_answer_to_nobody_known_names_nothing():
    keys = (MessageKey(True, OTHER, "Q"), MessageKey(False, OTHER, "Q"))

    assert answered(facts(quoted_stanza_id="Q"), keys=keys) is None
    assert answered(facts()) is None


def test_an_account_without_a_lid_has_one_id():
    assert context(account=account(lid=None)).own_ids == {OWN}


def test_a_broadcast_list_goes_to_its_people():
    where = context(chat=chat(id="16@broadcast", kind=ChatKind.BROADCAST), participant_ids=(OWN, OTHER))
    made = message(row(), facts(key=MessageKey(True, "16@broadcast", "1"), sender_id=OWN), where)

    assert made.recipient_ids == (OTHER,)


@pytest.mark.parametrize(
    ("stored", "shown", "kind"),
    [
        (MessageType.VIDEO, MessageType.GIF, MessageType.GIF),
        (MessageType.IMAGE, MessageType.VIEW_ONCE, MessageType.VIEW_ONCE),
        (MessageType.TEXT, MessageType.DELETED, MessageType.DELETED),
        (MessageType.WAITING, MessageType.TEXT, MessageType.TEXT),
        (MessageType.WAITING, MessageType.SYSTEM, MessageType.WAITING),
        (MessageType.OTHER, MessageType.TEXT, MessageType.TEXT),
        (MessageType.TEXT, MessageType.IMAGE, MessageType.TEXT),
        (MessageType.DELETED, MessageType.TEXT, MessageType.DELETED),
        (MessageType.TEXT, None, MessageType.TEXT),
    ],
)
def test_the_page_refines_what_the_storage_says(stored, shown, kind):
    assert kinds.refine(stored, shown) is kind


@pytest.mark.parametrize(
    ("store_type", "subtype", "kind"),
    [
        ("chat", None, MessageType.TEXT),
        ("chat", "url", MessageType.TEXT),
        ("ptt", None, MessageType.VOICE),
        ("location", "live", MessageType.LIVE_LOCATION),
        ("revoked", "sender", MessageType.DELETED),
        ("gp2", "create", MessageType.SYSTEM),
        ("never_seen", None, MessageType.OTHER),
    ],
)
def test_the_storages_types_are_known(store_type, subtype, kind):
    assert kinds.message_type(store_type, subtype) is kind


def test_a_picture_whose_caption_is_not_found_is_not_stored_without_it():
    shown = row("A", type=MessageType.IMAGE, text=None, dissents=(("text", "caption"),))
    listed = facts("A", type=MessageType.IMAGE, wa_type="image")

    assert reason(shown, listed) is RejectReason.NO_CONTENT
