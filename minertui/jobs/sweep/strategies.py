"""The strategies there are. A new one is a file with a function of the ``Walk`` protocol and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from minertui.jobs.sweep import adaptive, grid
from minertui.jobs.sweep.walk import Walk
from minertui.model.plans import Strategy

STRATEGIES: Mapping[Strategy, Walk] = {Strategy.GRID: grid.next_target, Strategy.ADAPTIVE: adaptive.next_target}
LIVE = frozenset({Strategy.ADAPTIVE})
"""Strategies that get to a point in live steps and measure it until the evidence suffices (``pace``, ``evidence``)."""
