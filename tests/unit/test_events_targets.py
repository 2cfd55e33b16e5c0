"""To whom events go: what EVENTS_WEBHOOKS may say, and which addresses may be connected to."""

import pytest

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.events.targets import Format, is_public, parse_targets

REFUSED = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",  # shared by a provider's customers
    "169.254.169.254",  # where clouds keep their credentials
    "169.254.0.1",
    "192.0.0.1",
    "192.0.2.1",  # documentation
    "192.88.99.1",
    "198.18.0.1",  # benchmarks
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:7f00:1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2001::1",  # Teredo
    "2001:db8::1",  # documentation
    "2002:7f00:1::",
    "2002:a00:1::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "what?",
    "",
]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_not_of_the_open_internet_are_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.215.14",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700:4700::1111",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
    ],
)
def test_addresses_of_the_open_internet_are_allowed(address):
    assert is_public(address)


def formats(text, *, allows_private=False):
    return [target.format for target in parse_targets(text, allows_private=allows_private)]


@pytest.mark.parametrize(
    ("url", "format_"),
    [
        ("https://example.org/hook", Format.JSON),
        ("https://hooks.slack.com/services/T0/B0/x", Format.SLACK),
        ("https://discord.com/api/webhooks/1/x", Format.DISCORD),
        ("https://discord.com/other", Format.JSON),
        ("https://api.telegram.org/bot1:x/sendMessage?chat_id=5", Format.TELEGRAM),
        ("https://ntfy.sh/topic", Format.NTFY),
        ("slack+https://chat.example.org/hooks/x", Format.SLACK),
        ("ntfy+https://example.org/topic", Format.NTFY),
        ("json+https://ntfy.sh/topic", Format.JSON),
        ("NTFY+https://example.org/topic", Format.NTFY),
    ],
)
def test_the_host_or_a_prefix_tells_the_format(url, format_):
    assert formats(url) == [format_]


@pytest.mark.parametrize("between", [" ", ",", ", ", "\n", " , "])
def test_several_urls_are_parted_by_spaces_or_commas(between):
    assert formats(f"https://a.example/x,y{between}slack+https://b.example/z") == [Format.JSON, Format.SLACK]


def test_no_url_is_no_target():
    assert formats("  ") == []


def test_the_same_url_twice_is_one_target():
    assert formats("https://a.example/ https://a.example/") == [Format.JSON]


def test_the_prefix_is_no_part_of_the_url():
    (target,) = parse_targets("slack+https://b.example/z?a=1", allows_private=False)

    assert target.url == "https://b.example/z?a=1"


def test_a_target_shows_its_host_and_no_secret():
    (target,) = parse_targets("https://user:password@a.example/token?key=value", allows_private=False)

    shown = repr(target)
    assert target.name.startswith("a.example#")
    assert not any(secret in shown for secret in ("user", "password", "token", "value"))


@pytest.mark.parametrize(
    "text",
    [
        "ftp://a.example/token",
        "a.example/token",
        "https:///token",
        "https://a.example:port/token",
        "https://[::1/token",
        "https://0177.0.0.1/token",
        "http://a.example/token",
        "teams+https://a.example/token",
        "https://api.telegram.org/bottoken/sendMessage",
        "https://api.telegram.org/bottoken/getMe?chat_id=1",
        "https://ntfy.sh/",
    ],
)
def test_what_cannot_be_used_is_refused_without_being_quoted(text):
    with pytest.raises(ConfigurationError, match="EVENTS_WEBHOOKS: URL 2") as refused:
        parse_targets(f"https://good.example/ {text}", allows_private=False)

    assert "token" not in str(refused.value)


def test_plain_http_needs_the_setting_for_ones_own_network():
    assert formats("http://receiver.lan/hook", allows_private=True) == [Format.JSON]


def test_there_are_not_too_many():
    with pytest.raises(ConfigurationError, match="more than 8"):
        formats(" ".join(f"https://a.example/{number}" for number in range(9)))
