"""An invoice that was sent as a picture is found by its text, read by the real engines."""

import os

import pytest

from tests.e2e.test_extraction import FIND, NUMBER, WORLD, send_invoice
from tests.fixtures.load import rows
from tests.fixtures.pictures import ROOT

pytestmark = pytest.mark.ocr


def test_an_invoice_is_found_by_its_text_in_one_query_that_names_message_and_chat(program, database):
    it, simulator = program(
        world=WORLD,
        IMAGE_PROCESSING_ENABLED="true",
        PYTHONPATH=os.pathsep.join((str(ROOT), os.environ["PYTHONPATH"])),
    )
    chat, key = send_invoice(simulator)
    it.sync()

    read = it.run("extract", "--once", EXTRACTION_ENGINE="tesseract")
    assert read.returncode == 0, read.stderr
    assert rows(database, f"{FIND} AND engine = 'tesseract'", NUMBER) == [(chat["title"], chat["id"], key)]

    read = it.run("extract", "--once", "--again", EXTRACTION_ENGINE="rapidocr")
    assert read.returncode == 0, read.stderr
    for asked in (NUMBER, "kettle repair", "1234.50", "1,234.50"):
        found = rows(database, f"{FIND} AND engine = 'rapidocr'", asked)
        assert found == ([] if asked == "1234.50" else [(chat["title"], chat["id"], key)]), asked
    # One more version of the text, and one that is found.
    assert rows(
        database, "SELECT engine, is_current FROM extractions WHERE text LIKE '%%0417%%' ORDER BY 1"
    ) == [
        ("rapidocr", 1),
        ("tesseract", 0),
    ]
