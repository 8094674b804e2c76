"""One reading of one device. Unknown is None, never 0; units are in the names.

A status says what the device said, cleaned (``text.clean``) and in one unit, whatever its firmware called the field.
Judging it (fresh? plausible? too hot?) is the business of ``safety`` and ``metrics``.
"""

from __future__ import annotations

import enum

import msgspec


class Ability(enum.StrEnum):
    """What a device can be told, found by the presence of fields and never by comparing versions."""

    TUNE = "tune"  # frequency and core voltage take effect
    TUNE_LIVE = "tune-live"  # ... without a restart (AxeOS >= 2.2)
    FAN = "fan"
    FAN_TARGET = "fan-target"  # automatic fan towards a target temperature
    POOLS = "pools"
    RESTART = "restart"
    PAUSE = "pause"  # pause and resume (AxeOS >= 2.14)
    IDENTIFY = "identify"
    LOG = "log"  # log stream over a websocket
    STATISTICS = "statistics"  # own history for back-fill (AxeOS >= 2.8)
    TUNE_FRACTION = "tune-fraction"  # stores fractions of a MHz (AxeOS >= 2.10)
    FAN_MIN = "fan-min"  # has a lowest speed for the automatic fan (AxeOS >= 2.10)
    FAN_SETPOINT = "fan-setpoint"  # tells the manual speed wanted apart from the speed reached (AxeOS >= 2.11)
    POOL_SLOTS = "pool-slots"  # pools are numbered slots, written whole (AxeOS >= 2.15)


class ChipStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """One ASIC on the board, as the hashrate monitor of AxeOS >= 2.11 reports it."""

    hashrate_ghs: float | None = None
    errors: int | None = None
    domains_ghs: tuple[float, ...] = ()
    temp_c: float | None = None


class RejectReason(msgspec.Struct, frozen=True):
    """Why shares were rejected, in the pool's words (cleaned)."""

    reason: str
    count: int


class PoolSetting(msgspec.Struct, frozen=True, omit_defaults=True):
    """A pool as stored in the miner. ``extra`` keeps the slot's other members as the miner spells them, because an
    AxeOS 2.15 slot write replaces the whole record."""

    url: str
    port: int
    user: str
    password: str | None = None  # None: keep the stored one
    tls: int | None = None
    protocol: str | None = None
    slot: int | None = None
    extra: dict[str, str | int | float | bool] = {}


class MinerStatus(msgspec.Struct, frozen=True, omit_defaults=True, tag="miner"):
    """One reading of a hashing device with chips, a fan and a supply (AxeOS family)."""

    # identity
    mac: str | None = None  # upper case, colon separated; None before AxeOS 2.3
    hostname: str | None = None
    family: str = "bitaxe"  # "bitaxe" or "nerdqaxe": they spell writes differently
    model: str | None = None  # "Gamma", "NerdQAxe++", …
    board: str | None = None
    chip: str | None = None  # "BM1370"
    chip_count: int | None = None
    small_cores: int | None = None  # per chip
    firmware: str | None = None
    abilities: frozenset[Ability] = frozenset()

    # work
    hashrate_ghs: float | None = None
    hashrate_1m_ghs: float | None = None
    hashrate_10m_ghs: float | None = None
    hashrate_1h_ghs: float | None = None
    expected_ghs: float | None = None
    error_pct: float | None = None
    chips: tuple[ChipStatus, ...] = ()
    total_hashes: float | None = None

    # electricity
    power_w: float | None = None
    max_power_w: float | None = None
    input_mv: float | None = None
    nominal_input_v: float | None = None  # 5 or 12
    current_ma: float | None = None
    core_mv: float | None = None  # wanted
    core_actual_mv: float | None = None
    frequency_mhz: float | None = None  # wanted
    actual_mhz: float | None = None  # reached by the PLL (AxeOS >= 2.14)
    cap_mhz: float | None = None  # absolute maxima, where the device publishes them (NerdQAxe)
    cap_mv: float | None = None
    default_mhz: float | None = None
    default_mv: float | None = None

    # heat
    chip_temp_c: float | None = None  # the hotter sensor
    chip_temp2_c: float | None = None  # the other one, where there are two
    vr_temp_c: float | None = None
    fan_pct: float | None = None
    fan_rpm: float | None = None
    fan2_rpm: float | None = None
    fan_auto: bool | None = None
    fan_manual_pct: float | None = None
    fan_min_pct: float | None = None
    temp_target_c: float | None = None

    # shares and pool
    shares_accepted: int | None = None
    shares_rejected: int | None = None
    shares_pending: int | None = None
    reject_reasons: tuple[RejectReason, ...] = ()
    best_diff: float | None = None
    best_session_diff: float | None = None
    pool_diff: float | None = None
    pool_url: str | None = None  # the one in use
    pool_port: int | None = None
    pool_user: str | None = None
    on_fallback_pool: bool | None = None
    pool_response_ms: float | None = None
    pools: tuple[PoolSetting, ...] = ()

    # state
    uptime_s: float | None = None
    paused: bool | None = None
    overheat: bool | None = None
    power_fault: str | None = None
    hardware_fault: str | None = None
    reset_reason: str | None = None
    wifi_rssi_dbm: float | None = None
    wifi_status: str | None = None
    ip: str | None = None

    @property
    def efficiency_jth(self) -> float | None:
        """J/TH of this moment: power divided by hashrate; None without both or at 0 GH/s."""
        if self.power_w is None or not self.hashrate_ghs:
            return None
        return self.power_w / (self.hashrate_ghs / 1000)

    @property
    def ratio(self) -> float | None:
        """Hashrate as a share of the expected one; may exceed 1 (measured up to 1.10), so it is not clipped."""
        if self.hashrate_ghs is None or not self.expected_ghs:
            return None
        return self.hashrate_ghs / self.expected_ghs

    @property
    def rejected_pct(self) -> float | None:
        """Rejected shares in per cent of all answered shares; None before the first answer."""
        answered = (self.shares_accepted or 0) + (self.shares_rejected or 0)
        return 100 * (self.shares_rejected or 0) / answered if answered else None

    @property
    def chip_balance(self) -> float | None:
        """Hashrate of the weakest chip divided by the mean of all chips (1 = even, 0 = one is silent); None with
        fewer than two reporting chips."""
        rates = [c.hashrate_ghs for c in self.chips if c.hashrate_ghs is not None]
        mean = sum(rates) / len(rates) if len(rates) > 1 else 0.0
        return min(rates) / mean if mean > 0 else None


Status = MinerStatus
