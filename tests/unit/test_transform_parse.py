from datetime import UTC, datetime, timedelta

import pytest

from tests.transform_values import NOW, OTHER, UTC_ZONE, packs, raw
from whatsapp_etl.model import MessageKey, MessageType, RejectReason, RowModel
from whatsapp_etl.transform.media import duration_seconds, media_type, size_bytes
from whatsapp_etl.transform.parse import parse_rows, signal_counts
from whatsapp_etl.transform.rows import split_page
from whatsapp_etl.transform.rules import RowRules

BODY = '<span data-testid="selectable-text">hello</span>'
HEAD = '<div data-pre-plain-text="[10:00 AM, 3/4/2026] Mira Vogel: ">' + BODY + "</div>"


def parse(*rows, **changes):
    values = {"zone": UTC_ZONE, "locale": "en-US", "own_name": "Own Name", "observed_at": NOW}
    return parse_rows(rows, packs()["2026-08"], **{**values, **changes})


def one(row, **changes):
    parsed, rejects = parse(row, **changes)
    assert rejects == ()
    return parsed[0]


def model(**changes):
    values = {"key": None, "sent_at_seconds": None, "type": None, "author": None}
    return RowModel(**{**values, **changes})


def test_rules_made_once_serve_many_batches():
    parsed, _ = parse_rows(
        [raw(html=HEAD)],
        RowRules(packs()["2026-04"]),
        zone=UTC_ZONE,
        locale="en-US",
        own_name=None,
        observed_at=NOW,
    )

    assert parsed[0].text == "hello"


@pytest.mark.parametrize(
    ("line", "deletion"),
    [
        ("You deleted this message", "sender"),
        ("This message was deleted", "sender"),
        ("This message was deleted by admin Mira Vogel", "admin"),
        ("This message was deleted by an admin", "admin"),
        ("You deleted this message as admin", "own_admin"),
        ("Diese Nachricht wurde gelöscht", None),
    ],
)
def test_a_deleted_messages_row_says_who_deleted_it_where_the_words_are_known(line, deletion):
    row = one(raw(html=f'<div><span data-icon="recalled"></span><span>{line}</span></div>'))

    assert (row.type, row.text, row.deletion) == (MessageType.DELETED, None, deletion)


#: How the interface says it in three scripts; which language it is must not matter.
TOMBSTONES = ["Diese Nachricht wurde gelöscht", "تم حذف هذه الرسالة", "此訊息已刪除"]


@pytest.mark.parametrize("line", TOMBSTONES)
@pytest.mark.parametrize("pack", ["2026-04", "2026-08"])
def test_a_deleted_message_is_known_in_every_language_by_its_sign(pack, line):
    html = f'<div><span data-icon="recalled"></span><div class="_akbu">{line}</div></div>'

    ((row,), rejects) = parse_rows(
        [raw(html=html)],
        packs()[pack],
        zone=UTC_ZONE,
        locale="en-US",
        own_name="Own Name",
        observed_at=NOW,
    )

    assert (row.type, row.text, row.deletion, rejects) == (MessageType.DELETED, None, None, ())


@pytest.mark.parametrize("line", ["This message was deleted", *TOMBSTONES])
def test_a_deleted_message_whose_sign_is_unknown_too_is_told_and_is_never_a_text(line):
    html = f'<div><span data-icon="gone-2027"></span><div class="_akbu">{line}</div></div>'

    parsed, (reject,) = parse(raw(html=html))

    assert parsed == ()
    assert reject.reason is RejectReason.NO_CONTENT
    of_model = one(raw(html=html, model=model(type="revoked")))
    assert (of_model.type, of_model.text) == (MessageType.DELETED, None)


def test_what_a_message_says_is_no_deletion():
    assert one(raw(html=HEAD.replace("hello", "This message was deleted"))).deletion is None


def test_no_rows_give_nothing():
    assert parse() == ((), ())


def test_a_row_without_an_id_is_a_reject():
    parsed, rejects = parse(raw(" ", HEAD), chat_id=OTHER)

    assert parsed == ()
    assert rejects[0].reason is RejectReason.NO_ID
    assert rejects[0].thread_external_id == OTHER
    assert "hello" not in rejects[0].evidence
    assert "Mira" not in rejects[0].evidence


def test_an_emptied_row_is_a_reject():
    _, rejects = parse(raw(html='<div data-virtualized="true"></div>'))

    assert rejects[0].reason is RejectReason.NO_CONTENT


def test_a_row_that_nothing_is_known_of_is_a_reject():
    _, rejects = parse(raw(html="<div><p>?</p></div>"))

    assert rejects[0].reason is RejectReason.NO_CONTENT


def test_the_other_rows_of_a_batch_survive_a_reject():
    parsed, rejects = parse(raw("A", HEAD), raw("B"), raw("C", HEAD))

    assert [row.stanza_id for row in parsed] == ["A", "C"]
    assert len(rejects) == 1


@pytest.mark.parametrize(
    ("alignment", "is_outgoing"), [("flex-end", True), ("flex-start", False), ("stretch", None)]
)
def test_the_side_of_the_bubble_tells_the_direction(alignment, is_outgoing):
    row = one(raw(html=BODY, alignment=alignment))

    assert row.is_outgoing is is_outgoing
    assert row.signals["direction"] == ("none" if is_outgoing is None else "alignment")


def test_a_label_tells_the_direction_and_the_sender():
    own = one(raw(html='<span aria-label="You:"></span>' + BODY))
    other = one(raw(html='<span aria-label="Mira Vogel:"></span>' + BODY))

    assert (own.is_outgoing, own.sender_name) == (True, "Own Name")
    assert (other.is_outgoing, other.sender_name) == (False, "Mira Vogel")
    assert other.signals["sender"] == "label"


def test_an_own_label_names_nobody_when_the_own_name_is_unknown():
    row = one(raw(html='<span aria-label="You:"></span>' + BODY), own_name=None)

    assert (row.is_outgoing, row.sender_name) == (True, None)


def test_an_author_line_tells_that_it_is_somebody_elses():
    row = one(raw(html='<span data-testid="author">~ Nils</span>' + BODY))

    assert (row.is_outgoing, row.sender_name) == (False, "Nils")


def test_an_empty_author_line_names_nobody():
    row = one(raw(html='<span data-testid="author"></span>' + BODY))

    assert row.sender_name is None


def test_without_the_own_name_the_copied_head_tells_no_direction():
    assert one(raw(html=HEAD), own_name=None).is_outgoing is None
    assert one(raw(html=HEAD)).is_outgoing is False


def test_the_rows_model_proves_its_key_and_second():
    seconds = int(datetime(2026, 3, 4, 10, 0, 42, tzinfo=UTC).timestamp())
    row = one(raw("3EB0A1", HEAD, model=model(key=f"true_{OTHER}_3EB0A1", sent_at_seconds=seconds)))

    assert row.key == MessageKey(True, OTHER, "3EB0A1")
    assert row.sent_at == datetime(2026, 3, 4, 10, 0, 42, tzinfo=UTC)
    assert (row.signals["id"], row.signals["time"]) == ("model", "model")


@pytest.mark.parametrize("key", [f"true_{OTHER}_OTHER", "nonsense"])
def test_a_model_of_another_row_proves_nothing(key):
    row = one(raw("3EB0A1", HEAD, model=model(key=key, sent_at_seconds=10**20)))

    assert row.key is None
    assert row.signals["time"] == "prefix"


def test_the_models_type_serves_when_nothing_else_does():
    row = one(raw(html="<div></div>", model=model(type="ptv")))

    assert row.type is MessageType.VIDEO_NOTE
    assert row.signals["kind"] == "model"


def test_a_centred_row_is_a_notice():
    row = one(raw(html="<div><span>Ana left</span></div>", alignment="center"))

    assert (row.type, row.text, row.is_outgoing) == (MessageType.SYSTEM, "Ana left", None)


def test_a_collections_row_has_no_text_of_its_own():
    row = one(raw("album-A-B-3", BODY))

    assert (row.type, row.text, row.attachment.count) == (MessageType.ALBUM, None, 3)


THUMB = '<div data-testid="image-thumb" role="button" aria-label="Open picture">{}</div>'


@pytest.mark.parametrize(
    ("tiles", "count"), [(["", ""], 2), (["", "", "", "<span> +3 </span>"], 7), (["", "+x", "+12345"], 3)]
)
def test_a_row_with_places_for_several_pictures_is_an_album(tiles, count):
    row = one(raw("3EB0A1", "".join(THUMB.format(tile) for tile in tiles)))

    assert (row.type, row.text, row.attachment.count) == (MessageType.ALBUM, None, count)
    assert (row.stanza_id, row.signals["kind"]) == ("3EB0A1", "places")


def test_a_row_with_a_place_for_one_picture_is_a_picture():
    assert one(raw("3EB0A1", THUMB.format("+3"))).type is MessageType.IMAGE


def test_an_unreadable_copied_time_falls_back_to_the_clock_under_its_date():
    html = (
        HEAD.replace("10:00 AM, 3/4/2026", "sometime")
        + '<div data-testid="msg-meta"><span>9:58 AM</span></div>'
    )
    row = one(raw(html=html))

    assert row.sent_at == datetime(2026, 3, 4, 9, 58, tzinfo=UTC)
    assert row.signals["time"] == "marker"


def test_without_any_time_the_date_markers_day_begins():
    row = one(raw(html=BODY, date_marker="Yesterday"))

    assert row.sent_at == datetime(2026, 3, 3, tzinfo=UTC)
    assert row.signals["time"] == "neighbour"


@pytest.mark.parametrize("marker", [None, "no date"])
def test_without_any_date_there_is_no_time(marker):
    html = BODY + '<div data-testid="msg-meta"><span>9:58 AM</span></div>'

    assert one(raw(html=html, date_marker=marker)).sent_at is None


def test_a_timeless_row_takes_the_time_above_before_the_one_below():
    later = HEAD.replace("10:00", "11:00")
    parsed, _ = parse(raw("A", HEAD), raw("B", BODY), raw("C", later), raw("D", BODY, date_marker="3/3/2026"))

    assert parsed[1].sent_at == parsed[0].sent_at
    assert parsed[3].sent_at == datetime(2026, 3, 3, tzinfo=UTC)


def test_a_run_has_one_sender_whichever_row_tells_it():
    parsed, _ = parse(
        raw("A", BODY, run_head="A"),
        raw("B", HEAD, run_head="A"),
        raw("C", BODY, run_head=None),
        raw("D", BODY),
    )

    assert (parsed[0].is_outgoing, parsed[0].sender_name) == (False, "Mira Vogel")
    assert parsed[0].signals["direction"] == "run"
    assert (parsed[2].is_outgoing, parsed[2].sender_name) == (None, None)
    assert (parsed[3].is_outgoing, parsed[3].sender_name) == (None, None)


def test_a_nameless_row_is_named_as_its_sender_is_elsewhere():
    packed, own = f"false_{OTHER}_", f"true_{OTHER}_"
    own_head = HEAD.replace("Mira Vogel", "Me")
    parsed, _ = parse(
        raw(packed + "A", BODY), raw(packed + "B", HEAD), raw(own + "C", BODY), raw(own + "D", own_head),
        raw("E", BODY), own_name=None,
    )  # fmt: skip

    assert [row.sender_name for row in parsed] == ["Mira Vogel", "Mira Vogel", "Me", "Me", None]
    assert parsed[0].signals["sender"] == "same_sender"


def test_the_signs_that_served_are_counted():
    parsed, _ = parse(raw("A", HEAD, alignment="flex-end"), raw("B", HEAD, alignment="flex-end"))

    assert signal_counts(parsed)["row_direction", "alignment"] == 2


def test_a_corner_without_a_clock_is_not_a_corner():
    html = HEAD + '<div data-testid="msg-meta"><span>Edited</span></div><div data-testid="msg-meta"></div>'

    assert not one(raw(html=html)).is_edited


def test_a_quote_without_a_text_quotes_nothing():
    html = '<div data-testid="quoted-message"></div>' + HEAD

    assert one(raw(html=html)).quoted_text is None


def test_a_poll_without_a_question_has_its_options():
    html = '<label data-testid="poll-option-row-label-0">Mon</label><i data-testid="poll-view-votes"></i>'

    assert one(raw(html=html)).text == "Mon"


def test_a_poll_whose_options_are_not_shown_has_its_question():
    assert one(raw(html=BODY + '<i data-testid="poll-view-votes"></i>')).text == "hello"


def test_an_invite_that_shows_nothing_has_no_text():
    assert one(raw(html='<button title="Join group"></button>')).text is None


def test_reactions_without_emoji_are_none():
    html = HEAD + '<div data-testid="reaction-bubble"><img alt=""></div>'

    assert one(raw(html=html)).reactions == ()


@pytest.mark.parametrize(
    ("text", "seconds"), [("1:05", 65.0), ("0:00", 0.0), ("1:02:03", 3723.0), ("65", None), ("a:b", None)]
)
def test_durations_are_seconds(text, seconds):
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("12 kB", 12_000),
        ("1.5 MB", 1_500_000),
        ("1,5 MB", 1_500_000),
        ("7 B", 7),
        ("2 GB", 2 * 10**9),
        ("many", None),
        ("..B", None),
    ],
)
def test_sizes_are_bytes(text, size):
    assert size_bytes(text) == size


def test_a_file_name_tells_the_media_type():
    assert media_type("Plan.PDF") == "application/pdf"
    assert media_type("plan") is None
    assert media_type(None) is None


@pytest.mark.parametrize("value", ["", "/", "0:00/never"])
def test_a_slider_without_an_end_has_no_duration(value):
    row = one(raw(html=f'<i data-icon="audio-file"></i><div role="slider" aria-valuetext="{value}"></div>'))

    assert row.attachment.duration_seconds is None


def test_a_voice_note_without_a_slider_has_no_duration():
    assert one(raw(html='<i data-icon="ptt-status"></i>')).attachment.duration_seconds is None


def test_a_videos_length_stands_among_its_lines():
    with_length = '<div data-testid="video-content"><p>HD</p><p>1:05</p></div>'
    without = '<div data-testid="video-content"><p>HD</p></div>'

    assert one(raw(html=with_length)).attachment.duration_seconds == 65.0
    assert one(raw(html=without)).attachment.duration_seconds is None


def test_a_document_is_named_by_its_line_where_the_button_names_none():
    html = (
        '<div data-testid="document-thumb" role="button" title="Get it"><span dir="auto">a.txt</span></div>'
    )
    row = one(raw(html=html))

    assert (row.attachment.file_name, row.attachment.media_type) == ("a.txt", "text/plain")


def test_a_document_that_shows_nothing_is_a_document():
    bare = one(raw(html='<i data-icon="document-X-icon"></i>'))
    nameless = one(raw(html='<div data-testid="document-thumb"></div>'))

    assert bare.attachment.file_name is None
    assert nameless.attachment.file_name is None


def test_a_page_without_a_message_list_gives_its_rows_without_runs():
    rows = split_page(
        '<div data-id="A">x<i data-id="inner"></i></div><div data-id="A"></div><div data-id="B"></div>',
        packs()["2026-08"],
    )

    assert [(row.shown_id, row.run_head, row.date_marker) for row in rows] == [
        ("A", "A", None),
        ("B", "B", None),
    ]


def test_an_empty_page_has_no_rows():
    assert split_page("", packs()["2026-08"]) == ()


def test_long_data_uris_are_cut_out_of_a_saved_row():
    rows = split_page(
        f'<div data-id="A"><img src="data:image/png;base64,{"x" * 500}"></div>', packs()["2026-08"]
    )

    assert len(rows[0].html) < 100


def test_what_stands_between_runs_is_only_a_marker_when_it_is_a_date():
    html = (
        '<div data-tab="8"><div>3/4/2026</div><div><i data-id="A"></i></div><div></div><div>2 unread</div>'
        '<div><i data-id="B"></i></div><div>Today</div><div><i data-id="C"></i></div></div>'
    )

    assert [row.date_marker for row in split_page(html, packs()["2026-08"])] == [
        "3/4/2026",
        "3/4/2026",
        "Today",
    ]


def test_the_same_text_is_read_the_same_at_any_observation():
    first = one(raw(html=HEAD))
    again = one(raw(html=HEAD), observed_at=NOW + timedelta(days=3))

    assert first == again
