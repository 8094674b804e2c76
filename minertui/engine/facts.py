"""What the arbiter concludes from readings and journal entries. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from minertui.engine.journal import Entry, key_of
from minertui.engine.stepping import Line
from minertui.model.commands import Change, Command, Order, Rank, SetPools
from minertui.model.fleet import Health, Snapshot
from minertui.model.status import MinerStatus
from minertui.safety.calm import Calm
from minertui.safety.request import Request
from minertui.safety.settings import SAME, Settings, changes, same

LAST_RESORT = "last resort"
"""Who orders when a raised miner is too hot. What it lowers stays lowered: there is no way back to the heat."""
CONFIG = "config"
"""Who orders when a limit was lowered in the config. What it lowers is no settings that anybody chose."""
UNSURE = "its readings do not agree on what it is set to; try again when they do"
"""One reading alone may tell anything of a healthy miner: nothing is raised on it, and it is nobody's home."""
_BEFORE_S = 60.0


def stranger(line: Line, snapshot: Snapshot) -> str | None:
    """A sentence when this is not the device that is meant; checked before every first write."""
    if snapshot.health is Health.STRANGER:  # its readings are not kept: those of before are not its own
        return snapshot.why or "another device answers at its address"
    mac = snapshot.status.mac if snapshot.status else None
    if snapshot.status and line.expected_mac and mac != line.expected_mac:
        ours = line.expected_mac
        return f"another device answers at its address (MAC {_spelt(mac) or 'unknown'}, not {_spelt(ours) or 'known'})"
    return None


def _spelt(mac: str | None) -> str:
    """As it is; with what cannot be seen spelt out, so that two that differ look different."""
    return "" if mac is None else mac if mac.isascii() and mac.isprintable() else ascii(mac)


def new_entry(
    snapshot: Snapshot, by: str, rank: Rank, command: Command | None = None, calm: Calm | None = None
) -> Entry:
    """A journal entry for what this reading shows, before ``command``. ``calm``: what the guard that orders it asks."""
    status = snapshot.status
    assert status is not None  # nothing is journalled before the first reading
    return Entry(
        key=key_of(snapshot),
        device=snapshot.device,
        address=snapshot.address,
        baseline=Settings.of(status),
        mac=status.mac,
        kind=snapshot.kind,
        firmware=status.firmware,
        overheat=status.overheat,
        reason=by,
        rank=rank,
        goal=Settings.of(status).wrote(command) if command is not None and rank is Rank.PERSON else None,
        calm=calm,
    )


def foreign(entry: Entry, snapshot: Snapshot) -> str:
    """A sentence when frequency and voltage are neither the baseline's nor ours: somebody else, or the firmware."""
    if snapshot.status is None:
        return ""
    now = Settings.of(snapshot.status)
    if any(now.same_tune(known) for known in (entry.baseline, *entry.ours)):
        return ""
    return f"somebody else or its firmware changed it to {now.tune_text}; we left it at {entry.left.tune_text}"


def home(entry: Entry, snapshot: Snapshot) -> Settings:
    """The baseline of this way back, less what others have lowered: where the reading shows what is neither the
    baseline's nor ours, a value under the baseline's that is not of our doing stays as low as it is."""
    if snapshot.status is None or not foreign(entry, snapshot):
        return entry.baseline
    was, now = entry.baseline, Settings.of(snapshot.status)
    mhz = _left(was.frequency_mhz, now.frequency_mhz, [s.frequency_mhz for s in entry.ours])
    return replace(was, frequency_mhz=mhz, core_mv=_left(was.core_mv, now.core_mv, [s.core_mv for s in entry.ours]))


def _left(was: float | None, now: float | None, ours: list[float | None]) -> float | None:
    lowered = was is not None and now is not None and now < was - SAME
    return now if lowered and not any(same(now, mine, SAME) for mine in ours) else was


def fan_alone(entry: Entry, now: Settings, command: Command) -> Settings:
    """What is ours after a fan is set on a miner whose clock and voltage somebody else, or the firmware, changed: these
    two are as we left them, or they would be raised again as our own."""
    return replace(now.wrote(command), frequency_mhz=entry.left.frequency_mhz, core_mv=entry.left.core_mv)


def changed_since(left: Snapshot, now: Snapshot) -> str:
    """A sentence when frequency and voltage are not any more what the last step was seen to leave: somebody else, or
    the firmware, changed them on the way; empty when they are, and where no newer reading tells."""
    return "" if left.status is None else changed_from(Settings.of(left.status), now)


def changed_from(was: Settings, now: Snapshot) -> str:
    """The same, of settings that it was left at."""
    if not now.answered or now.status is None or (found := Settings.of(now.status)).same_tune(was):
        return ""
    return f"somebody else or its firmware changed it to {found.tune_text} on the way, from {was.tune_text}"


def doubt(entry: Entry | None, rank: Rank, snapshot: Snapshot) -> str:
    """Why an order of this rank may only lower what this reading shows, and what to do; empty when it may raise it."""
    text = foreign(entry, snapshot) if entry is not None and rank is not Rank.PERSON else ""
    theirs = text and entry is not None and entry.rank is Rank.PERSON
    return f"{text}; set it by hand, then that counts" if theirs else text


def keeps_limit(order: Order, entry: Entry | None) -> bool:
    """Does this order only keep a limit of the config? A job's way back goes on from there."""
    return order.by == CONFIG and (entry is None or entry.rank is not Rank.PERSON)


def set_since(entry: Entry, rank: Rank, request: Request) -> bool:
    """Is this way back, of a person's order that ended in doubt, history? Two readings show what somebody else, or the
    firmware, set since, nowhere above what it was before that order. For a job; a person's own order ends it anyway."""
    if entry.rank is not Rank.PERSON or rank is Rank.PERSON or request.before is None or not request.snapshot.answered:
        return False
    assert request.snapshot.status is not None  # it answered
    now = Settings.of(request.snapshot.status)
    same = now.same_tune(Settings.of(request.before))
    return same and bool(foreign(entry, request.snapshot)) and now.nowhere_above(entry.baseline)


def planned(command: Command, snapshot: Snapshot) -> tuple[Change, ...]:
    """What a dry run says: the changes that would be sent."""
    if snapshot.status is None:
        return ()
    if isinstance(command, SetPools):
        have = snapshot.status.pools
        rows = enumerate(command.pools)
        return tuple(
            Change(f"pool {n + 1}", _pool(have[n].url, have[n].port, have[n].user) if n < len(have) else "—", now)
            for n, pool in rows
            if (now := _pool(pool.url, pool.port, pool.user))
        )
    before = Settings.of(snapshot.status)
    return changes(before, before.wrote(command))


def agree(before: Snapshot, now: Snapshot) -> bool:
    """Do these two readings tell the same frequency and voltage? Where no newer one tells, what was told last holds."""
    if before.status is None or now.status is None:
        return not now.answered
    return not now.answered or Settings.of(before.status).same_tune(Settings.of(now.status))


def moved(command: Command, start: Snapshot, last: Snapshot) -> tuple[Change, ...]:
    """What the readings prove to have changed."""
    if isinstance(command, SetPools):
        return planned(command, start)
    if start.status is None or last.status is None:
        return ()
    return changes(Settings.of(start.status), Settings.of(last.status))


def _pool(url: str, port: int, user: str) -> str:
    return f"{url}:{port} as {user}"


def recent(before: Snapshot | None, now: Snapshot) -> MinerStatus | None:
    """The reading before ``now``, when it is recent enough for a jump to mean something."""
    if before is None or before.status is None or before.boot_s is None or now.boot_s is None:
        return None
    return before.status if 0 < now.boot_s - before.boot_s <= _BEFORE_S else None


def is_it(entry: Entry, snapshot: Snapshot) -> bool:
    """Is this the device of the entry? By MAC; by name only where neither knows a MAC (AxeOS before 2.3)."""
    if snapshot.status is None or not snapshot.answered:
        return False
    return snapshot.status.mac == entry.mac and (entry.mac is not None or snapshot.device == entry.device)


def not_there(entry: Entry, mac: str | None) -> str:
    """Why its way back cannot be walked now, and what to do. ``mac``: known of the miner that has its name now."""
    if entry.mac is None and mac is not None:
        return (
            f"{entry.device} told no MAC when its way back was kept and tells {mac} now, so nobody knows whether it is "
            f"the same one; if it is, set {entry.baseline.tune_text} by hand, and then remove {entry.key}.json from the"
            " journal"
        )
    who = entry.device if mac in (None, entry.mac) else f"{entry.mac}, which was {entry.device} before,"
    return f"{who} does not answer at any known address; its way back is kept, switch it on to restore"
