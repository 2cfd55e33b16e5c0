"""Files of the world: small real pictures, and videos, sounds and documents that are real bytes and no more.

Pictures are drawn from the world's random numbers, so equal seeds give equal bytes. They are tiny
on purpose: what matters is that each is a real file with its own checksum.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass, field, replace
from random import Random

from PIL import Image

from whatsapp_etl.simulator.sealed_media import info_of, media_key, seal
from whatsapp_etl.simulator.world import Media

_SIZES = ((96, 72), (72, 96), (120, 90), (64, 64), (160, 90), (90, 160), (240, 180), (320, 240))
_DISTINCT_PICTURES = 1200  #: Beyond this a large world shows pictures again; drawing costs time.
_DISTINCT_FILES = 600  #: The same for videos, sounds and documents; sealing them costs time.
_SHARED_EVERY = 25  #: One picture in so many was sent before.
_THUMBS = 12
_STICKERS = 10


@dataclass(slots=True)
class MediaLibrary:
    """The server's files by the sha256 of their bytes."""

    random: Random
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)  #: sha256 -> (type, bytes)
    _filled: dict[str, tuple[str, bytes, int]] = field(default_factory=dict)  #: sha256 -> (type, seed, size)
    _by_type: dict[str, list[Media]] = field(default_factory=dict)  #: Of `_filled`.
    _pictures: list[Media] = field(default_factory=list)
    _stickers: list[Media] = field(default_factory=list)
    _thumbs: list[str] = field(default_factory=list)

    def picture(self) -> Media:
        """Return a JPEG or PNG: nearly always a new one."""
        is_shared = self._pictures and self.random.randrange(_SHARED_EVERY) == 0
        if is_shared or len(self._pictures) >= _DISTINCT_PICTURES:
            return self.random.choice(self._pictures)
        return self.new_picture("PNG" if self.random.randrange(4) == 0 else "JPEG")

    def new_picture(self, form: str = "JPEG") -> Media:
        media = self._draw(self.random.choice(_SIZES), form)
        self._pictures.append(media)
        return media

    def sticker(self) -> Media:
        if not self._stickers:
            self._stickers = [self._draw((64, 64), "WEBP") for _ in range(_STICKERS)]
        return self.random.choice(self._stickers)

    def thumb(self) -> str:
        """Return a blurred preview as a data: address."""
        if not self._thumbs:
            self._thumbs = [self._data_address() for _ in range(_THUMBS)]
        return self.random.choice(self._thumbs)

    def by_name(self, mimetype: str, *, file_name: str | None = None, duration: int | None = None) -> Media:
        """Return the facts of a video, sound or document: so many bytes that begin as its kind does."""
        known = self._by_type.setdefault(mimetype, [])
        if known and len(self._filled) >= _DISTINCT_FILES:
            return replace(self.random.choice(known), duration=duration, file_name=file_name)
        seed = self.random.randbytes(32)
        size = self.random.randrange(9_000, 900_000)
        data = _filled(mimetype, seed, size)
        sha256 = hashlib.sha256(data).hexdigest()
        self._filled[sha256] = (mimetype, seed, size)
        is_video = mimetype.startswith("video/")
        width, height = (480, 270) if is_video else (None, None)
        known.append(_facts(mimetype, data, width, height, duration, file_name))
        return known[-1]

    def add(self, mimetype: str, data: bytes, file_name: str | None = None) -> Media:
        """Take a file as somebody sends it; nobody looks whether it is what it claims to be."""
        self.files[hashlib.sha256(data).hexdigest()] = (mimetype, data)
        return _facts(mimetype, data, file_name=file_name)

    def bytes_of(self, sha256: str) -> tuple[str, bytes] | None:
        """Return type and bytes of a file; None where there is none."""
        if (found := self._filled.get(sha256)) is not None:
            return found[0], _filled(*found)
        return self.files.get(sha256)

    def _draw(self, size: tuple[int, int], form: str) -> Media:
        picture = Image.frombytes("RGB", (4, 3), self.random.randbytes(36))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
        data = _encoded(picture, form)
        mimetype = f"image/{form.lower()}"
        self.files[hashlib.sha256(data).hexdigest()] = (mimetype, data)
        return _facts(mimetype, data, *size)

    def _data_address(self) -> str:
        picture = Image.frombytes("RGB", (8, 6), self.random.randbytes(144))
        return "data:image/jpeg;base64," + base64.b64encode(_encoded(picture, "JPEG")).decode()


#: What files of a type begin with.
_HEADS = {
    "video/mp4": b"\0\0\0\x18ftypmp42",
    "audio/ogg; codecs=opus": b"OggS\0\2",
    "audio/mpeg": b"ID3\4\0\0",
    "application/pdf": b"%PDF-1.7\n",
}


def _filled(mimetype: str, seed: bytes, size: int) -> bytes:
    head = _HEADS.get(mimetype, b"PK\3\4") + seed
    return (head + seed * (size // len(seed) + 1))[:size]


def _facts(  # noqa: PLR0917 - the fields of `Media`
    mimetype: str,
    data: bytes,
    width: int | None = None,
    height: int | None = None,
    duration: int | None = None,
    file_name: str | None = None,
) -> Media:
    sha256 = hashlib.sha256(data).hexdigest()
    sealed = seal(data, media_key(sha256), info_of(mimetype))
    return Media(
        mimetype, sha256, len(data), hashlib.sha256(sealed).hexdigest(), width, height, duration, file_name
    )


def _encoded(picture: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, quality=70) if form != "PNG" else picture.save(buffer, form, compress_level=1)
    return buffer.getvalue()
