"""The thermal guard of one miner (or of several, with one plan): when it steps down, and how far it climbs back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from minertui.model.fleet import Snapshot
from minertui.model.plans import GuardPlan
from minertui.tui.dialogs.fields import Answers, Field, Invalid, Number, ordered
from minertui.tui.dialogs.form import Form, wrapped
from minertui.tui.widgets.painted import Line
from minertui.tui.widgets.wording import duration, number

_FIELDS: tuple[Field, ...] = (
    Number("max_chip_temp_c", "Chip at most", "°C", lowest=30, highest=110),
    Number("max_vr_temp_c", "VR at most", "°C", lowest=30, highest=125),
    Number("high_mhz", "Run when cool", "MHz", lowest=50, highest=3000, optional=True, hint="as now"),
    Number("max_mhz", "Never above", "MHz", lowest=50, highest=3000, optional=True, hint="limits"),
    Number("low_mhz", "Floor", "MHz", lowest=50, highest=3000, optional=True, hint="70 %"),
    Number("hysteresis_c", "Hysteresis", "°C", lowest=0.5, highest=20),
    Number("step_down_mhz", "Step down", "MHz", lowest=1, highest=500),
    Number("step_up_mhz", "Step up", "MHz", lowest=1, highest=500),
    Number("stable_s", "Cool before up", "s", lowest=60, highest=86_400),
    Number("settle_s", "Between steps", "s", lowest=10, highest=3600),
    Number("check_s", "Check every", "s", lowest=2, highest=3600, optional=True, hint="each poll"),
    Number("max_writes_per_day", "Writes a day", "", lowest=1, highest=1000, whole=True),
)


class GuardDialog(Form[GuardPlan]):
    """Gives the plan, for the device of the plan given."""

    AGREE = "Start"
    COLUMNS = 2

    def __init__(self, snapshot: Snapshot, plan: GuardPlan, devices: Sequence[str] = ()) -> None:
        self.snapshot = snapshot
        self.plan = plan
        names = ", ".join(devices) or snapshot.device
        super().__init__(f"Guard {names}", _FIELDS, {f.id: getattr(plan, f.id) for f in _FIELDS})

    def build(self, answers: Answers) -> GuardPlan:
        """Raises Invalid when floor, cool and highest frequency are not in order."""
        ordered(
            answers,
            ("low_mhz", "max_mhz", "The floor must not be above the highest frequency."),
            ("low_mhz", "high_mhz", "The floor must not be above what runs when cool."),
            ("high_mhz", "max_mhz", "What runs when cool must not be above the highest frequency."),
        )
        limits = self.snapshot.limits
        for name, limit, what in (
            ("max_chip_temp_c", limits.max_chip_temp_c, "chip"),
            ("max_vr_temp_c", limits.max_vr_temp_c, "voltage regulator"),
        ):
            if limit is not None and answers[name] > limit:
                raise Invalid(name, f"The limit of this miner's {what} is {limit:g} °C; choose at most that.")
        return msgspec.structs.replace(self.plan, device=self.plan.device or self.snapshot.device, **answers)

    def preview(self, answers: Answers, result: GuardPlan) -> Sequence[Line]:
        """The plan in two sentences."""
        status = self.snapshot.status
        cool = result.high_mhz if result.high_mhz is not None else status.frequency_mhz if status else None
        text = (
            f"Runs {_or(cool, 'what it runs then')}. "
            f"Above {result.max_chip_temp_c:g} °C (chip) or {result.max_vr_temp_c:g} °C (VR): "
            f"{result.step_down_mhz:g} MHz down at once, as far as {_or(result.low_mhz, '70 % of that')}. "
            f"{duration(result.stable_s)} cool: {result.step_up_mhz:g} MHz up."
        )
        return wrapped(text, 74)


def _or(mhz: float | None, otherwise: str) -> str:
    return otherwise if mhz is None else f"{number(mhz)} MHz"
