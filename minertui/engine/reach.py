"""Which addresses this program talks to at a user's word, so that "add a miner" is no way to reach everything else.

    always            private IPv4 networks (10.*, 172.16-31.*, 192.168.*), private IPv6 (fd..), host names
    when confirmed    this computer itself (simulators), and addresses of the public internet
    never             link-local (cloud metadata lives there), multicast, broadcast, unspecified and reserved ones

An IPv4 address inside an IPv6 one is judged as what it is; ``127.1`` and other spellings that only resolvers understand
are refused.
"""

from __future__ import annotations

import asyncio
import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from minertui.model.errors import ConfigError
from minertui.wire.axeos.address import host_port

Address = IPv4Address | IPv6Address

PRIVATE = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
LOOPBACK = IPv4Network("127.0.0.0/8")
MAX_SCAN_PREFIX = 22

_ULA = IPv6Network("fc00::/7")
_ALLOWED: tuple[IPv4Network | IPv6Network, ...] = (*PRIVATE, _ULA)
_NEVER = tuple(
    ip_network(text)
    for text in ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "fe80::/10", "ff00::/8")
)
_ODD_IPV4 = re.compile(r"(?:0[xX][0-9A-Fa-f]*|\d+)(?:\.(?:0[xX][0-9A-Fa-f]*|\d+)){0,3}\.?", re.ASCII)
_RESOLVE_S = 5.0


def check_address(address: str, *, confirm: bool = False) -> None:
    """Raises ConfigError unless ``address`` (``host`` or ``host:port``) may become a miner's. ``confirm``: a person
    agreed to this very address. A host name is taken by its look; ``check_host`` also looks where it leads."""
    host, _ = host_port(address)
    literal = _literal(host)
    if literal is not None:
        _judge(address, literal, confirm=confirm)
    elif _ODD_IPV4.fullmatch(host):
        raise ConfigError(f"{address}: write an IP address as four numbers, e.g. 192.168.1.20")
    elif _is_this_computer(host) and not confirm:
        raise ConfigError(f"{address} is this computer, not a miner; confirm it if a simulator runs here")


async def check_host(address: str, *, confirm: bool = False) -> None:
    """As ``check_address``, and every IP address behind a host name must be allowed too. A name that nobody knows now
    is allowed: the miner may be off."""
    check_address(address, confirm=confirm)
    host, port = host_port(address)
    if _literal(host) is not None:
        return
    try:
        async with asyncio.timeout(_RESOLVE_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return
    for *_, place in found:
        literal = _literal(str(place[0]).partition("%")[0])
        if literal is not None:
            _judge(f"{address} ({literal})", literal, confirm=confirm)


def network_of(text: str) -> IPv4Network:
    """The network to scan in ``text``: CIDR, or a single address. Raises ConfigError for one that is not private (this
    computer, named explicitly, is) or has more than 1,022 addresses."""
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise ConfigError(f'"{text[:60]}" is not a network; write e.g. 192.168.1.0/24') from error
    if not isinstance(network, IPv4Network):
        mapped = network.network_address.ipv4_mapped
        if mapped is None or network.prefixlen < 96:
            raise ConfigError(f"{text}: an IPv6 network is too large to scan; name its miners one by one")
        network = IPv4Network((mapped, network.prefixlen - 96), strict=False)
    if network.prefixlen < MAX_SCAN_PREFIX:
        raise ConfigError(f"{text} is too large to scan; name parts of at most /{MAX_SCAN_PREFIX} (1,022 addresses)")
    if not any(network.subnet_of(private) for private in (*PRIVATE, LOOPBACK)):
        raise ConfigError(f"{text} is not scanned: only private networks are (10.*, 172.16-31.*, 192.168.*)")
    return network


async def named(text: str) -> list[str]:
    """The IPv4 addresses behind a host name that a person named, to ask for a miner. Raises ConfigError for a name that
    nobody knows, and for one that leads out of private networks."""
    host, port = host_port(text)
    try:
        async with asyncio.timeout(_RESOLVE_S):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, family=socket.AF_INET, type=socket.SOCK_STREAM
            )
    except (OSError, TimeoutError, UnicodeError) as error:
        raise ConfigError(
            f'"{text[:60]}" is not known here; write its address, or a network: 192.168.1.0/24'
        ) from error
    places = list(dict.fromkeys(str(place[0]) for *_, place in found))
    for place in places:
        network_of(place)
    return places


def is_private(address: str) -> bool:
    """Whether this is the text of an IPv4 address in a private network."""
    literal = _literal(address)
    return isinstance(literal, IPv4Address) and any(literal in network for network in PRIVATE)


def _literal(host: str) -> Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _judge(shown: str, address: Address, *, confirm: bool) -> None:
    if any(address in network for network in _ALLOWED):
        return
    if address.is_loopback:
        if not confirm:
            raise ConfigError(f"{shown} is this computer, not a miner; confirm it if a simulator runs here")
        return
    if any(address in network for network in _NEVER):
        raise ConfigError(f"{shown} is no address of a miner; use the one in its own network, e.g. 192.168.1.20")
    if not confirm:
        raise ConfigError(f"{shown} is not in a private network; confirm it if a miner of yours is really there")


def _is_this_computer(host: str) -> bool:
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost") or name == "localhost.localdomain"
