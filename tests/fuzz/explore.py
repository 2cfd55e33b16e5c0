"""Coverage-guided search for markup that `parse` cannot bear: `make fuzz`.

What it finds is written to the folder it is run in, as `crash-…` or `timeout-…`; put the smallest form of
it into `test_hostile.py`. It begins with the re-typed pages.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import atheris

with atheris.instrument_imports(include=["whatsapp_etl.transform"]):
    from whatsapp_etl.transform.parse import parse_page
    from whatsapp_etl.transform.redact import redact_html

from whatsapp_etl.extract.packs import load_packs

ROOT = Path(__file__).parents[2]
PACKS = load_packs(ROOT / "selectors")
LOCALES = ("en-US", "de", "ar", "zh-CN")
_INPUT_SECONDS = 10
_LONGEST = 20_000


def parse_anything(data: bytes) -> None:
    """Parse what the first byte's pack and language make of the rest; raise what is wrong about it."""
    choice, source = data[:1] or b"\0", data[1:].decode("utf-8", "replace")
    parsed, rejects = parse_page(
        source,
        PACKS[choice[0] % len(PACKS)],
        zone=ZoneInfo("UTC"),
        locale=LOCALES[choice[0] // 16 % len(LOCALES)],
        own_name="Own Name",
        chat_id=None,
        today=date(2026, 3, 4),
    )
    if len({row.shown_id for row in parsed}) != len(parsed):
        raise AssertionError("A message came out twice.")
    if not all(reject.evidence is not None for reject in rejects):
        raise AssertionError("A reject has no evidence.")
    redact_html(source)


def main(minutes: float) -> None:
    with tempfile.TemporaryDirectory() as corpus:
        for number, page in enumerate(sorted((ROOT / "tests/cases/messages").glob("*/page.html"))):
            first = bytes([number % 256])
            Path(corpus, f"case-{number}").write_bytes(first + page.read_bytes())
        limits = [
            f"-max_total_time={int(minutes * 60)}",
            f"-timeout={_INPUT_SECONDS}",
            f"-max_len={_LONGEST}",
        ]
        atheris.Setup([sys.argv[0], *limits, "-print_final_stats=1", corpus], parse_anything)
        atheris.Fuzz()


if __name__ == "__main__":
    main(float(sys.argv[1]))
