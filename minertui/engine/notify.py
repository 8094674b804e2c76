"""Says to systemd how we are (sd_notify(3)): READY=1, STATUS=…, WATCHDOG=1, STOPPING=1. Without systemd it says it to
nobody."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from minertui.model.fleet import Fleet
from minertui.model.seams import Clock

_STATUS_S = 10.0


def notify(*words: str) -> bool:
    """Send the assignments to the socket that NOTIFY_SOCKET names (a path, or ``@`` and an abstract name); True when it
    was sent. Never waits and never raises: a supervisor that does not listen is no reason to stop."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.sendto("\n".join(words).encode(), address)
        except OSError:
            return False
    return True


async def tell_standing(fleet: Callable[[], Fleet], clock: Clock) -> None:
    """Say every ten seconds how the fleet is; ``systemctl status`` shows it."""
    while True:
        now = fleet()
        well = sum(s.health.value == "ok" for s in now.snapshots.values())
        running = sum(not job.phase.over for job in now.jobs.values())
        notify(f"STATUS={well} of {len(now.snapshots)} miners answer, {running} jobs run")
        await clock.sleep(_STATUS_S * clock.speed)


def watchdog_s() -> float | None:
    """Seconds between two signs of life that systemd wants from this process; None when it wants none."""
    wanted, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not wanted.isdecimal() or (pid and pid != str(os.getpid())):
        return None
    return int(wanted) / 1e6
