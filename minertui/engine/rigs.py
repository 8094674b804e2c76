"""Duino-Coin rigs: starts, steers and ends their relay jobs. A rig has no line and nothing to restore."""

from __future__ import annotations

from collections.abc import Callable

from minertui.model.errors import JobError
from minertui.model.events import Event
from minertui.model.plans import JobState
from minertui.model.relay import BoardOrder, RelayPlan
from minertui.model.seams import Clock


class Rigs:
    """The rigs of the config."""

    def __init__(self, clock: Clock, publish: Callable[[Event], None], say: Callable[[str, str], None]) -> None:
        self._clock, self._publish, self._say = clock, publish, say

    def has(self, job_id: str) -> bool:
        """True for a relay's id."""
        return job_id.startswith("relay:")

    def start(self, plan: RelayPlan) -> JobState:
        """Raises JobError for a rig that the config does not know."""
        raise JobError(f"there is no rig named {plan.device!r} in the config")

    def stop(self, job_id: str) -> JobState:
        """Raises JobError for a relay that does not run."""
        raise JobError(f"no job {job_id} runs")

    def steer(self, job_id: str, order: BoardOrder) -> JobState:
        """Raises JobError for a relay that does not run."""
        raise JobError(f"no job {job_id} runs")
