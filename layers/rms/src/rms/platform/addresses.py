"""Where RMS may send: which URLs a client may register and which addresses are public. Pure, no look-ups.

An endpoint's URL is typed by a client, so it must never lead into our own network. The form of the URL is checked
here; the addresses that its name resolves to are checked with `is_public` by whoever dials, at every send.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import parse_qsl

MAX_URL: Final = 2048
"""Longest URL, in characters."""

DENIED_V4: Final = tuple(
    (IPv4Network(block), name)
    for block, name in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private use"),
        ("100.64.0.0/10", "shared address space of carriers"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "a cloud platform's own services (Azure)"),
        ("169.254.0.0/16", "link local, with the metadata services at 169.254.169.254 and 169.254.170.2"),
        ("172.16.0.0/12", "private use"),
        ("192.0.0.0/24", "IETF protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "AS112"),
        ("192.52.193.0/24", "AMT relays"),
        ("192.88.99.0/24", "6to4 relays"),
        ("192.168.0.0/16", "private use"),
        ("192.175.48.0/24", "AS112"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved, and the limited broadcast"),
    )
)
"""IPv4 blocks that are never dialled. Source: IANA IPv4 Special-Purpose Address Registry; RFC 5771 for multicast."""

DENIED_V6: Final = tuple(
    (IPv6Network(block), name)
    for block, name in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::/96", "IPv4-compatible, deprecated"),
        ("64:ff9b:1::/48", "local-use translation to IPv4"),
        ("100::/64", "discard only"),
        ("100:0:0:1::/64", "dummy prefix"),
        ("2001::/23", "IETF protocol assignments: Teredo, benchmarking, AMT, AS112, ORCHID, DRIP"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("2620:4f:8000::/48", "AS112"),
        ("3ffe::/16", "6bone, returned"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "unique local, with a metadata service at fd00:ec2::254"),
        ("fe80::/10", "link local"),
        ("fec0::/10", "site local, deprecated"),
        ("ff00::/8", "multicast"),
    )
)
"""IPv6 blocks that are never dialled. Source: IANA IPv6 Special-Purpose Address Registry; RFC 4291, RFC 3879."""

GLOBAL_V6: Final = IPv6Network("2000::/3")
"""All that IANA has given out as global unicast; what lies outside is not public, whatever it becomes one day."""

MAPPED: Final = IPv6Network("::ffff:0:0/96")
TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""The two blocks where the last 32 bits are an IPv4 address that is really dialled; that one is judged."""

ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""Upper half of an interface identifier whose lower half is an IPv4 address to tunnel to."""

LOCAL_NAMES: Final = ("localhost", "local", "internal", "home.arpa", "onion")
"""Names, with all below them, that mean something near by and never a public host."""

_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_PARTS: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?", re.IGNORECASE)
_UNSAFE: Final = re.compile(r"[^\x21-\x7e]|[\\\"<>^`{|}]")
_FIRST_FREE_PORT: Final = 1024
_LAST_PORT: Final = 65535
_LONGEST_NAME: Final = 253
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class BadUrlError(ValueError):
    """A URL that RMS does not send to. The text says what is wrong and repeats nothing of the URL."""


@dataclass(frozen=True, slots=True)
class Destination:
    """The part of a URL that says where to dial: host in lower case, without brackets; port always set."""

    scheme: str
    host: str
    port: int


def is_public(ip: str) -> bool:
    """Whether this address, as text, belongs to the public internet. What is no address is not public."""
    try:
        return _v6_is_public(IPv6Address(ip)) if ":" in ip else _v4_is_public(IPv4Address(ip))
    except AddressValueError:
        return False


def is_loopback(ip: str) -> bool:
    """Whether this address, as text, is this machine itself: 127.0.0.0/8 or ::1."""
    try:
        return ip == "::1" if ":" in ip else IPv4Address(ip) in IPv4Network("127.0.0.0/8")
    except AddressValueError:
        return False


def is_address(host: str) -> bool:
    """Whether a host is an address and not a name, in the one accepted way of writing each."""
    try:
        return bool(IPv6Address(host) if ":" in host else IPv4Address(host))
    except AddressValueError:
        return False


def check_url(url: str, *, allow_loopback_http: bool) -> str | None:
    """What is wrong with an endpoint's URL, or None if it may be registered and dialled.

    `allow_loopback_http` is for the local stage: this machine may then be named, over http and on any port.
    Elsewhere: https, port 443 or 1024 and above (the ports below belong to other services of the host), a full
    host name or a public address.
    """
    try:
        target = destination(url)
    except BadUrlError as problem:
        return str(problem)
    if allow_loopback_http and (target.host == "localhost" or is_loopback(target.host)):
        return None
    if target.scheme != "https":
        return "must use https"
    if target.port != _DEFAULT_PORTS["https"] and target.port < _FIRST_FREE_PORT:
        return "must use port 443, or 1024 and above"
    return _host_problem(target.host)


def destination(url: str) -> Destination:
    """Where a URL leads, read strictly, so that no two readers can understand it differently.

    Raises:
        BadUrlError: it is not http or https, not plain printable ASCII, too long, has user info, a fragment, a
            repeated query parameter, or a host or port that is written in any but the usual way.
    """
    if len(url) > MAX_URL:
        raise BadUrlError(f"must not be longer than {MAX_URL} characters")
    if _UNSAFE.search(url):
        raise BadUrlError("must be printable ASCII without spaces; percent-encode the rest, write host names as xn--…")
    parts = _PARTS.fullmatch(url)
    if parts is None:
        raise BadUrlError("must be a full URL: https://host/path")
    scheme, authority, query, fragment = parts[1].lower(), parts[2], parts[4], parts[5]
    if scheme not in _DEFAULT_PORTS:
        raise BadUrlError("must use https")
    if "@" in authority:
        raise BadUrlError("must not hold a user name or password")
    if fragment is not None:
        raise BadUrlError("must not have a fragment")
    names = [name for name, _ in parse_qsl(query or "", keep_blank_values=True)]
    if len(names) != len(set(names)):
        raise BadUrlError("must not repeat a query parameter")
    host, port = _host_and_port(authority)
    return Destination(scheme, host, _DEFAULT_PORTS[scheme] if port is None else port)


def _host_and_port(authority: str) -> tuple[str, int | None]:
    """Host without brackets, and port."""
    bracket = authority.rfind("]")
    colon = authority.find(":", bracket + 1)
    host, port = (authority, None) if colon < 0 else (authority[:colon], authority[colon + 1 :])
    if port is not None and not (_PORT.fullmatch(port) and int(port) <= _LAST_PORT):
        raise BadUrlError("must have a port between 1 and 65535, without leading zeros")
    return _host(host.lower()), None if port is None else int(port)


def _host(host: str) -> str:
    """The host, in lower case, if it is written as hosts are."""
    if host.startswith("["):
        inner = host[1:-1]
        if not host.endswith("]") or "%" in inner or ":" not in inner or not is_address(inner):
            raise BadUrlError("must have a valid IPv6 address between the brackets, without a zone")
        return str(IPv6Address(inner))
    labels = host.split(".")
    if len(host) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise BadUrlError("must have a host: a name of letters, digits and hyphens, or an address")
    # Resolvers read 127.1, 0x7f000001 and 017700000001 as addresses: what ends like a number must be one, plainly.
    if (labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1])) and not is_address(host):
        raise BadUrlError("must write an IPv4 address as four decimal numbers")
    return host


def _host_problem(host: str) -> str | None:
    """What is wrong with a host of the public internet."""
    if is_address(host):
        return None if is_public(host) else "must not lead to an address that is not public"
    if "." not in host or any(host == name or host.endswith(f".{name}") for name in LOCAL_NAMES):
        return "must have a full, public host name"
    return None


def _v4_is_public(ip: IPv4Address) -> bool:
    return not any(ip in block for block, _ in DENIED_V4)


def _v6_is_public(ip: IPv6Address) -> bool:
    if ip.scope_id is not None:
        return False
    low = IPv4Address(int(ip) & 0xFFFF_FFFF)
    if ip in MAPPED or ip in TRANSLATED:
        return _v4_is_public(low)
    if (int(ip) >> 32) & 0xFFFF_FFFF in ISATAP and not _v4_is_public(low):
        return False
    return ip in GLOBAL_V6 and not any(ip in block for block, _ in DENIED_V6)
