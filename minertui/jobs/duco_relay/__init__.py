"""A Duino-Coin rig: takes jobs from a pool, hands them to small boards, checks their answers, sends them back.

    site ─ orders, key, clock ─┐
                               Relay ─ one Worker per board ─ Brain (decides) · Bench (a bus's thread) · Line (a pool)
    getPool, mining_key, users ┘

Every board is on its own: its state machine, its connection, its sums. What they share is the bus they sit on, the
choice of the pool, and the pace of new connections. Nothing mines before the mining key is checked, and simulated
boards mine on loopback only, whatever the config says.
"""

from __future__ import annotations

from minertui.jobs.duco_relay.buses import Buses, Way
from minertui.jobs.duco_relay.relay import Relay
from minertui.jobs.duco_relay.seams import Opener, Outside

__all__ = ["Buses", "Opener", "Outside", "Relay", "Way"]
