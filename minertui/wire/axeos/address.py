"""Where a miner is, as people write it: ``bitaxe.local``, ``192.168.1.20``, ``192.168.1.20:8080``, ``http://bitaxe/``."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from minertui.model.errors import ConfigError
from minertui.model.text import clean

HTTP_PORT = 80

_USER = re.compile(r"[^/@]*@")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?", re.ASCII)


def host_port(address: str) -> tuple[str, int]:
    """Host (an IPv6 address without its brackets) and port, 80 when none is given.

    Raises ConfigError when it is neither a host, ``host:port`` nor an ``http://`` address without a path.
    """
    text = address.strip()
    try:
        parts = urlsplit(text if "://" in text else f"//{text}", scheme="http")
        host, port = parts.hostname or "", HTTP_PORT if parts.port is None else parts.port
    except ValueError as error:
        raise _bad(address, "brackets or port are not right (a port is 1 to 65535)") from error
    if not text.isprintable() or " " in text:  # urlsplit drops line breaks silently
        raise _bad(address, "it holds blanks or control characters")
    if port == 0:
        raise _bad(address, "there is no port 0")
    if parts.scheme != "http":
        raise _bad(address, "a miner speaks plain http")
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise _bad(address, "only a host and a port are needed")
    if not _HOST.fullmatch(host) and not _is_ipv6(host):
        raise _bad(address, "it has no host name or IP address")
    return host, port


def authority(host: str, port: int) -> str:
    """``host`` or ``host:port`` as a URL writes it; port 80 is left out."""
    name = f"[{host}]" if ":" in host else host
    return name if port == HTTP_PORT else f"{name}:{port}"


def _is_ipv6(host: str) -> bool:
    try:
        return bool(IPv6Address(host))
    except ValueError:
        return False


def _bad(address: str, why: str) -> ConfigError:
    said = clean(_USER.sub("…@", address), 80)  # without a password that stands in it
    return ConfigError(f'"{said}" is not the address of a miner: {why}; write e.g. 192.168.1.20')
