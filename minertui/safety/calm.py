"""How cool must a miner be before what a guard took from it is given back? As cool as that guard asks before a step up.

The kernel's own gates are wider: between a guard's limit and the model's a raise would be allowed, and would put the
miner right back to where its guard had to step in.
"""

from __future__ import annotations

import msgspec

from minertui.model.plans import GuardPlan
from minertui.model.status import MinerStatus
from minertui.safety.samples import valid_temp
from minertui.safety.settings import number


class Calm(msgspec.Struct, frozen=True):
    """°C that chip and regulator have to come down to: a guard's limits less its hysteresis."""

    chip_c: float
    vr_c: float

    @classmethod
    def of(cls, plan: GuardPlan) -> Calm:
        """What the guard of this plan asks."""
        return cls(plan.max_chip_temp_c - plan.hysteresis_c, plan.max_vr_temp_c - plan.hysteresis_c)

    def reached(self, status: MinerStatus) -> bool:
        """True when both sensors are down there. A temperature that cannot be believed is not; a board without a
        regulator's sensor is judged by its chip."""
        chip, vr = status.chip_temp_c, status.vr_temp_c
        if chip is None or not valid_temp(chip) or not chip <= self.chip_c:
            return False
        return vr is None or (valid_temp(vr) and vr <= self.vr_c)

    @property
    def text(self) -> str:
        """``the chip is down to 63 °C and the regulator to 83 °C``."""
        return f"the chip is down to {number(self.chip_c)} °C and the regulator to {number(self.vr_c)} °C"
