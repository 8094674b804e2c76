"""Finding miners: by what they announce (mDNS), and by asking every address of the networks that a person named.

NerdQAxe announces ``_http._tcp`` with the subtype ``_axeos`` and its chip in the TXT record (its PR #613), AxeOS from
2.15 a host name. Everything else is silent and has to be asked. A scan opens at most 60 connections a second, 32 at
once, to private addresses only, and reads ``/api/system/info`` where somebody answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Interface
from typing import TYPE_CHECKING

import msgspec

from minertui.clock import SystemClock
from minertui.devices import axeos
from minertui.engine.reach import MAX_SCAN_PREFIX, check_address, check_host, is_private, named, network_of
from minertui.model.errors import ConfigError, DeviceError
from minertui.model.history import Found
from minertui.model.seams import Clock
from minertui.wire.axeos.address import HTTP_PORT, authority, host_port

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

__all__ = ["announced", "asked_for", "check_address", "check_host", "discover", "own_networks"]

LISTEN_S = 3.0
_PER_SECOND = 60
_AT_ONCE = 32
_CONNECT_S = 1.5
_READ_S = 4.0
_RESOLVE_MS = 1000.0

_HTTP = "_http._tcp.local."
_MINERS = f"_axeos._sub.{_HTTP}"
_SIGNS = re.compile(r"axe|bitaxe|bm13\d\d|espminer", re.IGNORECASE)
_NAME = re.compile(r"(?=.*[A-Za-z])(?!0[xX])[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")
_VIRTUAL = re.compile(r"^(?:docker|br-|veth|virbr|tun|tap|wg|tailscale|zt|lo)")

Announced = Callable[[Clock], Awaitable[Sequence[str]]]


async def announced(clock: Clock, *, interfaces: Sequence[str] | None = None) -> list[str]:
    """Addresses (``host`` or ``host:port``) of miners that announce themselves within 3 s; none without a network.
    ``interfaces``: own IP addresses to listen on, default all."""
    from zeroconf import InterfaceChoice, IPVersion
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

    names: dict[str, bool] = {}  # instance → announced as a miner and not only as some web page

    def heard(zeroconf: object, service_type: str, name: str, state_change: object) -> None:
        names[name] = names.get(name, False) or service_type == _MINERS

    where = list(interfaces) if interfaces else InterfaceChoice.All
    try:
        network = AsyncZeroconf(interfaces=where, ip_version=IPVersion.V4Only)
    except (OSError, RuntimeError):  # RuntimeError: no interface to listen on
        return []
    async with network:
        browser = AsyncServiceBrowser(network.zeroconf, [_MINERS, _HTTP], handlers=[heard])
        await clock.sleep(LISTEN_S)
        await browser.async_cancel()
        wanted = [name for name in sorted(names)[:256] if name.endswith(_HTTP)]
        asked = await asyncio.gather(*(_resolved(network, name) for name in wanted))
    miners = (service for service in asked if service and (names[service.name] or _looks_like_one(service)))
    return sorted({place for service in miners for place in _places(service)})


async def discover(
    networks: Sequence[str],
    *,
    known: Mapping[str, str],
    clock: Clock | None = None,
    listen: Announced | None = announced,
) -> list[Found]:
    """Miners that answer: announced ones, and those in ``networks`` (CIDR, an address or a host name, with ``:port``).

    ``known`` maps hardware addresses and addresses to the names that the config has for them. One whose hardware
    address is known and that answers elsewhere has moved, if it does not answer where the config says. ``listen`` None:
    no mDNS. Sorted by address; a miner that was found twice is listed once. Raises ConfigError for a network that must
    not be scanned.
    """
    clock = clock or SystemClock()
    targets = await _targets(networks)
    async with asyncio.TaskGroup() as group:
        scan = group.create_task(_ask(targets, clock))
        heard = group.create_task(_heard(listen, clock))
    extra = [place for place in heard.result() if place not in targets]
    found = [*scan.result(), *await _ask(extra, clock)]
    found.sort(key=lambda one: one.address not in known)
    unique = {one.mac or one.address: one for one in reversed(found)}
    return sorted(await _told(list(unique.values()), known, clock), key=lambda one: _order(one.address))


async def asked_for(networks: Sequence[str], known: Mapping[str, str], *, demo: bool) -> list[Found]:
    """``discover`` for a screen. A ``demo`` asks this computer alone, and listens to nobody. Raises ConfigError."""
    if demo and not all(network.startswith("127.") for network in networks):
        raise ConfigError("the demo asks no real network; to look for real miners: minertui discover")
    return await discover(networks, known=known, listen=None if demo else announced)


def own_networks() -> list[str]:
    """The private networks that this computer is in, as CIDR, at most /22 each (larger ones: the /24 around it)."""
    import ifaddr

    found: dict[str, None] = {}
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if ip.is_IPv4 and is_private(str(ip.ip)) and not _VIRTUAL.match(adapter.nice_name):
                prefix = ip.network_prefix if ip.network_prefix >= MAX_SCAN_PREFIX else 24
                found[str(IPv4Interface(f"{ip.ip}/{prefix}").network)] = None
    return list(found)


async def _targets(networks: Sequence[str]) -> list[str]:
    """Every address to ask, once, in the order named."""
    targets: dict[str, None] = {}
    for text in networks:
        host, port = text.strip(), HTTP_PORT
        if "/" not in host and host.count(":") == 1:
            host, port = host_port(host)
        places = await named(host) if _NAME.fullmatch(host) else [str(ip) for ip in network_of(host).hosts()]
        targets.update((authority(place, port), None) for place in places)
    return list(targets)


async def _heard(listen: Announced | None, clock: Clock) -> list[str]:
    if listen is None:
        return []
    return [place for place in await listen(clock) if is_private(host_port(place)[0])]


async def _ask(targets: Iterable[str], clock: Clock) -> list[Found]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_identify(target, gate)) async for target, gate in _paced(targets, clock)]
    return [found for task in tasks if (found := task.result())]


async def _paced(targets: Iterable[str], clock: Clock) -> AsyncIterator[tuple[str, asyncio.Semaphore]]:
    """Each target when its turn has come, with the gate that its asker gives back."""
    gate = asyncio.Semaphore(_AT_ONCE)
    for target in targets:
        await gate.acquire()
        yield target, gate
        await clock.sleep(1 / _PER_SECOND)


async def _identify(address: str, gate: asyncio.Semaphore) -> Found | None:
    try:
        if not await _is_open(address):
            return None
        device = axeos.connect(address, deadline_s=_READ_S)
        try:
            status = await device.read()
        except DeviceError:
            return None
        finally:
            await device.close()
    finally:
        gate.release()
    return Found(
        address=address,
        kind="axeos",
        model=status.model or status.chip,
        hostname=status.hostname,
        mac=status.mac,
        firmware=status.firmware,
        hashrate_ghs=status.hashrate_ghs,
    )


async def _is_open(address: str) -> bool:
    host, port = host_port(address)
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _resolved(network: AsyncZeroconf, name: str) -> AsyncServiceInfo | None:
    """What ``name`` announces; None for a name that the protocol does not allow: whoever sends one must not keep the
    others from being found."""
    from zeroconf import Error
    from zeroconf.asyncio import AsyncServiceInfo

    try:
        service = AsyncServiceInfo(_HTTP, name)
        await service.async_request(network.zeroconf, _RESOLVE_MS)
    except (Error, ValueError):
        return None
    return service


def _looks_like_one(service: AsyncServiceInfo) -> bool:
    said = [service.name, service.server or ""]
    for key, value in service.decoded_properties.items():
        said += [key, value or ""]
    return any(_SIGNS.search(text) for text in said)


def _places(service: AsyncServiceInfo) -> list[str]:
    from zeroconf import IPVersion

    return [authority(ip, service.port or HTTP_PORT) for ip in service.parsed_addresses(IPVersion.V4Only)]


async def _told(found: Sequence[Found], known: Mapping[str, str], clock: Clock) -> list[Found]:
    """These with the names that the config has for them, and from where those went that moved."""
    homes = {name: place for place, name in known.items() if not _MAC.fullmatch(place)}

    def away(one: Found) -> str | None:
        home = homes.get(known.get(one.mac or "", ""))
        return home if home != one.address else None

    asked = {home: None for one in found if (home := away(one))}
    still = {one.mac for one in await _ask(asked, clock)}
    moved = {known[one.mac]: home for one in found if one.mac and one.mac not in still and (home := away(one))}
    return [_named(one, known, moved) for one in found]


def _named(found: Found, known: Mapping[str, str], moved: Mapping[str, str]) -> Found:
    """Another board at the address of one that moved is not that one."""
    if own := known.get(found.mac or ""):
        return msgspec.structs.replace(found, known_as=own, moved_from=moved.get(own))
    here = known.get(found.address)
    return msgspec.structs.replace(found, known_as=None if here in moved else here)


def _order(address: str) -> tuple[int, int, str]:
    host, port = host_port(address)
    try:
        return int(IPv4Address(host)), port, ""
    except ValueError:
        return 2**32, port, host
