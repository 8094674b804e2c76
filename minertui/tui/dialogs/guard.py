"""The thermal guard of one miner (or of several, with one plan): when it steps down, and how far it climbs back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from minertui.model.plans import GuardPlan
from minertui.tui.dialogs.along import Swept, along, why_alone
from minertui.tui.dialogs.fields import Answers, Choice, Field, Invalid, Number, ordered
from minertui.tui.dialogs.form import Form
from minertui.tui.dialogs.several import grouped, limits_of
from minertui.tui.widgets.painted import Line, line
from minertui.tui.widgets.wording import duration, number, whom

_FIELDS: tuple[Field, ...] = (
    Number("max_chip_temp_c", "Chip at most", "°C", lowest=30, highest=110, cap="chip_temp_c",
           about="Hotter than this it steps the frequency down at once."),
    Number("max_vr_temp_c", "VR at most", "°C", lowest=30, highest=125, cap="vr_temp_c",
           about="The same for the voltage regulator."),
    Number("high_mhz", "Run when cool", "MHz", lowest=160, highest=3000, optional=True, hint="as now", cap="mhz",
           about="Where it climbs back to."),
    Number("max_mhz", "Never above", "MHz", lowest=160, highest=3000, optional=True, hint="limits", cap="mhz",
           about="It sets no frequency above this."),
    Number("low_mhz", "Floor", "MHz", lowest=50, highest=3000, optional=True, hint="70 %", cap="mhz",
           about="As far as this it steps down."),
    Number("hysteresis_c", "Hysteresis", "°C", lowest=0.5, highest=20, about="So far under both limits is cool."),
    Number("step_down_mhz", "Step down", "MHz", lowest=1, highest=500, about="Down by so much at a time."),
    Number("step_up_mhz", "Step up", "MHz", lowest=1, highest=500, about="Up by so much at a time."),
    Number("stable_s", "Cool before up", "s", lowest=60, highest=86_400, about="Cool for so long, then one step up."),
    Number("settle_s", "Between steps", "s", lowest=10, highest=3600,
           about="A step down gets so long to show before the next."),
    Number("check_s", "Check every", "s", lowest=2, highest=3600, optional=True, hint="each poll",
           about="How often it looks."),
    Number("max_writes_per_day", "Writes a day", "", lowest=1, highest=1000, whole=True,
           about="At most so many steps up a day; down it always may."),
    Choice("hold", "Hold by sweep", about="yes: holds a temperature along what its sweep proved, voltage included."),
    Number("hold_temp_c", "Hold chip at", "°C", lowest=30, highest=110, optional=True, hint="highest",
           cap="chip_temp_c", about="What it holds the chip at."),
    Number("hold_dwell_s", "Held before up", "s", lowest=60, highest=86_400,
           about="While it holds: so long after a change, then up."),
)  # fmt: skip
_WATCHED = {"max_chip_temp_c": "chip", "max_vr_temp_c": "voltage regulator"}
_HOLD_ALONE = ("hold_temp_c", "hold_dwell_s")


class GuardDialog(Form[GuardPlan]):
    """Gives the plan, for the device of the plan given, or the first of ``boards``: all that it is meant for, as far as
    their frontiers were asked for; ``devices``: all of them. ``now_s``: wall time."""

    AGREE = "Start"
    COLUMNS = 2

    def __init__(self, boards: Sequence[Swept], plan: GuardPlan, devices: Sequence[str] = (), now_s: float = 0) -> None:
        self.boards, self.plan, self.now_s = tuple(boards), plan, now_s
        self.snapshot, self.count = boards[0].snapshot, len(devices)
        self.limits = limits_of([board.snapshot for board in boards])
        super().__init__(
            f"Guard {whom(devices or [self.snapshot.device])}", _FIELDS, {f.id: getattr(plan, f.id) for f in _FIELDS}
        )

    def dress(self) -> None:
        """What holding needs is asked where it shall hold."""
        for name in _HOLD_ALONE:
            self.rows[name].answer.disabled = self.rows["hold"].answer.value != "yes"

    def build(self, answers: Answers) -> GuardPlan:
        """Raises Invalid when floor, cool and highest frequency are not in order."""
        ordered(
            answers,
            ("low_mhz", "max_mhz", "The floor must not be above the highest frequency."),
            ("low_mhz", "high_mhz", "The floor must not be above what runs when cool."),
            ("high_mhz", "max_mhz", "What runs when cool must not be above the highest frequency."),
        )
        for name, what in _WATCHED.items():
            limits = [getattr(board.snapshot.limits, name) for board in self.boards]
            if all(limit is not None and answers[name] > limit for limit in limits):
                whose = "this miner's" if len(limits) == 1 else "these miners'"
                raise Invalid(name, f"The limit of {whose} {what} is {max(limits):g} °C; choose at most that.")
        asked = {k: v for k, v in answers.items() if answers["hold"] or k not in _HOLD_ALONE}
        return msgspec.structs.replace(self.plan, device=self.plan.device or self.snapshot.device, **asked)

    def preview(self, answers: Answers, result: GuardPlan) -> Sequence[Line]:
        """The plan in two sentences, and what it does along a frontier."""
        status = self.snapshot.status
        cool = result.high_mhz if result.high_mhz is not None else status.frequency_mhz if status else None
        after = len(self.boards) == 1 and self.boards[0].sweeping and result.high_mhz is None
        runs = "Runs what the sweep leaves" if after else f"Runs {_or(cool, 'what it runs then')}"
        text = (
            f"{'Each runs on as now' if len(self.boards) > 1 and result.high_mhz is None else runs}. "
            f"Above {result.max_chip_temp_c:g} °C (chip) or {result.max_vr_temp_c:g} °C (VR): "
            f"{result.step_down_mhz:g} MHz down at once, as far as {_or(result.low_mhz, '70 % of that')}."
        )
        if not result.hold or any(why_alone(board, result) for board in self.boards):
            text = f"{text} {duration(result.stable_s)} cool: {result.step_up_mhz:g} MHz up."
        lines = [line(text), *along(result, self.boards, self.now_s)]
        if len(self.boards) > 1:
            lines += grouped(((board.snapshot.device, _lowered(result, board)) for board in self.boards), "warn", "! ")
        if len(self.boards) < self.count:
            lines.append(line((f"(the frontiers of the first {len(self.boards)} were looked at)", "dim")))
        return lines


def _lowered(plan: GuardPlan, board: Swept) -> str:
    """What of the plan the limits in force on this board do not allow."""
    caps = ((what, getattr(board.snapshot.limits, name), getattr(plan, name)) for name, what in _WATCHED.items())
    less = [f"{what} {cap:g} °C" for what, cap, asked in caps if cap is not None and cap < asked]
    return f"guarded at the limit in force on it: {', '.join(less)}." if less else ""


def _or(mhz: float | None, otherwise: str) -> str:
    return otherwise if mhz is None else f"{number(mhz)} MHz"
