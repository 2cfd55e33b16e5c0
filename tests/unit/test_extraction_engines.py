"""An engine is found by its name; what it lacks is told with what to do about it."""

import pytest

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.extraction import tesseract
from whatsapp_etl.extraction.engine import EngineMissingError, find_engine


def test_an_engine_of_another_package_is_found_by_its_entry_point(engines):
    assert find_engine("qr").id.name == "qr"
    assert find_engine("qr:7").id.version == "7"


def test_an_unknown_engine_is_told_with_those_that_are_there():
    with pytest.raises(EngineMissingError, match=r'no engine "abacus".*rapidocr, tesseract'):
        find_engine("abacus")


def test_a_module_that_an_engine_needs_is_named(engines):
    with pytest.raises(EngineMissingError, match="lacking needs the module a_module_that_nobody_has"):
        find_engine("lacking")


def test_rapidocr_takes_no_options():
    with pytest.raises(ConfigurationError, match="takes no options"):
        find_engine("rapidocr:deu")


def test_tesseract_that_is_not_installed_is_told_with_the_command_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EngineMissingError, match="apt-get install tesseract-ocr "):
        find_engine("tesseract")


@pytest.mark.parametrize("options", ["eng;rm", "eng+", "-l eng"])
def test_what_names_no_languages_is_refused(options):
    with pytest.raises(ConfigurationError, match="names no languages"):
        tesseract.make(options)


def test_words_of_a_line_become_one_block_around_all_of_them():
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
    rows = (
        "4\t1\t1\t1\t1\t0\t36\t40\t400\t30\t-1\t",
        "5\t1\t1\t1\t1\t1\t36\t40\t90\t30\t90.0\tTotal",
        "5\t1\t1\t1\t1\t2\t140\t44\t60\t36\t40.0\tEUR\t5",
        "5\t1\t1\t1\t2\t1\t36\t90\t60\t20\t96\tThanks",
        "5\t1\t1\t1\t2\t2\t99\t90\t60\t20\t95\t ",
        "broken",
    )

    first, second = tesseract._lines("\n".join((head, *rows)))

    assert (first.text, second.text) == ("Total EUR\t5", "Thanks")
    assert first.box == ((36, 40), (200, 40), (200, 80), (36, 80))
    assert first.confidence == pytest.approx((0.9 * 5 + 0.4 * 5) / 10)
