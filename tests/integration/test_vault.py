"""Sessions kept and brought back: a folder as the store, and a server that speaks the S3 protocol."""

import json
import shutil
from datetime import timedelta

import pytest

from tests.fixtures.vault import INDEXED, LOCAL, NOW, everything_in, fill, word_in
from whatsapp_etl.errors import (
    GenerationDamagedError,
    NoGenerationError,
    ProfileLockedError,
    VaultKeyError,
    VaultMismatchError,
)
from whatsapp_etl.extract.profile import Profile
from whatsapp_etl.vault.generations import PART_BYTES
from whatsapp_etl.vault.sealing import VaultKey


def objects_of(tmp_path, generation=None):
    """Return the files of the store in a folder: all, or one generation's."""
    root = tmp_path / "store"
    wanted = root if generation is None else root / f"generations/{generation:012}"
    return sorted(path for path in wanted.rglob("*") if path.is_file())


def moved(machine):
    """Return two machines after the session of the first was kept and its lease given back."""
    first = machine("a", filled="first")
    first.keeper.backup()
    first.keeper.close()
    return first, machine("b")


@pytest.mark.parametrize("place", ["file", "s3"])
def test_a_session_moves_from_one_machine_to_another_and_back(machine, request, place):
    url = request.getfixturevalue("s3_url") if place == "s3" else None
    first, second = machine("a", filled="first", url=url), machine("b", url=url)
    first.keeper.before_start()
    first.keeper.after_close(is_worth_keeping=True, is_last=True)

    second.keeper.before_start()
    assert word_in(second.folder) == "first"
    assert Profile(second.folder).was_linked
    assert not (second.folder / "Default/Cache").exists()

    fill(second.folder, word="second")
    second.keeper.after_close(is_worth_keeping=True, is_last=True)
    first.begin()
    first.keeper.before_start()

    assert word_in(first.folder) == "second"
    assert [(each.kept.number, each.is_current) for each in first.keeper.listed()] == [(2, True), (1, False)]


def test_nothing_of_the_session_can_be_read_in_the_store(machine, tmp_path):
    it = machine("a", filled="a word to look for", account="15550001111@c.us")

    it.keeper.backup()

    for path in objects_of(tmp_path):
        assert b"a word" not in path.read_bytes()
        assert b"1555000" not in path.read_bytes()
    told = json.loads((objects_of(tmp_path, 1)[0]).read_bytes())
    assert told["account_hash"] == it.key.account_hash("15550001111@c.us")


def test_a_large_session_is_stored_in_parts(machine, tmp_path):
    it = machine("a")
    fill(it.folder, size=2 * PART_BYTES + 5)
    before = everything_in(it.folder)

    manifest = it.keeper.backup()
    shutil.rmtree(it.folder / "Default")
    it.keeper.restore()

    assert [part.size_bytes == PART_BYTES for part in manifest.parts] == [True, True, False]
    assert len(objects_of(tmp_path, 1)) == 4
    after = everything_in(it.folder)
    assert after == {name: before[name] for name in after}
    assert f"{INDEXED}/000004.ldb" in after
    assert not (it.folder / "whatsapp-etl.work").exists()


def test_a_profile_that_is_ahead_or_was_kept_is_left_alone(machine):
    it = machine("a", filled="first")
    it.keeper.before_start()
    it.keeper.after_close(is_worth_keeping=True, is_last=True)
    fill(it.folder, word="went on, and crashed")
    it.begin()

    it.keeper.before_start()

    assert word_in(it.folder) == "went on, and crashed"


def test_a_login_that_the_store_never_saw_is_not_replaced(machine):
    moved(machine)
    own = machine("c", filled="own login")

    own.keeper.before_start()

    assert word_in(own.folder) == "own login"


def test_another_account_is_not_kept_in_the_same_store(machine):
    first, _ = moved(machine)
    other = machine("c", filled="other", account="fabio")
    before = first.found()

    with pytest.raises(VaultMismatchError, match="another account"):
        other.keeper.backup()

    assert [each.kept.number for each in other.keeper.listed() if each.is_current] == [1]
    assert before <= first.found()


def test_a_broken_profile_is_replaced_by_the_newest_generation(machine):
    first, _ = moved(machine)
    (first.folder / LOCAL / "MANIFEST-000001").unlink()
    first.begin()

    first.keeper.before_start()

    assert word_in(first.folder) == "first"
    assert (first.folder / LOCAL / "MANIFEST-000001").exists()
    assert (first.folder / "Default.before").exists()
    first.keeper.backup()
    assert not (first.folder / "Default.before").exists()


def damage_part(folder):
    (folder / "part-0000").write_bytes((folder / "part-0000").read_bytes()[:-1])


def damage_bit(folder):
    data = bytearray((folder / "part-0000").read_bytes())
    data[100] ^= 1
    (folder / "part-0000").write_bytes(data)


def damage_manifest(folder):
    (folder / "manifest").write_bytes((folder / "manifest").read_bytes()[:50])


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(damage_bit, id="bit"),
        pytest.param(damage_manifest, id="half manifest"),
        pytest.param(shutil.rmtree, id="nothing"),
        pytest.param(damage_part, id="short part", marks=pytest.mark.matrix),
        pytest.param(lambda folder: (folder / "part-0000").unlink(), id="no part", marks=pytest.mark.matrix),
        pytest.param(
            lambda folder: (folder / "manifest").unlink(), id="no manifest", marks=pytest.mark.matrix
        ),
        pytest.param(
            lambda folder: (folder / "part-0000").write_bytes(b"x" * 9_000_000),
            id="long part",
            marks=pytest.mark.matrix,
        ),
    ],
)
def test_a_damaged_generation_is_passed_over_for_the_one_before(machine, tmp_path, damage):
    it = machine("a", filled="first")
    it.keeper.backup()
    fill(it.folder, word="second")
    it.keeper.backup()
    it.keeper.close()
    damage(tmp_path / "store/generations/000000000002")
    other = machine("b")

    with pytest.raises(GenerationDamagedError):
        other.keeper.verify()
    other.keeper.before_start()

    assert word_in(other.folder) == "first"
    # The damaged one is not fetched again and again: the next backup is above it.
    other.keeper.after_close(is_worth_keeping=True, is_last=True)
    assert [each.kept.number for each in other.keeper.listed() if each.is_current] in ([2], [3])
    assert other.keeper.verify().generation >= 2


def test_a_pointer_that_cannot_be_read_leaves_the_one_before(machine, tmp_path):
    first, second = moved(machine)
    fill(first.folder, word="second")
    first.keeper.backup()
    first.keeper.close()
    (tmp_path / "store/current/000000000002").write_bytes(b"{")

    second.keeper.before_start()
    assert word_in(second.folder) == "first"
    second.keeper.after_close(is_worth_keeping=True, is_last=True)

    third = machine("c")
    third.keeper.before_start()
    assert word_in(third.folder) == "first"
    assert [each.kept.number for each in third.keeper.listed() if each.is_current] == [3]


def test_when_nothing_is_whole_the_profile_stays_as_it_is(machine, tmp_path):
    first, _ = moved(machine)
    damage_bit(tmp_path / "store/generations/000000000001")
    (first.folder / LOCAL / "CURRENT").unlink()
    before = everything_in(first.folder)
    first.begin()

    with pytest.raises(NoGenerationError, match="Part 0 of generation 1 is damaged"):
        first.keeper.before_start()

    assert everything_in(first.folder) == before


def test_the_wrong_key_is_told_and_changes_nothing(machine):
    _, second = moved(machine)
    second = machine("b", key=VaultKey(bytes(32)))

    for attempt in (
        second.keeper.before_start,
        second.keeper.restore,
        second.keeper.verify,
        second.keeper.listed,
    ):
        with pytest.raises(VaultKeyError, match="sealed with another key"):
            attempt()

    assert everything_in(second.folder) == {}


def test_a_session_of_a_newer_chromium_is_not_given_to_an_older_one(machine):
    moved(machine)
    old = machine("b", chromium="155.9.9.9")

    with pytest.raises(VaultMismatchError, match=r"Chromium 156\.0\.1\.2; 155\.9\.9\.9"):
        old.keeper.before_start()

    assert everything_in(old.folder) == {}


def test_old_generations_and_remains_are_removed(machine):
    it = machine("a", filled="word", keep=2)
    it.objects.create("generations/000000000001/part-0000", b"of a backup that was cut off")
    for _ in range(4):
        it.keeper.backup()

    assert [each.kept.number for each in it.keeper.listed()] == [5, 4]
    assert {path.split("/")[1] for path in it.found() if path.startswith("generations")} == {
        "000000000004",
        "000000000005",
    }


def test_a_named_generation_is_restored_and_an_unknown_one_told(machine):
    it = machine("a", filled="first")
    it.keeper.backup()
    fill(it.folder, word="second")
    it.keeper.backup()

    assert it.keeper.restore(1).generation == 1
    assert word_in(it.folder) == "first"
    with pytest.raises(NoGenerationError, match="no generation 7; there are: 1, 2"):
        it.keeper.restore(7)


def test_what_holds_no_login_is_not_kept(machine):
    empty, logged_out = machine("a"), machine("b", filled="x", account="")

    with pytest.raises(VaultMismatchError, match="no login"):
        empty.keeper.backup()
    empty.keeper.close()
    with pytest.raises(GenerationDamagedError, match="holds no login"):
        logged_out.keeper.backup()

    assert not [path for path in logged_out.found() if path.startswith("current/")]


def test_a_cleared_store_is_empty_and_begins_anew(machine):
    first, second = moved(machine)

    assert first.keeper.clear() == 1
    assert first.keeper.listed() == ()
    with pytest.raises(NoGenerationError, match="empty"):
        first.keeper.restore()
    first.keeper.close()
    second.keeper.before_start()
    assert everything_in(second.folder) == {}
    second.keeper.close()

    first.begin()
    first.keeper.backup()
    first.keeper.close()
    second.begin()
    second.keeper.before_start()
    assert word_in(second.folder) == "first"


def test_a_profile_that_a_browser_has_is_neither_kept_nor_replaced(machine):
    first, _ = moved(machine)
    with Profile(first.folder):
        for attempt in (
            first.keeper.backup,
            first.keeper.restore,
            first.keeper.before_start,
            first.keeper.clear,
        ):
            with pytest.raises(ProfileLockedError):
                attempt()
        assert first.keeper.verify().generation == 1


# --- when it is kept -----------------------------------------------------------------------------


def test_a_session_is_kept_when_it_is_due_and_at_the_end(machine):
    it = machine("a", filled="word")
    numbers = []

    def closed(hours, *, is_worth_keeping=True, is_last=False):
        it.now = NOW + timedelta(hours=hours)
        it.keeper.before_start()
        it.keeper.after_close(is_worth_keeping=is_worth_keeping, is_last=is_last)
        numbers.append(len(it.keeper.listed()))

    closed(0)
    closed(1)
    closed(6)
    closed(13, is_worth_keeping=False)
    closed(14, is_worth_keeping=False, is_last=True)
    closed(14, is_last=True)

    assert numbers == [1, 1, 2, 2, 2, 3]


def test_a_session_that_was_worth_keeping_is_kept_at_the_end_though_no_browser_was_open(machine):
    it = machine("a", filled="word")
    it.keeper.before_start()
    it.keeper.after_close(is_worth_keeping=True, is_last=False)
    it.keeper.after_close(is_worth_keeping=True, is_last=False)

    it.keeper.after_close(is_worth_keeping=False, is_last=True)

    assert len(it.keeper.listed()) == 2
