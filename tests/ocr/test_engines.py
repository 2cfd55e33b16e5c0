"""The real engines read a page; nothing leaves the machine."""

import io
import os
import subprocess
import sys

import pytest
from PIL import Image

from tests.fixtures.pictures import ROOT, page_png
from whatsapp_etl.extraction.engine import EngineMissingError, find_engine
from whatsapp_etl.extraction.pictures import open_picture

pytestmark = pytest.mark.ocr

LINES = ("INVOICE INV-2026-0417", "Kettle repair and descaling", "Total EUR 1,234.50")


@pytest.fixture(scope="module", params=["rapidocr", "tesseract"])
def engine(request):
    made = find_engine(request.param)
    made.load()
    return made


def test_a_page_is_read_line_by_line_with_places_and_confidence(engine):
    page = open_picture(page_png(*LINES))

    found = engine.read(page).blocks

    assert [block.text.replace(" ", "") for block in found] == [line.replace(" ", "") for line in LINES]
    for number, block in enumerate(found):
        assert 0.6 < block.confidence <= 1
        left, top = block.box[0]
        right, bottom = block.box[2]
        # As `page_png` draws them.
        assert 30 <= left < right <= page.width
        assert 30 + number * 68 <= top < bottom <= 90 + number * 68


def test_a_page_without_text_has_no_blocks(engine):
    assert engine.read(Image.new("RGB", (300, 200), "white")).blocks == ()


def test_a_photo_of_a_screen_is_read(engine):
    page = open_picture(page_png(*LINES)).rotate(1.2, expand=True, fillcolor="gray")
    data = io.BytesIO()
    page.save(data, "JPEG", quality=55)

    assert "0417" in engine.read(open_picture(data.getvalue())).text


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (40, 40)])
def test_odd_sizes_are_no_trouble(engine, size):
    engine.read(Image.new("RGB", size, "black"))


def test_memory_beyond_the_limit_is_refused_and_a_smaller_picture_read_after_it():
    """In a process of its own: the limit cannot be raised again."""
    code = (
        "import resource, sys\n"
        "from PIL import Image\n"
        "from whatsapp_etl.extraction.engine import find_engine\n"
        "name, megabytes, side = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20, megabytes << 20))\n"
        "engine = find_engine(name)\n"
        "engine.load()\n"
        "try:\n"
        "    engine.read(Image.new('RGB', (side, side), 'white'))\n"
        "except MemoryError:\n"
        "    print('refused')\n"
        "engine.read(Image.new('RGB', (40, 40), 'white'))\n"
        "print('read')\n"
    )
    for engine, megabytes, side in (("rapidocr", "512", "2000"), ("tesseract", "90", "3000")):
        done = subprocess.run(
            [sys.executable, "-c", code, engine, megabytes, side],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "refused\nread\n"), done.stderr


def test_a_language_that_tesseract_lacks_is_told_with_the_command_that_installs_it():
    with pytest.raises(EngineMissingError, match="apt-get install tesseract-ocr-tlh"):
        find_engine("tesseract:eng+tlh")


def test_languages_are_kept_with_what_tesseract_reads():
    engine = find_engine("tesseract:eng+osd")

    assert dict(engine.id.parameters) == {"languages": "eng+osd"}
    assert engine.id.version[0].isdecimal()


def test_rapidocr_connects_to_nobody(tmp_path):
    page = tmp_path / "page.png"
    page.write_bytes(page_png(*LINES))
    code = (
        "import sys\n"
        "def watch(event, arguments):\n"
        "    assert event not in {'socket.connect', 'socket.getaddrinfo', 'urllib.Request'}, arguments\n"
        "sys.addaudithook(watch)\n"
        "from whatsapp_etl.extraction.engine import find_engine\n"
        "from whatsapp_etl.extraction.pictures import open_picture\n"
        "engine = find_engine('rapidocr'); engine.load()\n"
        f"print(engine.read(open_picture(open({str(page)!r}, 'rb').read())).text)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ["PYTHONPATH"]))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "INV-2026-0417" in done.stdout
