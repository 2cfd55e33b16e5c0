import stat
from datetime import UTC, datetime, timedelta

from whatsapp_etl.extract.snapshot import KEPT_FOR, write_snapshot

NOW = datetime(2026, 8, 23, 12, 0, tzinfo=UTC)


def write(folder, now=NOW, reason="drift"):
    return write_snapshot("<p>xxxxx</p>", folder, reason, now)


def test_a_snapshot_holds_what_it_was_given(tmp_path):
    path = write(tmp_path / "snapshots")

    assert path.read_text(encoding="utf-8") == "<p>xxxxx</p>"


def test_a_snapshot_is_readable_by_its_owner_only(tmp_path):
    path = write(tmp_path / "snapshots")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_two_snapshots_of_different_instants_stay_side_by_side(tmp_path):
    write(tmp_path)
    write(tmp_path, NOW + timedelta(microseconds=1))

    assert len(list(tmp_path.iterdir())) == 2


def test_snapshots_are_removed_after_a_week(tmp_path):
    old = write(tmp_path)
    kept = write(tmp_path, NOW + timedelta(minutes=1))

    write(tmp_path, NOW + KEPT_FOR + timedelta(seconds=1))

    assert not old.exists()
    assert kept.exists()


def test_files_that_are_no_snapshots_are_left_alone(tmp_path):
    other = tmp_path / "notes.html"
    other.touch()

    write(tmp_path)

    assert other.exists()
