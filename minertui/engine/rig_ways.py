"""How a rig's boards and servers are reached: the real drivers, imported when they are needed."""

from __future__ import annotations

import importlib

from minertui.jobs.duco_relay import Opener, Outside
from minertui.jobs.duco_relay import Way as Way
from minertui.jobs.duco_relay.seams import Transport
from minertui.model.relay import Place, Wire
from minertui.model.seams import Clock

_DRIVERS = {
    Wire.SERIAL: ("duco_serial", "connect"),
    Wire.I2C: ("duco_i2c", "connect"),
    Wire.ADAPTOR: ("duco_serial", "connect_adaptor"),
}


def way(place: Place) -> Opener:
    """The real way to a place; its driver is imported now, so that a machine without it runs the rest."""
    module, function = ("duco_sim", "connect") if place.simulated else _DRIVERS[place.wire]
    opener: Opener = getattr(importlib.import_module(f"minertui.devices.{module}"), function)(place.way)
    return opener


def in_real_time(open_way: Way, clock: Clock) -> Way:
    """``open_way``, for a clock that may run faster than real: then it opens simulated boards only."""
    if clock.speed == 1:
        return open_way

    def checked(place: Place) -> Opener:
        opener = open_way(place)

        def opened() -> Transport:
            transport = opener()
            if not transport.simulated:
                transport.close()
                raise OSError("real boards run in real time only; start the engine without --speed")
            return transport

        return opened

    return checked


def servers() -> Outside:
    """Real pools and the real master server."""
    made: Outside = importlib.import_module("minertui.devices.duco_pool").Servers()
    return made
