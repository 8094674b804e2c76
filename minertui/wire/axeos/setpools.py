"""SetPools → the body of the PATCH.

From AxeOS 2.15 a write replaces the whole slot, and members left out fall back to the firmware's defaults. So a slot is
always written complete: what the miner stored, what the setting says on top. A password that is not given stays the
stored one. Before 2.15, and on NerdQAxe, the flat keys keep what is not sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minertui.model.errors import Unsupported
from minertui.model.status import Ability, MinerStatus, PoolSetting
from minertui.wire.axeos.pools import EXTRA, FALLBACK_EXTRA, KEPT_PASSWORD, MAX_SLOTS

_MAX_TEXT = 255
_PROTOCOL_NUMBERS = {"SV1": 0, "SV2": 1}
_FALLBACK_KEYS = dict(FALLBACK_EXTRA)


def pools_body(pools: Sequence[PoolSetting], status: MinerStatus) -> dict[str, Any]:
    """The PATCH body that stores ``pools``, first = primary, second = fallback. Raises Unsupported."""
    for pool in pools:
        _check(pool)
    if Ability.POOL_SLOTS in status.abilities:
        return _slots(pools, status)
    if len(pools) > 2:
        raise Unsupported("", f"this miner stores two pools, not {len(pools)}")
    body: dict[str, Any] = {}
    for place, pool in enumerate(pools):
        body |= _flat(pool, place, status)
    return body


def _check(pool: PoolSetting) -> None:
    for what, text in (("address", pool.url), ("user", pool.user)):
        if not 1 <= len(text.encode()) <= _MAX_TEXT:
            raise Unsupported("", f"a pool {what} takes 1 to {_MAX_TEXT} characters, not {len(text)}")
    if pool.password is not None and len(pool.password.encode()) > _MAX_TEXT:
        raise Unsupported("", f"a pool password takes at most {_MAX_TEXT} characters")
    if not 1 <= pool.port <= 65_535:
        raise Unsupported("", f"a pool port is 1 to 65535, not {pool.port}")


def _slots(pools: Sequence[PoolSetting], status: MinerStatus) -> dict[str, Any]:
    numbers = _numbers(pools, status)
    stored = {pool.slot: pool for pool in status.pools}
    body: dict[str, Any] = {
        "pools": [_record(pool, slot, stored.get(slot)) for pool, slot in zip(pools, numbers, strict=True)]
    }
    selected = [*(pool.slot for pool in status.pools[:2]), None, None]
    keys = ("primaryPoolIndex", "secondaryPoolIndex")
    body |= {key: new for key, new, now in zip(keys, numbers, selected, strict=False) if new != now}
    return body if pools else {}


def _numbers(pools: Sequence[PoolSetting], status: MinerStatus) -> list[int]:
    """The slot of each pool: the one it names, else the one its place holds now, else the next free one."""
    named = [pool.slot for pool in pools]
    if any(slot is not None and not 0 <= slot < MAX_SLOTS for slot in named):
        raise Unsupported("", f"pool slots are 0 to {MAX_SLOTS - 1}")
    taken = {slot for slot in named if slot is not None}
    if len(taken) < len([slot for slot in named if slot is not None]):
        raise Unsupported("", "two pools name the same slot")
    held = [pool.slot for pool in status.pools[:2]]
    numbers: list[int] = []
    for place, slot in enumerate(named):
        wanted = slot if slot is not None else (held[place] if place < len(held) else None)
        if slot is None and (wanted is None or wanted in taken):
            in_use = taken | {s for s in held if s is not None}
            wanted = next((n for n in range(MAX_SLOTS) if n not in in_use), None)
        if wanted is None:
            raise Unsupported("", f"this miner has {MAX_SLOTS} pool slots, too few for {len(pools)} pools")
        taken.add(wanted)
        numbers.append(wanted)
    return numbers


def _record(pool: PoolSetting, slot: int, stored: PoolSetting | None) -> dict[str, Any]:
    kept = stored.extra if stored else {}
    tls = pool.tls if pool.tls is not None else (stored.tls if stored else None)
    protocol = pool.protocol or (stored.protocol if stored else None)
    record: dict[str, Any] = {
        "id": slot,
        "stratumURL": pool.url,
        "stratumPort": pool.port,
        "stratumUser": pool.user,
        **kept,
        **pool.extra,
    }
    if pool.password is not None or stored:
        record["stratumPassword"] = KEPT_PASSWORD if pool.password is None else pool.password
    if tls is not None:
        record["stratumTLS"] = tls
    if protocol is not None:
        record["stratumProtocol"] = protocol
    return record


def _flat(pool: PoolSetting, place: int, status: MinerStatus) -> dict[str, Any]:
    stored = status.pools[place] if place < len(status.pools) else None
    if place and Ability.TUNE_LIVE not in status.abilities:
        raise Unsupported("", "this miner's firmware has no fallback pool (AxeOS has from 2.3)")
    prefix = "fallbackStratum" if place else "stratum"
    body: dict[str, Any] = {f"{prefix}URL": pool.url, f"{prefix}Port": pool.port, f"{prefix}User": pool.user}
    if pool.password is not None:
        body[f"{prefix}Password"] = pool.password
    body |= {(_FALLBACK_KEYS[name] if place else name): pool.extra[name] for name in EXTRA if name in pool.extra}
    return body | _security(pool, prefix, stored, status)


def _security(pool: PoolSetting, prefix: str, stored: PoolSetting | None, status: MinerStatus) -> dict[str, Any]:
    """TLS and protocol, where the firmware shows that it has them."""
    nerd = status.family == "nerdqaxe"
    body: dict[str, Any] = {}
    has = stored or (status.pools[0] if status.pools else None)
    if pool.tls is not None and (has is None or has.tls is None) and pool.tls:
        raise Unsupported("", "this miner's firmware cannot speak TLS to a pool (AxeOS can from 2.13)")
    if pool.tls is not None and has is not None and has.tls is not None:
        body[f"{prefix}TLS"] = bool(pool.tls) if nerd else pool.tls
    if pool.protocol is not None and has is not None and has.protocol is not None:
        body[f"{prefix}Protocol"] = _PROTOCOL_NUMBERS.get(pool.protocol, 0) if nerd else pool.protocol
    return body
