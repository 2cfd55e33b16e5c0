"""The program that kills itself: `python -m tests.fault.stepping STEP [NTH]`.

It is `whatsapp-etl sync --json`, or for steps of reading pictures `whatsapp-etl extract --once`.
"""

import os
import signal
import sys

from whatsapp_etl import commands
from whatsapp_etl.settings import read_settings
from whatsapp_etl.steps import ReadingStep, Step


def main() -> int:
    wanted, left = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1

    def announce(announced: Step | ReadingStep) -> None:
        nonlocal left
        left -= announced == wanted
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if wanted in set(Step):
        return commands.sync(as_json=True, announce=announce)
    from whatsapp_etl import extracting

    return extracting.work(read_settings(), follows=False, announce=announce)


if __name__ == "__main__":
    sys.exit(main())
