"""Which generation counts, what is removed, who may use the session, and when it is fetched."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.vault import INDEXED, KEY, LOCAL, NOW, fill
from whatsapp_etl.errors import GenerationDamagedError, VaultKeyError
from whatsapp_etl.vault.archive import Contents
from whatsapp_etl.vault.generations import (
    Manifest,
    Part,
    Pointer,
    is_newer_chromium,
    kept_generations,
    manifest_path,
    next_generation,
    part_path,
    read_manifest,
    read_pointer,
    restorable,
    to_prune,
    write_manifest,
    write_pointer,
)
from whatsapp_etl.vault.lease import VALID_FOR, Claim, Holder, is_free
from whatsapp_etl.vault.placing import (
    Condition,
    Note,
    condition_of,
    needs_restoring,
    put_in_place,
    read_note,
    recover,
    write_note,
)
from whatsapp_etl.vault.sealing import VaultKey

MANIFEST = Manifest(7, NOW, "tern", "abc", "156.0.1", (Part(10, "aa"), Part(3, "bb")), Contents(2, 99, "cc"))
A = Holder("tern", 12, "a")
B = Holder("heron", 12, "b")


def kept(*complete, remains=()):
    return kept_generations(
        (path, 1, NOW)
        for number in (*complete, *remains)
        for path in (part_path(number, 0), *([manifest_path(number)] if number in complete else []))
    )


# --- generations ---------------------------------------------------------------------------------


def test_a_manifest_says_what_was_written():
    assert read_manifest(write_manifest(MANIFEST, KEY), KEY, 7) == MANIFEST


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b'"156.0.1"', b'"999.0.1"'),
        lambda text: text[:-1],
        lambda text: text[: len(text) // 2],
        lambda _text: b"",
        lambda _text: b"[]",
        lambda text: text.replace(b'"mac"', b'"nothing"'),
        lambda text: text.replace(b'"generation": 7', b'"generation": 8'),
    ],
)
def test_a_manifest_that_was_changed_is_damaged(change):
    with pytest.raises(GenerationDamagedError, match="Generation 7 is damaged"):
        read_manifest(change(write_manifest(MANIFEST, KEY)), KEY, 7)


def test_a_manifest_in_anothers_place_is_damaged():
    with pytest.raises(GenerationDamagedError, match="another's"):
        read_manifest(write_manifest(MANIFEST, KEY), KEY, 8)


def test_a_manifest_under_another_key_is_no_damage():
    with pytest.raises(VaultKeyError):
        read_manifest(write_manifest(MANIFEST, KEY), VaultKey(bytes(32)), 7)


def test_a_pointer_says_what_was_written_and_a_broken_one_is_told():
    assert read_pointer(write_pointer(Pointer(3, 7, 21)), 3) == Pointer(3, 7, 21)
    for text in (None, b"", b"{}", b"[1]", b'{"generation": "x", "lease": 1}'):
        with pytest.raises(GenerationDamagedError):
            read_pointer(text, 3)


def test_the_current_generation_is_tried_first_and_none_above_it():
    generations = kept(1, 2, 4, 5, remains=(3, 6))

    assert restorable(generations, Pointer(9, 4, 1)) == (4, 2, 1)
    assert restorable(generations, Pointer(9, 3, 1)) == (3, 2, 1)
    assert restorable(generations, Pointer(9, 0, 1)) == ()
    assert restorable(generations, None) == ()


def test_a_new_generation_has_a_number_above_all_remains():
    assert next_generation((), None) == 1
    assert next_generation(kept(1, remains=(4,)), Pointer(1, 1, 1)) == 5
    assert next_generation((), Pointer(1, 3, 1)) == 4


def test_the_newest_stay_and_remains_below_the_current_one_go():
    generations = kept(1, 2, 3, 5, 6, remains=(4, 7))

    assert [each.number for each in to_prune(generations, 6, keep=2)] == [1, 2, 3, 4]
    assert [each.number for each in to_prune(generations, 6, keep=10)] == [4]
    assert [each.number for each in to_prune(generations, 5, keep=1)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("wrote", "here", "is_newer"),
    [("156.0.1", "156.9.9", False), ("157.0", "156.0", True), ("99.0", "100.0", False), ("", "1.0", False)],
)
def test_only_a_newer_release_of_chromium_is_one(wrote, here, is_newer):
    assert is_newer_chromium(wrote, here) is is_newer


# --- the lease -----------------------------------------------------------------------------------

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("claim", "age", "predecessor", "expected"),
    [
        (None, MINUTE, None, True),
        (Claim(1, B, 10 * MINUTE), 9 * MINUTE, None, False),
        (Claim(1, B, 10 * MINUTE), 11 * MINUTE, None, True),
        (Claim(1, B, 10 * MINUTE, is_released=True), MINUTE, None, True),
        (Claim(1, A, 10 * MINUTE), MINUTE, None, True),
        # The process that had it before on this very profile is dead: its lock was free.
        (Claim(1, Holder("tern", 3, "old"), 10 * MINUTE), MINUTE, Holder("tern", 3, "old"), True),
        # A copy of that profile on another machine.
        (Claim(1, Holder("heron", 3, "old"), 10 * MINUTE), MINUTE, Holder("heron", 3, "old"), False),
        (Claim(1, Holder("tern", 3, "new"), 10 * MINUTE), MINUTE, Holder("tern", 3, "old"), False),
    ],
)
def test_the_lease_is_free_when_its_holder_is_gone(claim, age, predecessor, expected):
    assert is_free(claim, age, A, predecessor) is expected


def test_a_claim_says_what_was_written_and_one_that_cannot_be_read_holds_too():
    claim = Claim(4, B, 3 * MINUTE, is_released=True)

    assert Claim.from_bytes(4, claim.to_bytes()) == claim
    for text in (None, b"", b"[]", b'{"host": 1}'):
        unknown = Claim.from_bytes(4, text)
        assert not is_free(unknown, MINUTE, A, None)
        assert is_free(unknown, VALID_FOR + MINUTE, A, None)


# --- the profile ---------------------------------------------------------------------------------


def test_a_profile_is_whole_when_both_parts_have_their_index(tmp_path):
    assert condition_of(tmp_path / "none") is Condition.EMPTY
    (tmp_path / "Default/IndexedDB").mkdir(parents=True)
    assert condition_of(tmp_path) is Condition.EMPTY

    fill(tmp_path)
    assert condition_of(tmp_path) is Condition.WHOLE

    (tmp_path / INDEXED / "MANIFEST-000001").unlink()
    assert condition_of(tmp_path) is Condition.BROKEN


@pytest.mark.parametrize("breaks", ["CURRENT", "", "MANIFEST-000009", "../../x", "\udcff"])
def test_an_index_that_leads_nowhere_breaks_a_profile(tmp_path, breaks):
    fill(tmp_path)
    (tmp_path / LOCAL / "CURRENT").write_bytes(breaks.encode(errors="surrogateescape"))

    assert condition_of(tmp_path) is Condition.BROKEN


@pytest.mark.parametrize(
    ("condition", "is_linked", "seen", "current", "expected"),
    [
        (Condition.EMPTY, False, 0, None, False),
        (Condition.EMPTY, False, 0, 1, True),
        (Condition.BROKEN, True, 1, 1, True),
        (Condition.WHOLE, False, 0, 1, True),
        (Condition.WHOLE, True, 3, 3, False),
        (Condition.WHOLE, True, 3, 4, True),
        (Condition.WHOLE, True, 4, 3, False),
        # A login of its own, which the store never saw, is not thrown away.
        (Condition.WHOLE, True, 0, 4, False),
    ],
)
def test_a_session_is_fetched_where_there_is_none_or_an_older_one(
    condition, is_linked, seen, current, expected
):
    assert needs_restoring(condition, is_linked=is_linked, seen=seen, current=current) is expected


def test_a_swap_that_is_cut_off_at_any_rename_is_completed_or_undone(tmp_path):
    for name, there in {
        "before the first": {"Default": "old", "Default.restored": "new"},
        "before the second": {"Default.before": "old", "Default.restored": "new"},
        "after the second": {"Default": "new", "Default.before": "old"},
        "without a new one": {"Default.before": "old"},
    }.items():
        profile = tmp_path / name
        for folder, word in there.items():
            (profile / folder).mkdir(parents=True)
            (profile / folder / "word").write_text(word)

        recover(profile)

        expected = {"before the first": "old", "without a new one": "old"}.get(name, "new")
        assert (profile / "Default/word").read_text() == expected
        assert not (profile / "Default.restored").exists()


def test_what_was_there_before_stays_beside_what_was_put_in_place(tmp_path):
    fill(tmp_path / "profile", word="old")
    fill(tmp_path / "unpacked", word="new")

    put_in_place(tmp_path / "profile", tmp_path / "unpacked")

    assert (tmp_path / "profile" / INDEXED / "000003.log").read_text() == "new"
    before = tmp_path / "profile" / INDEXED.replace("Default", "Default.before")
    assert (before / "000003.log").read_text() == "old"


def test_a_profile_remembers_what_it_saw_of_the_store(tmp_path):
    assert read_note(tmp_path) == Note()

    write_note(tmp_path, Note(4, A))
    assert read_note(tmp_path) == Note(4, A)

    (tmp_path / "whatsapp-etl.vault").write_text("{")
    assert read_note(tmp_path) == Note()


def test_times_of_generations_are_those_of_their_newest_object():
    later = datetime(2026, 4, 1, tzinfo=UTC)
    (one,) = kept_generations([(part_path(1, 0), 5, NOW), (manifest_path(1), 2, later)])

    assert (one.written_at, one.size_bytes, one.has_manifest) == (later, 7, True)
