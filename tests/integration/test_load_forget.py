"""Erasing on request: nothing of what was named is left in any table, the rest is, and it is known again."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.load import (
    ACCOUNT,
    ANA,
    ANA_LID,
    BEN,
    CLUB,
    NOW,
    OWN,
    make_coverage,
    make_image,
    make_message,
    make_plan,
    make_progress,
    make_thread,
    row_versions,
    rows,
)
from whatsapp_etl.attachments.files import remove
from whatsapp_etl.errors import WriterBusyError
from whatsapp_etl.forgotten import Wish, key_of
from whatsapp_etl.load.personal import ERASED
from whatsapp_etl.load.store import Store
from whatsapp_etl.load.tables import metadata
from whatsapp_etl.model import (
    ChatKind,
    Checkpoint,
    ContactFacts,
    Disagreement,
    DisagreementFact,
    GroupFacts,
    MessageType,
    MessageVersion,
    MissingMessage,
    MissingReason,
    Reaction,
    Reject,
    RejectReason,
)
from whatsapp_etl.unused_files import remove_unused_files


def in_club(number, sender_id, **changes):
    """Return the `number`th message of the club, by anybody."""
    message = make_message(number, thread_external_id=CLUB, sender_id=sender_id, **changes)
    return replace(
        message,
        external_id=f"{message.external_id}_{sender_id}",
        recipient_ids=tuple(sorted({ANA, BEN, OWN} - {sender_id})),
    )


TEXT = make_message(1)
_IMAGE = make_image(2)
PICTURE = replace(_IMAGE, attachments=(replace(_IMAGE.attachments[0], file_name="kettle.jpg"),))
ANAS = in_club(3, ANA)
ALBUM = replace(
    ANAS, external_id=in_club(4, ANA).external_id, stanza_id=in_club(4, ANA).stanza_id, album_id="3EBALBUM"
)
BENS = in_club(
    5,
    BEN,
    content_snippet="Off to the hut",
    reply_to_external_id=ANAS.external_id,
    quoted_text=ANAS.content_snippet,
)
MISSED = f"false_{CLUB}_3EB0MISSED_{ANA}"
#: Ben's, deleted by Ana as the group's admin.
GONE = in_club(
    6,
    BEN,
    message_type=MessageType.DELETED,
    content_snippet=None,
    deleted_seen_at=NOW,
    deleted_by="admin",
    deleted_by_id=ANA,
)
VANISHED = make_message(7, expires_at=NOW)
LID_KEY = TEXT.external_id.replace(ANA, ANA_LID)
ANAS_CHAT = make_coverage(first_external_id=TEXT.external_id, last_external_id=PICTURE.external_id)
CLUB_THREAD = make_thread(CLUB, kind=ChatKind.GROUP, title="Hikers", participant_ids=(ANA, BEN, OWN))


def short_hash(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def reject(chat, shown_id):
    return Reject(
        chat,
        short_hash(shown_id),
        RejectReason.NO_TIME,
        "2026-08",
        f"<i id={short_hash(shown_id)}>xxx 99</i>",
        NOW,
    )


#: What is kept of two texts: their hashes.
DIFFERS = Disagreement(
    ANA,
    DisagreementFact.TEXT,
    short_hash("The lid rattles"),
    short_hash("The lid rattled"),
    NOW,
    external_id=TEXT.external_id,
)
STRANGE = Disagreement(
    ANA, DisagreementFact.ID, "not listed", "shown", NOW, shown_id_hash=short_hash("3EB0ODD")
)


@pytest.fixture
def full(database, store):
    """Ana's chat and her club, with something of hers in every column that may tell of a person."""
    store.pin_account(ACCOUNT, NOW)
    people = [
        ContactFacts(ANA, "Ana Kettle", "ana!", None),
        ContactFacts(ANA_LID, None, "ana!", ANA),
        ContactFacts(BEN, "Ben", None, None),
    ]
    threads = [make_thread(title="Ana Kettle"), CLUB_THREAD]
    group = GroupFacts(CLUB, "Hikers", (ANA, BEN, OWN))
    store.apply_directory(threads, people, [group], (), run_id=1, now=NOW)
    store.apply(
        make_plan(
            replace(TEXT, aliases=(LID_KEY,)),
            PICTURE,
            VANISHED,
            thread=make_thread(title="Ana Kettle"),
            coverage=ANAS_CHAT,
            disagreements=(DIFFERS, STRANGE),
            rejects=(reject(ANA, "3EB0ODD"),),
            missing=(MissingMessage(f"false_{ANA}_3EB0HERS", MissingReason.NOT_SHOWN, 1, NOW),),
        ),
        1,
    )
    store.apply(
        make_plan(
            ANAS,
            ALBUM,
            BENS,
            GONE,
            thread=CLUB_THREAD,
            rejects=(reject(CLUB, "3EB0MISSED"), reject(CLUB, "3EB0OTHER")),
            missing=(MissingMessage(MISSED, MissingReason.UNREADABLE, 1, NOW),),
            checkpoint=Checkpoint(ANAS.external_id, ANAS.ts),
            disagreements=tuple(
                replace(each, thread_external_id=CLUB)
                for each in (
                    replace(DIFFERS, external_id=ANAS.external_id),
                    replace(
                        DIFFERS, external_id=BENS.external_id, known="4 characters", shown="5 characters"
                    ),
                    replace(STRANGE, shown_id_hash=short_hash("3EB0MISSED")),
                )
            ),
            coverage=make_coverage(
                CLUB,
                missing={MissingReason.UNREADABLE: 1},
                first_external_id=ANAS.external_id,
                last_external_id=BENS.external_id,
            ),
        ),
        1,
    )
    edited = replace(TEXT, content_snippet="The lid rattles", observed_at=NOW + timedelta(minutes=1))
    version = MessageVersion(TEXT.external_id, TEXT.message_type, TEXT.content_snippet, NOW)
    thread = make_thread(title="Ana Kettle")
    store.apply(make_plan(edited, versions=(version,), thread=thread, coverage=ANAS_CHAT), 2)
    reactions = [Reaction(BENS.external_id, ANA, "🌋", NOW), Reaction(ANAS.external_id, BEN, "❤", NOW)]
    store.apply_directory((), (), (), reactions, run_id=2, now=NOW)
    later = NOW + timedelta(minutes=1)
    changed = [replace(reactions[0], emoji="👢", reacted_at=later)]
    left = replace(group, participant_ids=(BEN, OWN))
    back = replace(group, participant_ids=(ANA, BEN, OWN))
    for each, now in ((left, NOW), (back, later)):
        store.apply_directory([CLUB_THREAD], (), [each], changed, run_id=2, now=now)
    store.expire_messages(NOW)
    store.record_backfill(
        [
            make_progress(unread_digest=short_hash("3EB0ODD")),
            make_progress(CLUB, unread_digest=short_hash("3EB0MISSED")),
        ],
        2,
    )
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO extractions (attachment_id, kind, text, blocks, engine, version, parameters,"
            " duration, provenance, created_at)"
            " SELECT id, 'text', 'kettle no. 2', '[{\"text\": \"kettle no. 2\"}]', 'qr', '1', '{}',"
            " interval '1 s', jsonb_build_object('external_id', %s::text), now() FROM attachments",
            (PICTURE.external_id,),
        )
        # Ana's chat is the agent's, which wrote about her in an answer to Ben, too.
        connection.execute(
            "INSERT INTO agent_messages (id, message_id, revision, type, thread_external_id, external_id,"
            " sender_id, message_type, content_snippet, sent_at, attachments, occurred_at)"
            " SELECT gen_random_uuid(), id, 0, 'agent.message.created', thread_external_id, external_id,"
            " sender_id, message_type, CASE WHEN sender_id = %s THEN 'The kettle' END, ts,"
            " CASE WHEN sender_id = %s THEN '[{\"file_name\": \"kettle.jpg\"}]'::jsonb ELSE '[]' END, now()"
            " FROM messages",
            (ANA, ANA),
        )
        connection.execute(
            "INSERT INTO agent_proposals (id, message_id, agent_message_id, kind, payload, idempotency_key,"
            " request_sha256, created_at) SELECT gen_random_uuid(), message_id, id, 'note',"
            " jsonb_build_object('about', %s::text), id::text, '', now() FROM agent_messages",
            (ANA.partition("@")[0],),
        )
        connection.execute(
            "INSERT INTO agent_routing (id, state, wish, thread_external_id, thread_ids, allowed_ids,"
            " candidate_ids) VALUES (1, 'thread', 'kettle', %s, ARRAY[%s], ARRAY[%s], ARRAY[%s])",
            (ANA, ANA, ANA_LID, ANA),
        )
        # An older wish, whose file could not be removed yet.
        connection.execute("INSERT INTO files_to_remove VALUES (%s, now())", ("00/00/kettle.jpg",))
    return store


def needles(database):
    """Return everything by which Ana could be told in a row's text."""
    hashes = rows(
        database,
        "SELECT content_hash::text FROM messages WHERE sender_id <> %s OR deleted_by_id IS NOT NULL",
        BEN,
    )
    handed_over = rows(database, "SELECT id::text FROM agent_messages WHERE sender_id = %s", ANA)
    return [
        ANA.partition("@")[0],
        ANA_LID.partition("@")[0],
        "Ana",
        "ana!",
        "kettle",
        "The lid rattles",
        "🌋",
        "👢",
        TEXT.stanza_id,
        ANAS.stanza_id,
        "3EBALBUM",
        "3EB0MISSED",
        "3EB0HERS",
        short_hash("3EB0MISSED"),
        short_hash("3EB0ODD"),
        DIFFERS.known,
        DIFFERS.shown,
        PICTURE.attachments[0].checksum,
        *(row[0] for row in hashes),
        *(row[0] for row in handed_over),
    ]


def found(database, told):
    """Return which tables hold any of these texts."""
    return {
        table
        for table in metadata.tables
        if any(
            needle in text for (text,) in rows(database, f"SELECT t::text FROM {table} t") for needle in told
        )
    }


def test_of_a_forgotten_person_nothing_is_left_in_any_column(database, full):
    told = needles(database)
    for table, columns in ERASED.items():
        for column in columns:
            values = rows(database, f"SELECT {column}::text FROM {table} WHERE {column} IS NOT NULL")
            assert any(needle in text for (text,) in values for needle in told), (
                f"{table}.{column} says nothing"
            )

    full.erase(Wish("contact", ANA), NOW)
    full.note_removed(full.unused_files())

    assert found(database, told) == set()
    assert rows(database, "SELECT count(*) FROM rejects") == [(1,)]
    assert rows(database, "SELECT external_id FROM disagreements") == [(BENS.external_id,)]


def test_what_others_said_stays_without_the_quote_and_tells_consumers_so(database, full):
    before = rows(database, "SELECT max(change_seq) FROM messages")[0][0]

    full.erase(Wish("contact", ANA_LID), NOW)

    assert rows(
        database,
        "SELECT external_id, content_snippet, quoted_text, reply_to_external_id, recipient_ids FROM messages"
        " ORDER BY ts",
    ) == [
        (BENS.external_id, "Off to the hut", None, None, [OWN]),
        (GONE.external_id, None, None, None, [OWN]),
    ]
    assert rows(
        database,
        "SELECT deleted_by, deleted_by_id FROM messages_as_of(now()) JOIN messages USING (id, deleted_by)",
    ) == [("admin", None)]
    assert rows(database, "SELECT min(change_seq) FROM messages")[0][0] > before
    assert rows(database, "SELECT participant_ids FROM threads") == [(sorted([BEN, OWN]),)]
    assert rows(database, "SELECT external_id FROM contacts") == [(BEN,)]
    ends = "first_external_id, last_external_id"
    assert rows(database, f"SELECT missing, {ends} FROM sync_coverage") == [({}, None, BENS.external_id)]
    assert rows(database, f"SELECT {ends} FROM sync_coverage_history") == [(None, BENS.external_id)]


def test_a_forgotten_chat_takes_its_messages_and_leaves_the_person(database, full):
    full.erase(Wish("chat", ANA_LID), NOW)

    assert set(rows(database, "SELECT external_id FROM messages")) == {
        (ANAS.external_id,),
        (ALBUM.external_id,),
        (BENS.external_id,),
        (GONE.external_id,),
    }
    assert rows(database, "SELECT external_id FROM threads") == [(CLUB,)]
    assert rows(database, "SELECT saved_name FROM contacts WHERE external_id = %s", ANA) == [("Ana Kettle",)]
    known = full.forgotten()
    assert known.has_chat(ANA)
    assert known.has_chat(ANA_LID)
    assert not known.has_chat(CLUB)
    assert not known.has_contact(ANA)


@pytest.mark.parametrize("key", [TEXT.external_id, LID_KEY])
def test_a_forgotten_message_is_known_again_under_each_of_its_keys(database, full, key):
    full.erase(Wish("message", key), NOW)

    assert (TEXT.external_id,) not in rows(database, "SELECT external_id FROM messages")
    assert rows(database, "SELECT count(*) FROM message_versions") == [(0,)]
    assert rows(database, "SELECT count(*) FROM message_aliases") == [(0,)]
    known = full.forgotten()
    assert known.has_key(TEXT.external_id)
    assert known.has_key(LID_KEY)
    assert not known.has_key(PICTURE.external_id)
    # Somebody else's message that reuses the id is not hidden by it.
    assert not known.has_key(TEXT.external_id.replace(ANA, BEN))


def test_a_forgotten_message_is_no_longer_quoted_and_the_checkpoint_falls_behind_it(database, full):
    full.erase(Wish("message", ANAS.external_id), NOW)

    assert rows(
        database,
        "SELECT quoted_text, reply_to_external_id FROM messages WHERE external_id = %s",
        BENS.external_id,
    ) == [(None, None)]
    assert full.forgotten().has_quoted(key_of(ANAS.external_id).stanza_id, None)
    assert CLUB not in full.checkpoints() or full.checkpoints()[CLUB].sent_at <= ANAS.ts
    assert full.checkpoints().get(CLUB) != Checkpoint(ANAS.external_id, ANAS.ts)


def test_what_a_quote_may_show_of_it_is_known_again_by_a_hash(database, full):
    full.erase(Wish("message", ANAS.external_id), NOW, (), ["What only the spool held"])

    known = full.forgotten()

    assert known.has_quote(ANAS.content_snippet, None)
    assert known.has_quote("What only the spool held", None)
    assert not known.has_quote(BENS.content_snippet, "Ana")
    full.erase(Wish("contact", ANA), NOW)
    known = full.forgotten()
    assert all(known.has_quote(None, name) for name in ("Ana Kettle", "~ana!"))
    assert not known.has_quote(BENS.content_snippet, "Ben")


def test_the_change_feed_names_what_is_gone_to_those_who_had_it_only(database, full):
    full.erase(Wish("message", ANAS.external_id), NOW)

    assert rows(
        database,
        "SELECT reason, external_id, thread_external_id FROM tombstones ORDER BY change_seq DESC LIMIT 1",
    ) == [("forgotten", None, None)]
    kept_elsewhere = rows(
        database,
        "SELECT u.key FROM unnest(%s::text[]) AS u (key) JOIN tombstones t"
        " ON t.key_sha256 = encode(sha256(convert_to(u.key, 'UTF8')), 'hex')",
        [TEXT.external_id, ANAS.external_id, VANISHED.external_id],
    )
    assert set(kept_elsewhere) == {(ANAS.external_id,), (VANISHED.external_id,)}


@pytest.mark.parametrize(
    "wish", [Wish("contact", ANA), Wish("chat", CLUB), Wish("message", TEXT.external_id)]
)
def test_what_is_foreseen_is_what_is_removed(database, full, wish):
    before = row_versions(database)

    foreseen = full.foresee_erasure(wish, NOW)

    assert {**row_versions(database), "change_counter": None} == {**before, "change_counter": None}
    assert foreseen.counts["messages"] > 0
    assert full.erase(wish, NOW) == foreseen


@pytest.mark.parametrize("kind", ["message", "chat", "contact"])
def test_an_unknown_id_removes_and_notes_nothing(database, full, kind):
    unknown = Wish(kind, "false_49123@c.us_3EB0NOBODY" if kind == "message" else "49123@c.us")

    erasure = full.erase(unknown, NOW)

    assert (erasure.counts, erasure.was_forgotten) == ({}, False)
    assert rows(database, "SELECT count(*) FROM forgotten") == [(0,)]


def test_the_same_wish_again_says_that_it_was_done(full):
    full.erase(Wish("chat", ANA), NOW)

    again = full.erase(Wish("chat", ANA_LID), NOW)

    assert (again.counts, again.was_forgotten) == ({}, True)


def test_equal_ids_have_other_hashes_in_another_database(database, full):
    full.erase(Wish("contact", ANA), NOW)
    first = set(rows(database, "SELECT digest FROM forgotten"))
    with database.connect() as connection:
        connection.execute("TRUNCATE forgotten, forget_key")
    full.apply_directory([make_thread()], (), (), (), run_id=3, now=NOW)

    full.erase(Wish("contact", ANA), NOW)

    assert first.isdisjoint(rows(database, "SELECT digest FROM forgotten"))


def test_a_file_that_cannot_be_removed_is_tried_again(full, tmp_path):
    full.note_removed(full.unused_files())
    full.erase(Wish("contact", ANA), NOW)
    path = PICTURE.attachments[0].file_path
    (tmp_path / path).mkdir(parents=True)  # where a file should be

    def at_root(relative):
        remove(relative, tmp_path)

    assert set(remove_unused_files(full, at_root)) == {path}
    (tmp_path / path).rmdir()
    (tmp_path / path).write_bytes(b"picture")
    assert remove_unused_files(full, at_root) == {}
    assert not (tmp_path / path).exists()
    assert full.unused_files() == ()


def test_a_file_that_a_plan_saved_for_nothing_is_removed_unless_a_message_has_it(full):
    full.note_removed(full.unused_files())
    owned = PICTURE.attachments[0].file_path
    full.apply(make_plan(make_message(9), unused_files=(owned, "aa/bb/nobody.jpg")), 3)

    assert full.unused_files() == ("aa/bb/nobody.jpg",)


def test_a_file_that_a_message_has_again_is_not_removed(database, full):
    full.note_removed(full.unused_files())
    full.erase(Wish("message", PICTURE.external_id), NOW)
    full.apply(make_plan(make_image(2, stanza_id="3EB0AGAIN")), 3)

    assert full.unused_files() == ()


def test_a_writer_that_holds_the_account_is_not_disturbed(database, full):
    with (
        Store(database, patience=timedelta(milliseconds=50)) as other,
        pytest.raises(WriterBusyError),
    ):
        other.erase(Wish("chat", ANA), NOW)
