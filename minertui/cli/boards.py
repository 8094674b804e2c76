"""``minertui discover --serial --i2c``: boards on the wires of this computer, and what to write into the config."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from minertui.model.errors import DeviceError

if TYPE_CHECKING:
    from minertui.jobs.duco_relay.speech import Speech


def places(*, serial: bool, i2c: bool) -> list[str]:
    """Where a board could sit: every USB serial port, every address that answers on every I2C bus."""
    found: list[str] = []
    if serial:
        from minertui.devices.duco_serial import found_ports

        found += [f"serial:{port.path}" for port in found_ports()]
    if i2c:
        found += _on_buses()
    return found


def _on_buses() -> Iterable[str]:
    from minertui.devices import duco_i2c

    for number in duco_i2c.buses():
        try:
            bus = duco_i2c.connect(number)()
        except OSError as error:
            print(f"I2C bus {number}: {error.strerror or error}")
            continue
        yield from (f"i2c:{number}:{address}" for address in bus.scan())
        bus.close()


def show(found: Sequence[str]) -> int:
    """Ask each what it speaks, and print it as the config wants it; 0 when one is a board."""
    from minertui.clock import SystemClock
    from minertui.engine.rig_tools import identify

    if not found:
        print("no USB serial port and no address on an I2C bus answers; are the boards plugged in and powered?")
        return 1
    boards = 0
    for at in found:
        print(f"asking {at} …", flush=True)
        try:
            speech = asyncio.run(identify(at, SystemClock()))
        except DeviceError as error:
            print(f"  no board that mines: {error.message}")
            continue
        boards += 1
        print("\n".join(lines(boards, at, speech)))
    return 0 if boards else 1


def lines(n: int, at: str, speech: Speech) -> list[str]:
    """A board as the config wants it."""
    return [
        "",
        "[[rig.board]]",
        f'name = "board {n}"',
        f'at = "{at}"  # {speech.what}, {speech.chip or "no chip id"}',
        "",
    ]
