"""`whatsapp-etl sync --json` that kills itself: `python -m tests.fault.stepping STEP [NTH]`."""

import os
import signal
import sys

from whatsapp_etl import commands
from whatsapp_etl.steps import Step


def main() -> int:
    step, left = Step(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1

    def announce(announced: Step) -> None:
        nonlocal left
        left -= announced is step
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return commands.sync(as_json=True, announce=announce)


if __name__ == "__main__":
    sys.exit(main())
