"""How an event is written: CloudEvents for programs, a few lines for people. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import Header
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from whatsapp_etl.agent import AgentMessage
from whatsapp_etl.events.targets import Format, Target
from whatsapp_etl.happenings import Deliverable, Event, EventType

_TITLES: Mapping[EventType, str] = {
    EventType.SESSION_QR_REQUIRED: "Scan the QR code",
    EventType.SESSION_READY: "Linked",
    EventType.SESSION_EXPIRED: "Logged out",
    EventType.SESSION_CONFLICT: "Open in another window",
    EventType.SYNC_FAILED: "The sync fails",
    EventType.SYNC_STALE: "The sync is stale",
    EventType.SYNC_RECOVERED: "The sync has recovered",
    EventType.DRIFT_DETECTED: "WhatsApp Web has changed",
}
_GOOD = frozenset({EventType.SESSION_READY, EventType.SYNC_RECOVERED})
_NAME = "whatsapp-etl"
_CLOUD_EVENT = "application/cloudevents+json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Context:
    """What stands in a message beside the event."""

    source: str  #: `source` of the CloudEvents: which of the programs it is.
    status_url: str = ""  #: Of the status page; empty: not known.
    qr: str | None = None  #: The code's text, when it is to be sent and one is shown now.
    qr_png: bytes | None = None  #: The same as a picture.


@dataclass(frozen=True, slots=True)
class Post:
    """One request to be made."""

    url: str = field(repr=False)  #: A secret.
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  #: Beside the content type.


def write(event: Event, target: Target, context: Context) -> Post:
    """Return the request that delivers an event to a target."""
    return _WRITERS[target.format](event, target.url, context)


def cloud_event(event: Event, context: Context) -> dict[str, object]:
    """Return the event as docs/event.schema.json describes it."""
    data = {**event.data, "status_url": context.status_url or None}
    if event.type is EventType.SESSION_QR_REQUIRED and context.qr is not None:
        data["qr"] = context.qr
    return {**_envelope(event, context.source, event.subject.value), "data": data}


def write_agent_message(message: AgentMessage, target: Target, source: str) -> Post:
    """Return the request that hands a message to the agent's pipeline: docs/agent-message.schema.json."""
    body = {
        **_envelope(message, source, message.thread_id),
        "data": {
            "external_id": message.external_id,
            "thread_external_id": message.thread_id,
            "sender_id": message.sender_id,
            "is_outgoing": message.is_outgoing,
            "is_agent_channel": message.is_agent_channel,
            "message_type": message.message_type,
            "text": message.text,
            "sent_at": _instant(message.sent_at),
            "attachments": list(message.attachments),
        },
    }
    return _post(target.url, body, _CLOUD_EVENT)


def _envelope(item: Deliverable, source: str, subject: str) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": str(item.id),
        "source": source,
        "type": item.type.value,
        "subject": subject,
        "time": _instant(item.occurred_at),
        "sequence": f"{item.seq:020d}",
        "datacontenttype": "application/json",
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(event: Event, url: str, context: Context) -> Post:
    return _post(url, cloud_event(event, context), _CLOUD_EVENT)


def _slack(event: Event, url: str, context: Context) -> Post:
    title, lines = _words(event)
    text = "\n".join((f"*{_escaped(title)}*", *(_escaped(line) for line in lines)))
    if context.status_url:
        text += f"\n<{context.status_url}|Status page>"
    return _post(url, {"text": text})


def _discord(event: Event, url: str, context: Context) -> Post:
    title, lines = _words(event)
    content = "\n".join((f"**{title}**", *lines, *_link(context)))
    # Nobody is called, whatever a text holds.
    message = {"content": content, "allowed_mentions": {"parse": []}}
    picture = _picture(event, context)
    if picture is None:
        return _post(url, message)
    return _form(url, {"payload_json": json.dumps(message)}, "files[0]", picture)


def _telegram(event: Event, url: str, context: Context) -> Post:
    title, lines = _words(event)
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    text = "\n".join((title, *lines, *_link(context)))
    picture = _picture(event, context)
    if picture is not None:
        path = parts.path.removesuffix("/sendMessage") + "/sendPhoto"
        address = urlunsplit(parts._replace(path=path, query=""))
        return _form(address, {**options, "caption": text}, "photo", picture)
    return _post(
        urlunsplit(parts._replace(query="")),
        {**options, "text": text, "link_preview_options": {"is_disabled": True}},
    )


def _ntfy(event: Event, url: str, context: Context) -> Post:
    title, lines = _words(event)
    parts = urlsplit(url)
    folder, _, topic = parts.path.rstrip("/").rpartition("/")
    is_good = event.type in _GOOD
    message = {
        "topic": topic,
        "title": title,
        "message": "\n".join(lines),
        "priority": 3 if is_good else 4,
        "tags": ["white_check_mark" if is_good else "warning"],
    }
    if context.status_url:
        message["click"] = context.status_url
    picture = _picture(event, context)
    if picture is not None:
        # A picture is the body, so the rest goes into headers.
        headers = {
            "title": title,
            "message": " ".join(lines),
            "priority": "4",
            "tags": "warning",
            "filename": "qr.png",
            **({"click": context.status_url} if context.status_url else {}),
        }
        return Post(url, "image/png", picture, {name: _header(text) for name, text in headers.items()})
    return _post(urlunsplit(parts._replace(path=f"{folder}/")), message)


_WRITERS: Mapping[Format, Callable[[Event, str, Context], Post]] = {
    Format.JSON: _json,
    Format.SLACK: _slack,
    Format.DISCORD: _discord,
    Format.TELEGRAM: _telegram,
    Format.NTFY: _ntfy,
}


def _words(event: Event) -> tuple[str, tuple[str, ...]]:
    """Return a title and what there is to know and to do."""
    sentences = (event.data.get("summary"), event.data.get("remedy"))
    return f"{_NAME}: {_TITLES[event.type]}", tuple(str(each) for each in sentences if each)


def _link(context: Context) -> tuple[str, ...]:
    return (f"Status page: {context.status_url}",) if context.status_url else ()


def _picture(event: Event, context: Context) -> bytes | None:
    return context.qr_png if event.type is EventType.SESSION_QR_REQUIRED else None


def _header(text: str) -> str:
    """Write a text so that a header can carry it (RFC 2047)."""
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=10_000).encode()


def _form(url: str, fields: Mapping[str, str], name: str, picture: bytes) -> Post:
    """Return a form with a picture (multipart/form-data)."""
    # Neither the texts nor a PNG can hold their own hash.
    edge = hashlib.sha256(b"".join((picture, *(text.encode() for text in fields.values())))).hexdigest()
    parts = [
        f'--{edge}\r\ncontent-disposition: form-data; name="{key}"\r\n\r\n{text}\r\n'.encode()
        for key, text in fields.items()
    ]
    head = (
        f'--{edge}\r\ncontent-disposition: form-data; name="{name}"; filename="qr.png"\r\n'
        "content-type: image/png\r\n\r\n"
    )
    body = b"".join((*parts, head.encode(), picture, f"\r\n--{edge}--\r\n".encode()))
    return Post(url, f"multipart/form-data; boundary={edge}", body)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _post(url: str, message: object, content_type: str = "application/json") -> Post:
    return Post(url, content_type, json.dumps(message, ensure_ascii=False).encode())
