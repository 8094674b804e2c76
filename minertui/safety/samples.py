"""Is a reading fit to act on, and what does it tell? Pure judgements of readings; time comes in.

The order in which to ask:  fresh → problems (and Stuck, over time) → incident, rebooted (against the one before) → hot.
Everything is written so that NaN fails: a comparison that must hold to be safe is asked as "holds", never as "not
broken".
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from minertui.model.commands import Tune
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import Limits
from minertui.model.status import MinerStatus
from minertui.safety.limits import supply_window_mv
from minertui.safety.settings import SAME, Settings, same

FRESH_FLOOR_S = 5.0
JUMP_C = 15.0
STUCK_POLLS = 10
UNCOUNTED_ANSWERS = 2
"""So many polls with new shares and no new hashes prove that the counter does not count; one may be the miner's last
share before it froze."""
FAULT_CODES_C = frozenset({127.0, 127.875, 255.0})
"""What firmware tells for a sensor that is broken off, short-circuited or not there (ESP-Miner main/thermal/EMC2101.c).
They are numbers of no heat; others as high may be."""
_SENTINELS_C = (-1.0, 0.0)  # others of dead sensors, the fault codes, are over the highest that is believed
_HIGHEST_C, _LOWEST_C = 120.0, 5.0
_CORE_OFF_MV = 200.0  # no chip's voltage, and more than what is left on a regulator that is off


def fresh(snapshot: Snapshot, now_s: float) -> bool:
    """May a raise be based on this reading? ``current``, and its health is OK: not parked either."""
    return snapshot.health is Health.OK and current(snapshot, now_s)


def current(snapshot: Snapshot, now_s: float) -> bool:
    """Is it the newest and not older than two polls (at least 5 s) on the boot-time clock, which goes on in suspend?
    A reading from the future (clock of another boot) is not. Of a miner that repeats itself it may be."""
    if not snapshot.answered or snapshot.boot_s is None:
        return False
    return 0 <= now_s - snapshot.boot_s <= max(2 * snapshot.poll_s, FRESH_FLOOR_S)


def hashing(status: MinerStatus) -> bool:
    """True when it says that it hashes."""
    return status.paused is not True and status.hashrate_ghs is not None and status.hashrate_ghs > 0


def valid_temp(value: float | None, *, working: bool = True) -> bool:
    """A temperature that can be true: finite, no known sentinel of a dead sensor (−1, 0, 127, 255), under 120 °C, and
    over 5 °C while the chip works (ESP-Miner #680, #1186, #78; bitaxeGamma #41)."""
    if value is None or not math.isfinite(value) or value in _SENTINELS_C:
        return False
    return (_LOWEST_C if working else -_HIGHEST_C) < value < _HIGHEST_C


def scorches(value: float | None) -> bool:
    """True for a number that no sensor should show, and that may be heat all the same: 120 °C or more. Nothing is
    raised on it, and it is over every limit."""
    return value is not None and math.isfinite(value) and value >= _HIGHEST_C and value not in FAULT_CODES_C


def dark(status: MinerStatus) -> str:
    """Whose temperature cannot be believed while it works: ``chip``, or where the board has such a sensor ``second
    chip`` or ``regulator``; empty when all can."""
    return next((name for name, _ in _dark(status, working=True)), "")


def problems(status: MinerStatus, before: MinerStatus | None = None) -> tuple[str, ...]:
    """What speaks against believing this reading, each in words; empty when it is plausible.

    A chip temperature that jumped by more than 15 °C since ``before`` is doubted until a second sample confirms it.
    """
    found = [f"{name} is not a number" for name, value in _numbers(status) if not math.isfinite(value)]
    found += [f"{name} temperature is {_say(value)}" for name, value in _dark(status, working=hashing(status))]
    for name, value in (("hashrate", status.hashrate_ghs), ("power", status.power_w), ("uptime", status.uptime_s)):
        if value is not None and value < 0:
            found.append(f"{name} is {value:g}")
    if before is not None and _jumped(before.chip_temp_c, status.chip_temp_c):
        found.append(f"chip temperature jumped from {_say(before.chip_temp_c)} to {_say(status.chip_temp_c)}")
    return tuple(found)


class Stuck(msgspec.Struct, frozen=True):
    """How long a miner has repeated itself (ESP-Miner #1053: values frozen while it looked healthy).

    ``after`` takes every poll's reading once; ``why`` is a sentence from the tenth poll on. Start with ``Stuck()``.
    A counter of hashes that stands still while shares are answered counts nothing (firmware without it, or a clone
    that fills the field once): it is no evidence until it moves.
    """

    values: tuple[float | None, ...] = ()
    values_same: int = 0
    counter: float | None = None
    counter_same: int = 0
    uptime_s: float | None = None
    uptime_same: int = 0
    answered: int = 0
    answers_uncounted: int = 0

    def after(self, status: MinerStatus) -> Stuck:
        """The state after one more poll; a miner that does not hash starts anew."""
        if not hashing(status):
            return Stuck()
        values = (status.chip_temp_c, status.power_w, status.hashrate_ghs)
        counter_same = _repeats(self.counter, status.total_hashes, self.counter_same)
        answered = (status.shares_accepted or 0) + (status.shares_rejected or 0)
        return Stuck(
            values,
            self.values_same + 1 if None not in values and values == self.values else 1,
            status.total_hashes,
            counter_same,
            status.uptime_s,
            _repeats(self.uptime_s, status.uptime_s, self.uptime_same),
            answered,
            self.answers_uncounted + (answered > self.answered) if counter_same > 1 else 0,
        )

    @property
    def why(self) -> str | None:
        """What stands still; None while all moves."""
        if self.values_same >= STUCK_POLLS:
            return f"temperature, power and hashrate have not moved for {self.values_same} polls"
        if self.counter_same >= STUCK_POLLS and self.answers_uncounted < UNCOUNTED_ANSWERS:
            return f"it says that it hashes, but its counter of hashes has not moved for {self.counter_same} polls"
        if self.uptime_same >= STUCK_POLLS:
            return f"its uptime has not moved for {self.uptime_same} polls"
        return None


def stuck(history: Iterable[MinerStatus]) -> str | None:
    """The same over a history, oldest first: a sentence when the newest readings repeat, else None."""
    state = Stuck()
    for status in history:
        state = state.after(status)
    return state.why


def hot(status: MinerStatus, limits: Limits, *, raised: bool = True) -> str | None:
    """Which limit is crossed, as a sentence without a full stop; None when all is under them.

    With ``raised`` (the miner may be driven above its baseline) an invalid temperature of a hashing miner counts as
    hot; what ``scorches`` always does. Touching a temperature limit counts as crossing it. The supply's window counts
    too: a sagging supply is load.
    """
    working = hashing(status)
    for name, value, limit in _limited(status, limits):
        if value is None and name != "chip":
            continue
        if raised and working and not valid_temp(value):
            return f"{name} temperature is {_say(value)}, which counts as hot"
        believed = valid_temp(value) or scorches(value)
        if value is not None and limit is not None and not value < limit and believed:
            return f"{name} temperature {value:g} °C has reached {limit:g} °C"
    return overloaded(status, limits) or _supply(status)


def overloaded(status: MinerStatus, limits: Limits) -> str | None:
    """That it draws more than the limit, as a sentence; None when it does not, or nobody knows."""
    power, most = status.power_w, limits.max_power_w
    if power is not None and most is not None and not power <= most:
        return f"power {power:.4g} W is above {most:g} W"
    return None


def starved(status: MinerStatus) -> str | None:
    """What says that its supply gives too little for this load, as a sentence: a fault that the board reports, or an
    input voltage under the supply's window. None when nothing does. Too much is no reason for less load."""
    fault = status.power_fault or status.hardware_fault
    if fault:
        return f"the board reports: {fault}"
    window = supply_window_mv(status)
    if window is None or status.input_mv is None or not status.input_mv < window[0]:
        return None
    return f"input voltage {status.input_mv:g} mV is under {window[0]:g} mV"


def incident(before: MinerStatus, after: MinerStatus, our_last_write: Tune | Settings | None = None) -> str | None:
    """What happened to the miner by nobody's order, as a sentence; None: nothing seen: ``overheated``, or a new power
    or hardware fault."""
    fault = after.power_fault or after.hardware_fault
    if fault and fault not in (before.power_fault, before.hardware_fault):
        return f"the firmware reports a fault: {fault}"
    return overheated(before, after, our_last_write)


def overheated(before: MinerStatus, after: MinerStatus, our_last_write: Tune | Settings | None = None) -> str | None:
    """Which sign there is that the firmware's overheat handling acted, as a sentence.

    None of them is sure to show (ESP-Miner main/tasks/power_management_task.c): the flag; −100 MHz and −100 mV;
    50 MHz / 1000 mV; fan manual 100 % by nobody; no temperature and no hashrate with the fan at full speed, unless it
    has just started. The NerdQAxe family tells nothing at all: its core has no voltage any more.
    """
    if after.overheat and not before.overheat:
        return "the firmware reports overheating"
    ours = _as_settings(our_last_write)
    settings = _rewritten(before, after, ours) or _fan_taken(before, after, ours)
    return settings or _cut_off(before, after) or _switched_off(before, after)


def core_off(status: MinerStatus) -> bool:
    """True when a NerdQAxe board's regulator gives the core nothing although it is not shut down: its firmware switched
    it off on overheating or a supply fault, tells neither, and leaves it off until a restart (ESP-Miner-NerdQAxePlus
    main/tasks/power_management_task.cpp)."""
    told, real = status.core_mv, status.core_actual_mv
    if status.family != "nerdqaxe" or status.paused or told is None or real is None:
        return False
    return real < _CORE_OFF_MV < told


def rebooted(before: MinerStatus, after: MinerStatus) -> bool:
    """True when its uptime went back: a new session, whatever was being measured."""
    return before.uptime_s is not None and after.uptime_s is not None and after.uptime_s < before.uptime_s


def _numbers(status: MinerStatus) -> Iterable[tuple[str, float]]:
    for name in status.__struct_fields__:
        value = getattr(status, name)
        if isinstance(value, float):
            yield name, value


def _dark(status: MinerStatus, *, working: bool) -> Iterable[tuple[str, float | None]]:
    for name, value, _ in _limited(status, Limits()):
        if (name == "chip" or value is not None) and not valid_temp(value, working=working):
            yield name, value


def _say(value: float | None) -> str:
    return "missing" if value is None else f"{value:g} °C"


def _jumped(before: float | None, now: float | None) -> bool:
    return valid_temp(before) and valid_temp(now) and not same(before, now, JUMP_C)


def _repeats(before: float | None, now: float | None, count: int) -> int:
    if now is None:
        return 0
    return count + 1 if now == before else 1


def _limited(status: MinerStatus, limits: Limits) -> Iterable[tuple[str, float | None, float | None]]:
    yield "chip", status.chip_temp_c, limits.max_chip_temp_c
    yield "second chip", status.chip_temp2_c, limits.max_chip_temp_c
    yield "regulator", status.vr_temp_c, limits.max_vr_temp_c


def _supply(status: MinerStatus) -> str | None:
    window = supply_window_mv(status)
    if window is None or status.input_mv is None or window[0] <= status.input_mv <= window[1]:
        return None
    return f"input voltage {status.input_mv:g} mV is outside {window[0]:g}..{window[1]:g} mV"


def _as_settings(write: Tune | Settings | None) -> Settings:
    if isinstance(write, Tune):
        return Settings(frequency_mhz=write.frequency_mhz, core_mv=write.core_mv)
    return write or Settings()


def _rewritten(before: MinerStatus, after: MinerStatus, ours: Settings) -> str | None:
    was, now = Settings.of(before), Settings.of(after)
    if was.frequency_mhz is None or was.core_mv is None or was.same_tune(now):
        return None
    if same(now.frequency_mhz, ours.frequency_mhz, SAME) or same(now.core_mv, ours.core_mv, SAME):
        return None
    less = Settings(frequency_mhz=was.frequency_mhz - 100, core_mv=was.core_mv - 100)
    if now.same_tune(less) or now.same_tune(Settings(50.0, 1000)) or now.same_tune(Settings(400.0, 1000)):
        return f"the firmware's overheat handling went from {was.tune_text} to {now.tune_text}"
    return None


def _fan_taken(before: MinerStatus, after: MinerStatus, ours: Settings) -> str | None:
    taken = before.fan_auto is True and after.fan_auto is False and after.fan_manual_pct == 100
    if taken and ours.fan_auto is not False:
        return "the fan went to manual 100 % by nobody's order, as the firmware does on overheating"
    return None


def _cut_off(before: MinerStatus, after: MinerStatus) -> str | None:
    silent = after.paused is not True and after.hashrate_ghs == 0 and before.hashrate_ghs != 0
    blind = valid_temp(before.chip_temp_c) and not valid_temp(after.chip_temp_c)
    if silent and blind and after.fan_pct is not None and after.fan_pct >= 100 and not rebooted(before, after):
        return "the chip has lost power while the fan runs at full speed, as the firmware does on overheating"
    return None


def _switched_off(before: MinerStatus, after: MinerStatus) -> str | None:
    less = before.power_w is None or after.power_w is None or after.power_w < before.power_w / 2
    if not core_off(after) or core_off(before) or before.paused or rebooted(before, after) or not less:
        return None
    return "the core was switched off by nobody's order, as the firmware does on overheating or a supply fault"
