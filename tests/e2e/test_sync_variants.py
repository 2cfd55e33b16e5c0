"""Pages in the other form of what is described in two: the same account, read to the same messages."""

import pytest

from tests.fixtures.cycle import assert_in_step
from whatsapp_etl.model import RunStatus


@pytest.mark.parametrize(
    ("profile", "variants"),
    [
        ("apr26", ("album_first_id",)),
        ("aug26", ("album_first_id", "album_tile_ids")),
        ("nov26", ("album_tile_ids",)),
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
