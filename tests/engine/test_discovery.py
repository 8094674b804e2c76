"""Finding miners on this computer's own addresses, where small servers play them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from minertui.engine import discovery
from minertui.engine.discovery import announced, discover, own_networks
from minertui.model.errors import ConfigError
from tests.ports import held_port
from tests.tui.pictures import PAYLOADS

TOLD = {"ASICModel": "BM1370", "boardVersion": "601", "frequency": 525, "coreVoltage": 1150, "version": "v2.12.0"}
Start = Callable[..., Awaitable[str]]


class Watch:
    """A clock whose sleeps pass at once and are noted."""

    speed = 1.0

    def __init__(self) -> None:
        self.slept: list[float] = []

    def mono(self) -> float:
        return 0.0

    boot = wall = mono

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    servers = []

    async def start(told: dict[str, object] | None = None, ip: str = "127.0.0.1", port: int = 0) -> str:
        body = b"<html>" if told is None else json.dumps(TOLD | told).encode()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    await reader.readuntil(b"\r\n\r\n")
                    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(serve, ip, port)
        servers.append(server)
        return "{}:{}".format(*server.sockets[0].getsockname())

    yield start
    for server in servers:
        server.close()


async def test_a_scan_finds_miners_and_names_the_known_ones(start):
    one = await start({"macAddr": "02:00:00:00:00:01", "hostname": "attic", "hashRate": 1000})
    two = await start({"macAddr": "02:00:00:00:00:02"})
    page = await start(None)
    known = {"02:00:00:00:00:02": "cellar", one: "by address"}
    with held_port() as nobody:
        networks = [two, one, page, f"127.0.0.1:{nobody}", one]
        found = await discover(networks, known=known, clock=Watch(), listen=None)
    assert {(f.address, f.mac, f.known_as) for f in found} == {
        (one, "02:00:00:00:00:01", "by address"),
        (two, "02:00:00:00:00:02", "cellar"),
    }
    attic = next(f for f in found if f.address == one)
    assert (attic.kind, attic.model, attic.hostname, attic.firmware, attic.hashrate_ghs) == (
        "axeos",
        "Gamma",
        "attic",
        "v2.12.0",
        1000,
    )
    assert [f.address for f in found] == sorted((one, two), key=lambda a: int(a.rpartition(":")[2]))


async def test_one_that_is_known_and_answers_elsewhere_has_moved_and_who_has_its_address_now_is_new(start):
    garage, cellar = "02:00:00:00:00:01", "02:00:00:00:00:02"
    now, before = await start({"macAddr": garage}), await start({"macAddr": "02:00:00:00:00:03"})
    with held_port() as nobody:
        gone = f"127.0.0.1:{nobody}"
        away = await start({"macAddr": cellar})
        known = {garage: "garage", before: "garage", cellar: "cellar", gone: "cellar"}
        found = await discover([now, before, away], known=known, clock=Watch(), listen=None)
    assert {f.address: (f.known_as, f.moved_from) for f in found} == {
        now: ("garage", before),
        before: (None, None),
        away: ("cellar", gone),
    }


async def test_one_that_still_answers_at_its_own_address_has_not_moved(start):
    mac = "02:00:00:00:00:01"
    other, own = await start({"macAddr": mac}), await start({"macAddr": mac})
    for asked in ([other], [other, own]):
        [found] = await discover(asked, known={mac: "garage", own: "garage"}, clock=Watch(), listen=None)
        assert (found.known_as, found.moved_from) == ("garage", None)
    assert found.address == own


async def test_a_network_is_asked_address_by_address_and_not_too_fast(start, monkeypatch):
    asked: list[str] = []

    async def is_open(address: str) -> bool:
        asked.append(address)
        return False

    monkeypatch.setattr(discovery, "_is_open", is_open)
    clock = Watch()
    assert await discover(["192.168.7.0/24", "10.9.9.9:8080"], known={}, clock=clock, listen=None) == []
    assert asked == [f"192.168.7.{n}" for n in range(1, 255)] + ["10.9.9.9:8080"]
    assert sum(clock.slept) == pytest.approx(255 / 60)


async def test_at_most_32_are_asked_at_once(monkeypatch):
    now = most = 0

    async def is_open(address: str) -> bool:
        nonlocal now, most
        now += 1
        most = max(most, now)
        for _ in range(200):
            await asyncio.sleep(0)
        now -= 1
        return False

    monkeypatch.setattr(discovery, "_is_open", is_open)
    await discover(["192.168.7.0/24"], known={}, clock=Watch(), listen=None)
    assert most == 32


@pytest.mark.parametrize("network", ["8.8.8.0/24", "10.0.0.0/8", "169.254.169.254", "nonsense"])
async def test_a_network_that_must_not_be_scanned_is_refused_before_anything_is_sent(network, monkeypatch):
    async def is_open(address: str) -> bool:
        raise AssertionError(address)

    monkeypatch.setattr(discovery, "_is_open", is_open)
    with pytest.raises(ConfigError):
        await discover(["192.168.7.1", network], known={}, clock=Watch(), listen=None)


async def test_what_is_announced_is_asked_when_it_is_private(monkeypatch):
    asked: list[str] = []

    async def is_open(address: str) -> bool:
        asked.append(address)
        return False

    async def listen(_: object) -> list[str]:
        return ["192.168.7.3", "8.8.8.8", "127.0.0.1", "192.168.7.4:8080"]

    monkeypatch.setattr(discovery, "_is_open", is_open)
    await discover(["192.168.7.3"], known={}, clock=Watch(), listen=listen)
    assert asked == ["192.168.7.3", "192.168.7.4:8080"]


async def test_the_same_miner_at_two_addresses_is_listed_once(start):
    one = await start({"macAddr": "02:00:00:00:00:01"})
    two = await start({"macAddr": "02:00:00:00:00:01"})
    found = await discover([one, two], known={}, clock=Watch(), listen=None)
    assert [f.address for f in found] == [one]


HERE = os.getpid() % 250 + 3
"""Whoever else tests on this computer is heard too, under other addresses and names."""


class Ear(Watch):
    """A clock whose sleep lasts until each of these (type, name) was heard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *wanted: tuple[str, str]) -> None:
        import zeroconf.asyncio

        super().__init__()
        self.done = False
        self._wanted, self._heard = set(wanted), set[tuple[str, str]]()
        browser = zeroconf.asyncio.AsyncServiceBrowser

        def browsing(network: Any, types: Any, handlers: list[Any]) -> Any:
            return browser(network, types, handlers=[*handlers, self._hear])

        monkeypatch.setattr(zeroconf.asyncio, "AsyncServiceBrowser", browsing)

    def _hear(self, zeroconf: object, service_type: str, name: str, state_change: object) -> None:
        self._heard.add((service_type, name))

    async def sleep(self, seconds: float) -> None:
        async with asyncio.timeout(30):
            while not self._wanted <= self._heard:
                await asyncio.sleep(0.01)
        self.done = True


async def test_announcements_are_heard_by_name_chip_or_subtype(monkeypatch):
    from zeroconf import IPVersion
    from zeroconf._dns import DNSPointer
    from zeroconf._protocol.outgoing import DNSOutgoing
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    monkeypatch.setattr(discovery, "_RESOLVE_MS", 20_000.0)
    http = "_http._tcp.local."
    services = [
        AsyncServiceInfo(
            http, f"{name}{HERE}.{http}", addresses=[bytes((127, 0, HERE, n))], port=port, properties=txt,
            server=f"{name}{HERE}.local.",
        )
        for name, n, port, txt in (
            ("bitaxe-attic", 2, 80, {}),
            ("renamed", 3, 8080, {"asic": "BM1370"}),
            ("printer", 4, 80, {"ty": "LaserJet"}),
            ("nameless", 5, 80, {}),
        )
    ]  # fmt: skip
    miners = f"_axeos._sub.{http}"
    ear = Ear(monkeypatch, *((http, service.name) for service in services), (miners, services[-1].name))
    response, pointer, internet = 0x8400, 12, 1  # DNS wire values
    subtype = DNSOutgoing(response)
    subtype.add_answer_at_time(DNSPointer(miners, pointer, internet, 120, services[-1].name), 0)

    async with AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only) as speaker:
        for service in services:
            speaker.zeroconf.registry.async_add(service)

        async def announce() -> None:
            while not ear.done:
                await asyncio.sleep(0.05)
                speaker.zeroconf.async_send(subtype)

        heard, _ = await asyncio.gather(announced(ear, interfaces=["127.0.0.1"]), announce())
    ours = [place for place in heard if place.startswith(f"127.0.{HERE}.")]
    assert ours == [f"127.0.{HERE}.2", f"127.0.{HERE}.3:8080", f"127.0.{HERE}.5"]


def announcement(name: bytes, ip: tuple[int, int, int, int], server: bytes, txt: bytes) -> bytes:
    """A multicast answer as bytes, so that a name in it can be what no library would send."""

    def spelt(*labels: bytes) -> bytes:
        return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"

    def record(owner: bytes, kind: int, data: bytes) -> bytes:
        return owner + struct.pack("!HHIH", kind, 1, 120, len(data)) + data

    http = (b"_http", b"_tcp", b"local")
    full, host = spelt(name, *http), spelt(server, b"local")
    records = (record(spelt(*http), 12, full), record(full, 33, struct.pack("!HHH", 0, 0, 80) + host),
               record(full, 16, bytes([len(txt)]) + txt), record(host, 1, bytes(ip)))  # fmt: skip
    return struct.pack("!6H", 0, 0x8400, 0, len(records), 0, 0) + b"".join(records)


async def test_a_name_that_attacks_keeps_nobody_from_being_found(monkeypatch: pytest.MonkeyPatch):
    """Control characters, which the library refuses; bytes that are no text and grow when they are made one."""
    monkeypatch.setattr(discovery, "_RESOLVE_MS", 100.0)
    said = [*(text.encode()[:63] for text in PAYLOADS), b"\xff" * 63, b"\0", b".", b"a.b"]
    packets = [announcement(text, (127, 0, 2, n + 1), text, b"asic=" + text) for n, text in enumerate(said)]
    packets += [announcement(b"bitaxe%d" % HERE, (127, 0, HERE, 2), b"attic%d" % HERE, b"asic=BM1370")]
    packets += [announcement(text, (127, 0, 1, n + 1), b"s%d" % n, b"asic=BM1370") for n, text in enumerate(said)]
    packets += [announcement(b"last%d" % HERE, (127, 0, HERE, 3), b"last%d" % HERE, b"asic=BM1370")]
    ear = Ear(monkeypatch, *(("_http._tcp.local.", f"{name}{HERE}._http._tcp.local.") for name in ("bitaxe", "last")))

    async def announce() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
            speaker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, bytes((127, 0, 0, 1)))
            while not ear.done:
                await asyncio.sleep(0.05)
                for packet in packets:
                    speaker.sendto(packet, ("224.0.0.251", 5353))

    heard, _ = await asyncio.gather(announced(ear, interfaces=["127.0.0.1"]), announce())
    assert {f"127.0.{HERE}.2", f"127.0.{HERE}.3"} <= set(heard)
    assert all(place.startswith("127.0.") for place in heard)


async def test_without_a_network_nothing_is_heard(monkeypatch):
    import ifaddr

    monkeypatch.setattr(ifaddr, "get_adapters", list)
    clock = Watch()
    assert await announced(clock) == []
    assert clock.slept == []


def test_own_networks_are_private_small_and_real(monkeypatch):
    import ifaddr

    def adapter(name: str, ip: str, prefix: int) -> ifaddr.Adapter:
        return ifaddr.Adapter(name, name, [ifaddr.IP(ip, prefix, name)])

    adapters = [
        adapter("eth0", "192.168.1.7", 24),
        adapter("wlan0", "192.168.1.8", 24),
        adapter("eth1", "10.20.30.40", 8),
        adapter("eth2", "172.16.4.1", 22),
        adapter("docker0", "172.17.0.1", 16),
        adapter("lo", "127.0.0.1", 8),
        adapter("ppp0", "8.8.8.8", 24),
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: adapters)
    assert own_networks() == ["192.168.1.0/24", "10.20.30.0/24", "172.16.4.0/22"]


async def test_a_name_is_asked_where_it_leads_and_only_in_private_networks(
    start: Start, monkeypatch: pytest.MonkeyPatch
):
    place = await start({"hostname": "desk"})
    port = place.rpartition(":")[2]
    found = await discover([f"localhost:{port}"], known={}, listen=None)
    assert [(one.address, one.hostname) for one in found] == [(place, "desk")]

    async def known(host: str, *_: object, **__: object) -> list[object]:
        if host == "nobody":
            raise OSError("unknown")
        return [(2, 1, 6, "", ("93.184.216.34", 80))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", known)
    with pytest.raises(ConfigError, match="only private networks"):
        await discover(["example.com"], known={}, listen=None)
    with pytest.raises(ConfigError, match='"nobody" is not known here'):
        await discover(["nobody"], known={}, listen=None)
