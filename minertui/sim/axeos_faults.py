"""The fault console: everything that goes wrong with miners in the field, by name.

Three groups: faults of the hardware act in the board's physics, faults of the firmware in its answers to writes, faults
of the line and of the payload in what the server sends. A fault is on until it is taken off; ``overheat`` happens once
and takes itself off.
"""

from __future__ import annotations

from collections.abc import Iterator

from minertui.model.errors import ConfigError

HARDWARE: dict[str, str] = {
    "overheat": "the chip is pushed to 82 °C once, so that the firmware's own protection acts",
    "fan-dead": "the fan stands still whatever the firmware drives",
    "fan-stuck": "the fan stays at 25 % whatever the firmware drives",
    "slow-restart": "a restart takes 120 s more, and the first hash a minute more",
    "zombie": "after the next restart the chips answer and do not hash; more restarts do not help",
    "lies-hashing": "the chips stop, the firmware still shows the expected hashrate",
    "droop": "a weak power supply: the input voltage sags under load",
    "reboot": "reboots at random, every 90 s on average",
    "third-party": "somebody else sets frequency and voltage (within the stock options) every 60 s",
    "wifi-lost": "off the network: never answers, finds no pool, mines on as its firmware does",
    "pool-lost": "no pool can be reached: no shares, and from v2.14 no hashing",
}
FIRMWARE: dict[str, str] = {
    "ignore-patch": "settings are answered with 200 and not stored",
    "clamp": "frequency and voltage above stock are cut to stock and answered with 200",
    "only-frequency": "of frequency and voltage only the frequency is stored",
    "only-voltage": "of frequency and voltage only the voltage is stored",
}
LINE: dict[str, str] = {
    "hang": "accepts and never answers",
    "reset": "resets the connection instead of answering",
    "drip": "answers one byte every half second",
    "cut-answer": "a write is obeyed, its answer is lost",
    "auth": "401 to everything",
    "busy": "429 and 500 in turn",
    "empty": "200 with an empty body",
    "empty-json": "200 with {}",
    "null": "200 with null",
    "html": "200 with an HTML page",
    "endless": "a body that never ends",
    "gzip-bomb": "64 kB of gzip that unpack to 64 MB",
    "huge-header": "a response header of 1 MiB",
    "deep-json": "200,000 opening brackets",
}
PAYLOAD: dict[str, str] = {
    "nan": "NaN, Infinity, 1e999, null and texts in the place of numbers",
    "temp-minus-one": "the temperature sensors read -1",
    "temp-zero": "the temperature sensors read 0",
    "temp-127": "the temperature sensors read 127",
    "freeze": "telemetry stands still while the uptime runs on",
    "wrong-averages": "the hashrate averages are half as high again as the truth",
    "missing-fields": "no temperatures, hashrate, power, counters or MAC",
    "mac-swap": "another device answers at this address",
    "duplicate-keys": "safety-relevant keys twice, with different values",
    "hostile-strings": "terminal escapes, markup and bidi marks in every text",
}
FAULTS: dict[str, str] = {**HARDWARE, **FIRMWARE, **LINE, **PAYLOAD}


class FaultSet(set[str]):
    """The faults that are on at one board. A set, because the physics asks it a dozen times a step."""

    def add(self, name: str) -> None:
        """Switch a fault on. Raises ConfigError for a name that FAULTS does not have."""
        if name not in FAULTS:
            raise ConfigError(f"no fault named {name!r}; the faults are: {', '.join(sorted(FAULTS))}")
        super().add(name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(super().__iter__()))

    def first_of(self, group: dict[str, str]) -> str | None:
        """The first of ``group`` (in its order) that is on."""
        return next((name for name in group if name in self), None) if self else None
