"""Read QR codes from PNG images: `python read_codes.py TASK RESULT`; the task is a list of base64 texts."""

import io
import json
import sys
from base64 import b64decode
from pathlib import Path

import zxingcpp
from PIL import Image

_QUIET_ZONE = 32  #: Pixels around the code; the page's canvas has next to none of its own.


def read(encoded: str) -> str | None:
    image = Image.open(io.BytesIO(b64decode(encoded))).convert("RGBA")
    paper = Image.new("RGBA", (image.width + 2 * _QUIET_ZONE, image.height + 2 * _QUIET_ZONE), "white")
    paper.alpha_composite(image, (_QUIET_ZONE, _QUIET_ZONE))
    codes = zxingcpp.read_barcodes(paper.convert("L"))
    return codes[0].text if codes else None


if __name__ == "__main__":
    images = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps([read(image) for image in images]))
