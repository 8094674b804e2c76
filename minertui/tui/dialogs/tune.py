"""Frequency and core voltage of one miner, or of several at once, within their limits, with the exact change shown
before it is agreed to."""

from __future__ import annotations

from collections.abc import Sequence

from minertui.model.commands import Tune
from minertui.model.fleet import Snapshot
from minertui.model.plans import JobState, SweepView
from minertui.tui.dialogs.fields import Answers, Invalid, Number
from minertui.tui.dialogs.form import Form, difference
from minertui.tui.dialogs.several import common
from minertui.tui.widgets.painted import Line
from minertui.tui.widgets.wording import number, some_of, whom

_EACH = "as it is"


class TuneDialog(Form[Tune]):
    """Gives a Tune that holds only what differs from the users' own settings: what the miners run now, or what they ran
    before their sweeps (one of ``jobs`` for each of ``snapshots``, if any), which are passing through others. Where
    miners differ the field is empty, and left empty it leaves each as it is."""

    AGREE = "Apply"

    def __init__(self, snapshots: Sequence[Snapshot], jobs: Sequence[JobState | None] = ()) -> None:
        views = [_passing(job) for job in jobs] or [None] * len(snapshots)
        self.own = [_own(snapshot, view) for snapshot, view in zip(snapshots, views, strict=True)]
        self.mhz, self.mv = (common(values) for values in zip(*self.own, strict=True))
        swept = [snapshot for snapshot, view in zip(snapshots, views, strict=True) if view]
        self.swept = bool(swept)
        self.note = _note(swept, len(snapshots))
        caps = [snapshot.limits for snapshot in snapshots]  # the widest: each miner's own are looked at afterwards
        split = [len({own[n] for own in self.own}) > 1 for n in (0, 1)]
        fields = (
            Number(
                "mhz", "Frequency", "MHz", optional=split[0], hint=_EACH if split[0] else "",
                lowest=min(c.min_mhz or 50 for c in caps), highest=max(c.max_mhz or 3000 for c in caps),
                about="The chips' clock: faster hashes more and gets hotter.",
            ),
            Number(
                "mv", "Core voltage", "mV", whole=True, optional=split[1], hint=_EACH if split[1] else "",
                lowest=min(c.min_mv or 500 for c in caps), highest=max(c.max_mv or 2000 for c in caps),
                about="A faster clock needs more of it; more is hotter.",
            ),
        )  # fmt: skip
        self.limits = caps[0]
        names = [snapshot.device for snapshot in snapshots]
        super().__init__(f"Tune {whom(names)}", fields, {"mhz": self.mhz, "mv": self.mv})

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
            rows.append(("Frequency", _span([mhz for mhz, _ in self.own], "MHz"), f"{result.frequency_mhz:g} MHz"))
        if result.core_mv is not None:
            rows.append(("Core voltage", _span([mv for _, mv in self.own], "mV"), f"{result.core_mv} mV"))
        return difference(rows)


def _passing(job: JobState | None) -> SweepView | None:
    """The sweep that is passing through settings which are not the user's own; None without one."""
    view = job.view if job is not None and not job.phase.over else None
    if isinstance(view, SweepView) and None not in (view.baseline_mhz, view.baseline_mv):
        return view
    return None


def _own(snapshot: Snapshot, view: SweepView | None) -> tuple[float | None, float | None]:
    if view is not None:
        return view.baseline_mhz, view.baseline_mv
    status = snapshot.status
    return (status.frequency_mhz, status.core_mv) if status else (None, None)


def _note(swept: Sequence[Snapshot], count: int) -> str:
    if not swept:
        return ""
    if count > 1:
        names = some_of([snapshot.device for snapshot in swept])
        return f"! Sweeps are passing through other settings on {names}; a change ends them, and the rest comes back."
    mhz, mv = _own(swept[0], None)
    passing = f"{number(mhz)} MHz / {number(mv)} mV"
    return (
        f"! A sweep is passing through {passing}. These are your own settings; a change ends the sweep, and "
        "what you leave as it is comes back."
    )


def _span(values: Sequence[float | None], unit: str) -> str:
    """What these run: one value, or the lowest and the highest."""
    known = sorted({value for value in values if value is not None})
    if not known:
        return f"{number(None)} {unit}"
    return f"{number(known[0])} to {number(known[-1])} {unit}" if len(known) > 1 else f"{number(known[0])} {unit}"
