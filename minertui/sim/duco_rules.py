"""What a simulated pool goes by, and what it remembers of its miners."""

from __future__ import annotations

import hashlib
import math
import random
from dataclasses import dataclass, field

from minertui.wire.duco.hash import Job
from minertui.wire.duco.pool import UNPAID_SHARES

_MAX_FIELDS = 6


@dataclass(frozen=True)
class Tier:
    """Difficulty, the rates it is for (H/s; ``most`` excluded), and where too fast and too slow boards go."""

    difficulty: int
    least: float
    most: float
    up: str = ""
    down: str = ""


TIERS: dict[str, Tier] = {
    "AVR": Tier(10, 0, 400, up="MEGA"),
    "MEGA": Tier(32, 100, 700, up="ARM", down="AVR"),
    "ARM": Tier(100, 300, 2_000, up="DUE", down="MEGA"),
    "DUE": Tier(500, 1_000, 10_000, up="ESP8266", down="ARM"),
    "ESP8266": Tier(1_500, 2_000, 30_000, up="ESP32"),
    "ESP32": Tier(3_000, 8_000, 80_000, up="LOW"),
    "LOW": Tier(30_000, 20_000, 1e6, up="MEDIUM"),
    "MEDIUM": Tier(150_000, 5e5, 5e6, up="NET", down="LOW"),
    "NET": Tier(400_000, 2e6, 1e12, down="MEDIUM"),
}


@dataclass
class Rules:
    """Settable while the pool runs. Waits in ms: before a job and before a verdict."""

    job_wait_ms: float = 20.0
    verdict_wait_ms: float = 20.0
    version: str = "3.0"
    motd: str = "Simulated pool\n"
    tiers: dict[str, Tier] = field(default_factory=lambda: dict(TIERS))
    first_job_s: float = 30.0
    silence_s: float = 90.0
    workers: int = 50
    shares_per_minute: int | None = None
    banned: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)  # user → mining key, checked by nobody but the REST side


@dataclass
class Miner:
    """One connection, as the pool sees it."""

    number: int
    place: int  # 1: the first worker; from the fifth on pay shrinks
    user: str = ""
    tier: str = ""
    moved: bool = False
    software: str = ""
    rig_id: str = ""
    chip_id: str | None = None
    iot: str = ""
    rate_hs: float = 0.0
    share_s: float = 0.0
    accepted: int = 0
    rejected: int = 0
    unpaid: int = 0
    paid_duco: float = 0.0
    reasons: list[str] = field(default_factory=list)
    share_times_s: list[float] = field(default_factory=list)
    open: bool = True

    @property
    def ki(self) -> int:
        """The server's field of that name: how far past the fourth place."""
        return max(1, self.place - 3)


@dataclass
class OpenJob:
    """A job with a miner; ``given_s`` on the pool's clock."""

    job: Job
    nonce: int
    given_s: float


class Issuer:
    """Makes jobs. The last hash changes after every second accepted share."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"pool-{seed}")
        self._accepted = 0
        self.newest: OpenJob | None = None
        self._last = self._hash()

    def job(self, difficulty: int, now_s: float) -> OpenJob:
        """A fresh job."""
        nonce = self._dice.randint(1, 100 * difficulty)
        expected = hashlib.sha1(f"{self._last}{nonce}".encode(), usedforsecurity=False).hexdigest()
        self.newest = OpenJob(Job(self._last, expected, difficulty), nonce, now_s)
        return self.newest

    def accepted(self) -> None:
        """A share was."""
        self._accepted += 1
        if self._accepted % 2 == 0:
            self._last = self._hash()

    def _hash(self) -> str:
        return f"{self._dice.getrandbits(160):040x}"


def opening_error(message: str, rules: Rules) -> str | None:
    """Why a first JOB is refused for good, or None."""
    fields = message.split(",")
    if len(fields) > _MAX_FIELDS:
        return "Incorrect data"
    if len(fields) < 2 or not fields[1]:
        return "No username specified"
    return "User banned" if fields[1] in rules.banned else None


def judge(message: str, open_job: OpenJob, miner: Miner, rules: Rules, now_s: float) -> str:
    """The reason why a result is rejected, empty when it is accepted; in the order in which pools check, so that a
    right nonce can be rejected. Moves the miner to another tier where that is the reason."""
    fields = message.split(",")
    took_s = max(now_s - open_job.given_s, 1e-3)
    miner.share_s = took_s
    rate = _number(fields[1]) if len(fields) > 1 and fields[1] else open_job.nonce / took_s
    miner.software, miner.rig_id = [*fields[2:4], "", ""][:2]
    miner.rate_hs = rate
    tier = rules.tiers[miner.tier]
    if miner.place > rules.workers:
        return "Too many workers"
    if rate <= 0:
        return "Invalid data"
    if _too_many(miner, rules, now_s):
        return "Too low difficulty"
    if rate < tier.least:
        _move(miner, tier.down)
        return "Too high starting difficulty"
    if rate >= tier.most:
        _move(miner, tier.up)
        return "Too low starting difficulty"
    return "" if fields[0] == str(open_job.nonce) else "Incorrect result"


def book(miner: Miner, message: str) -> bool:
    """An accepted share; True when it is paid: not among the first ten of its connection, and with the chip id of the
    first one."""
    fields = message.split(",")
    chip_id = fields[4] if len(fields) > 4 else None
    if miner.accepted == 0:
        miner.chip_id = chip_id
    miner.accepted += 1
    if miner.accepted <= UNPAID_SHARES or chip_id is None or chip_id != miner.chip_id:
        miner.unpaid += 1
        return False
    return True


def _too_many(miner: Miner, rules: Rules, now_s: float) -> bool:
    miner.share_times_s = [at for at in miner.share_times_s if now_s - at < 60] + [now_s]
    return rules.shares_per_minute is not None and len(miner.share_times_s) > rules.shares_per_minute


def _move(miner: Miner, tier: str) -> None:
    if tier:
        miner.tier, miner.moved = tier, True


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan  # compares with nothing: the nonce decides, as at a real pool
