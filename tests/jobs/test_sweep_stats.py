"""The numbers of a point and its verdict."""

from __future__ import annotations

import statistics

import pytest

from minertui.jobs.sweep.stats import believed, expected_ghs, judged, measured, trimmed
from minertui.jobs.sweep.walk import Target
from minertui.model.plans import PointVerdict, SweepPlan
from minertui.model.status import ChipStatus, MinerStatus

AT = Target(500, 1150)


def readings(n: int = 40, **fields: object) -> list[MinerStatus]:
    usual: dict[str, object] = {"hashrate_ghs": 1000.0, "expected_ghs": 1000.0, "power_w": 17.0, "chip_temp_c": 58.0}
    return [MinerStatus(**{**usual, **fields}) for _ in range(n)]  # type: ignore[arg-type]


def varied(name: str, values: list[float]) -> list[MinerStatus]:
    return [reading for value in values for reading in readings(1, **{name: value})]


def test_hashrate_leaves_out_three_at_each_end():
    values = [0.0, 1.0, 2.0, *[1000.0] * 34, 3000.0, 4000.0, 5000.0]
    assert measured(1, AT, varied("hashrate_ghs", values), 0).hashrate_ghs == 1000


def test_temperatures_leave_out_the_six_lowest():
    values = [20.0, 30.0, 40.0, 41.0, 42.0, 43.0, *[60.0] * 34]
    assert measured(1, AT, varied("chip_temp_c", values), 0).chip_temp_c == 60
    assert measured(1, AT, varied("vr_temp_c", values), 0).vr_temp_c == 60


@pytest.mark.parametrize(
    ("values", "mean"), [([], None), ([5.0], 5), ([1.0, 2, 3, 4, 5, 6], 3.5), ([0.0, 0, 0, 7, 9, 9, 9], 7)]
)
def test_with_few_samples_all_count(values, mean):
    assert trimmed(values, 3, 3) == mean


def test_missing_values_are_not_zero_and_nan_is_no_value():
    point = measured(1, AT, [*readings(1), *readings(1, power_w=None), *readings(1, power_w=float("nan"))], 0)
    assert point.power_w == 17
    assert point.vr_temp_c is None
    assert measured(1, AT, [], 0).hashrate_ghs is None


def test_efficiency_and_spread():
    values = [900.0, 1000.0, 1100.0]
    point = measured(1, AT, [r for v in values for r in readings(1, hashrate_ghs=v)], 0)
    assert point.efficiency_jth == pytest.approx(17.0)
    assert point.hashrate_sd_ghs == statistics.stdev(values)


def test_the_label_is_what_the_miner_reports_it_ran():
    point = measured(1, AT, readings(frequency_mhz=485.0, core_mv=1100), 0)
    assert (point.mhz, point.mv) == (485, 1100)
    assert (measured(1, AT, readings(), 0).mhz, measured(1, AT, readings(), 0).mv) == (500, 1150)


def test_one_silent_chip_of_two():
    pair = readings(chips=(ChipStatus(1000.0), ChipStatus(None)))
    assert measured(1, AT, pair, 0).chip_balance == 0
    even = readings(chips=(ChipStatus(1000.0), ChipStatus(990.0)))
    assert measured(1, AT, even, 0).chip_balance == pytest.approx(0.995, abs=0.001)
    assert measured(1, AT, readings(chips=(ChipStatus(1000.0),)), 0).chip_balance is None


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"hashrate_ghs": 940.0}, "passed"),
        ({"hashrate_ghs": 939.0}, "unstable"),
        ({"hashrate_ghs": 1100.0}, "passed"),  # more than expected is real and not clipped
        ({"error_pct": 0.99}, "passed"),
        ({"error_pct": 1.0}, "unstable"),
        ({"hashrate_ghs": 497.0, "error_pct": 0.006}, "unstable"),  # a dead chip has no errors
        ({"chips": (ChipStatus(1000.0), ChipStatus(500.0))}, "unstable"),
        ({"expected_ghs": None}, "unstable"),  # what cannot be judged does not pass
        ({"expected_ghs": 0.0}, "unstable"),
    ],
)
def test_a_point_passes_on_ratio_errors_and_balance(fields, verdict):
    point = judged(measured(1, AT, readings(**fields), 0), SweepPlan())
    assert point.verdict is PointVerdict(verdict)
    assert bool(point.reason) is (verdict == "unstable")


def test_a_regulators_temperature_that_cannot_be_true_is_none():
    hot = MinerStatus(vr_temp_c=60.0, chip_temp_c=50.0)
    assert believed(hot) is hot
    for vr_c in (-1.0, 0.0, 127.0):
        assert believed(MinerStatus(vr_temp_c=vr_c, chip_temp_c=50.0)) == MinerStatus(chip_temp_c=50.0)


def test_expected_is_computed_where_the_firmware_does_not_tell():
    status = MinerStatus(frequency_mhz=600, small_cores=2040, chip_count=4)
    assert expected_ghs(status) == pytest.approx(4896)
    assert expected_ghs(MinerStatus(frequency_mhz=600, small_cores=2040)) is None
