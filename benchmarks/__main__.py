"""Run the benchmarks: one JSON line on standard output, one table on standard error.

`python -m benchmarks [NAME …]`. Figures that decide are ratios taken in one run on one machine;
absolute ones are printed beside them. Exit code 1 when a ratio misses its limit.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from importlib.util import find_spec
from typing import Any

from rich.console import Console
from rich.table import Table

import benchmarks

#: Benchmarks of an extra: left out where it is not installed, unless they are named.
EXTRAS = {"ocr": "rapidocr"}


def names() -> list[str]:
    """Return the benchmark modules: every module here that has a `run`, and what it needs."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(
        name for name in found if not name.startswith("_") and find_spec(EXTRAS.get(name, "benchmarks"))
    )


def table(results: dict[str, dict[str, Any]]) -> Table:
    shown = Table("benchmark", "figure", "value", "limit", "holds")
    for name, result in results.items():
        limits = result.get("limits", {})
        for figure, value in result.items():
            if figure == "limits":
                continue
            number = f"{value:,.3g}" if isinstance(value, float) else str(value)
            limit = limits.get(figure)
            shown.add_row(
                name, figure, number, *(("", "") if limit is None else (limit, verdict(value, limit)))
            )
    return shown


def verdict(value: float, limit: str) -> str:
    """Return "yes" or "NO"; a limit reads "<= 1.25" or ">= 0.5"."""
    sign, bound = limit.split()
    return "yes" if (value <= float(bound) if sign == "<=" else value >= float(bound)) else "NO"


def main(chosen: list[str]) -> int:
    results = {name: importlib.import_module(f"benchmarks.{name}").run() for name in chosen or names()}
    print(json.dumps(results, sort_keys=True))
    Console(stderr=True).print(table(results))
    missed = [
        figure
        for result in results.values()
        for figure, limit in result.get("limits", {}).items()
        if verdict(result[figure], limit) == "NO"
    ]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
