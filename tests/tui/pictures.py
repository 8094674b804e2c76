"""Made-up fleets to draw: empty, normal, error and hostile. Everything is fixed: the same picture on every machine."""

from __future__ import annotations

import math

import msgspec

from minertui.model.alerts import Alert, Severity
from minertui.model.commands import (
    Change,
    CommandRecord,
    Order,
    Outcome,
    OutcomeState,
    Restart,
    SetFan,
    SetPools,
    Tune,
)
from minertui.model.events import LogLine
from minertui.model.fleet import Fleet, Health, Snapshot
from minertui.model.history import MinerEntry, Series
from minertui.model.plans import (
    Goal,
    GuardPlan,
    GuardView,
    JobState,
    Limits,
    Phase,
    PointVerdict,
    Strategy,
    SweepPlan,
    SweepPoint,
    SweepRecord,
    SweepSample,
    SweepView,
)
from minertui.model.status import Ability, ChipStatus, MinerStatus, PoolSetting, RejectReason

NOW_S = 1_763_640_000.0  # 2025-11-20 12:00:00 UTC
ALL_ABILITIES = frozenset(Ability)

# From the measured terminal attacks: markup that crashes or runs actions, escapes, bidi, wide and combining text.
PAYLOADS: tuple[str, ...] = (
    "[/nope] rig",
    "[/",
    "pool [::1]:3333 said [/]",
    "[link=http://evil]x[/link]",
    "[@click=app.quit]x[/]",
    "[b +",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]52;c;ZXZpbA==\x1b\\",
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[H",
    "\x1bP$q\x1b\\",
    "\x9b31mred",
    "\u202egnp.exe",
    "a" + "\u0301" * 40,
    "漢字" * 40,
    "x" * 4000,
    "line\nbreak\r\ttab",
    "\u2028sep\u2029",
    "$(reboot) `id` %s {0} {{}}",
)

_NAMES = (
    "attic-1", "attic-2", "attic-3", "cellar-1", "cellar-2", "garage-1", "garage-2", "lab-duo", "lab-gamma", "office",
    "shed-1", "shed-2",
)  # fmt: skip
_MODELS = (("Gamma", "BM1370", 1, 12, 1), ("Supra", "BM1368", 1, 5, 1), ("NerdQAxe++", "BM1370", 4, 12, 4))


def miner_status(n: int) -> MinerStatus:
    """A healthy reading; ``n`` only makes it differ from the others."""
    model, chip, chips, volts, factor = _MODELS[n % 3]
    mhz, mv = 525.0 + 5 * (n % 6), 1150.0 + 5 * (n % 5)
    expected = mhz * 2.04 * factor
    hashrate = expected * (0.97 + 0.01 * (n % 5))
    power = (15.5 + 0.4 * n) * factor
    return MinerStatus(
        mac=f"AA:BB:CC:00:00:{n:02X}",
        hostname=f"bitaxe{n}",
        model=model,
        board="601",
        chip=chip,
        chip_count=chips,
        small_cores=2040,
        firmware="v2.11.0",
        abilities=ALL_ABILITIES,
        hashrate_ghs=hashrate,
        hashrate_1m_ghs=hashrate * 0.99,
        hashrate_10m_ghs=hashrate * 1.01,
        hashrate_1h_ghs=expected,
        expected_ghs=expected,
        error_pct=0.05 * (n % 7),
        chips=tuple(
            ChipStatus(hashrate_ghs=hashrate / chips * (0.96 + 0.03 * c), errors=c * 3, temp_c=55.0 + c)
            for c in range(chips)
        ),
        power_w=power,
        max_power_w=40.0 * factor,
        input_mv=5080.0 if volts == 5 else 12_040.0,
        nominal_input_v=float(volts),
        current_ma=power / volts * 1000,
        core_mv=mv,
        core_actual_mv=mv - 12,
        frequency_mhz=mhz,
        actual_mhz=mhz,
        default_mhz=525.0,
        default_mv=1150.0,
        chip_temp_c=52.0 + n,
        vr_temp_c=58.0 + n,
        fan_pct=35.0 + 4 * n,
        fan_rpm=3000.0 + 200 * n,
        fan_auto=True,
        fan_min_pct=25.0,
        temp_target_c=60.0,
        shares_accepted=12_000 + 731 * n,
        shares_rejected=12 + 5 * n,
        reject_reasons=(RejectReason("Above target", 9), RejectReason("Stale", 3 + n)),
        best_diff=4.29e9 + n * 1e9,
        best_session_diff=2.1e8,
        pool_diff=4096.0,
        pool_url="pool.example.org",
        pool_port=3333,
        pool_user="bc1qexampleexampleexampleexample.worker",
        on_fallback_pool=False,
        pool_response_ms=34.0,
        pools=(
            PoolSetting("pool.example.org", 3333, "bc1qexampleexampleexampleexample.worker", slot=0),
            PoolSetting("backup.example.net", 4444, "bc1qexampleexampleexampleexample.spare", slot=1),
        ),
        uptime_s=86_400.0 * (n + 1) + 4321,
        paused=False,
        overheat=False,
        reset_reason="Power on",
        wifi_rssi_dbm=-52.0 - n,
        wifi_status="Connected!",
        ip=f"192.168.1.{40 + n}",
    )


def snapshot(n: int) -> Snapshot:
    """A healthy device."""
    status = miner_status(n)
    rate = status.hashrate_ghs or 0.0
    return Snapshot(
        device=_NAMES[n],
        address=f"192.168.1.{40 + n}",
        tags=(_NAMES[n].partition("-")[0],),
        pinned=n in (0, 8),
        status=status,
        at_s=NOW_S - 1 - n % 4,
        boot_s=1000.0,
        health=Health.OK,
        since_s=NOW_S - 7200,
        limits=Limits(max_chip_temp_c=70, max_vr_temp_c=85, max_power_w=40 * _MODELS[n % 3][4]),
        recent_ghs=tuple(rate * (1 + 0.05 * math.sin(n + i / 4)) for i in range(60)),
    )


def sweep_plan(device: str) -> SweepPlan:
    """What runs in the normal picture."""
    return SweepPlan(
        device=device, strategy=Strategy.GRID, goal=Goal.EFFICIENCY, start_mhz=500, start_mv=1100, min_mhz=500,
        max_mhz=600, step_mhz=25, step_mv=25, min_mv=1100, max_mv=1200,
    )  # fmt: skip


def sweep_points(count: int = 11) -> tuple[SweepPoint, ...]:
    """Points of a walk: three voltages by five frequencies, some that did not pass."""
    points = []
    for n in range(count):
        mhz, mv = 500 + 25 * (n % 5), 1100 + 25 * (n // 5)
        expected = mhz * 2.04
        verdict = PointVerdict.PASSED
        if mhz > 525 + 25 * (n // 5):
            verdict = PointVerdict.UNSTABLE if n % 2 else PointVerdict.LIMIT
        power = 10 + (mhz - 400) * 0.03 + (mv - 1000) * 0.02
        points.append(
            SweepPoint(
                n=n + 1, mhz=mhz, mv=mv, verdict=verdict,
                reason="" if verdict is PointVerdict.PASSED else "hashrate 91 %",
                hashrate_ghs=expected * (0.98 if verdict is PointVerdict.PASSED else 0.91), expected_ghs=expected,
                power_w=power, efficiency_jth=power / expected * 1000, chip_temp_c=50 + n, vr_temp_c=55 + n,
                input_mv=5050, fan_pct=50, error_pct=0.1 * n, chip_balance=0.97, hashrate_sd_ghs=12.5, samples=40,
                at_s=NOW_S - 600 * (count - n),
            )
        )  # fmt: skip
    return tuple(points)


def running_sweep(device: str) -> JobState:
    """A sweep in the middle of its walk."""
    points = sweep_points()
    view = SweepView(
        plan=sweep_plan(device), sweep_id="s1", points=points, at_mhz=525, at_mv=1150, best=points[6],
        sample=SweepSample(at_s=NOW_S - 3, n=12, mhz=525, mv=1150, index=14, of=40, hashrate_ghs=1050.0,
                           chip_temp_c=57.2, vr_temp_c=61.0, power_w=17.1, input_mv=5042, error_pct=0.2, fan_pct=48),
        baseline_mhz=525, baseline_mv=1150,
    )  # fmt: skip
    return JobState(
        id=f"sweep:{device}", device=device, phase=Phase.RUNNING, view=view, note="525 MHz 1150 mV: measuring",
        done=11, total=15, left_s=2760, since_s=NOW_S - 6900,
    )  # fmt: skip


def running_guard(device: str) -> JobState:
    """A guard that stepped down a while ago."""
    view = GuardView(
        plan=GuardPlan(device=device, high_mhz=575), wanted_mhz=525, mean_temp_c=63.4, writes_today=3,
        why="chip 66 °C over 65 °C: 575 → 525 MHz",
    )  # fmt: skip
    return JobState(
        id=f"guard:{device}", device=device, phase=Phase.RUNNING, view=view, note="holding 525 MHz",
        since_s=NOW_S - 90_000,
    )  # fmt: skip


def empty() -> Fleet:
    """A new install: the engine runs and knows no miner."""
    return Fleet(version=1, at_s=NOW_S, engine="0.1.0")


def normal() -> Fleet:
    """Twelve miners at work, a sweep, a guard, two alerts (one acknowledged)."""
    fleet = Fleet(version=40, at_s=NOW_S, engine="0.1.0")
    for n in range(12):
        fleet = fleet.with_(snapshot(n))
    fleet = fleet.with_job(running_sweep("lab-gamma")).with_job(running_guard("cellar-1"))
    return fleet.with_alert(
        Alert("hashrate-drop:shed-2", "hashrate-drop", "shed-2", Severity.WARNING,
              "hashrate 24 % under expected for 10 min", NOW_S - 1500, count=2)
    ).with_alert(
        Alert("best-diff:attic-1", "best-diff", "attic-1", Severity.INFO, "new best difficulty 4.29 G", NOW_S - 8000,
              until_s=NOW_S - 8000, acknowledged=True)
    )  # fmt: skip


def error() -> Fleet:
    """Trouble of every sort: lost, stale, refused, stranger, parked, hot, paused, never seen."""
    fleet = normal()
    at = {name: fleet.snapshots[name] for name in fleet.snapshots}
    change = msgspec.structs.replace
    hot = change(at["cellar-1"].status or MinerStatus(), chip_temp_c=71.5, vr_temp_c=88.0, overheat=True)
    bad = [
        change(at["attic-1"], health=Health.LOST, why="no answer to three polls in a row", misses=41,
               at_s=NOW_S - 3700, since_s=NOW_S - 3690),
        change(at["attic-2"], health=Health.STALE, why="the last poll got an empty answer", misses=1, at_s=NOW_S - 47,
               since_s=NOW_S - 42),
        change(at["attic-3"], health=Health.AUTH, why="it answers 401: a password is set", status=None, at_s=None,
               recent_ghs=()),
        change(at["cellar-1"], status=hot, incidents=2),
        change(at["garage-1"], health=Health.PARKED, why="overheated three times in an hour", since_s=NOW_S - 600),
        change(at["garage-2"], health=Health.STRANGER, why="MAC AA:BB:CC:99:99:99 answers here"),
        change(at["office"], health=Health.UNKNOWN, status=None, at_s=None, recent_ghs=()),
        change(at["shed-1"], status=MinerStatus(firmware="v2.0.0", hashrate_ghs=431.2)),
    ]  # fmt: skip
    for one in bad:
        fleet = fleet.with_(one)
    fleet = fleet.with_alert(
        Alert("overheat:cellar-1", "overheat", "cellar-1", Severity.CRITICAL, "chip 71.5 °C over its limit 70 °C",
              NOW_S - 95)
    ).with_alert(
        Alert("lost:attic-1", "lost", "attic-1", Severity.CRITICAL, "no answer since 10:58", NOW_S - 3690)
    )  # fmt: skip
    job = change(running_sweep("garage-1"), phase=Phase.PARKED, note="the baseline could not be proven")
    return change(fleet.with_job(job), notice="config.toml:14: miner[3].poll_s: must be 2..3600; the old config stays")


def hostile() -> Fleet:
    """Every text of every device is an attack."""
    fleet = Fleet(version=7, at_s=NOW_S, engine="0.1.0", notice=PAYLOADS[6] + PAYLOADS[0])
    for n, text in enumerate(PAYLOADS[:12]):
        status = msgspec.structs.replace(
            miner_status(n), hostname=text, model=text, board=text, chip=text, firmware=text, pool_url=text,
            pool_user=text, reject_reasons=tuple(RejectReason(p, 1) for p in PAYLOADS), reset_reason=text,
            wifi_status=text, power_fault=text, hardware_fault=text, ip=text,
            pools=(PoolSetting(text, 1, text, protocol=text),),
        )  # fmt: skip
        fleet = fleet.with_(
            msgspec.structs.replace(
                snapshot(n), device=text, address=text, tags=(text, PAYLOADS[-1 - n % 7]), status=status, why=text,
                health=(Health.OK, Health.STALE, Health.LOST)[n % 3],
            )
        ).with_alert(Alert(f"x:{text}", text, text, Severity.CRITICAL, text, NOW_S - 60))  # fmt: skip
    first = PAYLOADS[0]
    return fleet.with_job(msgspec.structs.replace(running_sweep(first), note=PAYLOADS[7])).with_job(
        msgspec.structs.replace(running_guard(PAYLOADS[1]), note=PAYLOADS[4])
    )


def records(fleet: Fleet) -> tuple[CommandRecord, ...]:
    """A command log that fits the fleet, newest first."""
    names = list(fleet.snapshots) or ["gone"]
    one, two, last = names[0], names[len(names) // 2], names[-1]
    pool = PoolSetting("pool.example.org", 3333, "bc1qexampleexampleexampleexample.worker", password="hunter2")
    return (
        CommandRecord(Order("o4", one, Tune(550, 1160)), NOW_S - 60, Outcome(
            OutcomeState.APPLIED, "read back", (Change("frequency", "525 MHz", "550 MHz"),
                                                 Change("core voltage", "1150 mV", "1160 mV")))),
        CommandRecord(Order("o3", two, SetFan(auto=False, pct=80), by="sweep:x"), NOW_S - 400, Outcome(
            OutcomeState.UNKNOWN, "no answer; the next reading tells")),
        CommandRecord(Order("o2", last, Restart(), confirmed=True), NOW_S - 3600, Outcome(
            OutcomeState.REFUSED, "it refuses us: 401")),
        CommandRecord(Order("o1", one, SetPools((pool,)), confirmed=True), NOW_S - 7200, Outcome(OutcomeState.APPLIED)),
    )  # fmt: skip


def log_lines(fleet: Fleet, count: int = 60) -> tuple[LogLine, ...]:
    """Lines of devices and jobs, oldest first."""
    sources = [*fleet.snapshots, *fleet.jobs, "engine"]
    severities = (Severity.INFO, Severity.INFO, Severity.INFO, Severity.WARNING, Severity.CRITICAL)
    texts = ("stratum: share accepted, difficulty 8192", "power: 16.4 W", "asic: nonce 0x1f0c55aa", "fan at 92 %",
             "overheat: slowing down")  # fmt: skip
    return tuple(
        LogLine(sources[n % len(sources)], texts[n % 5], NOW_S - count + n, severities[n % 5]) for n in range(count)
    )


def hostile_lines() -> tuple[LogLine, ...]:
    """What an attacker's miner would log."""
    return tuple(LogLine(text, text, NOW_S, Severity.WARNING) for text in PAYLOADS)


def series(device: str, metrics: tuple[str, ...], since_s: float, until_s: float, points: int = 120) -> Series:
    """Smooth curves with a gap in the third quarter."""
    step = (until_s - since_s) / points
    centre = {"hashrate_ghs": 1070.0, "expected_ghs": 1071.0, "chip_temp_c": 57.0, "vr_temp_c": 63.0, "power_w": 17.0}

    def value(metric: str, i: int) -> float | None:
        if points * 0.6 < i < points * 0.66:
            return None
        middle = centre.get(metric, 50.0)
        swing = 0.0 if metric == "expected_ghs" else 0.04 * math.sin(i / 6) + 0.015 * math.sin(i * 1.7)
        return middle * (1 + swing)

    mean = {m: tuple(value(m, i) for i in range(points)) for m in metrics}
    return Series(device, step, tuple(since_s + (i + 0.5) * step for i in range(points)), mean)


def sweep_record(device: str) -> SweepRecord:
    """A sweep that ended yesterday."""
    return SweepRecord(
        id="s0", device=device, mac="AA:BB:CC:00:00:00", model="Gamma", plan=sweep_plan(device), phase=Phase.DONE,
        since_s=NOW_S - 90_000, until_s=NOW_S - 81_000, points=sweep_points(15), note="best 550 MHz 1150 mV applied",
    )  # fmt: skip


def entries(fleet: Fleet) -> tuple[MinerEntry, ...]:
    """The config that such a fleet comes from."""
    return tuple(MinerEntry(s.device, s.address, tags=s.tags, pinned=s.pinned) for s in fleet.snapshots.values())
