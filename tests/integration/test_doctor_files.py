"""`whatsapp-etl doctor --deep`: stored files against their rows, on a real disk and database."""

import os
import tracemalloc
from dataclasses import replace

from tests.fixtures.captured import make_captured
from tests.fixtures.doctor import found, only
from tests.fixtures.load import NOW, make_image, make_message, make_plan
from whatsapp_etl.attachments.files import checksum_of, save
from whatsapp_etl.doctor import attachments
from whatsapp_etl.doctor.findings import Outcome, exit_code_of
from whatsapp_etl.spool.folder import Spool


def stored_picture(installation, number, **changes):
    """Save a picture and return the message that carries it."""
    file = save(b"\xff\xd8\xff picture " + str(number).encode(), installation.attachments_dir)
    message = make_image(number, **changes)
    (attachment,) = message.attachments
    return replace(
        message,
        attachments=(
            replace(
                attachment,
                file_path=file.relative_path,
                checksum=file.sha256,
                size_bytes=file.size_bytes,
            ),
        ),
    )


def path_of(installation, message):
    return installation.attachments_dir / message.attachments[0].file_path


def make_old(path):
    os.utime(path, (0, 0))


def test_stored_files_are_compared_with_their_rows_and_rows_with_the_files(store, installation, monkeypatch):
    monkeypatch.setattr("whatsapp_etl.load.attachment_store._FILES_PAGE", 2)  # several pages
    pictures = [stored_picture(installation, number) for number in range(1, 7)]
    store.apply(make_plan(*pictures, make_image(9, stored=False)), store.begin_run(NOW))
    fine = only(attachments.stored_files, installation)
    assert (fine.outcome, fine.told[:11]) == (Outcome.OK, "6 are there")

    damaged, shorter, gone, *_ = [path_of(installation, picture) for picture in pictures]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    shorter.write_bytes(shorter.read_bytes()[:-1])
    gone.unlink()
    orphan = installation.attachments_dir / save(b"no row's", installation.attachments_dir).relative_path
    unfinished = installation.attachments_dir / ".part-left"
    unfinished.touch()
    fresh = installation.attachments_dir / save(b"row comes", installation.attachments_dir).relative_path
    for path in (orphan, unfinished):
        make_old(path)

    findings = {each.code: each for each in found(attachments.stored_files, installation)}

    def names(*paths):
        return tuple(sorted(path.relative_to(installation.attachments_dir).as_posix() for path in paths))

    assert findings["attachment_checksum"].files == names(damaged)
    assert findings["attachment_size"].files == names(shorter)
    assert findings["attachment_missing"].files == names(gone)
    assert tuple(sorted(findings["attachment_orphan"].files)) == names(orphan, unfinished)
    assert fresh.exists()
    assert findings["attachment_orphan"].outcome is Outcome.NOTICE
    assert exit_code_of(list(findings.values())) == 1


def test_equal_pictures_are_one_file_and_damage_of_many_is_counted_and_partly_named(
    store, installation, monkeypatch
):
    monkeypatch.setattr("whatsapp_etl.doctor.attachments.NAMED", 1)
    pictures = [stored_picture(installation, number) for number in (1, 2, 2, 3)]
    pictures[2] = make_message(20, attachments=pictures[1].attachments, has_attachments=True)
    store.apply(make_plan(*pictures), store.begin_run(NOW))
    assert only(attachments.stored_files, installation).told.startswith("3 are there")

    for picture in pictures:
        path_of(installation, picture).unlink(missing_ok=True)

    finding = only(attachments.stored_files, installation)
    assert (finding.count, len(finding.files)) == (3, 1)


def test_a_file_that_waits_for_its_removal_is_no_orphan(store, database, installation):
    file = save(b"its message is gone", installation.attachments_dir)
    make_old(installation.attachments_dir / file.relative_path)
    with database.connect() as connection:
        connection.execute("INSERT INTO files_to_remove VALUES (%s, %s)", (file.relative_path, NOW))
    assert only(attachments.stored_files, installation).outcome is Outcome.OK


def test_a_picture_of_a_chat_that_waits_for_postgres_is_no_orphan(store, installation):
    file = save(b"its message waits", installation.attachments_dir)
    make_old(installation.attachments_dir / file.relative_path)
    Spool(installation.spool_dir, 10**6).put(make_captured(1, picture=file.relative_path))
    assert only(attachments.stored_files, installation).outcome is Outcome.OK


def test_a_large_file_is_hashed_in_blocks(tmp_path):
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, 64_000_000)
    tracemalloc.start()
    try:
        checksum_of(large)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
