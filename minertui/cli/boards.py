"""``minertui discover --serial --i2c``: boards on the wires of this computer, and what to write into the config."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from minertui.model.errors import DeviceError
from minertui.model.relay import SIMULATED

if TYPE_CHECKING:
    from minertui.jobs.duco_relay.speech import Speech


def places(*, serial: bool, i2c: bool, named: Sequence[str] = ()) -> list[str]:
    """Where a board could sit. ``named``: ports, bus numbers and simulated buses (``sim:PORT``) to ask instead of all
    that this computer has. On every port a USB-I2C adaptor is looked for first when ``i2c``."""
    from minertui.devices import duco_i2c, duco_serial

    buses = [name for name in named if name.isdecimal() or name.startswith(SIMULATED)]
    ports = [name for name in named if name not in buses]
    if not named:
        buses = duco_i2c.buses() if i2c else []
        ports = [port.path for port in duco_serial.found_ports()]
    found = list(chain.from_iterable(_on_bus(bus) for bus in buses)) if i2c else []
    for port in ports:
        behind = _behind_adaptor(port) if i2c else []
        found += behind or ([f"serial:{port}"] if serial else [])
    return found


def _on_bus(name: str) -> list[str]:
    from minertui.devices import duco_i2c, duco_sim

    try:
        bus = (duco_sim if name.startswith(SIMULATED) else duco_i2c).connect(name)()
    except (OSError, ValueError) as error:
        print(f"I2C bus {name}: {getattr(error, 'strerror', None) or error}")
        return []
    try:
        return [f"i2c:{name}:{address}" for address in bus.scan()]
    finally:
        bus.close()


def _behind_adaptor(port: str) -> list[str]:
    """The addresses behind the adaptor at ``port``; none when there is none."""
    from minertui.devices import duco_serial

    print(f"looking for an I2C adaptor at {port} …", flush=True)
    try:
        opened = duco_serial.connect_adaptor(port)()
    except OSError as error:
        print(f"  {error.strerror or error}")
        return []
    try:
        return [f"adaptor:{port}:{address}" for address in opened.scan()]
    except OSError:
        print("  none")
        return []
    finally:
        opened.close()


def show(found: Sequence[str]) -> int:
    """Ask each what it speaks, and print it as the config wants it; 0 when one is a board."""
    from minertui.clock import SystemClock
    from minertui.engine.rig_tools import identify

    if not found:
        print("no USB serial port and no address on an I2C bus was found; are the boards plugged in and powered?")
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
    if boards:
        print("# they belong under a [[rig]] of the config, with name, user and mining_key: minertui config edit")
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
