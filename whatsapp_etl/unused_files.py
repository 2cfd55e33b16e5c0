"""Removing files whose messages are gone; what cannot be removed stays noted, and is tried again."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Mapping

from whatsapp_etl.load.store import Store

#: The second store is not asked any more, once it refused so often: a store that hangs does so each time.
_MOST_REFUSALS = 3


class CopyLeftError(OSError):
    """A file's copy could not be removed, since the second store refuses or does not answer."""


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
    refusals = 0
    for path in unused:
        if refusals == _MOST_REFUSALS:
            kept[path] = "EIO"
            continue
        try:
            remove(path)
        except OSError as error:
            kept[path] = errno.errorcode.get(error.errno or 0, "unknown")
            refusals += isinstance(error, CopyLeftError)
    if gone := [path for path in unused if path not in kept]:
        store.note_removed(gone)
    return kept
