"""Pages in the other form of what is described in two: the same account, read to the same messages."""

import pytest

from tests.fixtures.cycle import assert_in_step
from whatsapp_etl.model import RunStatus


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("profile", "variants"),
    [
        ("apr26", ("album_first_id",)),
        ("aug26", ("album_first_id", "album_tile_ids")),
        ("nov26", ("album_tile_ids", "grouped_stickers")),
    ],
)
def test_each_picture_of_an_album_is_stored_once_whatever_its_row_is_called(account, profile, variants):
    world = {"repertoire": "everything", "messages": 10, "chats": 1, "profile": profile}
    it = account(world={**world, "page_variants": variants})

    report = it.sync()

    assert (report.status, report.missing, report.rejects) == (RunStatus.SUCCESS, 0, 0)
    assert_in_step(it)
    albums = it.query(
        "SELECT array_agg(m.album_position ORDER BY m.ts, m.album_position), count(DISTINCT m.external_id),"
        " count(*) FILTER (WHERE a.state = 'stored' AND a.is_verified = 1) FROM messages m"
        " JOIN attachments a ON a.message_id = m.id WHERE m.album_id IS NOT NULL"
        " GROUP BY m.thread_external_id, m.sender_id ORDER BY 2"
    )
    assert [positions for positions, *_ in albums] == [list(range(count)) for count in (4, 4, 5, 6)]
    assert [stored for *_, stored in albums] == [4, 4, 4, 4]
    assert it.sync().chats_opened == 0


@pytest.mark.matrix
@pytest.mark.parametrize("variants", [(), ("album_first_id",)])
def test_a_picture_is_found_in_an_album_whose_row_names_others(account, variants):
    world = {"repertoire": "everything", "messages": 10, "chats": 1, "page_variants": variants}
    it = account(world)
    assert it.sync().status is RunStatus.SUCCESS
    lost = it.query(
        "DELETE FROM messages WHERE album_position = 2 AND thread_external_id LIKE '%%@c.us' RETURNING id"
    )

    report = it.sync()

    assert (len(lost), report.applied.inserted, report.missing) == (2, 2, 0)
    assert_in_step(it)


@pytest.mark.matrix
def test_cards_that_no_storage_lists_are_neither_stored_nor_rejected(account):
    it = account(world={"chats": 13, "messages": 120, "page_variants": ("context_cards",)})

    report = it.sync()

    assert (report.status, report.missing, report.rejects) == (RunStatus.SUCCESS, 0, 0)
    assert_in_step(it)
    assert it.sync().chats_opened == 0


@pytest.mark.matrix
def test_without_the_storage_cards_are_not_taken_for_messages(account):
    it = account(world={"chats": 2, "messages": 20, "page_variants": ("context_cards",)})
    it.simulator.set_config(hidden_idb=True)

    report = it.sync()

    assert (report.read_by, report.rejects) == ("chat_list", 0)
    assert it.truth("page")
    result = it.judged("page")
    assert result.is_equal, str(result)
