"""Caps: the strictest of user, model and device, or none at all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from minertui.model.plans import Limits
from minertui.model.status import MinerStatus
from minertui.safety.limits import (
    BOARDS,
    CHIP_C,
    CHIPS,
    FLOOR_MHZ,
    FLOOR_MV,
    NERDQAXE,
    NERDQAXE_CHIP_C,
    POWER_W,
    VR_C,
    ChipCaps,
    effective,
    model_caps,
    own_power,
    supply_window_mv,
)
from tests.safety.values import GAMMA, INF, NAN, gamma

NERD = MinerStatus(family="nerdqaxe", model="NerdQAxe++", chip="BM1370", max_power_w=100.0, cap_mhz=800, cap_mv=1400)


def test_a_gamma_with_no_wishes_of_its_user():
    assert effective(Limits(), GAMMA) == Limits(70.0, 95.0, 40.0, 50.0, 1200.0, 800, 1400)


def test_the_user_can_only_lower():
    low = Limits(60, 80, 25, 400, 600, 1000, 1200)
    assert effective(low, GAMMA) == low
    high = Limits(200, 200, 500, 1, 5000, 1, 5000)
    assert effective(high, GAMMA) == effective(Limits(), GAMMA)


@pytest.mark.parametrize(
    ("users", "status", "own"),
    [
        (Limits(max_power_w=36), GAMMA, True),
        (Limits(max_power_w=41), GAMMA, False),  # more than it is built for
        (Limits(), GAMMA, False),
        (Limits(max_power_w=36), MinerStatus(), True),
        (Limits(), MinerStatus(), False),
    ],
)
def test_whose_limit_of_power_is_in_force(users: Limits, status: MinerStatus, own: bool):
    assert own_power(effective(users, status) or users, status) is own


@pytest.mark.parametrize("nonsense", [NAN, INF, 0, -1])
def test_a_nonsense_cap_is_no_cap(nonsense: float):
    assert effective(Limits(max_mhz=nonsense, max_chip_temp_c=nonsense), GAMMA) == effective(Limits(), GAMMA)
    assert effective(Limits(), gamma(cap_mhz=nonsense, cap_mv=nonsense)) == effective(Limits(), GAMMA)


def test_never_above_what_the_device_publishes():
    caps = effective(Limits(max_mhz=1000, max_mv=1390), gamma(cap_mhz=610.0, cap_mv=1200.0))
    assert caps is not None
    assert (caps.max_mhz, caps.max_mv) == (610, 1200)


def test_nerdqaxe_has_its_own_absolute_maxima():
    caps = effective(Limits(), NERD)
    assert caps is not None
    assert (caps.max_mhz, caps.max_mv, caps.max_chip_temp_c, caps.max_power_w) == (800, 1400, 68, 100)


def test_nerdqaxe_keeps_its_maxima_where_it_publishes_none_and_its_chips_where_they_bear_less():
    for chip, least in (("BM1370", (800, 1400)), ("BM1373", (600, 1250)), ("BM1397", (800, 1400))):
        caps = model_caps(msgspec.structs.replace(NERD, chip=chip, cap_mhz=None, cap_mv=None)) or Limits()
        assert (caps.max_mhz, caps.max_mv) == least


@pytest.mark.parametrize(
    "status",
    [
        MinerStatus(),
        gamma(chip="BM9999"),
        gamma(chip=None),
        gamma(max_power_w=None, board=None, model=None),
        gamma(max_power_w=NAN, board="999", model="Unheard Of"),
    ],
)
def test_an_unknown_model_has_no_caps(status: MinerStatus):
    assert effective(Limits(max_mhz=600, max_mv=1200, max_power_w=20), status) is None


@pytest.mark.parametrize(("board", "family"), list(BOARDS.items()))
def test_power_comes_from_the_board_or_the_model(board: str, family: str):
    assert (model_caps(gamma(max_power_w=0.0, board=board)) or Limits()).max_power_w == POWER_W[family]
    assert (model_caps(gamma(max_power_w=None, board=None, model=family)) or Limits()).max_power_w == POWER_W[family]


def test_the_caps_are_these_and_no_others():
    """A cap that changes has to be changed twice, on purpose, and in docs/safety.md too."""
    old = ChipCaps(1200, 1400)
    told = {"BM1397": ChipCaps(1200, 1500), "BM1366": old, "BM1368": old, "BM1370": old,
            "BM1372": ChipCaps(600, 1250), "BM1373": ChipCaps(600, 1250)}  # fmt: skip
    assert told == CHIPS
    assert ChipCaps(800, 1400) == NERDQAXE
    assert (CHIP_C, NERDQAXE_CHIP_C, VR_C, FLOOR_MHZ, FLOOR_MV) == (70, 68, 95, 50, 800)
    watts = {"max": 25, "ultra": 25, "hex": 90, "supra": 40, "gamma": 40, "gammaduo": 40, "suprahex": 120,
             "gammaturbo": 60}  # fmt: skip
    assert watts == POWER_W


def test_the_page_names_the_caps_that_are_in_force():
    page = (Path(__file__).resolve().parents[2] / "docs" / "safety.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:BM|Nerd)[^|]*) \| (\d+) \| (\d+) \|", page, re.MULTILINE)
    told = {chip: ChipCaps(int(mhz), int(mv)) for chips, mhz, mv in rows for chip in chips.split(", ")}
    assert told == {**CHIPS, "NerdQAxe family": NERDQAXE}


def test_nothing_published_is_believed_beyond_reason():
    assert (model_caps(gamma(max_power_w=INF)) or Limits()).max_power_w == 40
    assert (effective(Limits(max_mhz=0.5), GAMMA) or Limits()).max_mhz == 0.5
    assert (effective(Limits(min_mhz=60, min_mv=900), GAMMA) or Limits()).min_mhz == 60
    assert (model_caps(gamma(max_power_w=0.5)) or Limits()).max_power_w == 0.5


def test_every_cap_stays_under_the_firmwares_own_trip():
    for chip in CHIPS:
        caps = model_caps(gamma(chip=chip))
        assert caps is not None
        assert caps.max_chip_temp_c is not None
        assert caps.max_vr_temp_c is not None
        assert caps.max_mv is not None
        assert caps.max_chip_temp_c <= 70 < 75
        assert caps.max_vr_temp_c <= 95 < 105
        assert caps.max_mv <= 1500


def test_the_supply_window():
    assert supply_window_mv(GAMMA) == (4800, 5500)
    assert supply_window_mv(gamma(nominal_input_v=12.0)) == (11520, 13200)
    assert supply_window_mv(gamma(nominal_input_v=None, input_mv=11900.0)) == (11520, 13200)
    assert supply_window_mv(gamma(nominal_input_v=None, input_mv=5100.0)) == (4800, 5500)
    assert supply_window_mv(gamma(nominal_input_v=48.0)) is None
    assert supply_window_mv(gamma(nominal_input_v=None, input_mv=8000.0)) == (4800, 5500)
    assert supply_window_mv(gamma(nominal_input_v=None, input_mv=8000.5)) == (11520, 13200)
    assert supply_window_mv(gamma(nominal_input_v=5.4)) == (4800, 5500)
    assert supply_window_mv(gamma(nominal_input_v=NAN)) is None
    assert supply_window_mv(gamma(nominal_input_v=None, input_mv=None)) is None
    assert supply_window_mv(gamma(nominal_input_v=None, input_mv=NAN)) is None


def test_recorded_miners_have_caps(recorded: Path):
    payloads = sorted((recorded / "axeos").glob("info_*.json"))
    assert payloads
    for path in payloads:
        info = json.loads(path.read_text())
        nerd = "NerdQAxe" in (info.get("deviceModel") or "")
        status = MinerStatus(
            family="nerdqaxe" if nerd else "bitaxe",
            model=info.get("deviceModel"),
            board=info.get("boardVersion"),
            chip=info["ASICModel"],
            max_power_w=info.get("maxPower"),
        )
        caps = effective(Limits(), status)
        assert caps is not None, path.name
        assert caps.max_power_w is not None
        assert caps.max_power_w >= 25
