"""The alarm that an unread count fell after a chat was opened: told to Postgres, now or when it is back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from whatsapp_etl.load.store import Store
from whatsapp_etl.recollection import Recollection
from whatsapp_etl.tally import Tally

log = structlog.get_logger(__name__)


@dataclass
class Alarm:
    """Sounds once, and is kept until Postgres knows it."""

    store: Store
    recollection: Recollection
    clock: Callable[[], datetime]
    _is_untold: bool = False

    def sound(self, tally: Tally) -> None:
        """Note that an unread count fell: from the next chat on, unread ones stay closed."""
        log.error("shield_alarm", detail="an unread count fell after the chat was opened")
        self._is_untold = True
        tally.if_there(self.tell)
        self.recollection.raise_alarm()

    def tell(self) -> None:
        """Store an alarm that Postgres was not there for."""
        if self._is_untold:
            self.store.raise_shield_alarm(self.clock())
            self._is_untold = False
