"""Which kinds of devices there are. A driver is imported when the first device of its kind is met, so that a machine
that lacks what one kind needs can run the others."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import cast

from minertui.devices import KINDS
from minertui.model.errors import ConfigError
from minertui.model.seams import Device


def connect(kind: str, address: str, headers: Mapping[str, str]) -> Device:
    """A device of ``kind`` at ``address`` (host or host:port); nothing is sent yet. Raises ConfigError."""
    if kind not in KINDS:
        raise ConfigError(f"there is no kind {kind!r}; known: {', '.join(KINDS)}", key="kind")
    driver = importlib.import_module(f"minertui.devices.{kind}")
    return cast("Device", driver.connect(address, headers=headers))
