"""A healthy miner and a request about it, to be bent by the tests."""

from __future__ import annotations

import msgspec

from minertui.model.commands import Command, Rank
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import Limits
from minertui.model.status import Ability, MinerStatus
from minertui.safety.kernel import decide
from minertui.safety.limits import effective
from minertui.safety.request import Request
from minertui.safety.steps import Refusal, Steps

NAN, INF = float("nan"), float("inf")

GAMMA = MinerStatus(
    mac="02:00:00:00:00:10",
    model="Gamma",
    board="601",
    chip="BM1370",
    firmware="v2.15.0",
    abilities=frozenset(Ability),
    hashrate_ghs=1071.0,
    power_w=18.0,
    max_power_w=40.0,
    input_mv=5100.0,
    nominal_input_v=5.0,
    core_mv=1150.0,
    core_actual_mv=1145.0,
    frequency_mhz=525.0,
    actual_mhz=525.0,
    chip_temp_c=58.0,
    vr_temp_c=62.0,
    fan_pct=55.0,
    fan_auto=True,
    fan_manual_pct=60.0,
    uptime_s=1000.0,
    total_hashes=1e15,
    paused=False,
    overheat=False,
)


def gamma(**fields: object) -> MinerStatus:
    return msgspec.structs.replace(GAMMA, **fields)


def snap(status: MinerStatus | None = GAMMA, *, age_s: float = 0.0, health: Health = Health.OK, why: str = ""):
    return Snapshot("garage", status=status, boot_s=1000.0 - age_s, health=health, why=why)


def ask(command: Command, status: MinerStatus | None = GAMMA, rank: Rank = Rank.SWEEP, **fields: object) -> Request:
    """A request that would be granted, unless ``fields`` bend it."""
    request = Request(
        command=command,
        rank=rank,
        snapshot=snap(status),
        now_s=1000.0,
        limits=effective(Limits(), status) if status else None,
        journalled=True,
        settled_s=900.0,
    )
    return msgspec.structs.replace(request, **fields)


def writes(request: Request) -> list[Command]:
    """What the kernel would send for it, which it has to allow."""
    decision = decide(request)
    assert isinstance(decision, Steps), decision
    return [step.command for step in decision.steps]


def no(request: Request) -> str:
    """Why the kernel refuses it, which it has to."""
    decision = decide(request)
    assert isinstance(decision, Refusal), decision
    return decision.reason
