"""METRICS: every number is one row here. Gauge, column, history, Prometheus name and alert follow from the row.

Adding a number = a field in ``status`` and a row here, at the END of the table: history stores rows by position.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec

from minertui.model.alerts import Severity
from minertui.model.fleet import Snapshot
from minertui.model.status import MinerStatus


class Better(enum.StrEnum):
    """Which direction is good, for colours and sorting."""

    HIGH = "high"
    LOW = "low"
    NEITHER = "neither"


Read = Callable[[MinerStatus], float | None]
Limit = Callable[[Snapshot], float | None]


def _no_limit(_: Snapshot) -> float | None:
    return None


class Metric(msgspec.Struct, frozen=True):
    """One number of a miner.

    ``id`` is the history column and, prefixed ``minertui_``, the Prometheus name. ``warn`` and ``limit`` say where a
    gauge puts its marks for a given device (None: no mark); ``lowest``/``highest`` are the gauge's ends.
    ``digits`` is the number of decimals shown. ``alert``: how bad it is when the limit is crossed (None: a mark on
    the gauge says enough).
    """

    id: str
    title: str
    unit: str
    read: Read
    digits: int = 0
    better: Better = Better.NEITHER
    lowest: float = 0.0
    highest: float | None = None
    warn: Limit = _no_limit
    limit: Limit = _no_limit
    alert: Severity | None = None

    def crossed(self, snapshot: Snapshot) -> bool:
        """True when the newest reading is at or beyond the limit, on the bad side of it."""
        value = self.read(snapshot.status) if snapshot.status else None
        limit = self.limit(snapshot)
        if value is None or limit is None:
            return False
        return value < limit if self.better is Better.HIGH else value >= limit

    def text(self, status: MinerStatus | None) -> str:
        """The number as shown, without its unit; unknown is ``—``."""
        value = self.read(status) if status else None
        return "—" if value is None else f"{value:.{self.digits}f}"


def _below(limit: Limit, by: float) -> Limit:
    """A warning mark ``by`` units under the limit."""

    def warn(snapshot: Snapshot) -> float | None:
        value = limit(snapshot)
        return None if value is None else value - by

    return warn


def _chip_limit(s: Snapshot) -> float | None:
    return s.limits.max_chip_temp_c


def _vr_limit(s: Snapshot) -> float | None:
    return s.limits.max_vr_temp_c


def _power_limit(s: Snapshot) -> float | None:
    return s.limits.max_power_w or (s.status.max_power_w if s.status else None)


def _input_floor(s: Snapshot) -> float | None:
    """5 V supplies must stay above 4800 mV (the reference script's limit), 12 V ones in proportion."""
    nominal = s.status.nominal_input_v if s.status else None
    return None if nominal is None else 0.96 * nominal * 1000


METRICS: tuple[Metric, ...] = (
    Metric("hashrate_ghs", "Hashrate", "GH/s", lambda s: s.hashrate_ghs, 0, Better.HIGH),
    Metric("expected_ghs", "Expected", "GH/s", lambda s: s.expected_ghs, 0, Better.HIGH),
    Metric(
        "ratio_pct", "Of expected", "%", lambda s: None if s.ratio is None else 100 * s.ratio, 1, Better.HIGH, 0, 110
    ),
    Metric("efficiency_jth", "Efficiency", "J/TH", lambda s: s.efficiency_jth, 1, Better.LOW, 0, 60),
    Metric(
        "chip_temp_c",
        "Chip",
        "°C",
        lambda s: s.chip_temp_c,
        1,
        Better.LOW,
        20,
        80,
        _below(_chip_limit, 4),
        _chip_limit,
        Severity.CRITICAL,
    ),
    Metric(
        "chip_temp2_c",
        "Chip 2",
        "°C",
        lambda s: s.chip_temp2_c,
        1,
        Better.LOW,
        20,
        80,
        limit=_chip_limit,
        alert=Severity.CRITICAL,
    ),
    Metric(
        "vr_temp_c",
        "VR",
        "°C",
        lambda s: s.vr_temp_c,
        1,
        Better.LOW,
        20,
        110,
        _below(_vr_limit, 5),
        _vr_limit,
        Severity.CRITICAL,
    ),
    Metric(
        "power_w",
        "Power",
        "W",
        lambda s: s.power_w,
        1,
        Better.LOW,
        0,
        None,
        _below(_power_limit, 2),
        _power_limit,
        Severity.WARNING,
    ),
    Metric("input_mv", "Input", "mV", lambda s: s.input_mv, 0, Better.HIGH, limit=_input_floor, alert=Severity.WARNING),
    Metric("current_ma", "Current", "mA", lambda s: s.current_ma),
    Metric("core_mv", "Core set", "mV", lambda s: s.core_mv, 0, Better.NEITHER, 900, 1400),
    Metric("core_actual_mv", "Core", "mV", lambda s: s.core_actual_mv, 0, Better.NEITHER, 900, 1400),
    Metric("frequency_mhz", "Frequency set", "MHz", lambda s: s.frequency_mhz, 0, Better.NEITHER, 0, 1000),
    Metric("actual_mhz", "Frequency", "MHz", lambda s: s.actual_mhz, 0, Better.NEITHER, 0, 1000),
    Metric("fan_pct", "Fan", "%", lambda s: s.fan_pct, 0, Better.LOW, 0, 100, lambda _: 90.0),
    Metric("fan_rpm", "Fan", "rpm", lambda s: s.fan_rpm),
    Metric("fan2_rpm", "Fan 2", "rpm", lambda s: s.fan2_rpm),
    Metric("error_pct", "Errors", "%", lambda s: s.error_pct, 2, Better.LOW, 0, 3, lambda _: 0.5, lambda _: 1.0),
    Metric(
        "chip_balance_pct",
        "Chip balance",
        "%",
        lambda s: None if s.chip_balance is None else 100 * s.chip_balance,
        0,
        Better.HIGH,
        0,
        100,
    ),
    Metric("shares_accepted", "Accepted", "shares", lambda s: s.shares_accepted, 0, Better.HIGH),
    Metric("shares_rejected", "Rejected", "shares", lambda s: s.shares_rejected, 0, Better.LOW),
    Metric("rejected_pct", "Rejects", "%", lambda s: s.rejected_pct, 2, Better.LOW, 0, 5, lambda _: 1.0, lambda _: 3.0),
    Metric("best_diff", "Best difficulty", "", lambda s: s.best_diff, 0, Better.HIGH),
    Metric("best_session_diff", "Best of session", "", lambda s: s.best_session_diff, 0, Better.HIGH),
    Metric("wifi_rssi_dbm", "Wi-Fi", "dBm", lambda s: s.wifi_rssi_dbm, 0, Better.HIGH, -100, -30, lambda _: -75.0),
    Metric("pool_response_ms", "Pool response", "ms", lambda s: s.pool_response_ms, 0, Better.LOW),
    Metric("uptime_s", "Uptime", "s", lambda s: s.uptime_s),
)

BY_ID = {metric.id: metric for metric in METRICS}
