"""Sums over miners. Only readings that can be believed count; the others are counted by what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from minertui.model.fleet import Health, Snapshot

_BELIEVED = frozenset({Health.OK, Health.STALE, Health.PARKED})


class Totals(msgspec.Struct, frozen=True):
    """Sums: GH/s, W; ``efficiency_jth`` over the miners that report both. None where nobody reports it. ``lost``,
    ``refused`` (they want a password) and ``strangers`` (another device answers): those nothing is known of now."""

    count: int = 0
    ok: int = 0
    lost: int = 0
    refused: int = 0
    strangers: int = 0
    hashrate_ghs: float | None = None
    power_w: float | None = None
    efficiency_jth: float | None = None


def totals(snapshots: Iterable[Snapshot]) -> Totals:
    """The sums over these."""
    count = ok = 0
    ill = dict.fromkeys(Health, 0)
    rates = powers = 0  # how many report them
    rate_ghs = power_w = 0.0
    both_ghs = both_w = 0.0  # of those that report both
    for snapshot in snapshots:
        count += 1
        health, read = snapshot.health, snapshot.status
        if health is Health.OK:
            ok += 1
        else:
            ill[health] += 1
            if health not in _BELIEVED:
                continue
        if read is None:
            continue
        rate, power = read.hashrate_ghs, read.power_w
        if rate is not None:
            rates += 1
            rate_ghs += rate
        if power is not None:
            powers += 1
            power_w += power
            if rate:
                both_ghs += rate
                both_w += power
    return Totals(
        count=count,
        ok=ok,
        lost=ill[Health.LOST],
        refused=ill[Health.AUTH],
        strangers=ill[Health.STRANGER],
        hashrate_ghs=rate_ghs if rates else None,
        power_w=power_w if powers else None,
        efficiency_jth=1000 * both_w / both_ghs if both_ghs else None,
    )
