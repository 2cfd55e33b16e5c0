"""Each folder of tests/cases/messages is a page fragment and what must be read from it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from tests.transform_values import ROOT, UTC_ZONE, packs
from whatsapp_etl.transform.parse import parse_page

CASES = sorted((ROOT / "tests/cases/messages").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_page_fragment_reads_as_the_case_says(case: Path):
    wanted = json.loads((case / "expected.json").read_text(encoding="utf-8"))

    parsed, rejects = parse_page(
        (case / "page.html").read_text(encoding="utf-8"),
        packs()[wanted["pack"]],
        zone=UTC_ZONE,
        locale=wanted["locale"],
        own_name=wanted["own_name"],
        chat_id=None,
        today=date.fromisoformat(wanted["today"]),
    )

    assert rejects == ()
    assert [
        _like(asdict(row), pattern) for row, pattern in zip(parsed, wanted["rows"], strict=True)
    ] == wanted["rows"]


def _like(value: object, pattern: object) -> object:
    """Return `value` with no more keys than `pattern` names, times as text."""
    if isinstance(value, dict) and isinstance(pattern, dict):
        return {key: _like(value[key], part) for key, part in pattern.items()}
    if isinstance(value, tuple) and isinstance(pattern, list):
        return [_like(each, part) for each, part in zip(value, pattern, strict=True)]
    return value.isoformat() if hasattr(value, "isoformat") else value
