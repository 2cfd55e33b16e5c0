"""Pages with invented text, in several scripts, sizes and conditions, and how wrong a reading of them is."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

#: Fonts that distributions have, the first of which is there is taken; without one its pages are left out.
FONTS = {
    "latin": (
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    ),
    "cjk": (
        "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    ),
}
#: Of the fifty languages that the bundled model is documented for, one of each kind of script.
TEXTS = {
    "english": ("latin", "Invoice INV-2026-0417", "Kettle repair and descaling", "Total EUR 1,234.50"),
    "german": ("latin", "Rechnung Nr. 2026/0417", "Größe: 3 Stück für Köln", "Gesamt 1.234,50 €"),
    "polish": ("latin", "Faktura 0417/2026", "Naprawa czajnika, żółty", "Łącznie 1 234,50 zł"),
    "vietnamese": ("latin", "Hóa đơn 0417", "Sửa ấm đun nước", "Tổng cộng 1.234.500"),
    "chinese": ("cjk", "发票号码 20260417", "水壶维修和除垢", "合计 1234.50 元"),
    "traditional": ("cjk", "發票號碼 20260417", "水壺維修與除垢", "總計 1234.50 元"),
    "japanese": ("cjk", "請求書 20260417", "やかんの修理とクリーニング", "合計 1,234 円"),
}
SIZES = (14, 20, 26, 48)  # 32 is that of the scripts; equal bytes would be read once


@dataclass(frozen=True, slots=True)
class Page:
    kind: str  #: "script english", "size 14", "photo of a screen".
    truth: str
    data: bytes


def pages(seed: int = 7) -> Iterator[Page]:
    """Yield every page; equal seeds give equal bytes."""
    chance = random.Random(seed)
    for language, (script, *lines) in TEXTS.items():
        if font := _font(script, 32):
            yield Page(f"script {language}", "".join(lines), _encoded(_drawn(lines, font, 32), "PNG"))
    _, *lines = TEXTS["english"]
    for size in SIZES:
        if font := _font("latin", size):
            yield Page(f"size {size}", "".join(lines), _encoded(_drawn(lines, font, size), "PNG"))
    for _ in range(3):
        if font := _font("latin", 32):
            screen = _photographed(_drawn(lines, font, 32), chance)
            yield Page("photo of a screen", "".join(lines), _encoded(screen, "JPEG"))


def errors(truth: str, read: str) -> float:
    """Return the character error rate: edits for each character of the truth; spaces count for nothing."""
    wanted, got = "".join(truth.split()), "".join(read.split())
    row = list(range(len(got) + 1))
    for i, one in enumerate(wanted, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(got, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (one != other))
    return row[-1] / len(wanted)


def _font(script: str, size: int) -> ImageFont.FreeTypeFont | None:
    path = next((path for path in FONTS[script] if Path(path).is_file()), None)
    return ImageFont.truetype(path, size) if path else None


def _drawn(lines: list[str], font: ImageFont.FreeTypeFont, size: int) -> Image.Image:
    width = int(max(font.getlength(line) for line in lines)) + 4 * size
    page = Image.new("RGB", (width, 2 * size * (len(lines) + 1)), "white")
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        draw.text((2 * size, size + 2 * size * number), line, font=font, fill=(20, 20, 30))
    return page


def _photographed(page: Image.Image, chance: random.Random) -> Image.Image:
    """Return the page as a hand-held camera sees it on a screen: askew, its lines of pixels, dim, blurred."""
    screen = page.copy()
    draw = ImageDraw.Draw(screen)
    for y in range(0, screen.height, 3):
        draw.line((0, y, screen.width, y), fill=(190, 200, 215))
    screen = Image.blend(page, screen, 0.35)
    width, height = screen.size
    lean = [chance.uniform(-0.03, 0.03) for _ in range(8)]
    corners = [
        value * side + edge
        for value, side, edge in zip(
            lean, (width, height) * 4, (0, 0, 0, height, width, height, width, 0), strict=True
        )
    ]
    screen = screen.transform(
        screen.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC, fillcolor=(40, 40, 40)
    )
    screen = screen.rotate(
        chance.uniform(-3, 3), Image.Resampling.BICUBIC, expand=True, fillcolor=(40, 40, 40)
    )
    screen = ImageEnhance.Brightness(screen).enhance(chance.uniform(0.6, 0.8))
    return screen.filter(ImageFilter.GaussianBlur(0.8))


def _encoded(picture: Image.Image, form: str) -> bytes:
    data = io.BytesIO()
    picture.save(data, form, quality=60)
    return data.getvalue()
