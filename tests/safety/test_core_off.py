"""A NerdQAxe board whose firmware switched the core off: no field says so, and nothing may be raised there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from minertui.model.commands import Rank, Tune
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import Limits
from minertui.model.status import Ability, MinerStatus
from minertui.safety import kernel
from minertui.safety.limits import effective
from minertui.safety.request import Request
from minertui.safety.samples import core_off, overheated
from minertui.safety.steps import Refusal, Steps

WELL = MinerStatus(
    family="nerdqaxe", model="NerdQAxe++", chip="BM1370", abilities=frozenset(Ability), frequency_mhz=600.0,
    core_mv=1150, core_actual_mv=1148.0, power_w=74.0, max_power_w=100.0, hashrate_ghs=4900.0, chip_temp_c=55.0,
    vr_temp_c=58.0, uptime_s=5000.0, paused=False, fan_auto=True,
)  # fmt: skip
OFF = msgspec.structs.replace(WELL, core_actual_mv=0.0, power_w=9.0, hashrate_ghs=0.0, uptime_s=5005.0)


def off(**fields: Any) -> MinerStatus:
    return msgspec.structs.replace(OFF, **fields)


def test_it_is_an_incident():
    assert "switched off by nobody's order" in (overheated(WELL, OFF) or "")
    assert overheated(OFF, off(uptime_s=5010.0)) is None, "once"


@pytest.mark.parametrize(
    "after",
    [
        off(paused=True),
        off(uptime_s=3.0),
        off(power_w=70.0),
        off(core_actual_mv=None),
        off(core_actual_mv=1100.0),
        off(family="bitaxe"),
    ],
    ids=["shut down by a person", "restarted", "a sensor's fault", "not told", "it has voltage", "others tell it"],
)
def test_what_is_none(after: MinerStatus):
    assert overheated(WELL, after) is None


def test_nothing_is_raised_on_a_core_without_voltage_and_lowering_goes_on():
    def asked(status: MinerStatus, mhz: float) -> Steps | Refusal:
        snapshot = Snapshot("n", status=status, boot_s=100.0, health=Health.OK)
        return kernel.decide(
            Request(Tune(mhz), Rank.PERSON, snapshot, 101.0, limits=effective(Limits(), status), journalled=True)
        )

    assert core_off(OFF)
    assert isinstance(asked(WELL, 610.0), Steps)
    no = asked(OFF, 610.0)
    assert isinstance(no, Refusal)
    assert "switched the core off" in no.reason
    assert isinstance(asked(OFF, 500.0), Steps)
