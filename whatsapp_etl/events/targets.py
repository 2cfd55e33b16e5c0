"""To whom events are delivered, and which addresses may be connected to. No network here."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qs, urlsplit, urlunsplit

import httpx

from whatsapp_etl.errors import ConfigurationError

_VARIABLE = "EVENTS_WEBHOOKS"
#: A URL may hold commas itself, so a comma parts only what another URL follows.
_BETWEEN = re.compile(r"[\s,]+(?=[a-z][a-z0-9.]*(?:\+[a-z]+)?://)|\s+", re.IGNORECASE)
_HASH_DIGITS = 10
#: More would be more threads than a program of this size should have.
_MOST = 8


class Format(StrEnum):
    """How an event is written for a target."""

    JSON = "json"  #: CloudEvents 1.0.
    SLACK = "slack"
    DISCORD = "discord"
    TELEGRAM = "telegram"
    NTFY = "ntfy"


@dataclass(frozen=True, slots=True)
class Target:
    """One entry of EVENTS_WEBHOOKS."""

    name: str  #: Host and a hash of the URL: what may be stored, logged and shown.
    format: Format
    url: str = field(repr=False)  #: A secret: services put a token into its path.


def parse_targets(
    text: str,
    *,
    allows_private: bool,
    variable: str = _VARIABLE,
    formats: Collection[Format] = frozenset(Format),
) -> tuple[Target, ...]:
    """Read EVENTS_WEBHOOKS: URLs, parted by spaces or commas.

    Args:
        text: The setting; `slack+https://…` and the like name a format, else the host tells it.
        allows_private: Whether plain http will do.
        variable: Another setting that is written in the same way.
        formats: Those that it may have.

    Raises:
        ConfigurationError: One cannot be used; the message tells its number and never the URL.
    """
    entries = [entry.strip(",") for entry in _BETWEEN.split(text.strip()) if entry.strip(",")]
    if len(entries) > _MOST:
        raise ConfigurationError(f"{variable}: there are more than {_MOST} URLs.", "Leave some out.")
    targets = [
        _target(entry, number, variable, allows_private=allows_private)
        for number, entry in enumerate(entries, 1)
    ]
    for number, target in enumerate(targets, 1):
        if target.format not in formats:
            raise ConfigurationError(
                f"{variable}: URL {number} is for {target.format}, and only programs are told here.",
                "Write json+ before it if a program of your own listens there.",
            )
    return tuple({target.name: target for target in targets}.values())


def _target(entry: str, number: int, variable: str, *, allows_private: bool) -> Target:
    def refuse(why: str, remedy: str) -> ConfigurationError:
        return ConfigurationError(f"{variable}: URL {number} {why}.", remedy)

    named, plus, rest = entry.partition("+")
    has_name = bool(plus) and re.fullmatch(r"[a-zA-Z]+", named) is not None and "://" in rest
    try:
        parts = urlsplit(rest if has_name else entry)
        host, _ = parts.hostname, parts.port
        httpx.URL(urlunsplit(parts))
    except (ValueError, httpx.InvalidURL):
        raise refuse("cannot be read", "It looks like https://host/path.") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise refuse("is no web address", "It looks like https://host/path.")
    if has_name and named.lower() not in set(Format):
        raise refuse("names an unknown format", f"Known are {', '.join(Format)}.")
    if parts.scheme == "http" and not allows_private:
        raise refuse(
            "is not https, so others could read it on its way",
            "Use https, or set EVENTS_ALLOW_PRIVATE=true for receivers in your own network.",
        )
    url = urlunsplit(parts._replace(fragment=""))
    format_ = Format(named.lower()) if has_name else _format_of(parts, host)
    if (lacking := _LACKING[format_](parts)) is not None:
        raise refuse(f"is for {format_} and {lacking}", "docs/events.md shows one that works.")
    digest = hashlib.sha256(f"{format_}+{url}".encode()).hexdigest()[:_HASH_DIGITS]
    return Target(f"{host}#{digest}", format_, url)


def _format_of(parts: SplitResult, host: str) -> Format:
    if host == "hooks.slack.com":
        return Format.SLACK
    if host in {"discord.com", "discordapp.com"} and parts.path.startswith("/api/webhooks/"):
        return Format.DISCORD
    if host == "api.telegram.org":
        return Format.TELEGRAM
    return Format.NTFY if host == "ntfy.sh" else Format.JSON


def _telegram_lacks(parts: SplitResult) -> str | None:
    if not parts.path.endswith("/sendMessage"):
        return "does not end in /sendMessage"
    return None if parse_qs(parts.query).get("chat_id") else "has no chat_id"


_LACKING: dict[Format, Callable[[SplitResult], str | None]] = {
    Format.JSON: lambda _: None,
    Format.SLACK: lambda _: None,
    Format.DISCORD: lambda _: None,
    Format.TELEGRAM: _telegram_lacks,
    Format.NTFY: lambda parts: None if parts.path.strip("/") else "names no topic",
}


# --- addresses -----------------------------------------------------------------------------------

#: IPv6 networks that lead to an IPv4 address, and where that stands in them.
_TRANSLATING = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (ipaddress.IPv6Network("::/96"), 0),  # compatible, no longer used
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
)
#: What `is_global` calls global and is not meant to be reached from outside.
_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "64:ff9b:1::/48",  # NAT64 within one network
        "2001::/32",  # Teredo: whose IPv4 address stands in it is not told by the packet's way
        "fec0::/10",  # site-local, no longer used
        "192.88.99.0/24",  # 6to4 relays, no longer used
    )
)


def is_public(address: str) -> bool:
    """Return whether an address as the resolver gives it is one of the open internet.

    Loopback, private, shared, link-local (where clouds keep their credentials), multicast, reserved
    and unspecified ones are not, nor IPv6 addresses that stand for such an IPv4 address.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id is not None:
            return False
        for network, shift in _TRANSLATING:
            if found in network and int(found) > 1:
                return is_public(str(ipaddress.IPv4Address((int(found) >> shift) & 0xFFFF_FFFF)))
    if any(found.version == network.version and found in network for network in _REFUSED):
        return False
    return found.is_global and not (
        found.is_multicast or found.is_reserved or found.is_private or found.is_loopback
    )
