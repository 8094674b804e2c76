"""A benchmark sweep: the plan, and live what it means — where it begins, how far it goes, how long it takes at most."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from minertui.model.fleet import Snapshot
from minertui.model.plans import Goal, Strategy, SweepPlan
from minertui.model.ranking import bounds, estimate, lowered, moved, over_now, start, unreachable
from minertui.tui.dialogs.fields import Answers, Choice, Field, Invalid, Number, ordered
from minertui.tui.dialogs.form import Form
from minertui.tui.dialogs.several import each_built, grouped, limits_of, shared
from minertui.tui.widgets.painted import Line, Span, line
from minertui.tui.widgets.wording import duration, number, whom

_FIELDS: tuple[Field, ...] = (
    Choice("strategy", "Strategy", choices=tuple(strategy.value for strategy in Strategy), width=16,
           about="adaptive learns the board's curves, few points; grid goes step by step."),
    Choice("goal", "Best at", choices=tuple(goal.value for goal in Goal), width=16,
           about="What the best point is best at: most hashrate, or least energy a hash."),
    Number("start_mhz", "Start", "MHz", lowest=50, highest=3000, optional=True, hint="as now", cap="mhz",
           about="The first point's frequency."),
    Number("start_mv", "Start", "mV", lowest=500, highest=2000, whole=True, optional=True, hint="as now", cap="mv",
           about="The first point's voltage."),
    Number("step_mhz", "Step", "MHz", lowest=1, highest=500, about="From one frequency to the next."),
    Number("step_mv", "Step", "mV", lowest=1, highest=100, whole=True, about="From one voltage to the next."),
    Number("min_mhz", "At least", "MHz", lowest=50, highest=3000, cap="mhz", about="The lowest frequency measured."),
    Number("min_mv", "At least", "mV", lowest=500, highest=2000, whole=True, cap="mv",
           about="The lowest voltage measured."),
    Number("max_mhz", "At most", "MHz", lowest=160, highest=3000, cap="mhz", about="The highest frequency measured."),
    Number("max_mv", "At most", "mV", lowest=800, highest=2000, whole=True, cap="mv",
           about="The highest voltage measured."),
    Number("max_chip_temp_c", "Chip at most", "°C", lowest=30, highest=110, cap="chip_temp_c",
           about="The chip: a point that reaches this heat fails."),
    Number("max_vr_temp_c", "VR at most", "°C", lowest=30, highest=125, cap="vr_temp_c",
           about="The voltage regulator: a point that reaches this heat fails."),
    Number("max_power_w", "Power at most", "W", lowest=1, highest=10_000, optional=True, hint="board's", cap="power_w",
           about="A point that takes this much fails."),
    Number("max_fan_pct", "Fan at most", "%", lowest=10, highest=100, optional=True, hint="no cap",
           about="A point whose fan needs more fails."),
    Number("tolerance_pct", "Of expected", "%", lowest=50, highest=120,
           about="What a point must hash of what its frequency promises."),
    Number("max_error_pct", "Errors at most", "%", lowest=0.01, highest=100,
           about="A point with more wrong results than this fails."),
    Number("balance_pct", "Weakest chip", "%", lowest=0, highest=100,
           about="What the weakest chip must give of the chips' mean."),
    Number("settle_s", "Settle", "s", lowest=10, highest=3600, about="Wait after a change before readings count."),
    Number("measure_s", "Measure", "s", lowest=30, highest=86_400, about="How long a point takes; adaptive: at most."),
    Number("sample_s", "Sample every", "s", lowest=2, highest=300, about="From one reading to the next."),
    Number("soak_s", "Confirm", "s", lowest=30, highest=86_400, about="The winner is measured again for so long."),
    Number("confidence_pct", "Sure to", "%", lowest=50, highest=99.9, about="How sure a verdict on a point must be."),
    Choice("restart", "Restart each", about="yes: restarts the miner at every point, as the reference scripts do."),
    Choice("apply_best", "Apply the best", about="yes: leaves the miner at the best point; no: at what it ran before."),
)  # fmt: skip
_ADAPTIVE_ALONE = ("soak_s", "confidence_pct")
_AGAINST = (lowered, moved, over_now)
_SPELT = ("strategy", "goal", "tolerance_pct", "balance_pct", "confidence_pct")  # otherwise than in the plan


class SweepDialog(Form[tuple[SweepPlan, ...]]):
    """Gives the plans of all ``snapshots``, from ``plans``, theirs so far; where those differ, what a person leaves
    untouched stays each miner's own."""

    AGREE = "Start"
    COLUMNS = 2

    def __init__(self, snapshots: Sequence[Snapshot], plans: Sequence[SweepPlan]) -> None:
        self.snapshots, self.plans = tuple(snapshots), tuple(plans)
        self.limits = limits_of(snapshots)
        self.own = [_answers(plan) for plan in plans]
        fields, values, self.note = shared(_FIELDS, self.own)
        super().__init__(f"Benchmark {whom([snapshot.device for snapshot in snapshots])}", fields, values)

    def dress(self) -> None:
        """What only one strategy knows is asked for that one alone."""
        for name in _ADAPTIVE_ALONE:
            self.rows[name].answer.disabled = self.rows["strategy"].answer.value == Strategy.GRID

    def build(self, answers: Answers) -> tuple[SweepPlan, ...]:
        """Raises Invalid when ends are the wrong way round, or when none of the miners can be swept so."""
        plans = each_built(self.plans, self.own, answers, _built, named=bool(self.note))
        each = zip(plans, self.snapshots, strict=True)
        whys = [unreachable(plan, snapshot.status, snapshot.limits) for plan, snapshot in each]
        if all(whys):
            why = whys[0]
            raise Invalid("start_mv" if why.endswith("mV") else "start_mhz", f"{why[:1].upper()}{why[1:]}.")
        return tuple(plans)

    def preview(self, answers: Answers, result: tuple[SweepPlan, ...]) -> Sequence[Line]:
        """From where to where, at most how many points and how long; what lowers the plan, what speaks against it, and
        of several miners who cannot be swept by it."""
        if len(self.snapshots) == 1:
            [snapshot], [plan] = self.snapshots, result
            said = (against(plan, snapshot.status, snapshot.limits) for against in _AGAINST)
            warned = [line((f"! {text[:1].upper()}{text[1:]}.", "warn")) for text in said if text]
            return [line(*_walk(plan, snapshot)), *warned]
        each = list(zip(result, self.snapshots, strict=True))
        rows = [(plan, s, unreachable(plan, s.status, s.limits)) for plan, s in each]
        swept = [(plan, s) for plan, s, why in rows if not why]
        walks = ((s.device, "".join(text for text, _ in _walk(plan, s)).replace("   ", ", ")) for plan, s in swept)
        lines = grouped(((s.device, f"cannot be swept so: {why}." if why else "") for _, s, why in rows), "bad", "! ")
        lines += grouped(walks)
        for against in _AGAINST:
            texts = ((s.device, against(plan, s.status, s.limits)) for plan, s in swept)
            lines += grouped(((device, f"{text}." if text else "") for device, text in texts), "warn", "! ")
        return lines


def _answers(plan: SweepPlan) -> dict[str, object]:
    """The plan as the fields ask for it."""
    values = {field.id: getattr(plan, field.id, None) for field in _FIELDS}
    return values | {
        "strategy": plan.strategy.value,
        "goal": plan.goal.value,
        "confidence_pct": 100 * plan.confidence,
        "tolerance_pct": 100 * plan.tolerance,
        "balance_pct": 100 * plan.min_chip_balance,
    }


def _built(plan: SweepPlan, answers: Answers) -> SweepPlan:
    """The plan with these answers. Raises Invalid when ends are the wrong way round."""
    ordered(
        answers,
        ("min_mhz", "max_mhz", "The lowest frequency must not be above the highest."),
        ("min_mv", "max_mv", "The lowest voltage must not be above the highest."),
        ("start_mhz", "max_mhz", "The sweep must not start above its highest frequency."),
        ("start_mv", "max_mv", "The sweep must not start above its highest voltage."),
        ("min_mhz", "start_mhz", "The sweep must not start below its lowest frequency."),
        ("min_mv", "start_mv", "The sweep must not start below its lowest voltage."),
        ("sample_s", "measure_s", "A sample must not take longer than the whole measurement."),
    )
    own = {k: v for k, v in answers.items() if k not in (*_SPELT, *_ADAPTIVE_ALONE)}
    if answers["strategy"] == Strategy.ADAPTIVE:
        own |= {"soak_s": answers["soak_s"], "confidence": answers["confidence_pct"] / 100}
    return msgspec.structs.replace(
        plan,
        strategy=Strategy(answers["strategy"]),
        goal=Goal(answers["goal"]),
        tolerance=answers["tolerance_pct"] / 100,
        min_chip_balance=answers["balance_pct"] / 100,
        **own,
    )


def _walk(plan: SweepPlan, snapshot: Snapshot) -> tuple[Span, ...]:
    """From where to where, and what that takes."""
    within = bounds(plan, snapshot.status, snapshot.limits)
    first = start(plan, snapshot.status, within)
    points, seconds = estimate(plan, snapshot.status, snapshot.limits)
    begin = "start unknown" if first is None else f"{number(first[0])} MHz {first[1]} mV"
    return (
        Span(f"{begin} → {number(within.max_mhz)} MHz {within.max_mv} mV", "strong"),
        Span("   some " if plan.strategy is Strategy.ADAPTIVE else "   at most ", "dim"),
        Span(f"{points} points", "strong"),
        Span(", ", "dim"),
        Span(duration(seconds), "strong"),
    )
