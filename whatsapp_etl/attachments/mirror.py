"""A second copy of every file in an object store, under the same names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import obstore
from obstore import exceptions

from whatsapp_etl.errors import AttachmentStoreError
from whatsapp_etl.object_store import Patience, first_line, open_store_at

_REMEDY = "Check ATTACHMENTS_STORE_URL and the store's credentials; it is tried again with the next cycle."
#: A cycle that ends is not held up for long.
_PATIENCE = Patience(retries=2, retry_within=timedelta(minutes=1))


class Mirror:
    """The objects below one URL; credentials come from where the store's own tools take them."""

    def __init__(self, url: str) -> None:
        """Prepare; nothing is asked of the store yet.

        Raises:
            AttachmentStoreError: The URL or what the environment says of the store cannot be followed.
        """
        with _told("opened"):
            self._store = open_store_at(url, _PATIENCE)

    def put(self, file_path: str, place: Path) -> bool:
        """Copy a file; one that is there already is the same, since its name is its checksum.

        Returns:
            False: its bytes are not those of its name, and are not copied.

        Raises:
            AttachmentStoreError: The store refuses or does not answer.
            OSError: The file cannot be read.
        """
        data = place.read_bytes()
        if hashlib.sha256(data).hexdigest() != place.stem:
            return False
        with _told("written"), suppress(exceptions.AlreadyExistsError):
            obstore.put(self._store, file_path, data, mode="create", use_multipart=False)
        return True

    def get(self, file_path: str, checksum: str) -> bytes | None:
        """Return a file's bytes; None where there is none, or one that has another checksum."""
        with _told("read"):
            try:
                data = bytes(obstore.get(self._store, file_path).bytes())
            except FileNotFoundError:
                return None
        return data if hashlib.sha256(data).hexdigest() == checksum else None

    def delete(self, file_path: str) -> None:
        """Delete a copy; one that is gone already is no error."""
        with _told("tidied"):
            try:
                obstore.delete(self._store, file_path)
            except FileNotFoundError:
                return


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except (exceptions.BaseError, OSError, ValueError) as error:
        raise AttachmentStoreError(
            f"The attachments' store could not be {what} ({first_line(error)}).", _REMEDY
        ) from error
