"""Which process is the browser of a profile, among real ones."""

import subprocess
import sys

import psutil
import pytest

from whatsapp_etl.extract.processes import find_browsers

#: Forks and lets the twin, which keeps its arguments, live as long as itself; then says that it is there.
FORKING = """
import os, sys
if os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
print("forked", flush=True)
sys.stdin.read()
os.wait()
"""


@pytest.fixture
def forking(tmp_path):
    command = [sys.executable, "-c", FORKING, f"--user-data-dir={tmp_path}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "forked\n"
        yield process
        process.stdin.close()


def test_a_child_that_still_has_its_parents_arguments_is_no_second_browser(forking, tmp_path):
    twins = psutil.Process(forking.pid).children()
    assert [each.cmdline() for each in twins] == [psutil.Process(forking.pid).cmdline()]

    assert [each.pid for each in find_browsers(tmp_path)] == [forking.pid]
