"""One point of a sweep: all that was measured there, how it was judged, why it was measured, what the words for that
mean; and the way to apply."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button

from minertui.model.plans import SweepPlan, SweepPoint
from minertui.tui.dialogs.box import Body, Box
from minertui.tui.dialogs.ordering import Ordering
from minertui.tui.widgets.facts import Facts
from minertui.tui.widgets.glyphs import Glyphs, glyphs_of
from minertui.tui.widgets.lines import Lines
from minertui.tui.widgets.painted import Line, line
from minertui.tui.widgets.wording import duration, fit, number
from minertui.tui.words import moment_text

_NORMAL_95 = 1.96  # standard errors around a mean within which the truth is in 95 of 100 cases
_MEMORY = 0.9  # readings more alike than this say no more than those

Rows = list[tuple[str, str]]


class PointDialog(Ordering[bool]):
    """Gives True when it is to be applied. ``refused``: why it cannot be; empty when it can. ``place``: where it stands
    among the others, in words. ``took_s``: since the point before it."""

    AUTO_FOCUS = "#apply, #close"
    DEFAULT_CSS = """
    PointDialog Body { margin: 1 0 0 0; }
    PointDialog Facts, PointDialog #explained { margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="point.close"),
        Binding("left,up", "app.focus_previous", "Previous", show=False, id="point.previous"),
        Binding("right,down", "app.focus_next", "Next", show=False, id="point.next"),
    ]

    def __init__(
        self,
        device: str,
        plan: SweepPlan,
        point: SweepPoint,
        now_s: float,
        *,
        place: str = "",
        refused: str = "",
        took_s: float | None = None,
    ) -> None:
        super().__init__()
        self.heading = f"{device}: {number(point.mhz)} MHz {point.mv} mV, measured as number {point.n}"
        self.point, self.place, self.refused = point, place, refused
        self.plan, self.figures = plan, Facts()
        self.figures.show(figures(point, plan, now_s, took_s))
        self.apply = Button("Apply (Enter)", id="apply", variant="primary", compact=True, disabled=bool(refused))

    def compose(self) -> ComposeResult:
        """Which point, its verdict in words, its figures, and the ways out."""
        with Box():
            yield Lines([line((self.heading, "title"))])
            with Body():
                yield Lines(_said(self.point, self.place))
                yield self.figures
                yield Lines(explained(self.point, self.plan, glyphs_of(self)), id="explained")
            if self.refused:
                yield Lines([line((f"It cannot be applied: {self.refused}.", "dim"))])
            with Horizontal(classes="buttons"):
                yield self.apply
                yield Button("Close (Esc)", id="close", compact=True)

    def enable(self) -> None:
        """Applying wants an engine."""
        self.switch(self.apply, on=not (self.lost or self.refused))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """One of the two ways out."""
        event.stop()
        self.dismiss(event.button.id == "apply")

    def action_close(self) -> None:
        """Nothing is to be done."""
        self.dismiss(False)


def _said(point: SweepPoint, place: str) -> Sequence[Line]:
    sure = "" if point.confidence is None else f" (sure to {_percent(point.confidence)})"
    kind = "confirmed by a soak: " if point.soak else ""
    judged = f"{kind}{point.verdict.words}{sure}{f', {place}' if place else ''}"
    why = f"Measured because: {point.why}" if point.why else ""
    said = ((judged, "good" if point.passed else "warn"), (point.reason, "warn"), (why, "dim"))
    return [line((text, ink)) for text, ink in said if text]


def explained(point: SweepPoint, plan: SweepPlan, glyphs: Glyphs) -> list[Line]:
    """What the words and figures of this point mean, a line each, with what the plan asks of them."""
    asked = _percent(plan.tolerance)
    ratio = f"measured of what the frequency promises; {asked} must be"
    if point.passed and point.ratio is not None and point.ratio < plan.tolerance:
        ratio = f"under the {asked} that must be, but too few readings to be sure"
    words = [
        ("expected", point.ratio, ratio),
        ("errors", point.error_pct, f"share of results that were wrong; must be under {plan.max_error_pct:g} %"),
        ("sure to", point.confidence, f"how likely the verdict is right; {_percent(plan.confidence)} were asked for"),
        (f"{glyphs.best} best", 1, "first by the goal of those that passed; soaked go first"),
    ]
    return [line((fit(name, 15), "dim"), (text, "dim")) for name, value, text in words if value is not None]


def _percent(share: float) -> str:
    """Never all: a measurement leaves some doubt."""
    return f"{number(100 * share)} %" if share < 0.995 else "over 99 %"


def figures(point: SweepPoint, plan: SweepPlan, now_s: float, took_s: float | None = None) -> Rows:
    """What was measured there; what the miner does not tell is left out. ``took_s``: since the point before it."""
    ratio = "" if point.ratio is None else f"{number(100 * point.ratio, 1)} % of {number(point.expected_ghs)} GH/s"
    error = mean_error_ghs(point)
    within = "" if error is None else f" ± {number(error, 1)}"
    rows = [
        ("hashrate", _with(point.hashrate_ghs, 1, f"{within} GH/s")),
        ("expected", ratio),
        ("by all points", _with(point.likely_ghs, 1, " GH/s")),
        ("single ±", _with(point.hashrate_sd_ghs, 1, " GH/s")),
        ("efficiency", _with(point.efficiency_jth, 2, " J/TH")),
        ("power", _with(point.power_w, 2, " W")),
        ("cooler takes", _with(point.cooler_w, 1, " W")),
        ("input", _with(point.input_mv, 0, " mV")),
        ("readings", str(point.samples) if point.samples else ""),
        ("chip", _with(point.chip_temp_c, 1, f" °C of {number(plan.max_chip_temp_c)}")),
        ("VR", _with(point.vr_temp_c, 1, f" °C of {number(plan.max_vr_temp_c)}")),
        ("fan", _with(point.fan_pct, 0, " %")),
        ("errors", _with(point.error_pct, 2, " %")),
        ("chip balance", _with(point.chip_balance, 2, "")),
        ("ended", moment_text(point.at_s, now_s) if point.at_s else ""),
        ("took", f"{duration(took_s)} with settling" if took_s is not None else ""),
    ]
    return [(name, value) for name, value in rows if value]


def mean_error_ghs(point: SweepPoint) -> float | None:
    """Half the width of the range that holds the true mean in 95 of 100 cases, as wide as the likeness of readings in a
    row makes it; None without spread."""
    if point.hashrate_sd_ghs is None or point.samples < 2:
        return None
    alike = min(_MEMORY, max(0.0, point.hashrate_memory or 0.0))
    return _NORMAL_95 * point.hashrate_sd_ghs * math.sqrt((1 + alike) / (1 - alike) / point.samples)


def _with(value: float | None, digits: int, unit: str) -> str:
    return "" if value is None else f"{number(value, digits)}{unit}"
