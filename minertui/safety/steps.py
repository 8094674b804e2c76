"""What the kernel answers with: ordered steps or a refusal. And how a step is seen to have happened.

A device shows twice that a step was done: the wanted value reads back (it was stored), and the physical value follows
(``coreVoltageActual``, ``actualFrequency``). Where a device lacks the second, ``effect`` says None and the caller waits
``settle_s`` after the read-back instead: the firmware's loop takes over a new value within 2 s and ramps the clock by
6.25 MHz per 100 ms (ESP-Miner power_management_task.c; both slower and faster releases are covered by the floor).
"""

from __future__ import annotations

import msgspec

from minertui.model.commands import ClearOverheat, Command, Pause, Resume, SetFan, SetPools, Tune
from minertui.model.status import Ability, MinerStatus
from minertui.safety.limits import HIGHEST_MHZ
from minertui.safety.settings import SAME, Settings, same

NEAR_MV = 15.0
NEAR_MHZ = 3.5
"""A PLL hits a wanted frequency only to within its own grid."""
DROOP_MOST_MV = 60.0
SETTLE_S = 3.0


class Step(msgspec.Struct, frozen=True):
    """ONE write to a device. ``raises``: it makes the miner run harder, so that it needs a fresh decision just before.

    ``settle_s``: seconds of quiet after the read-back on devices that do not show the effect. ``droop_mv``: how far
    the real core voltage stayed under the wanted one before (load), which is then expected to stay so.
    """

    command: Command
    raises: bool = False
    settle_s: float = 0.0
    droop_mv: float = 0.0


class Steps(msgspec.Struct, frozen=True):
    """What may be done, in this order, each proven before the next. Empty: it is so already."""

    steps: tuple[Step, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    """No, and why, in one sentence. ``park``: the device is to be parked, because trying again will not help."""

    reason: str
    park: bool = False


def ramp_s(from_mhz: float | None, to_mhz: float) -> float:
    """How long a clock takes to get down at most: 6.25 MHz per 100 ms, plus the firmware's loop. No clock has further
    to go than from the highest that there is, whatever a reading says: 22 s."""
    return SETTLE_S + (0.0 if from_mhz is None else min(abs(from_mhz - to_mhz), HIGHEST_MHZ) / 62.5)


def stored(command: Command, status: MinerStatus) -> bool | None:
    """Does this reading show every value of ``command`` as stored? None when the reading cannot tell."""
    now = Settings.of(status)
    if isinstance(command, Tune):
        return _all(
            _agrees(command.frequency_mhz, now.frequency_mhz, SAME), _agrees(command.core_mv, now.core_mv, SAME)
        )
    if isinstance(command, SetFan):
        return _all(
            None if command.auto is not None and now.fan_auto is None else command.auto in (None, now.fan_auto),
            _agrees(command.pct, now.fan_pct, SAME),
            _agrees(command.target_c, now.fan_target_c, SAME),
            _agrees(command.min_pct, now.fan_min_pct, SAME),
        )
    if isinstance(command, SetPools):
        return _pools_stored(command, status)
    return _switched(command, status)


def effect(step: Step, status: MinerStatus) -> bool | None:
    """Has the hardware followed? None where the device does not show it, or does not follow now: paused, not hashing,
    or firmware that takes a change over at the next restart only (AxeOS before 2.2)."""
    tune = step.command
    idle = status.paused or status.hashrate_ghs == 0 or Ability.TUNE_LIVE not in status.abilities
    if not isinstance(tune, Tune) or idle:
        return None
    return _all(_mhz_there(tune, step, status), _mv_there(tune, step, status))


def _mhz_there(tune: Tune, step: Step, status: MinerStatus) -> bool | None:
    if tune.frequency_mhz is None:
        return True
    if status.actual_mhz is None:
        return None
    if step.raises:
        return status.actual_mhz >= tune.frequency_mhz - NEAR_MHZ
    return status.actual_mhz <= tune.frequency_mhz + NEAR_MHZ


def _mv_there(tune: Tune, step: Step, status: MinerStatus) -> bool | None:
    if tune.core_mv is None:
        return True
    if status.core_actual_mv is None:
        return None
    if step.raises:
        return status.core_actual_mv >= tune.core_mv - max(NEAR_MV, step.droop_mv + 2)
    return status.core_actual_mv <= tune.core_mv + NEAR_MV


def _switched(command: Command, status: MinerStatus) -> bool | None:
    """Pause, resume and the overheat flag read back as states; a restart or a greeting leaves nothing to read."""
    if isinstance(command, Pause | Resume):
        return None if status.paused is None else status.paused is isinstance(command, Pause)
    if isinstance(command, ClearOverheat):
        return None if status.overheat is None else not status.overheat
    return None


def _pools_stored(command: SetPools, status: MinerStatus) -> bool | None:
    if not status.pools:
        return None
    have = {(pool.url, pool.port, pool.user) for pool in status.pools}
    return all((pool.url, pool.port, pool.user) in have for pool in command.pools)


def _agrees(want: float | None, have: float | None, within: float) -> bool | None:
    if want is None:
        return True
    return None if have is None else same(want, have, within)


def _all(*answers: bool | None) -> bool | None:
    """False beats None (cannot tell) beats True."""
    if False in answers:
        return False
    return None if None in answers else True
