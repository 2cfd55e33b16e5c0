"""The end at a signal is kept to its time, whatever does not answer."""

import signal
import subprocess
import sys
import time

#: A program whose work does not end, and whose browser is never seen to be gone.
STUCK = """
import threading
from datetime import timedelta
from whatsapp_etl.ending import heeding_signals
from whatsapp_etl.stopping import Stop
never = threading.Event()
with heeding_signals(Stop(timedelta(seconds=0.2)), never.wait):
    print("begun", flush=True)
    never.wait()
"""

#: A program that has said everything, and one of whose threads waits for what never comes.
HELD = """
import threading
from datetime import timedelta
from whatsapp_etl.vault.bounded import leave
threading.Thread(target=threading.Event().wait, name="held").start()
print("the report")
leave(3, timedelta(seconds=0.2))
"""


def test_a_browser_that_is_not_seen_to_be_gone_does_not_hold_the_end():
    with subprocess.Popen([sys.executable, "-c", STUCK], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        begun = time.monotonic()

        process.send_signal(signal.SIGTERM)

        assert process.wait(20) == 1
        assert time.monotonic() - begun < 10


def test_a_thread_that_waits_for_ever_does_not_hold_a_program_that_has_said_everything():
    done = subprocess.run(
        [sys.executable, "-c", HELD], capture_output=True, text=True, timeout=20, check=False
    )

    assert done.returncode == 3
    assert done.stdout.startswith("the report\n")
    assert "end_forced" in done.stdout + done.stderr
    assert "held" in done.stdout + done.stderr
