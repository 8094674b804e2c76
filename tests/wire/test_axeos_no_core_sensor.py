"""A Nerd board that does not measure its core voltage tells 0 mV while it mines; one whose firmware switched the core
off tells 0 mV too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minertui.model.commands import Rank, Tune
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import Limits
from minertui.model.status import MinerStatus
from minertui.safety import kernel
from minertui.safety.limits import effective
from minertui.safety.request import Request
from minertui.safety.samples import core_off
from minertui.safety.steps import Refusal, Steps, effect
from minertui.wire.axeos import parse_info


@pytest.fixture
def told(recorded: Path) -> dict[str, Any]:
    """A NerdQAxe++ at 600 MHz: 74 W, 4882 of 4896 GH/s."""
    plain: dict[str, Any] = json.loads((recorded / "axeos" / "info_nerdqaxepp_V1.0.37.2-LTS.json").read_bytes())
    return plain | {"coreVoltageActual": 0}


def read(told: dict[str, Any], **more: object) -> MinerStatus:
    return parse_info(json.dumps(told | more).encode())


def asked(status: MinerStatus, tune: Tune) -> Steps | Refusal:
    snapshot = Snapshot("n", status=status, boot_s=100.0, health=Health.OK)
    return kernel.decide(
        Request(tune, Rank.PERSON, snapshot, 101.0, limits=effective(Limits(), status), journalled=True)
    )


def test_a_board_that_mines_has_a_core_voltage_whatever_it_tells(told: dict[str, Any]):
    status = read(told)
    assert status.core_actual_mv is None, "unknown is not 0"
    assert not core_off(status)
    decision = asked(status, Tune(core_mv=1160))
    assert isinstance(decision, Steps)
    assert effect(decision.steps[0], status) is None, "not seen to follow, so its time to settle is waited for"


OFF: list[dict[str, object]] = [
    {"hashRate": 0, "power": 9},
    {"power": 9},
    {"hashRate": 1300, "power": 9},
    {"hashRate": 1300, "power": 20},
    {"hashRate": 0, "power": 74.25},
    {"power": None},
    {"frequency": None},
]


@pytest.mark.parametrize("more", OFF, ids=["off", "just switched off", "its mean falls", "a little more power",
                                           "no hashes", "power unknown", "expected hashrate unknown"])  # fmt: skip
def test_a_core_that_may_be_off_counts_as_off(told: dict[str, Any], more: dict[str, object]):
    status = read(told, **more)
    assert status.core_actual_mv == 0
    assert core_off(status)
    assert isinstance(asked(status, Tune(frequency_mhz=610)), Refusal)


def test_a_told_voltage_stays_and_so_does_what_others_tell(told: dict[str, Any]):
    assert read(told, coreVoltageActual=1148).core_actual_mv == 1148
    assert read(told, coreVoltageActual=150).core_actual_mv == 150
    bitaxe = {"ASICModel": "BM1370", "version": "v2.12.2", "frequency": 525, "coreVoltage": 1150, "hashRate": 1071.0,
              "power": 17.0, "boardVersion": "601", "coreVoltageActual": 0}  # fmt: skip
    assert read(bitaxe).core_actual_mv == 0
