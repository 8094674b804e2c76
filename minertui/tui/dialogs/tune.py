"""Frequency and core voltage of one miner, within its limits, with the exact change shown before it is agreed to."""

from __future__ import annotations

from collections.abc import Sequence

from minertui.model.commands import Tune
from minertui.model.fleet import Snapshot
from minertui.tui.dialogs.fields import Answers, Invalid, Number
from minertui.tui.dialogs.form import Form, difference
from minertui.tui.widgets.painted import Line
from minertui.tui.widgets.wording import number


class TuneDialog(Form[Tune]):
    """Gives a Tune that holds only what differs from what the miner runs now."""

    AGREE = "Apply"

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        status, limits = snapshot.status, snapshot.limits
        self.mhz = status.frequency_mhz if status else None
        self.mv = status.core_mv if status else None
        fields = (
            Number("mhz", "Frequency", "MHz", lowest=limits.min_mhz or 50, highest=limits.max_mhz or 3000),
            Number("mv", "Core voltage", "mV", lowest=limits.min_mv or 500, highest=limits.max_mv or 2000, whole=True),
        )
        super().__init__(f"Tune {snapshot.device}", fields, {"mhz": self.mhz, "mv": self.mv})

    def build(self, answers: Answers) -> Tune:
        """Raises Invalid when nothing would change."""
        tune = Tune(
            frequency_mhz=None if answers["mhz"] == self.mhz else answers["mhz"],
            core_mv=None if answers["mv"] == self.mv else answers["mv"],
        )
        if tune == Tune():
            raise Invalid("", "Nothing changes yet; edit a value.")
        return tune

    def preview(self, answers: Answers, result: Tune) -> Sequence[Line]:
        """Before and after."""
        rows = []
        if result.frequency_mhz is not None:
            rows.append(("Frequency", f"{number(self.mhz)} MHz", f"{result.frequency_mhz:g} MHz"))
        if result.core_mv is not None:
            rows.append(("Core voltage", f"{number(self.mv)} mV", f"{result.core_mv} mV"))
        return difference(rows)
