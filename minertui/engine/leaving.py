"""A miner leaves the config, gets another address there, or becomes read-only: what works on it ends well first.

    nothing more is raised → its jobs end → the orders on their way end → it is led back → its line is closed, or locked

What could not be led back stays owed: the journal has it, and whoever reaches that miner next brings it home.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from minertui.config import Config
from minertui.engine.alert_rules import Signal
from minertui.engine.arbiter import Arbiter
from minertui.engine.hub import Hub
from minertui.engine.lines import Lines
from minertui.engine.loglines import Followed
from minertui.engine.restoring import Restoring
from minertui.engine.runner import Runner
from minertui.model.alerts import Severity
from minertui.model.events import DeviceRemoved
from minertui.safety.settings import Settings

_LEAVES = "it leaves the config, or gets another address there"
_LOCKS = "it becomes read-only in the config"


class Engine(Protocol):
    """What is needed of the engine."""

    @property
    def arbiter(self) -> Arbiter:
        """Knows the orders on their way."""
        ...

    @property
    def hub(self) -> Hub:
        """Tells screens who is gone."""
        ...

    def say(self, source: str, text: str, severity: Severity = Severity.INFO) -> None:
        """A line for the log."""
        ...


class Leaving:
    """``alert`` takes a signal."""

    def __init__(
        self,
        engine: Engine,
        lines: Lines,
        runner: Runner,
        restoring: Restoring,
        followed: Followed,
        alert: Callable[[Signal], None],
    ) -> None:
        self._engine, self._lines, self._runner, self._restoring = engine, lines, runner, restoring
        self._followed, self._alert = followed, alert

    async def leave(self, name: str) -> None:
        """Its line is closed when this returns; of a name that has none nothing is to be done."""
        if name in self._lines.names():
            await self._end(name, _LEAVES, forget=True)
            await self._followed.release(name)
            await self._lines.close(name)
            self._engine.hub.publish(DeviceRemoved(name))

    async def follow(self, config: Config) -> None:
        """The lines that this config removes end, and those that it makes read-only are led back and then never
        written, all at the same time: one that does not answer is waited for, and holds up no other."""
        leaving, locking = self._lines.gone(config), self._lines.locking(config)
        work = (*(self.leave(name) for name in leaving), *(self._lock(name) for name in locking))
        for outcome in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _lock(self, name: str) -> None:
        why, line = await self._end(name, _LOCKS, forget=False), self._lines[name]
        line.change(replace(line.options, readonly=True))
        status = line.snapshot().status
        if why:
            at = f"last seen at {Settings.of(status).tune_text}" if status else "as it is"
            do = "allow writing until it is back, or set it by hand; nothing is written to it now"
            text = f"it is read-only from now on, {at}: {why}; {do}"
            self._engine.say(name, text, Severity.CRITICAL)
            self._alert(Signal("read-only", name, Severity.CRITICAL, text))

    async def _end(self, name: str, why: str, *, forget: bool) -> str:
        self._lines[name].ends = why
        await self._runner.end(name, forget=forget)
        await self._engine.arbiter.drain(name)
        return await self._restoring.leaves(name)
