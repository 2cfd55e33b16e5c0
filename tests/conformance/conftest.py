"""Fixtures: the stand-in under WhatsApp Web's own name, and other people's clients to read it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.tls import TlsRelay, make_certificate
from tests.fixtures.page import ORDINARY_AGENT
from whatsapp_etl.simulator.serve import RunningSimulator, SimulatorOptions

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".conformance"
CLIENTS = Path(__file__).parent / "clients"
DOCUMENT = ROOT / "docs" / "conformance.md"
_CLIENT_SECONDS = 600

Ask = Callable[..., Any]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def stand_in(
    small_world: SimulatorOptions, certificate: tuple[Path, Path]
) -> Iterator[Callable[..., tuple[RunningSimulator, TlsRelay]]]:
    """Start stand-ins with options of their own, each behind TLS; all end with the module."""
    with ExitStack() as running:

        def start(**options: object) -> tuple[RunningSimulator, TlsRelay]:
            simulator = running.enter_context(RunningSimulator(replace(small_world, **options)))  # type: ignore[arg-type]
            return simulator, running.enter_context(TlsRelay(simulator.url, *certificate))

        yield start


@pytest.fixture(scope="module")
def ask(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Give a client a task and return its answer; what it prints is shown when it fails."""

    def ask_client(client: str, relay: TlsRelay | None = None, **task: object) -> Any:
        folder = tmp_path_factory.mktemp(client)
        common = {
            "profile": str(folder / "profile"),
            "browser": str(chromium),
            "arguments": relay.browser_arguments() if relay else [],
            "user_agent": ORDINARY_AGENT,
        }
        return run(client, {**common, **task}, folder)

    return ask_client


@pytest.fixture(scope="session")
def read_codes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str]], list[str | None]]:
    """Read QR codes from base64 PNG images, with a reader that is neither the page's nor the program's."""
    return lambda images: run("qr_reader", images, tmp_path_factory.mktemp("codes"))


def run(client: str, task: object, folder: Path) -> Any:
    """Run one client's driver in that client's environment."""
    given, written = folder / "task.json", folder / "result.json"
    given.write_text(json.dumps(task))
    home = ENVIRONMENTS / client
    if client == "wppconnect":
        command = ["node", str(CLIENTS / "wppconnect_client.cjs")]
    else:
        script = "read_codes.py" if client == "qr_reader" else f"{client}_client.py"
        command = [str(home / "bin/python"), "-I", str(CLIENTS / script)]
    # Only what a process needs: no proxy, no setting of this program.
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "NODE_PATH": str(home / "node_modules")}
    done = subprocess.run(
        [*command, str(given), str(written)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_CLIENT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, (
        f"{client} ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    )
    return json.loads(written.read_text())
