"""`whatsapp-etl extract`: what it prints and how it ends."""

import json
import sys

import pytest

from tests.fixtures.pictures import qr_png
from whatsapp_etl.cli import run_command


@pytest.fixture
def extract(pictures, monkeypatch, tmp_path, capsys):
    """Run the command here: `extract("--once", SETTING="value")` returns its code and what it printed."""
    pictures.root.mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **settings):
        with monkeypatch.context() as changed:
            for name, value in pictures.environment(**settings).items():
                changed.setenv(name, value)
            changed.setattr(sys, "argv", ["whatsapp-etl", "extract", *arguments])
            capsys.readouterr()
            code = run_command()
        # Logs stand between; what a command says is what is left.
        out, err = capsys.readouterr()
        return code, "\n".join(line for line in out.splitlines() if " [" not in line), err

    return run


def test_the_status_tells_what_waits_and_what_was_given_up_and_why(pictures, extract):
    pictures.add(qr_png("kettle"), b"no picture")
    code, out, _ = extract("--once")
    assert (code, out) == (8, "Pictures read: 1, of 1 messages. Tries that failed: 1.")
    pictures.add(qr_png("lid"))

    code, out, _ = extract("--status", "--json")

    assert code == 0
    told = json.loads(out)
    assert told["jobs"] == {"queued": 1, "running": 0, "done": 1, "dead": 1}
    assert told["dead_reasons"] == {"not_a_picture": 1}
    assert "dead: not_a_picture" in extract("--status")[1]


def test_what_was_given_up_and_what_another_version_read_is_read_when_asked(pictures, extract):
    pictures.add(qr_png("kettle"), b"no picture")
    extract("--once")

    code, out, _ = extract("--once", "--again", "--dead", engine="qr:2")

    assert (code, out.splitlines()[0]) == (8, "Queued again: 2.")
    assert pictures.query("SELECT version FROM image_texts") == [("2",)]


@pytest.mark.parametrize(
    ("arguments", "settings", "told"),
    [
        ((), {}, "Say --once, --follow or --status"),
        (("--once", "--follow"), {}, "Say --once, --follow or --status"),
        (("--once",), {"IMAGE_PROCESSING_ENABLED": "false"}, "IMAGE_PROCESSING_ENABLED: is false"),
        (("--once",), {"engine": "abacus"}, 'no engine "abacus"'),
        (("--once",), {"engine": "Not A Name"}, "EXTRACTION_ENGINE"),
        (("--once",), {"EXTRACTION_MAX_MEMORY_MB": "100"}, "EXTRACTION_MAX_MEMORY_MB: no engine starts"),
        (("--once",), {"PG_SCHEMA": "nobodys"}, "whatsapp-etl migrate"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(pictures, extract, arguments, settings, told):
    code, out, err = extract(*arguments, **settings)

    assert (code in {2, 5}, out, len(err.splitlines())) == (True, "", 1), err
    assert told in err
