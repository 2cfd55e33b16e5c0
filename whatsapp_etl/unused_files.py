"""Removing files whose messages are gone; what cannot be removed stays noted, and is tried again."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Mapping

from whatsapp_etl.load.store import Store


def remove_unused_files(
    store: Store, remove: Callable[[str], None], waiting: Collection[str] = ()
) -> Mapping[str, str]:
    """Remove what no message uses any more; return the paths that stayed, with the system's reason.

    Only after the commit that removed the messages: a file that is gone too early cannot come back.

    Args:
        store: Knows which they are.
        remove: Takes a path below ATTACHMENTS_DIR.
        waiting: Paths that chats in the spool have; they are looked at again once those are loaded.
    """
    unused = [path for path in store.unused_files() if path not in waiting]
    kept: dict[str, str] = {}
    for path in unused:
        try:
            remove(path)
        except OSError as error:
            kept[path] = errno.errorcode.get(error.errno or 0, "unknown")
    if gone := [path for path in unused if path not in kept]:
        store.note_removed(gone)
    return kept
