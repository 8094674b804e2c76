"""When a miner is cool enough to go on."""

from __future__ import annotations

import msgspec
import pytest

from minertui.jobs.sweep import watch
from minertui.jobs.sweep.walk import Target
from minertui.model.fleet import Snapshot
from minertui.model.plans import SweepPlan
from minertui.model.ranking import bounds
from minertui.model.status import MinerStatus

PLAN = SweepPlan("a", max_chip_temp_c=62, max_vr_temp_c=65)


def reading(chip_c: float, vr_c: float | None = 50.0) -> MinerStatus:
    return MinerStatus(chip_temp_c=chip_c, vr_temp_c=vr_c, frequency_mhz=500, core_mv=1150, hashrate_ghs=1000)


@pytest.mark.parametrize(
    ("chip_c", "vr_c", "rested_s", "expected"),
    [
        (56.9, 50.0, 0, True),
        (57.1, 50.0, 0, False),  # 5 °C under 62 at first
        (60.0, 50.0, 60, False),
        (60.0, 50.0, 300, True),  # the fan holds 60: it never gets cooler
        (61.1, 50.0, 600, False),  # 1 °C is the least
        (55.0, 62.0, 0, False),
        (55.0, 62.0, 300, True),  # the regulator idles at 62 under 65
        (55.0, None, 0, True),
    ],
)
def test_the_distance_asked_for_shrinks_while_it_rests(chip_c: float, vr_c: float, rested_s: float, expected: bool):
    status = reading(chip_c, vr_c)
    assert watch.calm(status, bounds(PLAN, status), rested_s) is expected


@pytest.mark.parametrize("fields", [{"vr_temp_c": -1.0}, {"vr_temp_c": 127.0}, {"chip_temp2_c": -128.0}])
def test_a_sensor_that_cannot_be_believed_is_blind_and_never_calm(fields: dict[str, float]):
    well = reading(50.0)
    dark = msgspec.structs.replace(well, **fields)
    mark = watch.Mark(Target(500, 1150), well)
    assert watch.trouble(Snapshot("a", status=well), mark) is None
    assert watch.trouble(Snapshot("a", status=dark), mark) is watch.Trouble.BLIND
    assert not watch.calm(dark, bounds(PLAN, dark), 600)


def test_a_regulator_that_glows_is_a_limit_at_once():
    glowing = reading(50.0, 125.0)
    assert watch.touched(glowing, bounds(PLAN, glowing)) == "regulator temperature 125 °C has reached 65 °C"


def test_without_a_chip_temperature_it_is_never_calm():
    status = MinerStatus(vr_temp_c=40, frequency_mhz=500, core_mv=1150, hashrate_ghs=1000)
    assert not watch.calm(status, bounds(PLAN, status), 600)
