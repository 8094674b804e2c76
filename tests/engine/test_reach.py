"""Addresses that may become a miner's, and networks that may be scanned."""

from __future__ import annotations

import asyncio
import socket

import pytest

from minertui.engine.reach import check_address, check_host, is_private, network_of
from minertui.model.errors import ConfigError


@pytest.mark.parametrize(
    "address",
    [
        "192.168.1.20",
        "10.0.0.5:8080",
        "172.31.255.1",
        "bitaxe",
        "bitaxe.local:81",
        "[fd12::5]",
        "[::ffff:192.168.1.2]",
        "7up",
    ],
)
def test_private_addresses_and_names_are_taken(address):
    check_address(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8:80", "[::1]", "localhost", "LOCALHOST.", "a.localhost", "[::ffff:127.0.0.1]"),
        *("8.8.8.8", "172.32.0.1", "100.64.0.7", "[2001:db8::5]", "[::ffff:8.8.8.8]"),
    ],
)
def test_this_computer_and_the_internet_need_a_word(address):
    with pytest.raises(ConfigError, match="confirm it"):
        check_address(address)
    check_address(address, confirm=True)


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "224.0.0.251", "255.255.255.255", "0.0.0.0", "0.0.0.7", "[::]", "[fe80::1]", "[ff02::fb]"),
        *("[::ffff:169.254.169.254]", "240.0.0.1", "127.1", "0x7f000001", "2130706433", "0x7f.1", "127.0.0.1."),
        *("https://192.168.1.2", "192.168.1.2/api", "192.168.1.2:0x50", ""),
    ],
)
def test_some_are_never_taken(address):
    with pytest.raises(ConfigError):
        check_address(address, confirm=True)


async def test_a_name_is_judged_by_where_it_leads(monkeypatch):
    leads = {"lan": "192.168.1.9", "trap": "169.254.169.254", "here": "127.0.0.1", "out": "8.8.8.8"}

    async def getaddrinfo(self, host, port, **_):
        if host not in leads:
            raise socket.gaierror(8, "unknown")
        return [(2, 1, 6, "", ("192.168.1.8", port)), (2, 1, 6, "", (leads[host], port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    await check_host("lan")
    await check_host("miner-that-is-off")
    for name in ("trap", "here", "out"):
        with pytest.raises(ConfigError, match=rf"{name} \({leads[name]}\)"):
            await check_host(name)
    await check_host("out", confirm=True)
    with pytest.raises(ConfigError):
        await check_host("trap", confirm=True)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.168.1.0/24", "192.168.1.0/24"),
        ("192.168.1.7/24", "192.168.1.0/24"),
        ("10.1.4.0/22", "10.1.4.0/22"),
        ("192.168.1.7", "192.168.1.7/32"),
        ("127.0.0.0/30", "127.0.0.0/30"),
        ("::ffff:192.168.1.0/120", "192.168.1.0/24"),
    ],
)
def test_private_networks_may_be_scanned(text, network):
    assert str(network_of(text)) == network


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("192.168.0.0/16", "too large"),
        ("10.0.0.0/8", "too large"),
        ("0.0.0.0/0", "too large"),
        ("8.8.8.0/24", "only private"),
        ("169.254.0.0/24", "only private"),
        ("100.64.0.0/24", "only private"),
        ("172.15.252.0/22", "only private"),
        ("fd00::/64", "IPv6"),
        ("::ffff:8.8.8.0/120", "only private"),
        ("home", "not a network"),
        ("192.168.1.0/99", "not a network"),
    ],
)
def test_other_networks_may_not(text, words):
    with pytest.raises(ConfigError, match=words):
        network_of(text)


def test_is_private():
    assert [is_private(a) for a in ("10.0.0.1", "127.0.0.1", "8.8.8.8", "fd00::1", "name")] == [
        True,
        False,
        False,
        False,
        False,
    ]
