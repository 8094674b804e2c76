"""The two messages a miner sends to a pool, spelt so that the pool cannot take them for something else.

Fields are separated by commas and there is no quoting, so what a person chose is either cleaned (names) or refused
(user, key). A colon in the rig id would be read as a mining key.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping

_NAME = re.compile(r"[^A-Za-z0-9 .()-]")
_IOT = re.compile(r"[^A-Za-z0-9 .():@-]")
_USER = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_TIER = re.compile(r"[A-Z0-9]{1,16}")
_KEY = re.compile(r"[!-+\--~]{1,64}")  # printable, no comma, no space
_CHIP_ID = re.compile(r"[A-Za-z0-9]{1,40}")
_MAX_NAME = 48
_MAX_IOT = 48


def encode_job(user: str, tier: str, key: str | None = None, iot: str | None = None) -> bytes:
    """``JOB,user,tier,key[,iot]``. ``key`` in clear, None when the user has none; ``iot`` from ``encode_iot``. Raises
    ValueError, without the key in its text, for what cannot be sent."""
    if not _USER.fullmatch(user):
        raise ValueError("the user name may hold letters, digits and . _ @ - only (1 to 64)")
    if not _TIER.fullmatch(tier):
        raise ValueError(f"{tier!r} is no tier: it is a word like AVR")
    if key is not None and not _KEY.fullmatch(key):
        raise ValueError("the mining key cannot be sent: it holds a space, a comma, a special letter, or is too long")
    fields = ["JOB", user, tier, key or "None"]
    return ",".join([*fields, iot] if iot else fields).encode("ascii")


def encode_result(
    nonce: int, rate_hs: float | None, *, software: str, rig_id: str, chip_id: str, wallet_id: str | None = None
) -> bytes:
    """``nonce,rate,software,rig id,chip id[,wallet id]``. An unknown rate (None, or none above 0) is left empty: the
    pool then estimates, too low. Raises ValueError for a nonce below 1 or an unusable chip or wallet id."""
    if nonce < 1:
        raise ValueError(f"nonce {nonce} is never a solution")
    for name in (chip_id, wallet_id):
        if name is not None and not _CHIP_ID.fullmatch(name):
            raise ValueError(f"{name!r} is no id: letters and digits only")
    rate = f"{rate_hs:.2f}" if rate_hs is not None and math.isfinite(rate_hs) and rate_hs >= 0.01 else ""
    fields = [str(nonce), rate, cleaned(software), cleaned(rig_id), chip_id]
    return ",".join([*fields, wallet_id] if wallet_id else fields).encode("ascii")


def cleaned(name: str) -> str:
    """A software name or rig id as the pool stores it: other characters than ``A-Za-z0-9 .()-`` become spaces."""
    return _NAME.sub(" ", name[:_MAX_NAME]).strip()


def encode_iot(values: Mapping[str, float]) -> str:
    """``name:value@name:value``, as many as fit in the pool's 48 characters."""
    text = ""
    for name, value in values.items():
        if math.isfinite(value):
            part = f"{_IOT.sub(' ', name).replace(':', ' ').replace('@', ' ')}:{value:.1f}"
            longer = f"{text}@{part}" if text else part
            text = longer if len(longer) <= _MAX_IOT else text
    return text


def made_up_id(seed: str) -> str:
    """A DUCOID for a board that has none, or one that clones share: always the same for the same ``seed`` (rig and
    board), because pools pay a connection for one id only."""
    return "DUCOID" + hashlib.sha256(seed.encode()).hexdigest()[:16].upper()
