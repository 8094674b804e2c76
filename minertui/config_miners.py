"""What no miner could be reached with, said where the config is read and before it is saved: an engine that met it at
its start would not start, and nobody would guard the others."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping

from minertui.devices import KINDS
from minertui.model.errors import ConfigError
from minertui.secret import Secret
from minertui.wire.axeos.address import host_port

_ADDRESS = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?")


def problem(kind: str, address: str, headers: Mapping[str, Secret]) -> tuple[str, str] | None:
    """Which key of a miner is wrong, and what; None when all can be used."""
    if kind not in KINDS:
        return "kind", f"there is no kind {kind!r}; known: {', '.join(KINDS)}"
    if not _ADDRESS.fullmatch(address):
        return "address", "a host name or IP address, with :port if it is not 80; no http://"
    try:
        host_port(address)
    except ConfigError as error:
        return "address", error.message
    try:
        if headers:  # its driver knows what can be sent
            driver = importlib.import_module(f"minertui.devices.{kind}")
            driver.connect(address, headers={name: secret.reveal() for name, secret in headers.items()})
    except ConfigError as error:
        return "headers", error.message
    return None
