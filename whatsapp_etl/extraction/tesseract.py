"""The engine Tesseract, a program of the distribution; "tesseract:deu+eng" names its languages."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import groupby

from PIL import Image

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.extracted import Block, EngineId, Reading
from whatsapp_etl.extraction.engine import EngineMissingError

NAME = "tesseract"
_LANGUAGES = "eng"
_READS_WITHIN_SECONDS = 120
_ANSWERS_WITHIN_SECONDS = 20
#: What it, or its library, says when it gets no memory: "malloc fail", "std::bad_alloc".
_NO_MEMORY = b"alloc"
#: Columns of its TSV output: level, page, block, paragraph, line, word, left, top, width, height, conf, text.
_COLUMNS = 12


class Tesseract:
    """Knows which program and languages; keeps nothing in memory."""

    def __init__(self, program: str, version: str, languages: str) -> None:
        self._program = program
        self._languages = languages
        self.id = EngineId(NAME, version, {"languages": languages})

    def load(self) -> None:
        """It is a program of its own: nothing is to be loaded."""

    def read(self, picture: Image.Image) -> Reading:
        data = io.BytesIO()
        picture.save(data, "PNG", compress_level=1)
        try:
            done = subprocess.run(  # noqa: S603 - the distribution's own program, with arguments of ours
                [self._program, "stdin", "stdout", "-l", self._languages, "tsv"],
                input=data.getvalue(),
                capture_output=True,
                check=True,
                timeout=_READS_WITHIN_SECONDS,
            )
        except subprocess.CalledProcessError as error:
            if _NO_MEMORY in error.stderr:
                raise MemoryError from error
            raise
        return Reading(tuple(_lines(done.stdout.decode("utf-8", "replace"))))


def make(options: str) -> Tesseract:
    """Return the engine.

    Args:
        options: Languages as it names them, joined by plus signs; empty: English.

    Raises:
        EngineMissingError: The program or a language is not installed.
        ConfigurationError: The languages cannot be read.
    """
    languages = options or _LANGUAGES
    if not re.fullmatch(r"[A-Za-z0-9_/]+(\+[A-Za-z0-9_/]+)*", languages):
        raise ConfigurationError(
            f'EXTRACTION_ENGINE: "{languages}" names no languages.', "Write tesseract:deu+eng."
        )
    program = shutil.which(NAME)
    if program is None:
        raise EngineMissingError(
            f"EXTRACTION_ENGINE: the program {NAME} is not installed.",
            "Run: sudo apt-get install tesseract-ocr (or your distribution's name of it).",
        )
    known = _asked(program, "--list-langs").split()
    for language in languages.split("+"):
        if language not in known:
            raise EngineMissingError(
                f"EXTRACTION_ENGINE: {NAME} does not know the language {language}.",
                f"Run: sudo apt-get install tesseract-ocr-{language.lower().replace('_', '-')}",
            )
    first_line = _asked(program, "--version").partition("\n")[0]
    return Tesseract(program, first_line.removeprefix("tesseract").strip(), languages)


def _asked(program: str, question: str) -> str:
    done = subprocess.run(  # noqa: S603 - as above
        [program, question], capture_output=True, text=True, check=True, timeout=_ANSWERS_WITHIN_SECONDS
    )
    return done.stdout


def _lines(tsv: str) -> Iterator[Block]:
    """Yield a block for each line of its TSV output; the words' confidence is weighed by their length."""
    rows = [row for line in tsv.splitlines()[1:] if len(row := line.split("\t", _COLUMNS - 1)) == _COLUMNS]
    words = [row for row in rows if row[0] == "5" and row[11].strip()]
    for _, of_line in groupby(words, key=lambda row: row[1:5]):
        line = list(of_line)
        lefts, tops = [int(row[6]) for row in line], [int(row[7]) for row in line]
        left, top = min(lefts), min(tops)
        right = max(x + int(row[8]) for x, row in zip(lefts, line, strict=True))
        bottom = max(y + int(row[9]) for y, row in zip(tops, line, strict=True))
        letters = sum(len(row[11]) for row in line)
        sure = sum(float(row[10]) * len(row[11]) for row in line) / letters / 100
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        yield Block(" ".join(row[11] for row in line), sure, tuple((float(x), float(y)) for x, y in corners))
