"""Values of the model as what JSON knows, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from itertools import repeat
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


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


def valued(kind: Any, plain_value: Any) -> Any:  # noqa: ANN401 - any value of the model
    """Return the value of a type of which `plain` made this.

    Args:
        kind: A frozen dataclass, a field's type, or a text, number or instant.
        plain_value: What JSON holds of it.

    Raises:
        ValueError: It is no value of that type, or fields of it lack.
        TypeError: The same.
        KeyError: It has a field that the type does not have.
    """
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(**{name: valued(_fields(kind)[name], each) for name, each in dict(plain_value).items()})
    if get_origin(kind) is UnionType:
        (inner,) = (each for each in get_args(kind) if each is not NoneType)
        return None if plain_value is None else valued(inner, plain_value)
    if get_origin(kind) is tuple:
        inner, *others = get_args(kind)
        kinds = repeat(inner) if others == [Ellipsis] else (inner, *others)
        return tuple(valued(each_kind, each) for each_kind, each in zip(kinds, plain_value, strict=False))
    if get_origin(kind) is Mapping:
        key_kind, inner = get_args(kind)
        return {valued(key_kind, key): valued(inner, each) for key, each in plain_value.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(plain_value)
    return datetime.fromisoformat(plain_value) if kind is datetime else plain_value


@cache
def _fields(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
