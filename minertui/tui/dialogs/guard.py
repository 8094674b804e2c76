"""The thermal guard of one miner, or of several at once: when it steps down, and how far it climbs back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from minertui.model.plans import GuardPlan
from minertui.tui.dialogs.along import Swept, along, why_alone
from minertui.tui.dialogs.fields import Answers, Choice, Field, Invalid, Number, ordered
from minertui.tui.dialogs.form import Form
from minertui.tui.dialogs.several import each_built, grouped, limits_of, shared
from minertui.tui.widgets.painted import Line, line
from minertui.tui.widgets.wording import duration, number, some_of, whom

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
_TOLD = 4  # plans that are told of; miners by more are named
_HOLD_ALONE = ("hold_temp_c", "hold_dwell_s")


class GuardDialog(Form[tuple[GuardPlan, ...]]):
    """Gives the plans of several miners (or one), from ``plans``, theirs so far; where those differ, what a person
    leaves untouched stays each miner's own. ``boards``: these miners; ``now_s``: wall time."""

    AGREE = "Start"
    COLUMNS = 2

    def __init__(self, boards: Sequence[Swept], plans: Sequence[GuardPlan], now_s: float = 0) -> None:
        self.boards, self.plans, self.now_s = tuple(boards), tuple(plans), now_s
        self.limits = limits_of([board.snapshot for board in boards])
        self.own = [{field.id: getattr(plan, field.id) for field in _FIELDS} for plan in plans]
        fields, values, self.note = shared(_FIELDS, self.own)
        super().__init__(f"Guard {whom([plan.device for plan in plans])}", fields, values)

    def dress(self) -> None:
        """What holding needs is asked where it shall hold."""
        for name in _HOLD_ALONE:
            self.rows[name].answer.disabled = self.rows["hold"].answer.value == "no"

    def build(self, answers: Answers) -> tuple[GuardPlan, ...]:
        """Raises Invalid when floor, cool and highest frequency are not in order."""
        plans = each_built(self.plans, self.own, answers, _built, named=bool(self.note))
        for name, what in _WATCHED.items():
            limits = [getattr(board.snapshot.limits, name) for board in self.boards]
            asked = [getattr(plan, name) for plan in plans]
            if all(limit is not None and chosen > limit for limit, chosen in zip(limits, asked, strict=True)):
                whose = "this miner's" if len(limits) == 1 else "these miners'"
                raise Invalid(name, f"The limit of {whose} {what} is {max(limits):g} °C; choose at most that.")
        return tuple(plans)

    def preview(self, answers: Answers, result: tuple[GuardPlan, ...]) -> Sequence[Line]:
        """The plan in two sentences, and what it does along a frontier; the same for each of those that differ."""
        alike: dict[GuardPlan, list[Swept]] = {}
        for plan, board in zip(result, self.boards, strict=True):
            alike.setdefault(msgspec.structs.replace(plan, device=""), []).append(board)
        lines = []
        for plan, boards in list(alike.items())[:_TOLD]:
            names = f"{some_of([board.snapshot.device for board in boards])}: " if len(alike) > 1 else ""
            lines += [line((names, "dim"), (_told(plan, boards), ""))]
            lines += along(plan, boards, self.now_s, among=len(self.boards) > 1)
        if others := [board.snapshot.device for boards in list(alike.values())[_TOLD:] for board in boards]:
            lines.append(line((f"and by other plans of their own: {some_of(others)}", "dim")))
        if len(self.boards) > 1:
            each = zip(result, self.boards, strict=True)
            lines += grouped(((board.snapshot.device, _lowered(plan, board)) for plan, board in each), "warn", "! ")
        return lines


def _built(plan: GuardPlan, answers: Answers) -> GuardPlan:
    """The plan with these answers. Raises Invalid when frequencies are not in order."""
    ordered(
        answers,
        ("low_mhz", "max_mhz", "The floor must not be above the highest frequency."),
        ("low_mhz", "high_mhz", "The floor must not be above what runs when cool."),
        ("high_mhz", "max_mhz", "What runs when cool must not be above the highest frequency."),
    )
    return msgspec.structs.replace(
        plan, **{k: v for k, v in answers.items() if answers["hold"] or k not in _HOLD_ALONE}
    )


def _told(plan: GuardPlan, boards: Sequence[Swept]) -> str:
    """What these miners run by this plan, and when that changes."""
    status = boards[0].snapshot.status
    cool = plan.high_mhz if plan.high_mhz is not None else status.frequency_mhz if status else None
    after = len(boards) == 1 and boards[0].sweeping and plan.high_mhz is None
    runs = "Runs what the sweep leaves" if after else f"Runs {_or(cool, 'what it runs then')}"
    text = (
        f"{'Each runs on as now' if len(boards) > 1 and plan.high_mhz is None else runs}. "
        f"Above {plan.max_chip_temp_c:g} °C (chip) or {plan.max_vr_temp_c:g} °C (VR): "
        f"{plan.step_down_mhz:g} MHz down at once, as far as {_or(plan.low_mhz, '70 % of that')}."
    )
    if not plan.hold or any(why_alone(board, plan) for board in boards):
        text = f"{text} {duration(plan.stable_s)} cool: {plan.step_up_mhz:g} MHz up."
    return text


def _lowered(plan: GuardPlan, board: Swept) -> str:
    """What of the plan the limits in force on this board do not allow."""
    caps = ((what, getattr(board.snapshot.limits, name), getattr(plan, name)) for name, what in _WATCHED.items())
    less = [f"{what} {cap:g} °C" for what, cap, asked in caps if cap is not None and cap < asked]
    return f"guarded at the limit in force on it: {', '.join(less)}." if less else ""


def _or(mhz: float | None, otherwise: str) -> str:
    return otherwise if mhz is None else f"{number(mhz)} MHz"
