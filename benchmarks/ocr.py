"""Reading pictures: our worker against the engine's bare loop over the same decoded pages, in turn.

The worker leases a job, reads and checks the file, decodes it within limits, reads it, and stores what it
found; the bare loop calls the engine alone. Besides: how wrong the engine reads which kind of page.
Run by `make ocr`, which installs the engine.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any

from benchmarks._pages import Page, errors, pages
from benchmarks.load_rows import messages, plan
from whatsapp_etl.attachments.files import save
from whatsapp_etl.extraction.engine import Engine, find_engine
from whatsapp_etl.extraction.pictures import open_picture
from whatsapp_etl.extraction.worker import Worker
from whatsapp_etl.load import migrate
from whatsapp_etl.load.database import Database, open_database
from whatsapp_etl.load.extractions import Extractions
from whatsapp_etl.load.store import Store
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.model import Account, Attachment

NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)
ROUNDS = 2


@contextmanager
def _stored(database: Database, root: Path, all_pages: list[Page]) -> Iterator[Extractions]:
    """Store each page as a message's picture, so that a job waits for each."""
    migrate.upgrade(database)
    files = [save(page.data, root) for page in all_pages]
    rows = tuple(
        replace(
            message,
            has_attachments=True,
            attachments=(
                Attachment(0, file.media_type, "stored", file.relative_path, file.sha256, file.size_bytes),
            ),
        )
        for message, file in zip(messages(len(files)), files, strict=True)
    )
    with Store(database) as store:
        store.pin_account(Account("491555000000@c.us"), NOW)
        store.apply(plan(rows), store.begin_run(NOW))
    with Extractions(database) as jobs:
        yield jobs


def measure(engine: Engine, database: Database, root: Path) -> dict[str, Any]:
    # A different pixel in each round: equal bytes would be read once.
    all_pages = [replace(page, data=page.data + bytes([n])) for n in range(ROUNDS) for page in pages()]
    configure_logs("ERROR", "json")
    engine.load()
    engine.read(open_picture(all_pages[0].data))  # the first picture pays for what is made at first use
    bare = ours = 0.0
    wrong: dict[str, list[float]] = defaultdict(list)
    with _stored(database, root, all_pages) as jobs, Extractions(database) as beat_jobs:
        stop = threading.Event()

        def read_file(path: str) -> bytes:
            stop.set()  # one picture in each turn
            return (root / path).read_bytes()

        worker = Worker(
            jobs,
            beat_jobs,
            engine,
            read_file=read_file,
            name="benchmark",
            jitter=lambda: 0.5,
            abandon=lambda: None,
        )

        def read_bare(page: Page) -> float:
            picture = open_picture(page.data)
            started = perf_counter()
            found = engine.read(picture)
            seconds = perf_counter() - started
            wrong[page.kind].append(errors(page.truth, found.text))
            return seconds

        def read_ours() -> float:
            stop.clear()
            started = perf_counter()
            done = worker.run(stop, follows=False)
            seconds = perf_counter() - started
            assert done.pictures == 1, done
            return seconds

        for number, page in enumerate(all_pages):
            # In turn, since the second one finds the machine warmer.
            if number % 2:
                ours += read_ours()
            bare += read_bare(page)
            if not number % 2:
                ours += read_ours()
    kinds = {kind: round(fmean(rates), 3) for kind, rates in wrong.items()}
    return {
        "engine": f"{engine.id.name} {engine.id.version}",
        "pages": len(all_pages),
        "bare_pages_per_minute": round(60 * len(all_pages) / bare, 1),
        "pages_per_minute": round(60 * len(all_pages) / ours, 1),
        "throughput_to_bare": round(bare / ours, 3),
        **{f"errors, {kind}": rate for kind, rate in kinds.items()},
        "errors_mean": round(fmean(kinds.values()), 3),
        "limits": {"throughput_to_bare": ">= 0.9", "errors_mean": "<= 0.1"},
    }


def run() -> dict[str, Any]:
    """Measure RapidOCR in a fresh embedded Postgres with its ordinary settings."""
    folder = Path(tempfile.mkdtemp(prefix="wetl-bench-"))
    folder.chmod(0o755)
    try:
        with open_database("", "public", folder / "data") as database:
            return measure(find_engine("rapidocr"), database, folder / "attachments")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    print(json.dumps(run()))
