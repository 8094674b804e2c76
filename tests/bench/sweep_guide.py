"""The parallel benchmark guide's own walk, as it behaves (fixed times, a restart at every point, any limit ends the
run, best of all points). Written from its described behaviour for comparison; a fixed total of cores is granted to it.
"""

from __future__ import annotations

import statistics

from minertui.model.plans import SweepPlan
from minertui.model.ranking import GUIDE_POWER_W
from tests.bench.sweep_rig import Result, Rig, RigSite, Worth

SETTLE_S, SAMPLES, SAMPLE_S, TOLERANCE = 92.0, 40, 15.0, 0.94


async def guided(rig: Rig, plan: SweepPlan, best: float, worth: Worth) -> Result:
    """The guide on ``rig``: 5 mV and 5 MHz steps, 677 s a point, the limits of ``plan``."""
    site = RigSite(rig, plan)
    begun, status = site.clock, rig.status()
    mhz, mv = status.frequency_mhz or 0.0, round(status.core_mv or 0)
    seen: list[tuple[float, float, int]] = []
    while mv <= plan.max_mv and mhz <= plan.max_mhz:
        rate = _measured(site, mhz, mv)
        if rate is None:
            break
        seen.append((rate, mhz, mv))
        if rate >= TOLERANCE * (rig.status().expected_ghs or 0.0):
            mhz += 5
        else:
            mv, mhz = mv + 5, mhz - 5
    if seen:
        _, mhz, mv = max(seen)
    rig.write(mhz, mv)
    rig.restart()
    site.live(60)
    there = rig.steady(mhz, mv, plan)
    share = worth(there) / best if there.passes else 0.0
    return Result((site.clock - begun) / 60, (mhz, mv), share, site.excursions.seconds, len(seen), "", site)


def _measured(site: RigSite, mhz: float, mv: int) -> float | None:
    """Mean hashrate of one point without the three lowest and highest; None when a limit was reached."""
    site.rig.write(mhz, mv)
    site.live(2.0)
    site.rig.restart()
    site.live(SETTLE_S - 2.0)
    rates = []
    for n in range(SAMPLES):
        if n:
            site.live(SAMPLE_S)
        status = site.rig.status()
        if (status.chip_temp_c or 0) >= site.plan.max_chip_temp_c or (status.vr_temp_c or 0) >= site.plan.max_vr_temp_c:
            return None
        if (status.power_w or 0) > (site.plan.max_power_w or GUIDE_POWER_W) or not status.hashrate_ghs:
            return None
        rates.append(status.hashrate_ghs)
    return statistics.fmean(sorted(rates)[3:-3])
