"""What a miner is set to, apart from what it does: the baseline of a journal entry, and the last thing we wrote."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from minertui.model.commands import Change, Command, SetFan, Tune
from minertui.model.status import MinerStatus

Value = TypeVar("Value", int, float)
SAME = 0.51
"""Firmware rounds to whole MHz, mV and per cent in some releases."""


class Settings(msgspec.Struct, frozen=True, omit_defaults=True):
    """Frequency (MHz), core voltage (mV) and fan mode as stored in a miner; None: not known, or never touched."""

    frequency_mhz: float | None = None
    core_mv: float | None = None
    fan_auto: bool | None = None
    fan_pct: float | None = None
    fan_target_c: float | None = None
    fan_min_pct: float | None = None

    @classmethod
    def of(cls, status: MinerStatus) -> Settings:
        """What this reading says is stored in the miner."""
        return cls(
            frequency_mhz=status.frequency_mhz,
            core_mv=status.core_mv,
            fan_auto=status.fan_auto,
            fan_pct=status.fan_manual_pct,
            fan_target_c=status.temp_target_c,
            fan_min_pct=status.fan_min_pct,
        )

    def wrote(self, command: Command) -> Settings:
        """These settings after ``command`` was stored."""
        if isinstance(command, Tune):
            tune = lowering(command, self.frequency_mhz, self.core_mv)
            return msgspec.structs.replace(
                self,
                frequency_mhz=self.frequency_mhz if tune.frequency_mhz is None else tune.frequency_mhz,
                core_mv=self.core_mv if tune.core_mv is None else tune.core_mv,
            )
        if isinstance(command, SetFan):
            return msgspec.structs.replace(
                self,
                fan_auto=self.fan_auto if command.auto is None else command.auto,
                fan_pct=self.fan_pct if command.pct is None else command.pct,
                fan_target_c=self.fan_target_c if command.target_c is None else command.target_c,
                fan_min_pct=self.fan_min_pct if command.min_pct is None else command.min_pct,
            )
        return self

    def same_tune(self, other: Settings) -> bool:
        """Frequency and voltage are the same, within what firmware rounds. Unknown equals only unknown."""
        return same(self.frequency_mhz, other.frequency_mhz, SAME) and same(self.core_mv, other.core_mv, SAME)

    def nowhere_above(self, other: Settings) -> bool:
        """True when neither frequency nor voltage is higher than in ``other``; False when that is not known."""
        pairs = ((self.frequency_mhz, other.frequency_mhz, SAME), (self.core_mv, other.core_mv, SAME))
        return all(mine is not None and theirs is not None and mine <= theirs + by for mine, theirs, by in pairs)

    @property
    def tune_text(self) -> str:
        """``525 MHz / 1150 mV``."""
        return f"{number(self.frequency_mhz)} MHz / {number(self.core_mv)} mV"


def lowering(tune: Tune, mhz: float | None, mv: float | None) -> Tune:
    """Of an order that only lowers, what lowers a miner at ``mhz`` and ``mv``; every other as it is."""
    if not tune.at_most:
        return tune
    return Tune(_under(tune.frequency_mhz, mhz), _under(tune.core_mv, mv), at_most=True)


def _under(want: Value | None, have: float | None) -> Value | None:
    return None if want is not None and have is not None and want >= have else want


def same(a: float | None, b: float | None, within: float) -> bool:
    """Equal within a tolerance; None equals only None, and NaN equals nothing."""
    if a is None or b is None:
        return a is b
    return abs(a - b) <= within


def number(value: float | None) -> str:
    """A number without needless decimals; unknown is ``—``."""
    return "—" if value is None else f"{value:g}"


def changes(before: Settings, after: Settings) -> tuple[Change, ...]:
    """What differs, with units, in the order frequency, voltage, fan."""
    rows = (
        ("frequency", before.frequency_mhz, after.frequency_mhz, "MHz"),
        ("core voltage", before.core_mv, after.core_mv, "mV"),
        ("fan", _mode(before.fan_auto), _mode(after.fan_auto), ""),
        ("fan speed", before.fan_pct, after.fan_pct, "%"),
        ("fan target", before.fan_target_c, after.fan_target_c, "°C"),
        ("fan minimum", before.fan_min_pct, after.fan_min_pct, "%"),
    )
    return tuple(Change(name, _text(a, unit), _text(b, unit)) for name, a, b, unit in rows if a != b)


def _mode(auto: bool | None) -> str | None:
    return None if auto is None else "automatic" if auto else "manual"


def _text(value: float | str | None, unit: str) -> str:
    if isinstance(value, str):
        return value
    return f"{number(value)} {unit}"
