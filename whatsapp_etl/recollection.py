"""What is known of Postgres while it is away: in memory, and on disk for a program that starts meanwhile."""

from __future__ import annotations

import errno
import hashlib
import hmac
from dataclasses import dataclass, field, replace

import structlog

from whatsapp_etl.errors import SpoolDamagedError
from whatsapp_etl.model import Account
from whatsapp_etl.scope import Standing
from whatsapp_etl.spool.folder import Spool
from whatsapp_etl.spool.memory import Memory
from whatsapp_etl.spool.settled import Settled

log = structlog.get_logger(__name__)


@dataclass
class Recollection:
    """What Postgres said last, and which messages need no reading."""

    spool: Spool
    settled: Settled = field(default_factory=Settled)
    standing: Standing | None = None  #: None: Postgres was not asked yet, and no program before knew.

    def recall(self, account: Account) -> None:
        """Take up what an earlier program left, where this one knows nothing yet.

        Read as late as that: until the profile was ours, another program may have written it.
        """
        if self.settled.is_known:
            return
        try:
            memory = self.spool.memory()
        except SpoolDamagedError as damaged:
            log.warning("memory_unreadable", reason=str(damaged))
            return
        if memory is None or not hmac.compare_digest(memory.account, _hashed(account.id, memory.key)):
            return
        if self.standing is None:
            self.standing = Standing(account.id, memory.is_shield_alarmed, memory.forgotten)
        self.settled = Settled(memory.key, memory.revisions)
        log.info("memory_taken_up", messages=len(memory.revisions))

    def raise_alarm(self) -> None:
        """Note that an unread count fell."""
        if self.standing is not None:
            self.standing = replace(self.standing, is_shield_alarmed=True)

    def keep(self) -> None:
        """Leave it on disk, once there is something to go by."""
        if self.standing is None or self.standing.account_id is None or not self.settled.is_known:
            return
        memory = Memory(
            account=_hashed(self.standing.account_id, self.settled.key),
            is_shield_alarmed=self.standing.is_shield_alarmed,
            forgotten=self.standing.forgotten,
            key=self.settled.key,
            revisions=self.settled.revisions,
        )
        try:
            if not self.spool.keep_memory(memory):
                log.warning("memory_not_kept", reason="SPOOL_MAX_BYTES is reached")
        except OSError as error:
            log.warning("memory_not_kept", reason=errno.errorcode.get(error.errno or 0, "unknown"))


def _hashed(account_id: str, key: bytes) -> bytes:
    return hashlib.blake2b(account_id.encode(), key=key).digest()
