"""What a row tells about the file in it."""

from __future__ import annotations

import re

from whatsapp_etl.model import FILE_TYPES, MessageType, ParsedAttachment
from whatsapp_etl.transform.identity import collection_bounds
from whatsapp_etl.transform.query import FoundRow
from whatsapp_etl.transform.text import lines, render
from whatsapp_etl.transform.timestamps import plain

_DURATION = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2})")
#: "12 kB", "1,5 MB": the page writes thousands, whole or with one decimal.
_SIZE = re.compile(r"([\d.,]{1,9})\s?([kmg]?)b", re.IGNORECASE)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
_FILE_NAME = re.compile(r"[\"“„«](.+)[\"”“»]")
#: On the last place of an album: how many more there are.
_MORE = re.compile(r"\+\d{1,4}")
_SECONDS = 60

_WITH_DURATION = frozenset(
    {MessageType.VIDEO, MessageType.GIF, MessageType.VIDEO_NOTE, MessageType.AUDIO, MessageType.VOICE}
)

#: Media types by the file extensions that documents commonly have.
_BY_EXTENSION = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "csv": "text/csv",
    "zip": "application/zip",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "apk": "application/vnd.android.package-archive",
    "vcf": "text/vcard",
}


def album_count(row: FoundRow, shown_id: str, places: int) -> int:
    """Return how many messages an album stands for: its id says it, or its places and the "+N" on the last.

    Args:
        row: The row.
        shown_id: Its id.
        places: How many pictures and videos the row has a place for.
    """
    bounds = collection_bounds(shown_id)
    if bounds is not None:
        return bounds[2]
    texts = (
        (leaf.text_content or "").strip()
        for leaf in row.root.traverse(include_text=True)
        if leaf.tag == "-text"
    )
    return places + next((int(text[1:]) for text in texts if _MORE.fullmatch(text)), 0)


def attachment(row: FoundRow, kind: MessageType, shown: str | None) -> ParsedAttachment | None:
    """Return what the row shows of its file; None for kinds that carry none.

    Args:
        row: The row.
        kind: What kind of message it is.
        shown: Everything the row shows, without clock and labels.
    """
    if kind not in FILE_TYPES:
        return None
    if kind is MessageType.DOCUMENT:
        return _document(row, shown)
    return ParsedAttachment(duration_seconds=_duration(row, shown) if kind in _WITH_DURATION else None)


def duration_seconds(text: str) -> float | None:
    """Return the seconds of "1:05" or "1:02:03"; None for other texts."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    return float((int(match[1] or 0) * _SECONDS + int(match[2])) * _SECONDS + int(match[3]))


def size_bytes(text: str) -> int | None:
    """Return the bytes of "12 kB" or "1.5 MB", rounded as shown; None for other texts."""
    match = _SIZE.fullmatch(plain(text))
    if match is None:
        return None
    try:
        return round(float(match[1].replace(",", ".")) * _UNITS[match[2].lower()])
    except ValueError:
        return None


def media_type(file_name: str | None) -> str | None:
    """Return the media type that a file name's extension commonly stands for."""
    return _BY_EXTENSION.get((file_name or "").rpartition(".")[2].casefold())


def _duration(row: FoundRow, shown: str | None) -> float | None:
    slider = row.first("row_slider")
    if slider is not None:
        # "0:00 / 1:40": played, then whole.
        last = (slider.attributes.get("aria-valuetext") or "").replace("/", " ").split()[-1:]
        return duration_seconds(last[0]) if last else None
    for line in lines(shown):
        if (seconds := duration_seconds(line)) is not None:
            return seconds
    return None


def _document(row: FoundRow, shown: str | None) -> ParsedAttachment:
    thumb = row.first("row_document")
    texts = [text.strip() for line in lines(shown) for text in line.split("•")]
    if thumb is None:
        return ParsedAttachment()
    match = _FILE_NAME.search(thumb.attributes.get("title") or "")
    name_node = row.first("row_document_name")
    name = match[1] if match else render(name_node) if name_node is not None else None
    size = next((size for text in texts if (size := size_bytes(text)) is not None), None)
    return ParsedAttachment(media_type=media_type(name), file_name=name, size_bytes=size)
