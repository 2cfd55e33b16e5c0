"""The engine RapidOCR: PaddleOCR's models on ONNX Runtime, all in its wheel; nothing leaves the machine."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from PIL import Image

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.extracted import Block, EngineId, Parameters, Reading
from whatsapp_etl.extraction.engine import EngineMissingError

NAME = "rapidocr"
#: It enlarges a picture until its shorter side has 736 pixels, however long the other one becomes: a strip
#: of 3 by 900 would be read as 736 by 220,800. So a longer one is made wider before, with white.
_MOST_TIMES_AS_LONG = 8
#: A line that it is less sure of is left out; its own default.
_SURE_FROM = 0.5
#: What its runtime says, in an error of no kind of its own, when it gets no memory.
_NO_MEMORY = "bad_alloc"


class RapidOcr:
    """One set of models in memory: some 300 MB, loaded once."""

    def __init__(self) -> None:
        self._engine: Any = None
        self._as_array: Any = None
        parameters: Parameters = {"runtime": version("onnxruntime"), "sure_from": _SURE_FROM}
        self.id = EngineId(NAME, version("rapidocr"), parameters)

    def load(self) -> None:
        if self._engine is not None:
            return
        # Heavy, and there only with the extra.
        import numpy as np  # noqa: PLC0415
        from rapidocr import RapidOCR  # noqa: PLC0415

        self._as_array = np.asarray
        # Its own log names paths of this machine at every start.
        self._engine = RapidOCR(params={"Global.log_level": "critical", "Global.text_score": _SURE_FROM})

    def read(self, picture: Image.Image) -> Reading:
        # It takes arrays as OpenCV has them: blue first.
        try:
            found = self._engine(self._as_array(_wide_enough(picture))[:, :, ::-1])
        except Exception as error:
            if _NO_MEMORY in str(error):
                raise MemoryError from error
            raise
        if found.txts is None:
            return Reading()
        return Reading(
            tuple(
                Block(text, float(score), tuple((float(x), float(y)) for x, y in box))
                for text, score, box in zip(found.txts, found.scores, found.boxes, strict=True)
            )
        )


def _wide_enough(picture: Image.Image) -> Image.Image:
    """Return the picture, on the top left of a larger white one where it is a strip; places stay right."""
    least = -(-max(picture.size) // _MOST_TIMES_AS_LONG)
    if min(picture.size) >= least:
        return picture
    page = Image.new("RGB", (max(picture.width, least), max(picture.height, least)), "white")
    page.paste(picture)
    return page


def make(options: str) -> RapidOcr:
    """Return the engine, its models not loaded yet.

    Raises:
        EngineMissingError: The extra is not installed.
        ConfigurationError: It was given options.
    """
    if options:
        raise ConfigurationError(f"EXTRACTION_ENGINE: {NAME} takes no options.", f"Write {NAME} alone.")
    if find_spec("rapidocr") is None or find_spec("onnxruntime") is None:
        raise EngineMissingError(
            f"EXTRACTION_ENGINE: {NAME} is not installed.", 'Run: pip install "whatsapp-etl[ocr]"'
        )
    return RapidOcr()
