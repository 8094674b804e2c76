"""Twenty-odd ways to break the safety kernel, each with the test that has to notice it."""

from __future__ import annotations

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """``old`` stands once in ``minertui/safety/<module>.py`` and becomes ``new``; ``test`` has to fail then."""

    name: str
    module: str
    old: str
    new: str
    test: str


_KERNEL, _LIMITS, _SAMPLES, _STEPS = (f"tests/safety/test_{name}.py::test_" for name in
                                      ("kernel", "limits", "samples", "steps"))  # fmt: skip

NAMED: tuple[Fault, ...] = (
    Fault("wrong order", "kernel", "    return tuple(steps)", "    return tuple(reversed(steps))",
          f"{_KERNEL}up_is_voltage_first_in_steps_of_25"),
    Fault("down in the order of up", "kernel", "    if mhz is not None and not goes_up(mhz, status.frequency_mhz):",
          "    if False:", f"{_KERNEL}down_is_frequency_first_and_at_once"),
    Fault("one big step", "kernel", "    rungs = math.ceil((want - have) / step)", "    rungs = 1",
          f"{_KERNEL}up_is_voltage_first_in_steps_of_25"),
    Fault("strangers are written", "kernel", "    if request.snapshot.health is Health.STRANGER:", "    if False:",
          f"{_KERNEL}nothing_is_written_to_strangers_readonly_or_unknown_devices"),
    Fault("read-only is written", "kernel", "    if request.readonly:", "    if False:",
          f"{_KERNEL}nothing_is_written_to_strangers_readonly_or_unknown_devices"),
    Fault("no floor", "kernel", "        if value < least and value != was:", "        if False:",
          f"{_KERNEL}nonsense_is_refused_to_everybody"),
    Fault("NaN is a number", "kernel", "        if not math.isfinite(value):", "        if False:",
          f"{_KERNEL}nonsense_is_refused_to_everybody"),
    Fault("a job lowers blindly", "kernel", "if request.rank in (Rank.SAFETY, Rank.PERSON) or", "if True or",
          f"{_KERNEL}a_job_does_not_lower_blindly"),
    Fault("unknown now is lower", "request", "    return have is None or not want <= have",
          "    return have is not None and not want <= have", f"{_KERNEL}lowers"),
    Fault("no caps, no limit", "raising", "    if caps is None or caps.max_mhz is None or caps.max_mv is None:",
          "    if caps is not None and (caps.max_mhz is None or caps.max_mv is None):",
          f"{_KERNEL}each_gate_alone_stops_a_raise_and_no_lowering"),
    Fault("over the cap", "raising", "not (value is not None and value <= cap)", "False",
          f"{_KERNEL}each_gate_alone_stops_a_raise_and_no_lowering"),
    Fault("raised while parked", "raising", "    _not_parked,\n", "",
          f"{_KERNEL}each_gate_alone_stops_a_raise_and_no_lowering"),
    Fault("raised on old readings", "raising", "    _fresh,\n", "",
          f"{_KERNEL}each_gate_alone_stops_a_raise_and_no_lowering"),
    Fault("raised before it settled", "raising", "    _settled,\n", "",
          f"{_KERNEL}each_gate_alone_stops_a_raise_and_no_lowering"),
    Fault("raised on implausible readings", "raising", "    _plausible,\n", "",
          f"{_KERNEL}each_bad_reading_alone_stops_a_raise_and_no_lowering"),
    Fault("raised while hot", "raising", "    _cool,\n", "",
          f"{_KERNEL}each_bad_reading_alone_stops_a_raise_and_no_lowering"),
    Fault("raised without a journal", "raising", "    _journalled,\n", "",
          f"{_KERNEL}each_gate_alone_stops_a_raise_and_no_lowering"),
    Fault("no budget", "raising", "    _budget,\n", "", f"{_KERNEL}each_gate_alone_stops_a_raise_and_no_lowering"),
    Fault("-1 °C is cool", "samples", "    return (_LOWEST_C if working else -_HIGHEST_C) < value < _HIGHEST_C",
          "    return True", f"{_SAMPLES}temperatures_that_cannot_be"),
    Fault("NaN W is little", "samples", "and not power <= most:", "and power > most:", f"{_SAMPLES}hot"),
    Fault("touching a limit is under it", "samples", "and not value < limit and", "and not value <= limit and",
          f"{_SAMPLES}hot"),
    Fault("future readings are fresh", "samples", "    return 0 <= now_s - snapshot.boot_s <=",
          "    return now_s - snapshot.boot_s <=", f"{_SAMPLES}fresh"),
    Fault("frozen values are believed", "samples", "if self.values_same >= STUCK_POLLS:", "if False:",
          f"{_SAMPLES}ten_equal_readings_are_stuck_nine_are_not"),
    Fault("the user may raise caps", "limits", "    max_mv = _lowest(user.max_mv, model.max_mv, status.cap_mv)",
          "    max_mv = user.max_mv or _lowest(model.max_mv, status.cap_mv)", f"{_LIMITS}the_user_can_only_lower"),
    Fault("a cap of 0 is a cap", "limits", "math.isfinite(v) and v > 0", "math.isfinite(v)",
          f"{_LIMITS}a_nonsense_cap_is_no_cap"),
    Fault("a slow fan is fine", "others", "    if pct is None or not (pct >= least or was_so):", "    if False:",
          f"{_KERNEL}a_fan_that_would_cook_the_miner_is_refused"),
    Fault("restarts without end", "others", "    if repairs and recent(", "    if False and recent(",
          f"{_KERNEL}repairs_end_in_a_park"),
    Fault("a stored value is an effect", "steps", "        return status.core_actual_mv >= tune.core_mv -",
          "        return True or status.core_actual_mv >= tune.core_mv -", f"{_STEPS}effect"),
)  # fmt: skip
