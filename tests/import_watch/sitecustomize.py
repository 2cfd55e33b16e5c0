"""Loaded by Python at its start where this folder is on the path: notes which modules are asked for.

IMPORTS_SEEN names the file; every process of a program appends to it.
"""

import os
import sys
from pathlib import Path

_SEEN = Path(os.environ["IMPORTS_SEEN"])
_WATCHED = (
    "whatsapp_etl.extraction",
    "whatsapp_etl.extracting",
    "wetl_test_engines",
    "zxingcpp",
    "rapidocr",
    "onnxruntime",
    "cv2",
)


class _Watch:
    @staticmethod
    def find_spec(name, _path=None, _target=None):
        if any(name == each or name.startswith(f"{each}.") for each in _WATCHED):
            with _SEEN.open("a", encoding="utf-8") as seen:
                seen.write(f"{os.getpid()} {name}\n")


sys.meta_path.insert(0, _Watch())
