"""Files of the world: small real pictures, and facts of files that exist by name only.

Pictures are drawn from the world's random numbers, so equal seeds give equal bytes. They are tiny
on purpose: what matters is that each is a real file with its own checksum.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass, field
from random import Random

from PIL import Image

from whatsapp_etl.simulator.world import Media

_SIZES = ((96, 72), (72, 96), (120, 90), (64, 64), (160, 90), (90, 160), (240, 180), (320, 240))
_DISTINCT_PICTURES = 1200  #: Beyond this a large world shows pictures again; drawing costs time.
_SHARED_EVERY = 25  #: One picture in so many was sent before.
_THUMBS = 12
_STICKERS = 10


@dataclass(slots=True)
class MediaLibrary:
    """The server's files by the sha256 of their bytes."""

    random: Random
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)  #: sha256 -> (type, bytes)
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
        """Return the facts of a file whose bytes nobody asks for: video, sound, document."""
        sha256 = hashlib.sha256(self.random.randbytes(32)).hexdigest()
        is_video = mimetype.startswith("video/")
        width, height = (480, 270) if is_video else (None, None)
        return Media(
            mimetype, sha256, self.random.randrange(9_000, 900_000), width, height, duration, file_name
        )

    def _draw(self, size: tuple[int, int], form: str) -> Media:
        picture = Image.frombytes("RGB", (4, 3), self.random.randbytes(36))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
        data = _encoded(picture, form)
        sha256 = hashlib.sha256(data).hexdigest()
        mimetype = f"image/{form.lower()}"
        self.files[sha256] = (mimetype, data)
        return Media(mimetype, sha256, len(data), *size)

    def _data_address(self) -> str:
        picture = Image.frombytes("RGB", (8, 6), self.random.randbytes(144))
        return "data:image/jpeg;base64," + base64.b64encode(_encoded(picture, "JPEG")).decode()


def _encoded(picture: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, quality=70) if form != "PNG" else picture.save(buffer, form, compress_level=1)
    return buffer.getvalue()
