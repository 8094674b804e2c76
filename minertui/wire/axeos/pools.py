"""Pools in a miner's answer: numbered slots from AxeOS 2.15 (``pools[]``), before that flat ``stratum*`` and
``fallbackStratum*`` fields. 2.15 still returns the flat ones, but ignores them in a write.
"""

from __future__ import annotations

from typing import Any

from minertui.model.status import PoolSetting
from minertui.model.text import clean, without_user
from minertui.wire.axeos import fields as f

MAX_SLOTS = 8
KEPT_PASSWORD = "*****"  # noqa: S105 - what AxeOS shows, and takes as "keep the stored one"

# Members of a slot beside address, user, password, TLS and protocol; written back as they were read.
EXTRA = (
    "stratumSuggestedDifficulty",
    "stratumExtranonceSubscribe",
    "stratumEnonceSubscribe",
    "stratumCert",
    "stratumDecodeCoinbase",
    "stratumV2ChannelType",
    "stratumV2AuthorityPubkey",
    "stratumV2RequireAuth",
)
FALLBACK_EXTRA = tuple((name, "fallbackS" + name[1:]) for name in EXTRA)
_PRIMARY_EXTRA = tuple((name, name) for name in EXTRA)
_PROTOCOLS = {0: "SV1", 1: "SV2"}  # NerdQAxe writes numbers
_MAX_CERT = 3000


def pool_settings(info: f.Fields) -> tuple[PoolSetting, ...]:
    """All pools that are set, primary first, fallback second, then the unused slots in their order."""
    if "pools" in info:
        slots = f.objects(info, "pools", MAX_SLOTS)
        pools = [p for slot in slots if (p := _pool(slot, "stratum", _PRIMARY_EXTRA, f.count(slot, "id")))]
        first, second = f.count(info, "primaryPoolIndex"), f.count(info, "secondaryPoolIndex")
        rank = {second: 1, first: 0}
        return tuple(sorted(pools, key=lambda p: rank.get(p.slot, 2)))
    primary = _pool(info, "stratum", _PRIMARY_EXTRA)
    fallback = _pool(info, "fallbackStratum", FALLBACK_EXTRA)
    return tuple(pool for pool in (primary, fallback) if pool)


def pool_in_use(info: f.Fields, pools: tuple[PoolSetting, ...]) -> dict[str, Any]:
    """Fields of MinerStatus about the pool that gets the shares now."""
    nested = f.inner(info, "stratum")
    fallback = f.flag(info, "isUsingFallbackStratum") if not nested else f.flag(nested, "usingFallback")
    prefix = "fallbackStratum" if fallback else "stratum"
    url, port, user = _host(info, prefix), f.count(info, prefix + "Port"), f.text(info, prefix + "User")
    place = 1 if fallback else 0
    if url is None and len(pools) > place:
        url, port, user = pools[place].url, pools[place].port, pools[place].user
    return {"pool_url": url, "pool_port": port, "pool_user": user, "on_fallback_pool": fallback}


def _pool(
    fields: f.Fields, prefix: str, extra: tuple[tuple[str, str], ...], slot: int | None = None
) -> PoolSetting | None:
    url = _host(fields, prefix)
    if url is None:
        return None
    return PoolSetting(
        url=url,
        port=f.count(fields, prefix + "Port") or 0,
        user=f.text(fields, prefix + "User") or "",
        tls=_tls(fields.get(prefix + "TLS")),
        protocol=_protocol(fields.get(prefix + "Protocol")),
        slot=slot,
        extra={name: kept for name, key in extra if key in fields and (kept := _exact(fields[key])) is not None},
    )


def _host(fields: f.Fields, prefix: str) -> str | None:
    """The pool's host; a user and password that somebody wrote before it are nobody else's business."""
    url = f.text(fields, prefix + "URL")
    return None if url is None else without_user(url)


def _tls(value: object) -> int | None:
    """0 = off, 1 = on, 2 = on with the certificate checked; NerdQAxe writes true and false."""
    if isinstance(value, bool):
        return int(value)
    number = f.number_of(value)
    return int(number) if number in (0, 1, 2) else None


def _protocol(value: object) -> str | None:
    if isinstance(value, str):
        return clean(value, 16) or None
    number = f.number_of(value)
    return None if number is None else _PROTOCOLS.get(int(number))


def _exact(value: object) -> str | int | float | bool | None:
    """A member fit to be written back: exactly what was read, or None when it holds what no miner would store. A
    certificate keeps its line breaks; it is not for showing."""
    if isinstance(value, str):
        lines = value.split("\n")
        whole = len(value) <= _MAX_CERT and all(clean(line, _MAX_CERT) == line for line in lines)
        return value if whole else None
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and f.number_of(value) is not None and abs(value) <= 2**63 - 1:
        return value
    return None
