"""What needs, or needed, attention: the active ones first, the newest on top; seen ones are dimmed."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult

from minertui.model.alerts import Alert, Severity
from minertui.tui.feed import Picture
from minertui.tui.tabs.listing import Listing
from minertui.tui.tabs.pane import Pane
from minertui.tui.tabs.teach import Teach
from minertui.tui.widgets.lines import Lines
from minertui.tui.widgets.painted import Span, line
from minertui.tui.widgets.wording import duration, fit, fit_ends
from minertui.tui.words import moment_text

INKS = {Severity.INFO: "accent", Severity.WARNING: "warn", Severity.CRITICAL: "bad"}
_NARROW = 100
_BADNESS = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


def ranked(alerts: list[Alert]) -> list[Alert]:
    """Active before over, unseen before seen, bad before harmless, new before old."""
    return sorted(alerts, key=lambda a: (not a.active, a.acknowledged, _BADNESS[a.severity], -a.since_s, a.id))


class AlertsPane(Pane):
    """The list of alerts; the line below says the whole of the one under the cursor."""

    place = "alerts"

    def compose(self) -> ComposeResult:
        """List, or what an empty list means; the whole text."""
        self.teach, self.list, self.line = Teach(), Listing(), Lines()
        yield self.teach
        yield self.list
        yield self.line

    @property
    def alert(self) -> Alert | None:
        """The one under the cursor."""
        return self.picture.fleet.alerts.get(self.list.cursor)

    @property
    def devices(self) -> tuple[str, ...]:
        """The miner of the alert under the cursor."""
        alert = self.alert
        return (alert.device,) if alert else ()

    def show(self, picture: Picture) -> None:
        """Draw the list anew."""
        super().show(picture)
        alerts = ranked(list(picture.fleet.alerts.values()))
        self.teach.display, self.list.display = not alerts, bool(alerts)
        self.teach.show(
            "No alerts",
            [
                ("", "Nothing is wrong that minertui knows of."),
                ("", "Heat, lost miners, low hashrate, faults and ended jobs show up here."),
            ],
        )
        self.list.show([(a.id, partial(_spans, a, picture.fleet.at_s)) for a in alerts], _head)
        self._tell()

    def on_listing_moved(self) -> None:
        """Another alert is under the cursor."""
        self._tell()
        self.refresh_bindings()

    def _tell(self) -> None:
        alert = self.alert
        if alert is None:
            self.line.show(())
            return
        now_s = self.picture.fleet.at_s
        since, over = moment_text(alert.since_s, now_s), moment_text(alert.until_s, now_s) if alert.until_s else ""
        lasted = f"at {since}" if over == since else f"since {since}, over since {over}" if over else f"since {since}"
        when = f"rule {alert.rule}, {lasted}"
        severity = Span(f"{alert.severity.mark} {alert.severity.value}  ".lstrip(), INKS[alert.severity])
        self.line.show([line(severity, (f"{alert.device}: {alert.text}  ", "strong"), (when, "dim"))])


def _widths(width: int) -> tuple[int, int, int, int, int]:
    """Severity, device, time, count, state; the text gets the rest. A narrow line has the severity's mark alone."""
    return (2, 14, 8, 3, 5) if width < _NARROW else (11, 24, 9, 5, 8)


def _columns(width: int, texts: tuple[str, str, str, str, str, str], inks: tuple[str, ...]) -> tuple[Span, ...]:
    severity, device, age, count, state = _widths(width)
    rest = max(10, width - severity - device - age - count - state - 5)
    sizes = (severity, device, rest, age, count, state)
    texts = (texts[0], fit_ends(texts[1], device), *texts[2:])
    return tuple(
        Span(fit(text, size, right=n in (3, 4)) + " ", ink)
        for n, (text, size, ink) in enumerate(zip(texts, sizes, inks, strict=True))
    )


def _head(width: int) -> tuple[Span, ...]:
    return _columns(width, ("" if width < _NARROW else "severity", "miner", "what", "for", "×", "state"), ("",) * 6)


def _spans(alert: Alert, now_s: float, width: int) -> tuple[Span, ...]:
    seen = alert.acknowledged or not alert.active

    def ink(name: str) -> str:
        return "dim" if seen else name

    word = alert.severity.mark if width < _NARROW else f"{alert.severity.mark or ' '} {alert.severity.value}"
    state = "over" if not alert.active else "seen" if alert.acknowledged else "new"
    lasted = (alert.until_s or now_s) - alert.since_s
    # what happened in a moment has no length, but it has an age
    time = duration(lasted) if lasted >= 1 else f"{duration(now_s - alert.since_s)} ago"
    return _columns(
        width,
        (word, alert.device, alert.text, time, f"{alert.count}" if alert.count > 1 else "", state),
        (ink(INKS[alert.severity]), ink("strong"), ink(""), "dim", ink("second"), "dim"),
    )
