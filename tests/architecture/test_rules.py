"""The rules of the code that a linter cannot tell, each looked for in the tracked files."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "whatsapp_etl"
SOURCES = sorted(PACKAGE.rglob("*.py"))
READER_SOURCES = [path for path in SOURCES if "simulator" not in path.parts]
#: They say which attributes are harmless in evidence, and which name parts; they look for nothing.
NAMES_ATTRIBUTES = {PACKAGE / "transform" / "redact.py", PACKAGE / "pack_draft.py"}
LOCKS = tuple(ROOT / f"requirements{kind}.lock" for kind in ("", "-dev", "-ocr"))
#: The only modules that may catch everything: where a run, a command or a picture's job ends.
RUN_BOUNDARY = {"pipeline.py", "cli.py", "job.py"}


def tracked(*patterns: str) -> list[Path]:
    """Return files that git tracks, or, outside a checkout, those that lie here."""
    answer = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        return [path for pattern in patterns for path in ROOT.rglob(pattern)]
    return [ROOT / line for line in answer.stdout.splitlines() if (ROOT / line).is_file()]


def calls(tree: ast.AST) -> list[str]:
    return [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", [*SOURCES, *tracked("tests/*.py", "benchmarks/*.py")], ids=str)
def test_nothing_sleeps(path):
    sleeping = {"time.sleep", "page.wait_for_timeout", "asyncio.sleep", "anyio.sleep"}
    found = [
        name
        for name in calls(ast.parse(path.read_text()))
        if name in sleeping or name.endswith("wait_for_timeout")
    ]
    assert found == []


@pytest.mark.parametrize("path", tracked("tests/*.py"), ids=str)
def test_no_wait_takes_a_promise_for_its_answer(path):
    """`page.wait_for_function` does not await what its function returns: any promise is true to it."""
    waits = [
        ast.unparse(node.args[0])
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("wait_for_function")
    ]
    assert [text for text in waits if "async" in text or "Promise" in text or text.startswith("_")] == []


def is_tidying(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler only tidies up and lets the error go on."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_everything_is_caught_at_the_run_boundary_only(path):
    tree = ast.parse(path.read_text())
    broad = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and not is_tidying(node)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    ]
    assert broad == [] or path.name in RUN_BOUNDARY


@pytest.mark.parametrize("path", [path for path in READER_SOURCES if path not in NAMES_ATTRIBUTES], ids=str)
def test_no_selector_of_the_page_stands_in_code(path):
    literals = [
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    selector = re.compile(
        r"data-testid|data-id\b|#pane-side|#main\b|\[aria-|data-icon|data-pre-plain-text|message-(in|out)\b|conv-msg"
    )
    assert [text for text in literals if selector.search(text) and "\n" not in text] == []


@pytest.mark.parametrize("script", sorted(PACKAGE.glob("extract/scripts/*.js")), ids=lambda path: path.name)
def test_no_selector_of_the_page_stands_in_a_page_script(script):
    code = re.sub(r"//.*|/\*[\s\S]*?\*/", "", script.read_text())
    assert not re.search(
        r"data-testid|#pane-side|#main\b|message-(in|out)|conv-msg|data-pre-plain-text", code
    )


def test_selectors_folder_is_data_only():
    assert list((ROOT / "selectors").glob("*.py")) == []
    assert list((ROOT / "selectors").glob("*.toml"))


def test_no_lock_file_names_a_registry():
    assert [path.name for path in tracked("uv.lock", "package-lock.json", "poetry.lock")] == []
    for path in LOCKS:
        assert not re.search(r"https?://|--index-url|--find-links", path.read_text())


def test_every_locked_package_has_a_hash():
    for path in LOCKS:
        entries = re.split(r"\n(?=[a-z0-9])", path.read_text())
        pinned = [entry for entry in entries if "==" in entry.splitlines()[0]]
        assert len(pinned) >= 20
        assert all("--hash=sha256:" in entry for entry in pinned)


def test_importing_any_module_of_the_program_does_nothing():
    """No output, no file, no thread: importing is free of effects."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in SOURCES
        if path.name != "__main__.py"
    ]
    code = (
        "import importlib, threading, warnings\n"
        "warnings.simplefilter('error')\n"
        f"[importlib.import_module(name) for name in {modules!r}]\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_import_contracts_hold():
    answer = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout


def test_files_are_short_enough_to_read():
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in READER_SOURCES}
    assert {name: lines for name, lines in long.items() if lines > 450} == {}


def test_the_extra_is_what_its_lock_is_made_of():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert project["project"]["optional-dependencies"]["ocr"] == project["dependency-groups"]["ocr"]


def test_nothing_that_is_installed_or_made_here_is_tracked():
    answer = subprocess.run(
        ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stdout == ""
