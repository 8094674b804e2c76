"""Frequency and core voltage of one miner, within its limits, with the exact change shown before it is agreed to."""

from __future__ import annotations

from collections.abc import Sequence

from minertui.model.commands import Tune
from minertui.model.fleet import Snapshot
from minertui.model.plans import JobState, SweepView
from minertui.tui.dialogs.fields import Answers, Invalid, Number
from minertui.tui.dialogs.form import Form, difference
from minertui.tui.widgets.painted import Line
from minertui.tui.widgets.wording import number


class TuneDialog(Form[Tune]):
    """Gives a Tune that holds only what differs from the user's own settings: what the miner runs now, or what it ran
    before ``job``, a sweep that is passing through others. ``devices``: all that the same Tune is meant for."""

    AGREE = "Apply"

    def __init__(self, snapshot: Snapshot, job: JobState | None = None, devices: Sequence[str] = ()) -> None:
        self.snapshot = snapshot
        status, limits = snapshot.status, snapshot.limits
        self.mhz = status.frequency_mhz if status else None
        self.mv = status.core_mv if status else None
        view = job.view if job is not None and not job.phase.over else None
        self.swept = isinstance(view, SweepView) and None not in (view.baseline_mhz, view.baseline_mv)
        if isinstance(view, SweepView) and self.swept:
            passing = f"{number(self.mhz)} MHz / {number(self.mv)} mV"
            self.mhz, self.mv = view.baseline_mhz, view.baseline_mv
            self.note = (
                f"! A sweep is passing through {passing}. These are your own settings; a change ends the sweep, and "
                "what you leave as it is comes back."
            )
        fields = (
            Number(
                "mhz", "Frequency", "MHz", lowest=limits.min_mhz or 50, highest=limits.max_mhz or 3000,
                about="The chips' clock: faster hashes more and gets hotter.",
            ),
            Number(
                "mv", "Core voltage", "mV", lowest=limits.min_mv or 500, highest=limits.max_mv or 2000, whole=True,
                about="A faster clock needs more of it; more is hotter.",
            ),
        )  # fmt: skip
        self.limits = limits
        super().__init__(f"Tune {', '.join(devices) or snapshot.device}", fields, {"mhz": self.mhz, "mv": self.mv})

    def build(self, answers: Answers) -> Tune:
        """Raises Invalid when nothing would change."""
        tune = Tune(
            frequency_mhz=None if answers["mhz"] == self.mhz else answers["mhz"],
            core_mv=None if answers["mv"] == self.mv else answers["mv"],
        )
        if tune == Tune():
            stop = "; key B stops the sweep" if self.swept else ""
            raise Invalid("", f"Nothing changes yet; edit a value{stop}.")
        return tune

    def preview(self, answers: Answers, result: Tune) -> Sequence[Line]:
        """Before and after."""
        rows = []
        if result.frequency_mhz is not None:
            rows.append(("Frequency", f"{number(self.mhz)} MHz", f"{result.frequency_mhz:g} MHz"))
        if result.core_mv is not None:
            rows.append(("Core voltage", f"{number(self.mv)} mV", f"{result.core_mv} mV"))
        return difference(rows)
