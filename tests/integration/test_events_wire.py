"""One request to one receiver: what may be connected to, how long it may take, and what an answer means."""

import io
import socket
import ssl
import threading
import time
from datetime import timedelta

import pytest

from tests.fixtures.events import CERTIFICATE, running_receiver
from whatsapp_etl.events.formats import Post
from whatsapp_etl.events.wire import Stopped, Wire
from whatsapp_etl.logs import configure_logs

SOON = timedelta(seconds=0.4)


@pytest.fixture
def receiver():
    with running_receiver() as receiver:
        yield receiver


def wire(*, stop=None, patience=timedelta(seconds=10), **options):
    return Wire(stop or threading.Event(), patience=patience, **options)


def send(sender, url):
    return sender.send(Post(url, "application/json", b'{"a":1}'), {"webhook-id": "1"})


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "0",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00::1]",
        "169.254.169.254",
        "10.0.0.1",
    ],
)
def test_an_address_that_is_not_public_is_never_connected_to_however_it_is_written(receiver, host):
    outcome = send(wire(), f"http://{host}:{receiver.port}/hook")

    assert outcome.error in {"address_refused", "name_unknown", "url_invalid"}
    assert receiver.received == []


def test_the_forms_of_loopback_would_have_reached_it(receiver):
    """Else the test above could not fail."""
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"):
        assert send(wire(allows_private=True), f"http://{host}:{receiver.port}/hook").error is None
    assert len(receiver.received) == 5


def place(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, 6, "", (address, port))


def test_a_name_with_one_private_address_among_public_ones_is_refused(receiver):
    def resolve(_host, port):
        return [place("127.0.0.1", port), place("93.184.215.14", port)]

    assert send(wire(resolve=resolve), f"http://receiver.example:{receiver.port}/").error == "address_refused"
    assert receiver.received == []


def test_the_address_that_was_checked_is_the_one_connected_to(receiver):
    """A name that says another thing when it is asked again leads nowhere else."""
    asked = []

    def resolve(host, port):
        asked.append(host)
        return [place("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port)]

    outcome = send(wire(resolve=resolve, allows_private=True), f"http://receiver.example:{receiver.port}/")

    assert outcome.error is None
    assert asked == ["receiver.example"]
    assert receiver.received[0].headers["host"] == f"receiver.example:{receiver.port}"


def test_the_next_address_is_tried_when_one_does_not_answer(receiver):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]

    def resolve(_host, port):
        return [place("127.0.0.1", free), place("127.0.0.1", port)]

    sender = wire(resolve=resolve, allows_private=True)
    assert send(sender, f"http://receiver.example:{receiver.port}/").error is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver, status):
    with running_receiver(answers=[status], headers={"location": receiver.url}) as first:
        outcome = send(wire(allows_private=True), first.url)

    assert outcome.error == f"redirect_{status}"
    assert receiver.received == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (200, None),
        (204, None),
        (299, None),
        (400, "http_400"),
        (404, "http_404"),
        (500, "http_500"),
        (503, "http_503"),
        ("garbage", "protocol_error"),
        ("cut", "protocol_error"),
        ("endless", "protocol_error"),
        ("huge", None),
        ("silence", "timeout"),
    ],
)
def test_answers_become_a_word(receiver, answer, error):
    receiver.answers = [answer]
    patience = SOON if answer == "silence" else timedelta(seconds=10)

    assert send(wire(allows_private=True, patience=patience), receiver.url).error == error


def test_a_receiver_that_is_down(receiver):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]

    assert send(wire(allows_private=True), f"http://127.0.0.1:{free}/").error == "connection_failed"


def test_a_name_that_nobody_has(receiver):
    def resolve(_host, _port):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert send(wire(resolve=resolve), "https://receiver.example/").error == "name_unknown"


def test_a_resolver_that_hangs_ends_at_the_deadline():
    never = threading.Event()

    def resolve(_host, _port):
        never.wait(60)
        return []

    assert send(wire(resolve=resolve, patience=SOON), "https://receiver.example/").error == "timeout"
    never.set()


def test_time_asked_for_is_handed_on(receiver):
    receiver.answers = [429]
    receiver.headers = {"retry-after": "90"}

    assert send(wire(allows_private=True), receiver.url).retry_after == timedelta(seconds=90)


def test_a_program_that_ends_does_not_wait_for_a_silent_receiver(receiver):
    stop = threading.Event()
    receiver.answers = ["silence"]
    receiver.on_request = stop.set
    began = time.monotonic()

    with pytest.raises(Stopped):
        send(wire(stop=stop, allows_private=True), receiver.url)

    assert time.monotonic() - began < 5


def test_no_log_holds_the_url(receiver):
    """httpx itself would log it."""
    stream = io.StringIO()
    configure_logs("DEBUG", "json", stream)
    try:
        send(wire(allows_private=True), f"{receiver.url}/secret-token?key=secret-key")
        send(wire(), f"{receiver.url}/secret-token?key=secret-key")
    finally:
        configure_logs("WARNING", "text")

    assert receiver.received[0].path == "/hook/secret-token?key=secret-key"
    assert "secret" not in stream.getvalue()


# --- TLS -------------------------------------------------------------------------------------


@pytest.fixture
def secure():
    with running_receiver(has_tls=True) as receiver:
        yield receiver


def to_loopback(_host, port):
    return [place("127.0.0.1", port)]


def trusting():
    return ssl.create_default_context(cafile=str(CERTIFICATE))


def test_the_certificate_is_checked_for_the_name_although_an_address_is_connected_to(secure):
    sender = wire(resolve=to_loopback, tls=trusting(), allows_private=True)

    assert send(sender, f"https://receiver.example:{secure.port}/").error is None
    assert send(sender, f"https://another.example:{secure.port}/").error == "tls_failed"


def test_a_certificate_that_nobody_trusts_is_refused(secure):
    sender = wire(resolve=to_loopback, allows_private=True)

    assert send(sender, f"https://receiver.example:{secure.port}/").error == "tls_failed"
    assert secure.received == []


def test_a_secure_receiver_that_is_silent_ends_at_the_deadline(secure):
    secure.answers = ["silence"]
    sender = wire(resolve=to_loopback, tls=trusting(), allows_private=True, patience=SOON)

    assert send(sender, f"https://receiver.example:{secure.port}/").error == "timeout"
