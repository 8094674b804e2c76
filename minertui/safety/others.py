"""The commands beside tuning, each judged by a function of its own: fan, pools, restart, pause, overheat flag."""

from __future__ import annotations

from minertui.model.commands import ClearOverheat, Command, Rank, Restart, Resume, SetFan, SetPools
from minertui.model.fleet import Health
from minertui.model.plans import Limits
from minertui.model.status import Ability, MinerStatus
from minertui.safety import samples
from minertui.safety.request import DAY_S, Decision, Request, may_lift_park, recent
from minertui.safety.settings import number
from minertui.safety.steps import Refusal, Step, Steps


def fan(request: Request, command: SetFan, status: MinerStatus) -> Decision:
    """Never so slow by hand that the miner cooks; never a target at the chip's limit."""
    for value, low, high, name in (
        (command.pct, 0, 100, "fan speed"),
        (command.target_c, 35, 66, "fan target"),
        (command.min_pct, 0, 99, "fan minimum"),
    ):
        if value is not None and not low <= value <= high:
            return Refusal(f"{name} {value} is outside {low}..{high}")
    if (command.target_c, command.min_pct) != (None, None) and Ability.FAN_TARGET not in status.abilities:
        return Refusal("its firmware cannot do that (fan towards a temperature, or with a lowest speed)")
    why = _fan_too_slow(request, command, status) or _target_too_hot(request, command)
    return Refusal(why) if why else _one(command)


def _fan_too_slow(request: Request, fan: SetFan, status: MinerStatus) -> str | None:
    if (status.fan_auto if fan.auto is None else fan.auto) is True:
        return None
    pct = status.fan_manual_pct if fan.pct is None else fan.pct
    least = request.rules.fan_least_pct
    was_so = request.baseline is not None and pct is not None and pct == request.baseline.fan_pct
    if pct is None or not (pct >= least or was_so):
        return f"a fan set by hand needs at least {least} %, and {number(pct)} % was asked"
    now = 100.0 if status.fan_pct is None else status.fan_pct
    if pct < min(now, 100.0) and (status.overheat or _may_be_hot(request, status)):
        return f"it is hot or not known to be cool, so its fan does not go from {number(now)} % down to {number(pct)} %"
    return None


def _target_too_hot(request: Request, fan: SetFan) -> str | None:
    most = request.limits.max_chip_temp_c if request.limits else None
    if fan.target_c is None or most is None or fan.target_c < most:
        return None
    return f"a fan target of {fan.target_c} °C is not below the chip's limit of {number(most)} °C"


def _may_be_hot(request: Request, status: MinerStatus) -> bool:
    if request.snapshot.health is Health.STALE or not samples.current(request.snapshot, request.now_s):
        return True
    return samples.hot(status, request.limits or Limits(max_chip_temp_c=60.0, max_vr_temp_c=80.0)) is not None


def pools(request: Request, command: SetPools, status: MinerStatus) -> Decision:
    """Only what a person confirmed, and only what can be a pool; an address that the miner holds already may stay."""
    if not request.confirmed:
        return Refusal("pools decide who is paid: a person must confirm the exact change first")
    if not command.pools:
        return Refusal("at least one pool is needed")
    held = {pool.url for pool in status.pools}
    for place, pool in enumerate(command.pools, 1):
        if "@" in pool.url and pool.url not in held:  # not repeated: what stands before it may be a password
            return Refusal(
                f"pool {place}: an address is a host alone, without a user and an @; the user goes into user"
            )
        if not pool.url.strip() or not pool.user.strip() or not 1 <= pool.port <= 65535:
            what = f"needs a host, a port 1..65535 and a user; got {pool.url!r}, port {pool.port}"
            return Refusal(f"pool {place} {what}")
    return _one(command)


def restart(request: Request, command: Restart, _: MinerStatus) -> Decision:
    """Rationed, because a restart rarely mends what one restart did not (ESP-Miner #588, ESP-Miner-TCH #15)."""
    rules, rank = request.rules, request.rank
    if rank is Rank.PERSON and not request.confirmed:
        return Refusal("a restart stops hashing for a minute or more: confirm it first")
    gap_s = rules.sweep_restart_gap_s if rank is Rank.SWEEP else rules.restart_gap_s
    if recent(request.restarted_s, request.now_s, gap_s):
        return Refusal(f"it was restarted less than {gap_s:g} s ago")
    repairs = rank in (Rank.SAFETY, Rank.CURTAILMENT)
    if repairs and recent(request.restarted_s, request.now_s, DAY_S) >= rules.repairs_per_day:
        return Refusal(f"{rules.repairs_per_day} restarts within a day did not help", park=True)
    return _one(command)


def resume(request: Request, command: Resume, status: MinerStatus) -> Decision:
    """Hashing again makes heat again: not while parked (jobs) or in overheat mode (anybody)."""
    if request.parked and not may_lift_park(request.rank):
        return Refusal(f"it is parked ({request.snapshot.why or 'by a safety stop'}): a person must clear it first")
    if status.overheat:
        return Refusal("it is in overheat mode; let it cool, then clear the overheat flag")
    return _one(command)


def clear_overheat(request: Request, command: ClearOverheat, status: MinerStatus) -> Decision:
    """A person's business, and only when it is cool."""
    if request.rank is not Rank.PERSON:
        return Refusal("only a person clears an overheat flag")
    if _may_be_hot(request, status):
        return Refusal("it is hot or not known to be cool; let it cool first")
    return _one(command)


def always(_: Request, command: Command, __: MinerStatus) -> Decision:
    """Harmless, or going down."""
    return _one(command)


def _one(command: Command) -> Steps:
    return Steps((Step(command),))
