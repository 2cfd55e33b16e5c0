"""Values of the model as what JSON knows."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from enum import Enum


def plain(value: object) -> object:
    """Return a value as dicts, lists, texts and numbers: enums by value, instants in ISO form."""
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "__dataclass_fields__"):
        return plain(asdict(value))  # type: ignore[call-overload]
    if isinstance(value, dict):
        return {_key(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return value.isoformat() if isinstance(value, date) else value


def _key(key: object) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
