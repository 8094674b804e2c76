"""The miner under the cursor at a glance, below the table, where a large terminal has room for it. It draws from the
picture alone: gauges, the last hour, and what it is."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from minertui.model.fleet import Fleet, Health, Snapshot
from minertui.model.history import Series
from minertui.tui.tabs import miner_facts
from minertui.tui.widgets.chart import Chart
from minertui.tui.widgets.facts import Facts
from minertui.tui.widgets.gauge import Gauges

LEAST, MOST = 12, 28  # lines it is good for
_WIDE = 160  # cells from which the words fit as well
_GAUGES = ("chip_temp_c", "vr_temp_c", "power_w", "efficiency_jth", "input_mv", "fan_pct", "error_pct", "rejected_pct")
_MINUTE_S = 60.0


def last_hour(snapshot: Snapshot, now_s: float) -> Series | None:
    """The means of a minute that a snapshot carries, as a chart wants them."""
    rates = snapshot.recent_ghs
    if not rates:
        return None
    end = snapshot.at_s or now_s
    at = tuple(end - _MINUTE_S * (len(rates) - n - 0.5) for n in range(len(rates)))
    return Series(snapshot.device, _MINUTE_S, at, {"hashrate_ghs": rates})


class Preview(Horizontal):
    """Three panes side by side; the last one only where the terminal is wide."""

    def __init__(self, *, classes: str) -> None:
        super().__init__(classes=classes)
        self.gauges, self.chart, self.facts, self.below = Gauges(), Chart(), Facts(), Facts()

    def compose(self) -> ComposeResult:
        """Gauges, chart, words; the words stand below the gauges where the terminal is not wide."""
        with Vertical():
            yield self.gauges
            yield self.below
        yield self.chart
        yield self.facts

    def show(self, fleet: Fleet, device: str) -> None:
        """Show this miner."""
        snapshot = fleet.snapshots.get(device)
        if snapshot is None:
            return
        self.gauges.show(snapshot, _GAUGES)
        gone = "" if snapshot.health is Health.OK else snapshot.why or snapshot.health.value
        self.chart.show(last_hour(snapshot, fleet.at_s), ("hashrate_ghs",), f"{device}, last hour", gone=gone)
        wide = self.app.size.width >= _WIDE
        self.facts.display, self.below.display = wide, not wide
        trouble = miner_facts.trouble(snapshot)
        rows = [("trouble", trouble)] if trouble else []
        rows += [*miner_facts.jobs(fleet.jobs_of(device)), *miner_facts.pool(snapshot)[:4]]
        rows += [*miner_facts.settings(snapshot)[:4], *miner_facts.identity(snapshot)[:8]]
        (self.facts if wide else self.below).show(rows)
