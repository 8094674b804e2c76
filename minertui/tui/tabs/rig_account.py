"""What a rig's user earns: the readings of the balance as a table, the pace as a chart, and who earns it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from minertui.model.account import AccountMiner, BalanceRow
from minertui.model.history import Series
from minertui.model.relay import RelayView
from minertui.tui.widgets.chart import Chart
from minertui.tui.widgets.lines import Table
from minertui.tui.widgets.painted import Line, Span, line
from minertui.tui.widgets.wording import UNKNOWN, count, fit, number
from minertui.tui.words import moment_text

_ROWS = 12
_BALANCE = (("time", 9), ("total mDUCO", 12), ("ping ms", 8), ("step", 9), ("in s", 5), ("a minute", 9), ("a day", 8),
            ("smoothed", 9), ("H/s", 7), ("miners", 7))  # fmt: skip
_MINER = (("rig", 16), ("good", 8), ("bad", 6), ("H/s", 7), ("share s", 8), ("diff", 7), ("paid", 6), ("ping ms", 8),
          ("software", 24), ("pool", 18), ("says", 24))  # fmt: skip
_LEFT = frozenset({"rig", "software", "pool", "says"})
ORDERS = ("rig", "good", "bad", "H/s", "share s", "paid")
"""Columns that the list of miners can be sorted by; the numbers begin with the highest."""


class RigAccount(VerticalScroll):
    """The account of the rig's user."""

    DEFAULT_CSS = """
    RigAccount Chart { height: 8; min-height: 8; }
    RigAccount Lines { padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.order = ORDERS[0]

    def compose(self) -> ComposeResult:
        """Table, chart, miners."""
        self.table, self.chart, self.miners = Table(), Chart(), Table()
        yield self.table
        yield self.chart
        yield self.miners

    def next_order(self) -> None:
        """Sort the miners by the next column."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]

    def show(self, view: RelayView, now_s: float) -> None:
        """Draw everything."""
        self.table.show(balance_lines(view.balance, now_s))
        self.chart.show(pace(view), ("duco_day",), "Pace")
        self.chart.display = len(view.balance) > 1
        self.miners.show([line(), *miner_lines(view.miners, view.plan.user, self.order)])


def pace(view: RelayView) -> Series | None:
    """The readings that the view has, as a chart wants them."""
    rows = view.balance
    if len(rows) < 2:
        return None
    apart_s = (rows[-1].at_s - rows[0].at_s) / (len(rows) - 1)
    return Series(view.plan.device, apart_s, tuple(r.at_s for r in rows), {"duco_day": tuple(r.per_day for r in rows)})


def balance_lines(rows: tuple[BalanceRow, ...], now_s: float) -> list[Line]:
    """The newest readings, the newest on top."""
    if not rows:
        return [line(Span("the balance was not read yet", "dim"))]
    lines = [_line(_BALANCE, {title: title for title, _ in _BALANCE}, "head")]
    for row in rows[: -_ROWS - 1 : -1]:
        cells = {
            "time": moment_text(row.at_s, now_s),
            "total mDUCO": number(row.total_mduco, 3),
            "ping ms": number(1000 * row.ping_s),
            "step": number(row.step_mduco, 3),
            "in s": number(row.span_s),
            "a minute": number(row.minute_mduco, 3),
            "a day": number(row.per_day, 2),
            "smoothed": number(row.smooth_per_day, 2),
            "H/s": number(row.server_hs),
            "miners": UNKNOWN if row.miners is None else count(row.miners),
        }
        lines.append(_line(_BALANCE, cells, "strong" if row is rows[-1] else ""))
    return lines


def miner_lines(miners: tuple[AccountMiner, ...], user: str, order: str) -> list[Line]:
    """A line per miner that the server shows."""
    if not miners:
        return [line(Span(f"the server shows no miner of {user} yet: two good shares and up to 15 s", "dim"))]
    title = Span(f"{len(miners)} miners of {user} at the server, by {order} (S: another column)", "title")
    lines = [line(title), _line(_MINER, {title: title for title, _ in _MINER}, "head")]
    return lines + [_line(_MINER, _cells(miner), "") for miner in sorted(miners, key=lambda m: _key(m, order))]


def _key(miner: AccountMiner, order: str) -> tuple[float, str]:
    values = {"good": miner.accepted, "bad": miner.rejected, "H/s": miner.rate_hs, "share s": miner.share_s,
              "paid": miner.paid}  # fmt: skip
    value = values.get(order)
    return (0.0 if order == "rig" else float("inf") if value is None else -value), miner.rig.casefold()


def _cells(miner: AccountMiner) -> dict[str, str]:
    return {
        "rig": miner.rig,
        "good": UNKNOWN if miner.accepted is None else count(miner.accepted),
        "bad": UNKNOWN if miner.rejected is None else count(miner.rejected),
        "H/s": number(miner.rate_hs),
        "share s": number(miner.share_s, 2),
        "diff": UNKNOWN if miner.difficulty is None else str(miner.difficulty),
        "paid": UNKNOWN if miner.paid is None else f"{number(100 * miner.paid)}%",
        "ping ms": number(miner.ping_ms),
        "software": miner.software,
        "pool": miner.pool,
        "says": miner.iot,
    }


def _line(columns: tuple[tuple[str, int], ...], cells: dict[str, str], ink: str) -> Line:
    return line(*(Span(fit(cells[title], size, right=title not in _LEFT) + " ", ink) for title, size in columns))
