"""Connections to object stores, by one library for all of them.

Credentials and endpoint come from where the store's own tools take them (`AWS_…`, `GOOGLE_…`, `AZURE_…`,
or the machine's role).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from obstore.store import from_url


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request may take. A part of 4 MiB needs 34 s at 1 Mbit/s."""

    connect: timedelta = timedelta(seconds=10)
    request: timedelta = timedelta(seconds=90)
    retries: int = 3
    retry_within: timedelta = timedelta(minutes=3)


def open_store_at(url: str, patience: Patience) -> Any:  # noqa: ANN401 - one of the library's stores
    """Return the store at a URL; nothing is asked of it yet. Raises what the library raises."""
    if url.startswith("file:"):
        return from_url(url, mkdir=True)
    options: dict[str, object] = {
        "client_options": {
            "connect_timeout": patience.connect,
            "timeout": patience.request,
            "allow_http": True,  # only where the endpoint's own scheme is http
        },
        "retry_config": {"max_retries": patience.retries, "retry_timeout": patience.retry_within},
    }
    return from_url(url, **options)  # type: ignore[call-overload]


def first_line(error: Exception) -> str:
    """Return what the library says, without its debugging and without queries, in which keys may stand."""
    return re.sub(r"\?\S+", "", str(error).partition("\n")[0])[:200]
