"""The scripts that run in the page, one file each."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def read_script(name: str) -> str:
    """Return the text of `<name>.js`."""
    return files(__name__).joinpath(f"{name}.js").read_text(encoding="utf-8")


@cache
def with_text(name: str) -> str:
    """Return `<name>.js` as a function of its argument's JSON.

    Thousands of keys are passed many times faster as one text than as a list, of which each is wrapped.
    """
    return f"(text) => (\n{read_script(name)}\n)(JSON.parse(text))"
