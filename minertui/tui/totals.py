"""Sums over miners. Only readings that can be believed count; what is lost is counted as lost and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from minertui.model.fleet import Health, Snapshot

_BELIEVED = frozenset({Health.OK, Health.STALE, Health.PARKED})
_AWAY = frozenset({Health.LOST, Health.AUTH, Health.STRANGER})


class Totals(msgspec.Struct, frozen=True):
    """Sums: GH/s, W; ``efficiency_jth`` over the miners that report both. None where nobody reports it."""

    count: int = 0
    ok: int = 0
    away: int = 0
    hashrate_ghs: float | None = None
    power_w: float | None = None
    efficiency_jth: float | None = None


def totals(snapshots: Iterable[Snapshot]) -> Totals:
    """The sums over these."""
    all_ = list(snapshots)
    read = [s.status for s in all_ if s.status is not None and s.health in _BELIEVED]
    rates = [r.hashrate_ghs for r in read if r.hashrate_ghs is not None]
    powers = [r.power_w for r in read if r.power_w is not None]
    both = [(r.hashrate_ghs, r.power_w) for r in read if r.hashrate_ghs and r.power_w is not None]
    ths = sum(rate for rate, _ in both) / 1000
    return Totals(
        count=len(all_),
        ok=sum(s.health is Health.OK for s in all_),
        away=sum(s.health in _AWAY for s in all_),
        hashrate_ghs=sum(rates) if rates else None,
        power_w=sum(powers) if powers else None,
        efficiency_jth=sum(power for _, power in both) / ths if ths else None,
    )
