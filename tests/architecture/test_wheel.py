"""The wheel carries everything: installed anywhere, it works from any folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.fixtures.postgres import fresh_database

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Build the wheel and unpack it where nothing of the checkout is near."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-m", "whatsapp_etl.cli", *arguments],
        cwd=installed.parent,
        env={**environment, "PYTHONPATH": str(installed), **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_that_is_no_code_is_in_it_too(installed):
    def names(folder: Path) -> set[str]:
        skipped = {"__pycache__"}
        return {
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file() and not skipped & set(path.parts)
        }

    package = installed / "whatsapp_etl"
    assert names(ROOT / "whatsapp_etl") <= names(package)
    assert names(ROOT / "selectors") <= names(package / "_data/selectors")
    assert names(ROOT / "migrations") <= names(package / "_data/migrations")
    assert not (installed / "selectors").exists()


def test_the_installed_program_finds_its_selector_packs(installed):
    page = next((ROOT / "tests/cases/messages").rglob("*.html"))
    done = run(installed, "parse", str(page), "--today", "2026-08-23")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_the_installed_program_finds_its_migrations(installed, server_url):
    with fresh_database(server_url) as url:
        done = run(installed, "migrate", PG_URL=url)
    assert done.returncode == 0, done.stderr
