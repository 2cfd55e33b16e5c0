"""One picture, from its file to what an engine found in it, or to why it could not be read.

An engine is foreign code on a stranger's bytes: here, where a job ends, everything that it raises is
caught, so that one picture stops no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from whatsapp_etl.extracted import Reading, UnreadReason
from whatsapp_etl.extraction.decide import storable
from whatsapp_etl.extraction.engine import Engine
from whatsapp_etl.extraction.pictures import PictureRefusedError, check_bytes, open_picture

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a picture was not read."""

    reason: UnreadReason
    is_final: bool  #: No further try would read it.


def read_one(data: Callable[[], bytes], checksum: str, engine: Engine) -> Reading | Failure:
    """Read one picture; raises nothing that a picture can cause.

    Args:
        data: Gives its bytes.
        checksum: sha256 of the bytes that were stored.
        engine: Reads it.
    """
    try:
        held = data()
    except FileNotFoundError:  # a folder that is not mounted, or not copied yet
        return Failure(UnreadReason.FILE_MISSING, is_final=False)
    except OSError:
        return Failure(UnreadReason.FILE_UNREADABLE, is_final=False)
    try:
        check_bytes(held, checksum)
        return storable(engine.read(open_picture(held)))
    except PictureRefusedError as refused:
        return Failure(refused.reason, is_final=True)
    except MemoryError:
        return Failure(UnreadReason.MEMORY, is_final=False)
    except Exception as error:  # noqa: BLE001 - where a job ends; see above
        # Of what it says, the picture's text could be a part.
        log.warning("engine_failed", engine=engine.id.name, kind=type(error).__name__)
        return Failure(UnreadReason.ENGINE_FAILED, is_final=False)
