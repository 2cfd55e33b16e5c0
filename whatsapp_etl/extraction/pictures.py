"""Opens stored pictures within limits: what a sender made up must not fill the memory or end the worker."""

from __future__ import annotations

import hashlib
import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from whatsapp_etl.extracted import UnreadReason

#: Of the file. WhatsApp sends pictures of a few megabytes, as documents of up to 2 GB.
MOST_BYTES = 64 * 1024 * 1024
#: Of the picture, before anything of it is decoded: 150 MB in memory. A phone's camera makes 50 million.
MOST_PIXELS = 50_000_000
#: Of either side. A long screenshot has 20,000.
MOST_SIDE = 30_000

#: What is read at all; a decoder that is not named here never sees a stranger's bytes.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class PictureRefusedError(Exception):
    """A picture is not read, now or ever."""

    def __init__(self, reason: UnreadReason) -> None:
        super().__init__(reason)
        self.reason = reason


def check_bytes(data: bytes, checksum: str) -> None:
    """See that these are the bytes that were stored.

    Raises:
        PictureRefusedError: "empty", "too_large", or "file_changed".
    """
    if not data:
        raise PictureRefusedError(UnreadReason.EMPTY)
    if len(data) > MOST_BYTES:
        raise PictureRefusedError(UnreadReason.TOO_LARGE)
    if hashlib.sha256(data).hexdigest() != checksum:
        raise PictureRefusedError(UnreadReason.FILE_CHANGED)


def open_picture(data: bytes) -> Image.Image:
    """Return the picture upright, in RGB, on white; of one that moves, the first frame.

    Raises:
        PictureRefusedError: "not_a_picture", "too_many_pixels", "too_long", "truncated" or "broken".
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)  # of metadata that nobody asks for
        try:
            return _decoded(data)
        except UnidentifiedImageError as error:
            raise PictureRefusedError(UnreadReason.NOT_A_PICTURE) from error
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise PictureRefusedError(UnreadReason.TOO_MANY_PIXELS) from error
        except OSError as error:
            raise PictureRefusedError(UnreadReason.TRUNCATED) from error
        # What Pillow's decoders raise for headers that contradict themselves.
        except (ValueError, SyntaxError, TypeError, IndexError, KeyError, EOFError, OverflowError) as error:
            raise PictureRefusedError(UnreadReason.BROKEN) from error


def _decoded(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as stored:
        width, height = stored.size  # as the header says; nothing is decoded yet
        if max(width, height) > MOST_SIDE:
            raise PictureRefusedError(UnreadReason.TOO_LONG)
        if width * height > MOST_PIXELS:
            raise PictureRefusedError(UnreadReason.TOO_MANY_PIXELS)
        stored.load()
        upright = ImageOps.exif_transpose(stored)
        if "A" not in upright.getbands() and "transparency" not in upright.info:
            return upright.convert("RGB")
        # Dark text on nothing is meant to be seen on something light.
        with_alpha = upright.convert("RGBA")
        page = Image.new("RGB", upright.size, "white")
        page.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return page
