"""Removing files whose messages are gone; what cannot be removed stays noted, and is tried again."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping

from whatsapp_etl.load.store import Store


def remove_unused_files(store: Store, remove: Callable[[str], None]) -> Mapping[str, str]:
    """Remove what no message uses any more; return the paths that stayed, with the system's reason.

    Only after the commit that removed the messages: a file that is gone too early cannot come back.
    """
    unused = store.unused_files()
    kept: dict[str, str] = {}
    for path in unused:
        try:
            remove(path)
        except OSError as error:
            kept[path] = errno.errorcode.get(error.errno or 0, "unknown")
    if gone := [path for path in unused if path not in kept]:
        store.note_removed(gone)
    return kept
