"""The scripts that run in the page, one file each."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def read_script(name: str) -> str:
    """Return the text of `<name>.js`."""
    return files(__name__).joinpath(f"{name}.js").read_text(encoding="utf-8")
