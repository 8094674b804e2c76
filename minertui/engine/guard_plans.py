"""What a guard's plan becomes: under the limits in force, and by a config that was changed while it runs."""

from __future__ import annotations

import msgspec

from minertui.model.plans import GuardPlan, Limits


def under(plan: GuardPlan, caps: Limits, users: Limits) -> GuardPlan:
    """The plan with its temperatures lowered to the limits in force: a guard that waits for more guards nothing. And
    with the ``users`` own highest frequency as its ceiling."""
    chip_c = min(plan.max_chip_temp_c, caps.max_chip_temp_c or plan.max_chip_temp_c)
    vr_c = min(plan.max_vr_temp_c, caps.max_vr_temp_c or plan.max_vr_temp_c)
    most = [mhz for mhz in (plan.max_mhz, users.max_mhz) if mhz is not None]
    return msgspec.structs.replace(
        plan, max_chip_temp_c=chip_c, max_vr_temp_c=vr_c, max_mhz=min(most) if most else None
    )


def lowered(asked: GuardPlan, plan: GuardPlan) -> str:
    """What to say of ``asked`` having become ``plan``; empty when it has not changed."""
    text = difference(asked, plan)
    return f"its limits are lowered to those in force: {text}" if text else ""


def difference(before: GuardPlan, after: GuardPlan) -> str:
    """``max_chip_temp_c 65 → 55, hold_temp_c none → 60``; empty when nothing differs."""
    was, now = msgspec.structs.asdict(before), msgspec.structs.asdict(after)
    return ", ".join(f"{key} {_said(was[key])} → {_said(now[key])}" for key in now if was[key] != now[key])


def _said(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", False: "false", True: "true"}[value]
    return f"{value:g}" if isinstance(value, int | float) else str(value)
