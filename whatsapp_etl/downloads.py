"""How the bytes of attachments are got: states, ways and limits, as values that cross between packages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class DownloadState(StrEnum):
    """How far an attachment's bytes came."""

    SEEN = "seen"  #: Its kind is not chosen, or no way that is switched on leads to it.
    QUEUED = "queued"
    DOWNLOADING = "downloading"
    STORED = "stored"
    EXPIRED = "expired"  #: The page says that it cannot be downloaded any more.
    PHONE_NEEDED = "phone_needed"  #: No longer on the server: the phone would have to send it again.
    TOO_LARGE = "too_large"
    GAVE_UP = "gave_up"


class DownloadReason(StrEnum):
    """Why an attachment stands where it stands."""

    NOT_CHOSEN = "not_chosen"
    NO_WAY = "no_way"
    NOT_LOADED = "not_loaded"  #: The page showed neither the bytes nor that they are gone.
    PAGE_REFUSED = "page_refused"
    GONE = "gone"  #: 404 or 410.
    UNREACHABLE = "unreachable"
    DAMAGED = "damaged"  #: Checksum, signature or size are not those that were stated.
    NO_KEY = "no_key"  #: The browser's storage does not tell how to get it.
    FILE_SIZE = "file_size"
    TOTAL_SIZE = "total_size"
    DISK = "disk"


class DownloadWay(StrEnum):
    """How the bytes may be got, best first."""

    SHOWN = "shown"  #: The page holds them already.
    BUTTON = "button"  #: The page's own download button.
    DIRECT = "direct"  #: From the server, decrypted here.


class MediaKind(StrEnum):
    """What can be chosen."""

    IMAGE = "image"
    STICKER = "sticker"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


#: By `MessageType`, whose values these are: the model's plan names entries of the ledger.
KIND_OF: Mapping[str, MediaKind] = {
    "image": MediaKind.IMAGE,
    "sticker": MediaKind.STICKER,
    "video": MediaKind.VIDEO,
    "gif": MediaKind.VIDEO,
    "video_note": MediaKind.VIDEO,
    "audio": MediaKind.AUDIO,
    "voice": MediaKind.AUDIO,
    "document": MediaKind.DOCUMENT,
}

#: Kinds whose original bytes the page shows in the conversation. A video's lie in the viewer only, playing
#: a voice note tells its sender, and a document is handed to the browser.
SHOWN_KINDS = frozenset({MediaKind.IMAGE, MediaKind.STICKER})

#: Stands behind the revision of a message whose bytes the page is still to show: it is not settled, so the
#: comparison with the metadata finds it again when its next try is due.
NO_PICTURE = "|no picture"

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_SIZE = re.compile(r"(\d{1,12})([KMG]?)B?", re.IGNORECASE)
_MOST_BYTES = {
    MediaKind.IMAGE: "32M",
    MediaKind.STICKER: "4M",
    MediaKind.VIDEO: "128M",
    MediaKind.AUDIO: "32M",
    MediaKind.DOCUMENT: "128M",
}


def parse_size(text: str) -> int:
    """Return the bytes of "32M", "4096" or "1G".

    Raises:
        ValueError: It is no such size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        msg = f'"{text}" is no size such as 4096, 500K, 32M or 2G'
        raise ValueError(msg)
    return int(match[1]) * _UNITS[match[2].upper()]


@dataclass(frozen=True, slots=True)
class FileLimits:
    """The largest file that is taken, by kind."""

    bytes: Mapping[MediaKind, int]

    def __str__(self) -> str:
        """Return it as `parse_limits` reads it."""
        return ",".join(f"{kind}={size}" for kind, size in self.bytes.items())


def parse_limits(text: str) -> FileLimits:
    """Read "image=8M,video=64M"; a kind that is not named keeps its default.

    Raises:
        ValueError: A kind is unknown or named twice, or a size is none; says which.
    """
    told: dict[MediaKind, int] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, size = (each.strip() for each in part.partition("="))
        if name not in set(MediaKind):
            msg = f'"{name}" is none of {", ".join(MediaKind)}'
            raise ValueError(msg)
        if MediaKind(name) in told:
            msg = f'"{part}" tells the size of {name} once more'
            raise ValueError(msg)
        told[MediaKind(name)] = parse_size(size)
    return FileLimits({kind: told.get(kind, parse_size(size)) for kind, size in _MOST_BYTES.items()})


@dataclass(frozen=True, slots=True)
class DownloadRules:
    """What the settings say about the bytes of attachments."""

    kinds: frozenset[MediaKind] = frozenset({MediaKind.IMAGE})
    ways: frozenset[DownloadWay] = frozenset({DownloadWay.SHOWN})
    limits: FileLimits = field(default_factory=lambda: parse_limits(""))

    def chooses(self, kind: str) -> bool:
        """Whether files of such messages are wanted."""
        return KIND_OF.get(kind) in self.kinds

    def expects_page(self, kind: str) -> bool:
        """Whether the page is to show the bytes of such messages."""
        by_page = not self.ways.isdisjoint({DownloadWay.SHOWN, DownloadWay.BUTTON})
        return by_page and self.chooses(kind) and KIND_OF.get(kind) in SHOWN_KINDS

    def is_too_large(self, kind: str, size_bytes: int | None) -> bool:
        """Whether a file of that stated size is left where it is."""
        return kind in KIND_OF and size_bytes is not None and size_bytes > self.limits.bytes[KIND_OF[kind]]

    @property
    def most_shown_bytes(self) -> int:
        """The largest file that is taken from the page, of any kind that is wanted."""
        return max((self.limits.bytes[kind] for kind in self.kinds & SHOWN_KINDS), default=0)

    @property
    def most_bytes(self) -> Mapping[str, int]:
        """The largest file that is taken, by type of message, of those that some way leads to."""
        return {
            name: self.limits.bytes[kind]
            for name, kind in KIND_OF.items()
            if self.chooses(name) and (self.is_direct or self.expects_page(name))
        }

    @property
    def is_direct(self) -> bool:
        return DownloadWay.DIRECT in self.ways


@dataclass(frozen=True, slots=True)
class Download:
    """Where one attachment's bytes stand: an entry of the ledger."""

    external_id: str  #: The message's key.
    state: DownloadState
    reason: DownloadReason | None = None
    way: str | None = None  #: 'page' or 'direct', of the last try.
    attempts: int = 0
    next_try_at: datetime | None = None  #: None: it is settled.
    position: int = 0


@dataclass(frozen=True, slots=True)
class DueDownload:
    """An attachment that is to be fetched from the server."""

    attachment_id: int
    message_id: int
    download: Download
    message_type: str


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What the browser's storage tells of a file on the server. Its key is never stored and never logged."""

    external_id: str
    direct_path: str
    media_key: bytes
    file_sha256: str | None  #: Of the plain bytes, lowercase hex.
    encrypted_sha256: str | None
    size_bytes: int | None

    def __repr__(self) -> str:
        return "MediaFacts(...)"


@dataclass(frozen=True, slots=True)
class DownloadCount:
    """How many attachments stand alike."""

    state: DownloadState
    reason: DownloadReason | None
    count: int
    bytes: int  #: As stated, exact once stored.
    next_try_at: datetime | None  #: The earliest of them.


def total_by_state(counts: Iterable[DownloadCount]) -> Mapping[str, int]:
    """Return how many attachments are in each state, none left out."""
    found = dict.fromkeys((state.value for state in DownloadState), 0)
    for each in counts:
        found[each.state.value] += each.count
    return found
