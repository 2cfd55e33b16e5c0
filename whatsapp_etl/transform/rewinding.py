"""Recognises a browser storage that was set back: an older profile was restored, or the account linked again.

Such a storage lists less than it did: an older profile lacks the newest messages, a new link the oldest
that its phone did not hand over. A person who deletes messages or clears a chat does the same to one chat.
"""

from __future__ import annotations

from collections.abc import Sequence

from whatsapp_etl.model import ListedBefore

#: Messages at one end of one chat that may be gone because a person deleted them.
_BY_HAND = 2


def is_rewound(before: Sequence[ListedBefore]) -> bool:
    """Whether what several chats listed before is gone, or one end of a single chat with many messages.

    Called a rewind where it is none, it costs one more look at what was missing, and nothing stored.
    """
    short = [each for each in before if False in {each.has_first, each.has_last}]
    if len(short) > 1:
        return True
    return any(each.unlisted > _BY_HAND and each.has_first is not each.has_last for each in short)
