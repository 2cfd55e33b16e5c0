"""The real program is killed at every named step of a cycle; one clean cycle later nothing of it is left."""

import shutil
import signal

import pytest

from tests.fault.recovery import assert_program_recovered
from tests.fixtures.cycle import truth_of
from tests.fixtures.proxy import nth
from whatsapp_etl import bootstrap
from whatsapp_etl.downloads import DownloadWay, MediaKind
from whatsapp_etl.load.database import Database
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import RunStatus
from whatsapp_etl.steps import Step

WORLD = {"chats": 4, "messages": 60}
#: Taken only while Postgres is away, and only when it is back.
WHILE_AWAY = {Step.CHAT_PACKED, Step.CHAT_SPOOLED}
AFTERWARDS = {Step.SPOOLED_CHAT_STORED, Step.SPOOLED_CHAT_REMOVED}
OF_A_PICTURE = {Step.PICTURE_WRITTEN, Step.PICTURE_SAVED}
#: Those to which a cycle of this world comes three times.
OFTEN = {Step.CHAT_READ, Step.MESSAGES_WRITTEN, Step.CHAT_WRITTEN, Step.CHAT_STORED, *WHILE_AWAY}
UNUSED = "00/11/0011.jpg"


def note_unused_file(database, folder):
    """Leave a picture that no message has any more."""
    (folder / UNUSED).parent.mkdir(parents=True, exist_ok=True)
    (folder / UNUSED).write_bytes(b"unused")
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO files_to_remove (file_path, unused_since) VALUES (%s, now()) ON CONFLICT DO NOTHING",
            (UNUSED,),
        )


def all_files(folder):
    """Pictures come from the page, everything else from the server, and all of it is copied."""
    return {
        "ATTACHMENTS_MEDIA": ",".join(MediaKind),
        "ATTACHMENTS_WAYS": ",".join(DownloadWay),
        "ATTACHMENTS_STORE_URL": (folder / "copies").as_uri(),
    }


def go_away(proxy):
    def away():
        proxy.refuses = True
        proxy.cut_all()

    return away


def new_messages(simulator):
    """Let something be new in two chats, a picture among it."""
    chats = sorted({row["thread_external_id"] for row in truth_of(simulator).values()})[:2]
    for chat in chats:
        simulator.add_message(chat, "The lamp is on the porch")
    simulator.add_message(chats[0], "With a picture", type="image")


def kill_at(it, proxy, step, times=1):
    """Run the program until it kills itself at a step, which it must come to."""
    if step in WHILE_AWAY:
        proxy.arm(go_away(proxy), nth(1, "Q COPY messages"))
    if step in AFTERWARDS:
        proxy.arm(go_away(proxy), nth(1, "Q COPY messages"))
        assert it.run("sync", "--json").returncode == 5
        proxy.refuses = False
    done = it.run(step, f"{times}", module="tests.fault.stepping")
    assert done.returncode == -signal.SIGKILL, f"{step} was never announced. {done.stderr}"
    proxy.refuses = False
    proxy.disarm()


@pytest.mark.usefixtures("store_client")
def test_every_step_is_announced_and_in_its_order(account, database, proxy, tmp_path):
    it = account(
        world=WORLD,
        attachments_media=tuple(MediaKind),
        attachments_ways=tuple(DownloadWay),
        attachments_store_url=(tmp_path / "copies").as_uri(),
    )
    announced = []
    source = bootstrap.source_of(it.settings, it.stop, announce=announced.append)
    note_unused_file(database, it.settings.attachments_dir)
    with Store(Database(proxy.url, database.schema), announce=announced.append) as store:
        it.cycle = bootstrap.cycle_of(it.settings, source, store, announce=announced.append)
        try:
            assert it.sync().status is RunStatus.SUCCESS
            first = list(dict.fromkeys(announced))
            new_messages(it.simulator)
            proxy.arm(go_away(proxy), nth(1, "Q COPY messages"))
            assert it.sync().spool.batches == 2
            proxy.refuses = False
            assert it.sync().unspooled == 2
        finally:
            source.close()

    assert set(announced) == set(Step)
    files = it.query("SELECT DISTINCT file_path FROM attachments WHERE state = 'stored'")
    copies = {path.relative_to(tmp_path / "copies").as_posix() for path in (tmp_path / "copies").rglob("*.*")}
    assert copies == {path for (path,) in files}
    pictures = [step for step in first if step in OF_A_PICTURE]  # not every chat has one
    assert pictures == [Step.PICTURE_WRITTEN, Step.PICTURE_SAVED]
    others = WHILE_AWAY | AFTERWARDS | OF_A_PICTURE
    assert [step for step in first if step not in others] == [step for step in Step if step not in others]


@pytest.mark.matrix
@pytest.mark.timeout(200)
def test_kills_at_one_step_after_the_other_are_survived_in_one_world(program, database, proxy, tmp_path):
    it, simulator = program(world=WORLD, PG_URL=proxy.url, **all_files(tmp_path))
    for step in (Step.PICTURE_WRITTEN, Step.MESSAGES_WRITTEN, Step.SPOOLED_CHAT_STORED):
        kill_at(it, proxy, step)
        new_messages(simulator)

    assert_program_recovered(it, simulator, database)


@pytest.mark.matrix
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("step", "times"),
    [*((step, 1) for step in Step), *((step, 3) for step in Step if step in OFTEN)],
)
def test_a_program_killed_at_a_step_leaves_nothing_behind(program, database, proxy, tmp_path, step, times):  # noqa: PLR0917 - fixtures and a table
    it, simulator = program(world=WORLD, PG_URL=proxy.url, **all_files(tmp_path))
    note_unused_file(database, it.folder / "attachments")

    kill_at(it, proxy, step, times)

    new_messages(simulator)
    assert_program_recovered(it, simulator, database)


@pytest.mark.matrix
@pytest.mark.timeout(900)
def test_a_program_killed_at_every_step_in_turn_comes_to_its_end(program, database, proxy, tmp_path):
    it, simulator = program(world=WORLD, PG_URL=proxy.url, **all_files(tmp_path))
    for step in Step:
        note_unused_file(database, it.folder / "attachments")
        kill_at(it, proxy, step)
        new_messages(simulator)
        shutil.rmtree(it.folder / "attachments" / "00", ignore_errors=True)

    assert_program_recovered(it, simulator, database)
