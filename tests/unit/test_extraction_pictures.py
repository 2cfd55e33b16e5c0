"""Pictures are opened within limits, whatever a sender made up; each refusal has its reason."""

import hashlib
import io
import struct
import zlib

import pytest
from PIL import Image

from tests.fixtures.pictures import qr_png
from whatsapp_etl.extracted import Reading
from whatsapp_etl.extraction.job import Failure, read_one
from whatsapp_etl.extraction.pictures import MOST_PIXELS, PictureRefusedError, check_bytes, open_picture


def encoded(picture, form, **options):
    data = io.BytesIO()
    picture.save(data, form, **options)
    return data.getvalue()


def png_that_claims(width, height, scanlines=b""):
    """Return a PNG whose header claims a size, and whose data is some bytes."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(scanlines))
        + chunk(b"IEND", b"")
    )


PHOTO = Image.radial_gradient("L").convert("RGB")
REFUSED = {
    "bomb": (png_that_claims(10_000, 10_000), "too_many_pixels"),
    "bomb that Pillow warns of": (png_that_claims(12_000, 8_000), "too_many_pixels"),
    "bomb that Pillow refuses": (png_that_claims(60_000, 25_000), "too_many_pixels"),
    "strip": (png_that_claims(40_000, 10), "too_long"),
    "cut JPEG": (encoded(PHOTO, "JPEG")[:1500], "truncated"),
    "cut PNG": (encoded(PHOTO, "PNG")[:3000], "truncated"),
    "cut WebP": (encoded(PHOTO, "WEBP")[:700], "truncated"),
    "text": (b"an invoice, it says", "not_a_picture"),
    "zip": (b"PK\x03\x04" + bytes(60), "not_a_picture"),
    "signature alone": (b"\x89PNG\r\n\x1a\n", "not_a_picture"),
    "a format that is not read": (encoded(PHOTO, "TIFF"), "not_a_picture"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not_a_picture"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_harmless_picture_is_refused_with_its_reason(name):
    data, reason = REFUSED[name]

    with pytest.raises(PictureRefusedError) as refused:
        open_picture(data)

    assert refused.value.reason == reason


def outcome(data):
    """Return the mode of an opened picture, or the reason why it was not."""
    try:
        return open_picture(data).mode
    except PictureRefusedError as refused:
        return refused.reason


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_whatever_byte_is_wrong_a_picture_is_read_or_refused_with_a_reason(form):
    whole = encoded(PHOTO, form)
    broken = [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(min(len(whole), 400))]

    outcomes = {outcome(data) for data in broken}

    reasons = {"not_a_picture", "truncated", "broken", "too_many_pixels", "too_long"}
    assert outcomes <= {"RGB", *reasons}
    assert outcomes & reasons


def test_the_largest_picture_of_a_phone_is_read():
    assert 8192 * 6144 >= MOST_PIXELS > 8160 * 6120


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_each_format_that_whatsapp_sends_is_read(form):
    assert open_picture(encoded(PHOTO, form)).size == PHOTO.size


def test_a_picture_on_its_side_is_put_upright():
    wide = Image.new("RGB", (40, 20), "white")
    wide.putpixel((0, 0), (0, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees

    upright = open_picture(encoded(wide, "PNG", exif=exif))

    assert upright.size == (20, 40)
    assert upright.getpixel((19, 0)) == (0, 0, 0)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF"])
def test_what_is_transparent_becomes_white(form):
    nothing = Image.new("RGBA", (4, 4), (0, 0, 0, 0))

    assert open_picture(encoded(nothing, form)).getpixel((1, 1)) == (255, 255, 255)


def test_of_a_picture_that_moves_the_first_frame_is_read():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert open_picture(data).getpixel((0, 0)) == (255, 0, 0)


def test_bytes_are_those_that_were_stored():
    data = qr_png("kettle")
    check_bytes(data, hashlib.sha256(data).hexdigest())

    for held, reason in ((b"", "empty"), (data + b"!", "file_changed"), (bytes(2**26 + 1), "too_large")):
        with pytest.raises(PictureRefusedError) as refused:
            check_bytes(held, hashlib.sha256(data).hexdigest())
        assert refused.value.reason == reason


def raising(error):
    def data():
        raise error

    return data


@pytest.mark.parametrize(
    ("error", "reason"), [(FileNotFoundError(), "file_missing"), (PermissionError(), "file_unreadable")]
)
def test_a_file_that_cannot_be_read_now_may_be_read_later(engines, error, reason):
    from whatsapp_etl.extraction.engine import find_engine

    assert read_one(raising(error), "", find_engine("qr")) == Failure(reason, is_final=False)


def test_an_engine_that_fails_is_a_failed_try_that_quotes_nothing(engines, caplog, capsys):
    from whatsapp_etl.extraction.engine import find_engine

    data = qr_png("trouble")

    failed = read_one(lambda: data, hashlib.sha256(data).hexdigest(), find_engine("qr"))

    assert failed == Failure("engine_failed", is_final=False)
    assert "trouble" not in caplog.text + "".join(capsys.readouterr())


def test_a_picture_without_text_is_read_too(engines):
    from whatsapp_etl.extraction.engine import find_engine

    data = encoded(PHOTO, "PNG")

    assert read_one(lambda: data, hashlib.sha256(data).hexdigest(), find_engine("qr")) == Reading()
