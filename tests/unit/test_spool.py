"""The spool: what a file of it holds, in which order files come back, and how much is kept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.captured import NOW, make_captured
from whatsapp_etl.errors import SpoolDamagedError, SpoolFullError
from whatsapp_etl.forgotten import Forgotten
from whatsapp_etl.model import SpoolFacts
from whatsapp_etl.spool.folder import Spool
from whatsapp_etl.spool.format import packed, unpacked
from whatsapp_etl.spool.memory import Memory

MANY = 1_000_000
MEMORY = Memory(
    account=bytes(range(64)),
    is_shield_alarmed=True,
    forgotten=Forgotten(b"key", frozenset({b"one", b"two"})),
    key=b"another key",
    revisions={2**64 - 1: 0, 5: 2**63},
)


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool", MANY)


def test_a_chat_comes_back_as_it_was():
    captured = make_captured(1, 2, 3)

    assert unpacked(packed(captured)) == captured


def test_half_a_surrogate_pair_survives():
    captured = make_captured(1)
    odd = replace(captured, parsed=(replace(captured.parsed[0], text="\ud83d and no more"),))

    assert unpacked(packed(odd)) == odd


def test_a_chat_whose_storage_was_not_read_comes_back_without_facts():
    captured = replace(make_captured(1), facts=None)

    assert unpacked(packed(captured)).facts is None


@pytest.mark.parametrize("length", range(0, 400, 7))
def test_a_file_that_is_cut_short_is_damaged_wherever_it_ends(length):
    data = packed(make_captured(1))
    assert length < len(data)

    with pytest.raises(SpoolDamagedError):
        unpacked(data[:length])


def test_a_file_with_another_byte_is_damaged():
    data = bytearray(packed(make_captured(1)))
    data[-30] ^= 1

    with pytest.raises(SpoolDamagedError, match="checksum"):
        unpacked(bytes(data))


def test_a_file_of_another_version_is_told_as_that():
    data = packed(make_captured(1)).replace(b"whatsapp-etl-spool 1 ", b"whatsapp-etl-spool 2 ", 1)

    with pytest.raises(SpoolDamagedError, match="version 2, not 1"):
        unpacked(data)


def test_what_is_whole_and_no_captured_chat_is_damaged(monkeypatch):
    with monkeypatch.context() as other:
        other.setattr("whatsapp_etl.spool.format.plain", lambda _: {"chat": {"id": "491555000001@c.us"}})
        data = packed(make_captured(1))

    with pytest.raises(SpoolDamagedError, match="TypeError") as told:
        unpacked(data)
    assert "491555000001" not in str(told.value)


def test_chats_come_back_in_the_order_in_which_they_were_kept_also_after_a_restart(spool, tmp_path):
    first = spool.put(make_captured(1, observed_at=NOW))
    # The clock was set back: the order is that of keeping, not of the clock.
    second = spool.put(make_captured(2, observed_at=NOW - timedelta(hours=1)))
    third = Spool(tmp_path / "spool", MANY).put(make_captured(3, observed_at=NOW - timedelta(hours=2)))

    assert spool.names() == (first, second, third)
    assert spool.read(second) == make_captured(2, observed_at=NOW - timedelta(hours=1))


def test_a_number_is_never_used_twice_while_the_program_runs(spool):
    first = spool.put(make_captured(1))
    spool.remove(first)

    assert spool.put(make_captured(1)) > first


def test_folder_and_files_are_the_owners_alone(spool, tmp_path):
    name = spool.put(make_captured(1))

    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "spool" / name).stat().st_mode & 0o777 == 0o600


def test_it_tells_how_much_waits_and_since_when(spool, tmp_path):
    assert spool.facts() == SpoolFacts()
    names = [spool.put(make_captured(1, observed_at=NOW + timedelta(minutes=n))) for n in range(3)]
    spool.set_aside(names[0])

    held = sum((tmp_path / "spool" / name).stat().st_size for name in names[1:])
    assert spool.facts() == SpoolFacts(2, held, NOW + timedelta(minutes=1), set_aside=1)


def test_a_chat_beyond_the_bound_is_refused_and_nothing_else_is_lost(tmp_path):
    size = len(packed(make_captured(1)))
    spool = Spool(tmp_path / "spool", size * 2 - 1)
    kept = spool.put(make_captured(1))
    assert not spool.is_full

    with pytest.raises(SpoolFullError, match="SPOOL_MAX_BYTES"):
        spool.put(make_captured(2))

    assert spool.is_full
    assert spool.names() == (kept,)
    spool.remove(kept)
    assert not spool.is_full
    spool.put(make_captured(2))


def test_what_is_set_aside_counts_until_it_is_removed(tmp_path):
    size = len(packed(make_captured(1)))
    spool = Spool(tmp_path / "spool", size * 2 - 1)
    spool.set_aside(spool.put(make_captured(1)))

    with pytest.raises(SpoolFullError, match="SPOOL_MAX_BYTES"):
        spool.put(make_captured(2))

    assert spool.is_full
    spool.remove_set_aside()
    assert not spool.is_full
    spool.put(make_captured(2))


def test_a_bound_of_zero_keeps_nothing(tmp_path):
    spool = Spool(tmp_path / "spool", 0)

    assert spool.is_full
    with pytest.raises(SpoolFullError):
        spool.put(make_captured(1))
    assert not spool.keep_memory(MEMORY)
    assert not (tmp_path / "spool").exists()


def test_a_folder_that_cannot_be_made_is_a_full_spool(tmp_path):
    (tmp_path / "spool").write_bytes(b"in the way")
    spool = Spool(tmp_path / "spool", MANY)

    with pytest.raises(SpoolFullError, match="SPOOL_DIR takes no more files"):
        spool.put(make_captured(1))
    assert spool.is_full


def test_what_is_set_aside_is_out_of_the_way_and_goes_after_a_while(spool, tmp_path):
    old = spool.put(make_captured(1, observed_at=NOW - timedelta(days=8)))
    young = spool.put(make_captured(2, observed_at=NOW))
    for name in (old, young):
        spool.set_aside(name)
    (tmp_path / "spool" / "aside" / "stranger.chat").touch()

    assert spool.names() == ()
    assert spool.remove_set_aside(NOW - timedelta(days=7)) == 2
    assert spool.set_aside_names() == (young,)
    assert spool.remove_set_aside() == 1


def test_a_file_that_is_gone_is_damaged_when_read_and_no_error_when_removed(spool):
    name = spool.put(make_captured(1))
    spool.remove(name)
    spool.remove(name)

    with pytest.raises(SpoolDamagedError, match="ENOENT"):
        spool.read(name)


def test_pictures_of_waiting_chats_are_in_use(spool, tmp_path):
    name = spool.put(make_captured(1, picture="ab/cd/abcd.jpg"))
    damaged = spool.put(make_captured(2, picture="ef/ab/efab.jpg"))
    (tmp_path / "spool" / damaged).write_bytes(b"")

    assert spool.file_paths() == {"ab/cd/abcd.jpg"}
    spool.remove(name)
    assert spool.file_paths() == set()


def test_other_files_in_the_folder_are_left_alone(spool, tmp_path):
    spool.put(make_captured(1))
    (tmp_path / "spool" / "notes.chat").write_bytes(b"a person's")

    assert spool.facts().batches == 1
