"""The fan of one miner: towards a temperature, or a fixed speed."""

from __future__ import annotations

from collections.abc import Sequence

from minertui.model.commands import SetFan
from minertui.model.fleet import Snapshot
from minertui.model.status import Ability
from minertui.tui.dialogs.fields import Answers, Choice, Number
from minertui.tui.dialogs.form import Form, difference
from minertui.tui.dialogs.several import grouped
from minertui.tui.widgets.painted import Line, line
from minertui.tui.widgets.wording import number, whom


class FanDialog(Form[SetFan]):
    """Gives a SetFan for the chosen mode, meant for all of ``snapshots``; what the first has is proposed. Where none
    takes a target temperature only the mode is asked for, and where one keeps no lowest speed (NerdQAxe, AxeOS before
    2.10) that stays as it is: an order that names it would be refused."""

    AGREE = "Apply"

    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        self.snapshots = tuple(snapshots)
        status = snapshots[0].status
        self.targets = any(s.status and Ability.FAN_TARGET in s.status.abilities for s in snapshots)
        self.minimums = all(Ability.FAN_MIN in s.status.abilities for s in snapshots if s.status)
        fields = (
            Choice("mode", "Fan", choices=("auto", "manual"),
                   about="auto: the miner holds a temperature; manual: one speed, hot or not."),
            Number("target", "Target", "°C", lowest=35, highest=66, whole=True, about="What auto holds the chip at."),
            Number("least", "At least", "%", lowest=0, highest=99, whole=True, hint="as it is",
                   about="Auto never turns slower."),
            Number("pct", "Speed", "%", lowest=0, highest=100, whole=True,
                   about="Manual: this speed, however hot the chip gets."),
        )  # fmt: skip
        target = status.temp_target_c if status else None
        least = status.fan_min_pct if status else None
        pct = (status.fan_manual_pct if status.fan_manual_pct is not None else status.fan_pct) if status else None
        values = {
            "mode": "manual" if status and status.fan_auto is False else "auto",
            "target": 60 if target is None else round(target),
            "least": None if not self.minimums else 25 if least is None else round(least),
            "pct": 100 if pct is None else round(pct),
        }
        super().__init__(f"Fan of {whom([snapshot.device for snapshot in snapshots])}", fields, values)

    def dress(self) -> None:
        """Only what belongs to the mode can be edited."""
        auto = self.rows["mode"].answer.value == "auto"
        self.rows["target"].answer.disabled = not (auto and self.targets)
        self.rows["least"].answer.disabled = not (auto and self.targets and self.minimums)
        self.rows["pct"].answer.disabled = auto

    def build(self, answers: Answers) -> SetFan:
        """What belongs to the mode."""
        if answers["mode"] == "auto":
            return SetFan(auto=True, target_c=answers["target"], min_pct=answers["least"])
        return SetFan(auto=False, pct=answers["pct"])

    def preview(self, answers: Answers, result: SetFan) -> Sequence[Line]:
        """Before and after; a slow fixed fan gets a warning."""
        after = f"{result.pct} %"
        if result.auto:
            least = "" if result.min_pct is None else f", at least {result.min_pct} %"
            after = "auto" if result.target_c is None else f"auto to {result.target_c} °C{least}"
        if len(self.snapshots) == 1:
            lines = difference([("Fan", _now(self.snapshots[0]), after)])
        else:
            lines = grouped((snapshot.device, f"{_now(snapshot)} → {after}") for snapshot in self.snapshots)
        if result.pct is not None and result.pct < 30:
            lines.append(line(("! A slow fixed fan does not speed up when the miner gets hot.", "warn")))
        return lines


def _now(snapshot: Snapshot) -> str:
    status = snapshot.status
    if status is None or status.fan_auto is None:
        return "unknown"
    return f"auto to {number(status.temp_target_c)} °C" if status.fan_auto else f"{number(status.fan_pct)} %"
