"""The one decision: may this command go to this miner now, and in which steps?

Pure: what is known goes in as a Request, ordered Steps or a Refusal come out. The rules:

1. Going down is never refused for what we do not know: implausible readings, no caps, no journal, a parked device; nor
   a safety stop and a person for a stale reading. Going up needs all of it: known caps, a fresh and plausible reading
   taken after the last step settled, nothing hot, no overheat or fault, the baseline in the journal, and budget left.
2. Order: frequency down, then voltage, then frequency up. So the voltage is enough for the frequency at every instant,
   and a lowered voltage never meets the old frequency. Both are never in one write: the firmware applies voltage first
   also when both fall (ESP-Miner power_management_task.c).
3. Up in steps of at most 25 MHz or 25 mV; down at once. An order that is meant to lower never raises, wherever the
   miner went before its turn came.
4. The fan is never set to less than 20 % by hand, and not below its present speed while the miner is hot.
5. Restarts are rationed: one per 5 minutes, and automatic repair gets three a day, then the device is parked.
6. Pools and a person's restart need ``confirmed``; overheat flags are cleared by a person alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from minertui.model.commands import (
    ClearOverheat,
    Command,
    Identify,
    Pause,
    Rank,
    Restart,
    Resume,
    SetFan,
    SetPools,
    Tune,
    word_of,
)
from minertui.model.fleet import Health
from minertui.model.plans import Limits
from minertui.model.status import Ability, MinerStatus
from minertui.safety import others, raising, samples
from minertui.safety.limits import FLOOR_MHZ, FLOOR_MV
from minertui.safety.request import Decision, Request, Rules, goes_up
from minertui.safety.settings import SAME, Settings, lowering, number, same
from minertui.safety.steps import DROOP_MOST_MV, SETTLE_S, Refusal, Step, Steps, ramp_s


def decide(request: Request) -> Decision:
    """The ordered steps that may be written, each proven before the next; or a refusal with one clear sentence."""
    status = request.snapshot.status
    if request.readonly:
        return Refusal("it is configured read-only; nothing is ever written to it")
    if request.snapshot.health is Health.STRANGER:
        return Refusal("another device answers at its address (the MAC differs); it is never written to")
    if status is None:
        return Refusal("it has never answered, so it is not known what it is; check the address")
    needs, judge = _JUDGES[type(request.command)]
    if needs not in status.abilities:
        return Refusal(f"its firmware cannot do that ({word_of(request.command)})")
    return judge(request, request.command, status)


def lowers(command: Command, status: MinerStatus | None) -> bool:
    """True when ``command`` can only make the miner run cooler than this reading says it is set to."""
    if isinstance(command, Pause):
        return True
    if not isinstance(command, Tune) or status is None:
        return False
    command = lowering(command, status.frequency_mhz, status.core_mv)
    return not goes_up(command.frequency_mhz, status.frequency_mhz) and not goes_up(command.core_mv, status.core_mv)


def storable(tune: Tune, status: MinerStatus, limits: Limits | None) -> Tune:
    """The nearest that its firmware can store: whole MHz where it knows no fractions, and no limit passed by that."""
    mhz, most = tune.frequency_mhz, limits.max_mhz if limits else None
    if mhz is None or not math.isfinite(mhz) or Ability.TUNE_FRACTION in status.abilities:
        return tune
    near = math.ceil(mhz - 0.5)
    return msgspec.structs.replace(tune, frequency_mhz=math.floor(mhz) if most is not None and near > most else near)


def _tune(request: Request, tune: Tune, status: MinerStatus) -> Decision:
    tune = lowering(tune, status.frequency_mhz, status.core_mv)
    if request.rank is not Rank.PERSON or tune.at_most:  # what a person asks for is not rounded behind their back
        tune = storable(tune, status, request.limits)
    why = _floor(request, tune)
    if why is None and lowers(tune, status):
        why = _blind(request)
    elif why is None:
        why = next((no for gate in raising.GATES if (no := gate(request, tune, status))), None)
    if why is not None:
        return Refusal(why)
    return Steps(_ordered(tune, status, request.rules))


def _blind(request: Request) -> str | None:
    """Lower than an old reading may be higher than what the miner is at by now, after its own overheat handling say.
    An emergency is worth that; the next point of a job is not."""
    if request.rank in (Rank.SAFETY, Rank.PERSON) or samples.current(request.snapshot, request.now_s):
        return None
    why = raising.because(request.snapshot.why)
    return f"it does not answer now{why}; only a safety stop or a person lowers it blindly"


def _floor(request: Request, tune: Tune) -> str | None:
    """Values that are nonsense, or under the floor. The user's own minimum binds everybody but SAFETY."""
    caps, base = request.limits or Limits(), request.baseline or Settings()
    user = request.rank is not Rank.SAFETY
    for value, floor, users, was, unit in (
        (tune.frequency_mhz, FLOOR_MHZ, caps.min_mhz, base.frequency_mhz, "MHz"),
        (tune.core_mv, FLOOR_MV, caps.min_mv, base.core_mv, "mV"),
    ):
        if value is None:
            continue
        if not math.isfinite(value):
            return f"{value} {unit} is not a number"
        least = max(floor, users or 0) if user else floor
        if value < least and value != was:
            return f"{number(value)} {unit} is below the least that is allowed, {number(least)} {unit}"
    return None


def _ordered(tune: Tune, status: MinerStatus, rules: Rules) -> tuple[Step, ...]:
    """Frequency down, voltage, frequency up; the rest of the file trusts this order, and so does the hardware."""
    mhz: float | None = tune.frequency_mhz
    mv: float | None = tune.core_mv
    steps: list[Step] = []
    if same(mhz, status.frequency_mhz, SAME):
        mhz = None
    if same(mv, status.core_mv, SAME):
        mv = None
    if mhz is not None and not goes_up(mhz, status.frequency_mhz):
        steps.append(Step(Tune(frequency_mhz=mhz), settle_s=ramp_s(status.frequency_mhz, mhz)))
    if mv is not None:
        up, droop = goes_up(mv, status.core_mv), _droop(status)
        steps += [
            Step(Tune(core_mv=round(to)), raises=up, settle_s=SETTLE_S, droop_mv=droop)
            for to in _ladder(status.core_mv, mv, rules.step_mv)
        ]
    if mhz is not None and goes_up(mhz, status.frequency_mhz):
        steps += [
            Step(Tune(frequency_mhz=to), raises=True, settle_s=SETTLE_S)
            for to in _ladder(status.frequency_mhz, mhz, rules.step_mhz)
        ]
    return tuple(steps)


def _ladder(have: float | None, want: float, step: float) -> list[float]:
    """The rungs from ``have`` up to ``want``; one rung when it goes down or the start is not known."""
    if have is None or not math.isfinite(have) or want <= have:
        return [want]
    rungs = math.ceil((want - have) / step)
    return [have + step * n for n in range(1, rungs)] + [want]


def _droop(status: MinerStatus) -> float:
    if status.core_mv is None or status.core_actual_mv is None:
        return 0.0
    return min(max(0.0, status.core_mv - status.core_actual_mv), DROOP_MOST_MV)


# Any: each judge takes its own kind of command, which the key states.
_JUDGES: dict[type[Any], tuple[Ability, Callable[[Request, Any, MinerStatus], Decision]]] = {
    Tune: (Ability.TUNE, _tune),
    SetFan: (Ability.FAN, others.fan),
    SetPools: (Ability.POOLS, others.pools),
    Restart: (Ability.RESTART, others.restart),
    Pause: (Ability.PAUSE, others.always),
    Resume: (Ability.PAUSE, others.resume),
    Identify: (Ability.IDENTIFY, others.always),
    ClearOverheat: (Ability.TUNE, others.clear_overheat),
}
