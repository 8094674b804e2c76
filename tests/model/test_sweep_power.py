"""How much a sweep may let a board draw where nobody said it: the guide's watts, or what a 12 V board is built for."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.model import ranking
from minertui.model.plans import Limits, SweepPlan
from minertui.model.status import MinerStatus
from minertui.safety.limits import effective
from minertui.wire.axeos import parse_info


def within(status: MinerStatus | None, plan: SweepPlan | None = None, user: Limits | None = None) -> float:
    limits = effective(user or Limits(), status) if status else None
    return ranking.bounds(plan or SweepPlan(), status, limits).max_power_w


def test_a_nerdqaxe_may_draw_what_its_board_is_built_for_and_a_gamma_what_the_guide_says(recorded: Path):
    def read(name: str) -> MinerStatus:
        return parse_info((recorded / "axeos" / name).read_bytes())

    nerd = read("info_nerdqaxepp_V1.0.37.2-LTS.json")
    assert within(nerd) == 90 > (nerd.power_w or 0)  # of 100 W
    assert within(read("info_v2.0.7_hex302_bm1366_wiki.json")) == 81
    assert within(read("info_v2.15.3_gamma601_bm1370.json")) == 28


@pytest.mark.parametrize(
    ("status", "watts"),
    [
        (None, 28),
        (MinerStatus(nominal_input_v=12), 28),
        (MinerStatus(max_power_w=100), 28),
        (MinerStatus(nominal_input_v=5, max_power_w=100), 28),
        (MinerStatus(nominal_input_v=12, max_power_w=0), 28),
        (MinerStatus(nominal_input_v=12, max_power_w=float("inf")), 28),
        (MinerStatus(nominal_input_v=12, max_power_w=20), 18),
    ],
)
def test_where_the_family_is_not_known_it_is_the_guides_and_never_more_than_the_board_can(
    status: MinerStatus | None, watts: float
):
    assert ranking.bounds(SweepPlan(), status).max_power_w == watts


def test_what_somebody_said_goes_first_and_the_limits_in_force_hold():
    hex_board = MinerStatus(nominal_input_v=12, max_power_w=90, chip="BM1366", board="302")
    assert within(hex_board, SweepPlan(max_power_w=40)) == 40
    assert within(hex_board, SweepPlan(max_power_w=500)) == 90
    assert within(hex_board, user=Limits(max_power_w=60)) == 60
    assert ranking.lowered(SweepPlan(max_mhz=800, max_mv=1200), hex_board, Limits(max_power_w=60)) == ""
