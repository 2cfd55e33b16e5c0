"""Logging: events with fields, on stderr, with a guard that keeps people's data out.

    log = structlog.get_logger(__name__)
    log.info("chat_loaded", chat=opaque_id, messages=12, seconds=0.4)

The guard stands behind every logger of the process, also those of libraries. It works from three
sides: fields that by their name hold content are withheld; of all other texts only short words
without spaces pass, unless the field is known to hold a sentence written by this program; and what
looks like a phone number or a WhatsApp id is replaced wherever it stands. A traceback is written
as classes and places: the texts of errors that are not ours may quote data.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import date, timedelta
from enum import Enum
from pathlib import PurePath
from types import TracebackType
from typing import Literal, TextIO
from uuid import UUID

import structlog

from whatsapp_etl.errors import WhatsappEtlError

#: Libraries that bring handlers of their own; theirs are removed.
_OWN_HANDLERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "apscheduler", "alembic")

#: Fields that hold content by their name, in any part of it.
_CONTENT_FIELD = re.compile(
    r"(^|_)(text|body|content|snippet|caption|title|subject|names?|html|markup|payload|qr|token|password|"
    r"secret|phone|number|sender|recipients?|author|participants?|message|question|emoji)($|_)"
)

#: Fields whose names look like content and are none.
_SAFE_FIELDS = frozenset({"timestamp", "level", "logger", "message_count", "sender_count"})

#: Fields that may hold a sentence or a path: this program writes them.
_SENTENCE_FIELDS = frozenset(
    {"event", "error", "remedy", "reason", "detail", "exception", "url", "path", "folder", "command"}
)

#: Versions and instants have digits like a phone number.
_DIGIT_FIELDS = frozenset(
    {"timestamp", "wa_version", "version", "started_at", "finished_at", "next_at", "since"}
)

_WORD = re.compile(r"[\w.:/@+#-]{1,80}")
_JID = re.compile(r"[\w.+:-]+@(?:c\.us|g\.us|lid|s\.whatsapp\.net|newsletter|broadcast|bot)(?![A-Za-z0-9])")
#: Digits with separators as in phone numbers; not inside a hash, a word or an instant.
_DIGITS = re.compile(r"(?<![\w.:])\+?\(?\d[\d ().\u00a0\u202f/-]{5,}\d(?!\w)")
_FEWEST_PHONE_DIGITS = 7
_HARMLESS_DIGITS = re.compile(r"(?:\d{4}-\d\d-\d\d(?: \d\d)?|\d{1,3}(?:\.\d{1,3}){3})")

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure_logs(
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO",
    style: Literal["json", "text"] = "json",
    stream: TextIO | None = None,
) -> None:
    """Send the logs of this program and of its libraries through the guard to `stream`.

    May be called again; the last call counts.

    Args:
        level: Of this program's own events. Libraries are heard from WARNING on.
        style: One JSON object a line, or a line for people.
        stream: Where to; by default stderr, so that stdout stays for results.
    """
    target = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_exception,
        guard,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=target.isatty(), sort_keys=False)
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_without_record_fields, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    logging.getLogger("whatsapp_etl").setLevel(level)
    for name in _OWN_HANDLERS:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.NOTSET)
    # Addresses of callers, and tokens in query strings.
    logging.getLogger("uvicorn.access").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def guard(_logger: object, _method: str, fields: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Withhold what may be content, and replace numbers and ids in what remains."""
    return {key: value if key.startswith("_") else _guarded(key, value) for key, value in fields.items()}


def redact_numbers(text: str) -> str:
    """Replace WhatsApp ids and what looks like a phone number."""
    return _DIGITS.sub(_number_or_not, _JID.sub("[id]", text))


def _guarded(key: str, value: object) -> object:
    if not isinstance(value, str) and (value is None or isinstance(value, bool | int | float | Enum | UUID)):
        return value
    if isinstance(value, date | timedelta):
        return value.isoformat() if isinstance(value, date) else value.total_seconds()
    if key not in _SAFE_FIELDS and _CONTENT_FIELD.search(key):
        return "[withheld]"
    if isinstance(value, Mapping):
        return {redact_numbers(str(name)): _guarded(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_guarded(key, item) for item in value]
    return (
        _guarded_text(key, str(value)) if isinstance(value, str | PurePath) else f"[{type(value).__name__}]"
    )


def _guarded_text(key: str, text: str) -> str:
    if key in _DIGIT_FIELDS:
        return text
    if key in _SENTENCE_FIELDS or _WORD.fullmatch(text):
        return redact_numbers(text)
    return f"[withheld {len(text)} characters]"


def _number_or_not(match: re.Match[str]) -> str:
    found = match.group()
    if sum(sign.isdigit() for sign in found) < _FEWEST_PHONE_DIGITS or _HARMLESS_DIGITS.fullmatch(found):
        return found
    return "[number]"


def _without_record_fields(
    _logger: object, _method: str, fields: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Drop the arguments of a library's record: they are in its message already."""
    fields.pop("positional_args", None)
    return fields


def _describe_exception(
    _logger: object, _method: str, fields: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    exc_info = fields.pop("exc_info", None)
    if isinstance(exc_info, BaseException):
        fields["exception"] = describe(exc_info)
    elif isinstance(exc_info, tuple) and len(exc_info) > 1 and isinstance(exc_info[1], BaseException):
        fields["exception"] = describe(exc_info[1])
    elif exc_info:
        current = sys.exception()
        if current is not None:
            fields["exception"] = describe(current)
    fields.pop("stack_info", None)
    return fields


def describe(error: BaseException) -> str:
    """Tell an error and its causes by class and place; only our own errors with their text."""
    parts = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        text = f": {current}" if isinstance(current, WhatsappEtlError) else ""
        frames = traceback.extract_tb(current.__traceback__)
        places = " < ".join(
            f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames)
        )
        parts.append(
            f"{type(current).__name__}{text} ({places})" if places else type(current).__name__ + text
        )
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return redact_numbers(" <- ".join(parts))
