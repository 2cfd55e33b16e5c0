"""What a program must know to go on reading when it starts while Postgres is away, as the bytes of a file.

No id is in it, only keyed hashes; the keys lie beside them, so the file is as private as the database.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass

from whatsapp_etl.errors import SpoolDamagedError
from whatsapp_etl.forgotten import Forgotten
from whatsapp_etl.spool.format import framed, unframed

#: Raised whenever a file of the version before could not be read as one of this.
VERSION = 1

_MARK = b"whatsapp-etl-settled"


@dataclass(frozen=True, slots=True)
class Memory:
    """What Postgres said last, and what was settled since."""

    account: bytes  #: Hash of the account's id, under `key`.
    is_shield_alarmed: bool
    forgotten: Forgotten  #: Without `phone_ids`.
    key: bytes  #: Of the hashes.
    revisions: Mapping[int, int]  #: Hash of the revision by hash of the id.


def packed_memory(memory: Memory) -> bytes:
    """Return the file's bytes; the same for the same content."""
    head = {
        "account": memory.account.hex(),
        "is_shield_alarmed": memory.is_shield_alarmed,
        "forgotten_key": memory.forgotten.key.hex(),
        "forgotten": sorted(each.hex() for each in memory.forgotten.digests),
        "key": memory.key.hex(),
    }
    numbers = array("Q", [number for pair in sorted(memory.revisions.items()) for number in pair])
    if sys.byteorder == "big":
        numbers.byteswap()
    return framed(json.dumps(head).encode("ascii") + b"\n" + numbers.tobytes(), _MARK, VERSION)


def unpacked_memory(data: bytes) -> Memory:
    """Return what `packed_memory` made this of.

    Raises:
        SpoolDamagedError: It is cut short, changed, or of another version; the message says which.
    """
    head, _, rest = unframed(data, _MARK, VERSION).partition(b"\n")
    numbers = array("Q")
    try:
        known = json.loads(head)
        numbers.frombytes(rest)
        if sys.byteorder == "big":
            numbers.byteswap()
        return Memory(
            account=bytes.fromhex(known["account"]),
            is_shield_alarmed=bool(known["is_shield_alarmed"]),
            forgotten=Forgotten(
                bytes.fromhex(known["forgotten_key"]),
                frozenset(bytes.fromhex(each) for each in known["forgotten"]),
            ),
            key=bytes.fromhex(known["key"]),
            revisions=dict(zip(numbers[::2], numbers[1::2], strict=True)),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise SpoolDamagedError(f"Its content is not understood ({type(error).__name__}).") from None
