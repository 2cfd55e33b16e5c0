"""When nobody scans: no more codes are asked for, and the browser stays closed, until a person wants one."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

from whatsapp_etl.extract.profile import Profile
from whatsapp_etl.model import SessionSnapshot, SessionState


class LinkRest:
    """Whether linking rests. A person ends it: by asking, or by linking the profile with `login`.

    Args:
        profile: The browser profile's folder.
    """

    def __init__(self, profile: Path) -> None:
        self._profile = Profile(profile)
        self._asked = threading.Event()
        self._linked_at: int | None = None
        self._snapshot: SessionSnapshot | None = None

    @property
    def snapshot(self) -> SessionSnapshot | None:
        """The session as it may be shown while linking rests; None while it does not."""
        return self._snapshot

    def begin(self, now: datetime) -> None:
        """Rest from `now` on."""
        self._asked.clear()
        self._linked_at = self._profile.linked_at
        self._snapshot = SessionSnapshot(SessionState.LINK_RESTING, since=now)

    def ask(self) -> None:
        """End the rest: somebody wants to scan. From any thread."""
        self._asked.set()

    def goes_on(self) -> bool:
        """Whether linking still rests; once it does not, it begins anew."""
        if self._snapshot is None:
            return False
        if self._asked.is_set() or self._profile.linked_at != self._linked_at:
            self._snapshot = None
            return False
        return True
