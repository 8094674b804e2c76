"""The balance performance table: recorded samples, and what is kept out of the pace."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from minertui.jobs.duco_relay.balance import Performance
from minertui.model.account import BalanceRow


def read(performance: Performance, at_s: float, balance: float) -> BalanceRow:
    return performance.read(at_s, 1e9 + at_s, balance, 0.1)


def test_the_recorded_table(recorded: Path) -> None:
    """The first minute that the rig's author recorded; the sample before it follows from its first step."""
    rows = list(csv.DictReader(io.StringIO((recorded / "duco/brief_balance_samples.csv").read_text())))[:6]
    totals = [float(row["total_mduco"]) for row in rows]
    performance = Performance()
    read(performance, 0.0, (totals[0] - float(rows[0]["last10s_mduco"])) / 1000)
    ours = [read(performance, 10.0 * n, total / 1000) for n, total in enumerate(totals, 1)]
    assert [row.minute_mduco for row in ours[:5]] == [None] * 5, "60 s are not known yet"
    for row, his in zip(ours, rows, strict=True):
        assert row.step_mduco == pytest.approx(float(his["last10s_mduco"]), abs=0.002)
    assert ours[5].minute_mduco == pytest.approx(float(rows[5]["minute_mduco"]), abs=0.002)
    assert ours[5].per_day == pytest.approx(float(rows[5]["duco_per_day"]), abs=0.005)


def test_the_minute_is_that_of_the_time_stamps() -> None:
    performance = Performance()
    for n in range(9):
        row = read(performance, 17.0 * n, 0.001 * 17 * n)
    assert row.minute_mduco == pytest.approx(60.0)
    assert row.span_s == pytest.approx(17.0)
    assert row.step_mduco == pytest.approx(17.0)


def test_a_transfer_is_no_mining() -> None:
    performance = Performance()
    for n, balance in enumerate([100, 100.015, 100.03, 600.03, 600.045, 400.0, 400.015]):
        row = read(performance, 15.0 * n, balance)
    assert row.minute_mduco == pytest.approx(30.0)
    assert row.total_mduco == pytest.approx(300_015)


def test_the_smooth_pace_follows_from_the_seventh_reading_on() -> None:
    performance = Performance()
    smooth = [read(performance, 15.0 * n, 100 + 0.015 * n).smooth_per_day for n in range(9)]
    assert smooth[:6] == [None] * 6
    assert smooth[6] == pytest.approx(86.4)
