"""The direct way to files: what is fetched is proven, and a server decides nothing here."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from whatsapp_etl.attachments.cipher import opened
from whatsapp_etl.attachments.server import MediaServer
from whatsapp_etl.downloads import DownloadReason, MediaFacts, MediaKind
from whatsapp_etl.simulator.sealed_media import seal

KEY = bytes(range(32))
PICTURE = b"\xff\xd8\xff\xe0" + b"picture" * 99
INFOS = {
    MediaKind.IMAGE: b"WhatsApp Image Keys",
    MediaKind.STICKER: b"WhatsApp Image Keys",
    MediaKind.VIDEO: b"WhatsApp Video Keys",
    MediaKind.AUDIO: b"WhatsApp Audio Keys",
    MediaKind.DOCUMENT: b"WhatsApp Document Keys",
}
SEALED = seal(PICTURE, KEY, INFOS[MediaKind.IMAGE])
FACTS = MediaFacts(
    external_id="false_491555000001@c.us_A",
    direct_path="/v/t62/file.enc?ccb=11-4&oh=01",
    media_key=KEY,
    file_sha256=hashlib.sha256(PICTURE).hexdigest(),
    encrypted_sha256=hashlib.sha256(SEALED).hexdigest(),
    size_bytes=len(PICTURE),
)
MOST = 10_000


@pytest.fixture
def answering():
    """Serve with a function that writes the answer; return the address and the paths asked for."""
    servers, asked = [], []

    def serve(answer: Callable[[BaseHTTPRequestHandler], None]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                answer(self)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = False  # closing waits for them
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve, asked
    for server in servers:
        server.shutdown()
        server.server_close()


def sending(data: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def fetch(url: str, facts: MediaFacts = FACTS, most: int = MOST, **options: timedelta):
    with MediaServer(url, **options) as server:
        return server.fetch(facts, MediaKind.IMAGE, most)


@pytest.mark.parametrize("kind", list(MediaKind))
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 70_000])
def test_what_was_sealed_by_the_published_scheme_is_opened(kind, size):
    data = (b"x1" * size)[:size]
    sealed = seal(data, KEY, INFOS[kind])

    assert opened(sealed, KEY, kind) == data
    other = MediaKind.DOCUMENT if kind is not MediaKind.DOCUMENT else MediaKind.IMAGE
    assert opened(sealed, KEY, other) is None


@pytest.mark.parametrize("place", [0, 100, -11, -10, -1])
def test_a_changed_bit_anywhere_is_found(place):
    changed = bytearray(SEALED)
    changed[place] ^= 1

    assert opened(bytes(changed), KEY, MediaKind.IMAGE) is None


@pytest.mark.parametrize("cut", [b"", b"short", SEALED[:-1], SEALED[:-16], SEALED[16:], SEALED + bytes(16)])
def test_what_is_cut_or_longer_is_not_opened(cut):
    assert opened(cut, KEY, MediaKind.IMAGE) is None
    assert opened(SEALED, KEY[:16], MediaKind.IMAGE) is None


def test_a_file_is_fetched_once_at_its_own_path(answering):
    serve, asked = answering

    assert fetch(serve(sending(SEALED))) == PICTURE
    assert asked == [FACTS.direct_path]


def test_a_file_whose_checksums_nobody_stated_is_taken_when_its_signature_is_right(answering):
    serve, _ = answering
    url = serve(sending(SEALED))

    assert fetch(url, replace(FACTS, file_sha256=None, encrypted_sha256=None)) == PICTURE
    assert fetch(url, replace(FACTS, file_sha256="0" * 64)) is DownloadReason.DAMAGED
    assert fetch(url, replace(FACTS, encrypted_sha256="0" * 64)) is DownloadReason.DAMAGED
    assert fetch(url, replace(FACTS, media_key=bytes(32))) is DownloadReason.DAMAGED


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (sending(b"", 404), DownloadReason.GONE),
        (sending(b"", 410), DownloadReason.GONE),
        (sending(b"", 403), DownloadReason.UNREACHABLE),
        (sending(b"", 500), DownloadReason.UNREACHABLE),
        (sending(SEALED[:-100]), DownloadReason.DAMAGED),
        (sending(b""), DownloadReason.DAMAGED),
        (sending(b"<html>Sign in</html>"), DownloadReason.DAMAGED),
        (sending(SEALED + bytes(MOST)), DownloadReason.FILE_SIZE),
    ],
)
def test_whatever_else_comes_is_no_file(answering, answer, reason):
    serve, _ = answering

    assert fetch(serve(answer)) is reason


def test_a_redirect_is_not_followed(answering):
    serve, asked = answering
    elsewhere = serve(sending(SEALED))

    assert fetch(serve(sending(b"", 302, Location=elsewhere + "/stolen"))) is DownloadReason.UNREACHABLE
    assert asked == [FACTS.direct_path]


@pytest.mark.parametrize(
    "path", ["", "v/x", "//other.example/x", "/a b", "/a\r\nHost: x", "https://other.example/x"]
)
def test_a_path_that_leads_elsewhere_is_not_asked_for(answering, path):
    serve, asked = answering

    assert fetch(serve(sending(SEALED)), replace(FACTS, direct_path=path)) is DownloadReason.NO_KEY
    assert asked == []


def test_a_server_that_sends_a_byte_now_and_then_or_ends_early_holds_nothing_up(answering):
    serve, _ = answering
    has_ended = threading.Event()

    def dripping(handler):
        handler.send_response(200)
        handler.end_headers()
        while not has_ended.wait(0.01):
            handler.wfile.write(b"x")

    def breaking_off(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(SEALED)))
        handler.end_headers()
        handler.wfile.write(SEALED[:50])

    try:
        assert fetch(serve(dripping), within=timedelta(milliseconds=50)) is DownloadReason.UNREACHABLE
    finally:
        has_ended.set()
    assert fetch(serve(breaking_off)) is DownloadReason.UNREACHABLE
    assert fetch("http://127.0.0.1:1") is DownloadReason.UNREACHABLE
