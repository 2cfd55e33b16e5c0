"""One chat, one file or one lock that makes trouble holds up nothing else."""

from datetime import timedelta

import pytest

from whatsapp_etl.load.store import Store
from whatsapp_etl.model import RunStatus, StopReason

#: Makes the page's storage refuse to list the messages of one chat.
REFUSE = """(chat) => {
  const real = IDBIndex.prototype.getAll;
  IDBIndex.prototype.getAll = function (range, count) {
    if (String(range && range.lower).startsWith(chat)) throw new TypeError('refused');
    return real.call(this, range, count);
  };
}"""


def assert_in_step(it):
    truth = it.truth()
    assert {key: row for key, row in it.stored().items() if row != truth.get(key)} == {}
    assert it.stored().keys() == truth.keys()


def test_a_chat_at_which_the_page_fails_holds_up_no_other(account):
    it = account(world={"chats": 4, "messages": 40})
    chat = next(iter(it.truth().values()))["thread_external_id"]
    it.source.open()
    it.source.session.page.evaluate(REFUSE, chat)

    report = it.sync()

    assert report.status is RunStatus.PARTIAL
    assert report.stop_reasons[StopReason.PAGE_FAILED] == 1
    assert it.stored().keys() == {key for key, row in it.truth().items() if row["thread_external_id"] != chat}
    assert it.query("SELECT complete_until FROM sync_coverage WHERE thread_external_id = %s", chat) == [
        (None,)
    ]
    assert it.sync().status is RunStatus.SUCCESS  # on a page that was opened anew
    assert_in_step(it)


@pytest.mark.matrix
def test_a_picture_that_cannot_be_saved_costs_no_message_and_comes_later(account):
    it = account(world={"chats": 4, "messages": 60})
    folder = it.settings.attachments_dir
    if folder.is_dir():
        folder.rmdir()
    folder.write_bytes(b"in the way")

    assert it.sync().status is RunStatus.SUCCESS

    assert_in_step(it)
    ((waiting,),) = it.query("SELECT count(*) FROM missing_messages WHERE reason = 'picture_not_loaded'")
    assert waiting > 0
    folder.unlink()
    it.query("UPDATE missing_messages SET next_try_at = '2000-01-01' RETURNING 1")
    assert it.sync().applied.attachments_saved == waiting


def test_another_writer_is_an_error_in_the_report(account):
    it = account(world={"chats": 2, "messages": 10})
    with Store(it.database) as other, Store(it.database, patience=timedelta(milliseconds=50)) as late:
        other.begin_run(it.cycle.clock())
        it.cycle.store = late

        report = it.sync()

    assert report.status is RunStatus.FAILED
    assert report.error.startswith("WriterBusyError")


@pytest.mark.matrix
@pytest.mark.parametrize("reader", ["dom", "store"])
def test_a_chat_that_postgres_refuses_holds_up_no_other(account, reader):
    it = account(world={"chats": 4, "messages": 40}, whatsapp_reader=reader)
    chat = next(iter(it.truth().values()))["thread_external_id"]
    # A rule of a test's own stands for whatever the database may refuse of one chat.
    with it.database.connect() as connection:
        connection.execute(
            f"ALTER TABLE messages ADD CONSTRAINT refused CHECK (thread_external_id <> '{chat}')"
        )
    try:
        report = it.sync()
        stored = it.stored()
    finally:
        with it.database.connect() as connection:
            connection.execute("ALTER TABLE messages DROP CONSTRAINT refused")

    assert report.status is RunStatus.PARTIAL
    assert report.stop_reasons[StopReason.NOT_STORED] == 1
    assert stored.keys() == {key for key, row in it.truth().items() if row["thread_external_id"] != chat}
    assert it.sync().status is RunStatus.SUCCESS
    # Without an open chat notices lack their words, so the rows are not compared further.
    assert it.stored().keys() == it.truth().keys()
