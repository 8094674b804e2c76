"""What a device may be told, who tells it, and how that ended.

A command is what somebody wants. The arbiter asks ``safety`` for the steps that lead there, sends them one by one,
reads each back, and answers with a CommandRecord: one of applied, refused, unknown — never a guess.
"""

from __future__ import annotations

import enum

import msgspec

from minertui.model.plans import Limits
from minertui.model.status import PoolSetting
from minertui.model.text import spoken


class Tune(msgspec.Struct, frozen=True, omit_defaults=True, tag="tune"):
    """Set frequency (MHz) and/or core voltage (mV); None leaves a value as it is. ``at_most``: only lower them; what
    the miner is under already when its turn comes stays as it is."""

    frequency_mhz: float | None = None
    core_mv: int | None = None
    at_most: bool = False


class SetFan(msgspec.Struct, frozen=True, omit_defaults=True, tag="fan"):
    """Fan automatic or manual: ``auto`` with ``target_c`` (35..66) and ``min_pct`` (0..99), or a fixed ``pct``
    (0..100). None leaves a value as it is."""

    auto: bool | None = None
    pct: int | None = None
    target_c: int | None = None
    min_pct: int | None = None


class SetPools(msgspec.Struct, frozen=True, tag="pools"):
    """Store these pools, first = primary, second = fallback."""

    pools: tuple[PoolSetting, ...]


class Restart(msgspec.Struct, frozen=True, tag="restart"):
    """Restart the miner's controller."""


class Pause(msgspec.Struct, frozen=True, tag="pause"):
    """Stop hashing; not kept over a reboot of the miner."""


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """Hash again after a pause."""


class Identify(msgspec.Struct, frozen=True, tag="identify"):
    """Greet on the miner's own display for 30 s."""


class ClearOverheat(msgspec.Struct, frozen=True, tag="clear-overheat"):
    """Clear the firmware's stored overheat flag (``overheat_mode`` 0)."""


Command = Tune | SetFan | SetPools | Restart | Pause | Resume | Identify | ClearOverheat


def word_of(command: Command) -> str:
    """What a person calls it: ``tune``, ``clear overheat``."""
    return spoken(str(type(command).__struct_config__.tag))


class Rank(enum.IntEnum):
    """Who goes first when two want the same device: the lower number wins."""

    SAFETY = 0
    PERSON = 1
    CURTAILMENT = 2
    SWEEP = 3


class OutcomeState(enum.StrEnum):
    """How a command ended. UNKNOWN: it was sent and neither answer nor read-back tells whether it took effect."""

    APPLIED = "applied"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    DRY_RUN = "dry-run"

    @property
    def words(self) -> str:
        """As a person reads it; the API keeps the value."""
        return spoken(self.value)


class Change(msgspec.Struct, frozen=True):
    """One setting before and after, as text with its unit, for diffs and the command log."""

    setting: str
    before: str
    after: str


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """How it ended, why, and what a read-back proves (or, for a dry run, what would be sent). ``waits``: refused only
    until the miner is as cool as its guard asks; the engine does it then."""

    state: OutcomeState
    reason: str = ""
    changes: tuple[Change, ...] = ()
    waits: bool = False

    @property
    def ok(self) -> bool:
        """True when the device is where it was asked to be (or, dry, would be)."""
        return self.state in (OutcomeState.APPLIED, OutcomeState.DRY_RUN)


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command on its way: to whom, by whom. The same ``id`` twice is one order and gets the first one's outcome.
    ``confirmed`` says that a person saw the exact change and agreed; pools and restarts need it. ``within``: whoever
    orders keeps under these too; a raise goes no further once a reading reaches one."""

    id: str
    device: str
    command: Command
    by: str = "person"
    rank: Rank = Rank.PERSON
    dry_run: bool = False
    confirmed: bool = False
    within: Limits | None = None


class Word(msgspec.Struct, frozen=True):
    """What persons have ordered of a miner's frequency (MHz) and voltage (mV): how many orders arrived, where the last
    one ended, and the boot-clock time of its last reading. ``pending``: one is waiting or on its way."""

    n: int = 0
    mhz: float | None = None
    mv: float | None = None
    at_s: float = 0.0
    pending: bool = False


class CommandRecord(msgspec.Struct, frozen=True):
    """A line of the command log. ``at_s`` is wall-clock time, seconds since the epoch."""

    order: Order
    at_s: float
    outcome: Outcome
