"""A store that fails, two processes that want one session, and a backup that is killed."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.vault import everything_in, fill, word_in
from whatsapp_etl.errors import (
    Disposition,
    GenerationDamagedError,
    NoGenerationError,
    VaultRefusedError,
    VaultUnreachableError,
)

ROOT = Path(__file__).parents[2]

FAULTS = {
    "403": (VaultRefusedError, Disposition.PERSON, "HTTP 403"),
    "500": (VaultUnreachableError, Disposition.RETRY, "HTTP 500"),
    "silent": (VaultUnreachableError, Disposition.RETRY, "could not be"),
    "half": (VaultUnreachableError, Disposition.RETRY, "could not be read"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_fails_while_a_session_is_fetched_leaves_the_profile_as_it_was(
    machine, faulty, s3_url, fault
):
    first = machine("a", filled="stored", url=s3_url)
    first.keeper.backup()
    first.keeper.close()
    second = machine("b", filled="own", url=s3_url)
    before = everything_in(second.folder)
    faulty.arm(fault, lambda method, path: method == "GET" and "part-0000" in path)
    error, disposition, told = FAULTS[fault]

    with pytest.raises(error, match=told) as raised:
        second.keeper.restore()

    assert raised.value.disposition is disposition
    assert raised.value.exit_code == 9
    assert faulty.struck
    assert everything_in(second.folder) == before
    assert not (second.folder / "whatsapp-etl.work").exists()
    faulty.arm(None)
    second.keeper.restore()
    assert word_in(second.folder) == "stored"


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        pytest.param("500", "part-0001", marks=pytest.mark.matrix),
        ("403", "current/"),
        pytest.param("403", "part-0000", marks=pytest.mark.matrix),
        pytest.param("silent", "manifest", marks=pytest.mark.matrix),
        pytest.param("500", "current/", marks=pytest.mark.matrix),
    ],
)
def test_a_store_that_fails_during_a_backup_keeps_the_generation_before(
    machine, faulty, s3_url, fault, where
):
    it = machine("a", filled="first", url=s3_url)
    it.keeper.backup()
    fill(it.folder, word="second", size=5_000_000)
    before = everything_in(it.folder)
    faulty.arm(fault, lambda method, path: method == "PUT" and where in path)

    with pytest.raises(FAULTS[fault][0]):
        it.keeper.backup()

    assert faulty.struck
    faulty.arm(None)
    assert everything_in(it.folder) == before
    assert [each.kept.number for each in it.keeper.listed() if each.is_current] == [1]
    # What the failed one left is gone, unless it had become a whole generation.
    assert it.keeper.backup().generation in {2, 3}
    assert all(each.manifest for each in it.keeper.listed())


@pytest.mark.matrix
def test_a_close_does_not_fail_with_the_store(machine, faulty, s3_url):
    it = machine("a", filled="first", url=s3_url)
    it.keeper.before_start()
    faulty.arm("500")

    it.keeper.after_close(is_worth_keeping=True, is_last=False)

    assert it.keeper.has_failed
    faulty.arm(None)
    assert it.keeper.listed() == ()
    it.keeper.after_close(is_worth_keeping=True, is_last=True)
    assert not it.keeper.has_failed
    assert len(it.keeper.listed()) == 1


def test_a_bucket_that_is_not_there_is_told(machine, faulty):
    it = machine("a", filled="word", url="s3://no-such-bucket/x")

    with pytest.raises(VaultRefusedError, match="HTTP 404"):
        it.keeper.before_start()


def test_a_lost_answer_to_a_claim_is_no_loss_of_the_lease(machine, faulty, s3_url):
    """The store writes the claim, the answer is lost, and the request is repeated by itself."""
    it = machine("a", filled="word", url=s3_url)
    it.keeper.before_start()
    number = it.lease._number
    it.objects.create(f"lease/{number + 1:012}", it.objects.read(f"lease/{number:012}", 9999))

    it.lease.renew()

    assert it.lease.is_held
    assert it.lease._number == number + 1


# --- processes -----------------------------------------------------------------------------------

CONTENDER = """
import sys
from pathlib import Path
from whatsapp_etl.errors import SessionTakenError
from whatsapp_etl.vault.lease import Lease
from whatsapp_etl.vault.store import Objects

lease = Lease(Objects(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
try:
    lease.take()
    print("held", flush=True)
except SessionTakenError as error:
    print(error.what, flush=True)
sys.stdin.readline()
lease.release()
"""


def started(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(process):
    process.communicate(input="", timeout=30)
    assert process.returncode == 0


def test_of_two_processes_that_begin_at_once_one_gets_the_session(tmp_path):
    url = f"file://{tmp_path}/store"
    contenders = [started(CONTENDER, url), started(CONTENDER, url)]
    assert [each.stdout.readline() for each in contenders] == ["ready\n"] * 2
    for each in contenders:
        each.stdin.write("go\n")
        each.stdin.flush()

    told = [each.stdout.readline().strip() for each in contenders]

    assert sorted(line == "held" for line in told) == [False, True]
    winner, loser = sorted(contenders, key=lambda each: told[contenders.index(each)] != "held")
    assert any(f"process {winner.pid} on" in line for line in told)
    ended(loser)
    ended(winner)
    late = started(CONTENDER, url)
    assert late.stdout.readline() == "ready\n"
    late.stdin.write("go\n")
    late.stdin.flush()
    assert late.stdout.readline() == "held\n"
    ended(late)


BACKUP = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tests.fixtures.vault import Machine

def announced(at, function):
    def call(*arguments, **more):
        if at == sys.argv[3]:
            print(at, flush=True)
            sys.stdin.readline()
        return function(*arguments, **more)
    return call

it = Machine(Path(sys.argv[1]), sys.argv[2])
copies = it.keeper._copies
for name in ("proven", "put_manifest", "point_to"):
    setattr(copies, name, announced(name, getattr(copies, name)))
it.keeper.backup()
"""


@pytest.mark.parametrize(
    "at",
    [
        "point_to",
        pytest.param("proven", marks=pytest.mark.matrix),
        pytest.param("put_manifest", marks=pytest.mark.matrix),
    ],
)
def test_a_backup_that_is_killed_leaves_the_generation_before_and_is_removed_later(machine, tmp_path, at):
    it = machine("a", filled="first", keep=1)
    it.keeper.backup()
    it.keeper.close()
    fill(it.folder, word="second")
    process = started(BACKUP, it.folder, it.url, at)
    assert f"{at}\n" in iter(process.stdout.readline, "")

    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)

    it.begin()
    assert [(each.kept.number, each.is_current) for each in it.keeper.listed()] == [(2, False), (1, True)]
    assert it.keeper.backup().generation == 3
    assert {each.kept.number for each in it.keeper.listed()} == {3}
    assert not (it.folder / "whatsapp-etl.work").exists()


def test_a_store_that_gives_half_of_everything_is_not_believed(machine, tmp_path):
    it = machine("a", filled="first")
    it.keeper.backup()
    it.keeper.close()
    for path in (tmp_path / "store/generations").rglob("part-*"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    other = machine("b")

    with pytest.raises(NoGenerationError):
        other.keeper.before_start()
    with pytest.raises(GenerationDamagedError):
        other.keeper.verify()

    assert everything_in(other.folder) == {}
    (listed,) = other.keeper.listed()
    assert listed.manifest is not None
    assert json.loads((tmp_path / "store/current/000000000001").read_text())["generation"] == 1
