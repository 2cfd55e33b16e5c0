"""The object store: created once, read, listed, deleted. Its errors leave as errors of this program.

Objects are only ever created, never written over: that is the one condition that every store offers, and
all that the lease and the pointer need.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import obstore
from obstore import exceptions

from whatsapp_etl.errors import GenerationDamagedError, VaultRefusedError, VaultUnreachableError
from whatsapp_etl.object_store import Patience, first_line, open_store_at

_DIGITS = 12
#: Nothing that time mends.
_WRONG = (
    exceptions.PermissionDeniedError,
    exceptions.UnauthenticatedError,
    exceptions.InvalidPathError,
    exceptions.UnknownConfigurationKeyError,
    exceptions.NotSupportedError,
)
_REFUSALS = frozenset({400, 401, 403, 404, 405})
_REMEDY = "Check SESSION_STORE_URL and the store's credentials."


#: For the small objects of the lease.
QUICK = Patience(timedelta(seconds=5), timedelta(seconds=15), 2, timedelta(seconds=30))


@dataclass(frozen=True, slots=True)
class StoredObject:
    path: str
    size_bytes: int
    written_at: datetime  #: By the store's clock.


class Objects:
    """The objects below one URL."""

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        """Prepare; nothing is asked of the store yet.

        Raises:
            VaultRefusedError: The URL or what the environment says of the store cannot be followed.
        """
        with _told("be opened"):
            self._store = open_store_at(url, patience or Patience())

    def create(self, path: str, data: bytes) -> bool:
        """Create an object; False when there is one of that name with other content."""
        with _told("be written"):
            try:
                obstore.put(self._store, path, data, mode="create", use_multipart=False)
            except exceptions.AlreadyExistsError:
                # Also the answer to an own request that was repeated because its answer was lost.
                return self._holds(path, data)
        return True

    def _holds(self, path: str, data: bytes) -> bool:
        try:
            found = obstore.get(self._store, path)
        except FileNotFoundError:  # tidied away meanwhile, so it was not this one
            return False
        return found.meta["size"] == len(data) and bytes(found.bytes()) == data

    def read(self, path: str, at_most: int) -> bytes | None:
        """Return an object's bytes; None where there is none.

        Raises:
            GenerationDamagedError: It is larger than `at_most`.
        """
        with _told("be read"):
            try:
                found = obstore.get(self._store, path)
            except FileNotFoundError:
                return None
            if found.meta["size"] > at_most:
                raise GenerationDamagedError(f"{path} is larger than this program writes it.")
            return bytes(found.bytes())

    def written_at(self, path: str) -> datetime | None:
        """Return when an object was written, by the store's clock."""
        with _told("be read"):
            try:
                return obstore.head(self._store, path)["last_modified"]
            except FileNotFoundError:
                return None

    def found(self, prefix: str) -> Iterator[StoredObject]:
        with _told("be listed"):
            for batch in obstore.list(self._store, prefix):
                for each in batch:
                    yield StoredObject(each["path"], each["size"], each["last_modified"])

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects; those that are gone already are no error."""
        for path in paths:
            with _told("be tidied"):
                try:
                    obstore.delete(self._store, path)
                except FileNotFoundError:
                    continue

    def numbers(self, folder: str) -> list[int]:
        """Return the numbers of `folder/000…N`, ascending. The highest one counts."""
        found = (re.fullmatch(rf"{folder}/(\d{{{_DIGITS}}})", each.path) for each in self.found(folder))
        return sorted(int(match[1]) for match in found if match)


def numbered(folder: str, number: int) -> str:
    return f"{folder}/{number:0{_DIGITS}}"


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise VaultRefusedError(
            f"The session store could not {what}: there is no such bucket.", _REMEDY
        ) from error
    except (*_WRONG, ValueError) as error:
        raise VaultRefusedError(f"The session store cannot {what} ({_short(error)}).", _REMEDY) from error
    except (exceptions.BaseError, OSError) as error:
        if _status(error) in _REFUSALS:
            raise VaultRefusedError(f"The session store cannot {what} ({_short(error)}).", _REMEDY) from error
        raise VaultUnreachableError(
            f"The session store could not {what} ({_short(error)}).", "It is tried again later."
        ) from error


def _status(error: Exception) -> int | None:
    """Return the HTTP status that an error tells; for a listing it stands in the text only."""
    found = re.search(r"status code: (\d{3})", str(error))
    return int(found[1]) if found else None


def _short(error: Exception) -> str:
    """Return what the store's library says, without its debugging and without addresses' queries."""
    if (status := _status(error)) is not None:
        return f"HTTP {status}"
    return first_line(error)
