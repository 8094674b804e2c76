"""The lines that the config asks for. A new config touches only what it changes: a device whose address, kind, headers
or name stayed keeps its connection, its readings and its jobs."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from ipaddress import ip_address

import msgspec

from minertui.config import Config, MinerConfig
from minertui.config_places import place
from minertui.engine.line import LOST_AFTER, Identity, Line, LineOptions, Listener
from minertui.engine.poller import poll
from minertui.engine.supervisor import Supervisor
from minertui.model.errors import ConfigError, JobError
from minertui.model.fleet import Health
from minertui.model.seams import Clock, Device
from minertui.wire.axeos.address import host_port

_GONE_S = 900.0  # silent for so long, a miner may have moved to where another name finds it
Connect = Callable[[str, str, Mapping[str, str]], Device]


class Wanted(msgspec.Struct, frozen=True):
    """A miner of the config with everything joined, and what needs a new connection when it changes."""

    options: LineOptions
    miner: MinerConfig

    @property
    def wiring(self) -> tuple[object, ...]:
        """What a connection is made of."""
        return self.miner.address, self.miner.kind, tuple(sorted(self.miner.headers.items()))


def wanted(config: Config, speed: float = 1.0) -> dict[str, Wanted]:
    """By name: the miners of a config, with the engine's period and permission joined in.

    A program clock that runs ``speed`` times faster than real still leaves 0.1 real seconds between two polls, so that
    readings of simulated miners stay fresh on a busy computer.
    """
    shortest_s = 0.0 if speed == 1 else 0.1 * speed
    return {
        miner.name: Wanted(
            LineOptions(
                name=miner.name,
                address=miner.address,
                kind=miner.kind,
                tags=miner.tags,
                pinned=miner.pinned,
                poll_s=max(shortest_s, miner.poll_s or config.engine.poll_s),
                readonly=miner.readonly or config.engine.readonly,
                limits=miner.limits,
            ),
            miner,
        )
        for miner in config.miner
    }


class Lines:
    """The lines by name, each with its poller."""

    def __init__(self, clock: Clock, listener: Listener, supervisor: Supervisor, connect: Connect) -> None:
        self._clock, self._listener, self._supervisor, self._connect = clock, listener, supervisor, connect
        self._lines: dict[str, Line] = {}
        self._wanted: dict[str, Wanted] = {}
        self._ready: dict[str, Device] = {}  # for the lines that a config to be taken over opens
        self._rng = random.Random()  # noqa: S311 - spreads polls, keeps no secret

    def __getitem__(self, name: str) -> Line:
        """The line of that name; KeyError where the config has none."""
        return self._lines[name]

    def named(self, name: str) -> Line:
        """The same for a person: raises JobError, a sentence, where the config has none."""
        try:
            return self._lines[name]
        except KeyError:
            raise JobError(f"there is no miner named {name!r} in the config") from None

    def __iter__(self) -> Iterator[Line]:
        """All lines."""
        return iter(list(self._lines.values()))

    def names(self) -> list[str]:
        """The names of all lines."""
        return list(self._lines)

    def known(self) -> dict[str, str]:
        """The names by address, and by MAC as far as it was seen."""
        macs = {line.expected_mac: line.name for line in self if line.expected_mac}
        return {**{place(line.options.address): line.name for line in self}, **macs}

    def prepare(self, config: Config) -> None:
        """Make what ``apply`` will open lines to, so that a config that cannot be taken over changes nothing: raises
        ConfigError for an address, a header or a kind that nothing can be reached with. Nothing is sent."""
        only_simulated(config, self._clock.speed)
        keep = self._lines.keys() - set(self.gone(config))
        fresh = {n: want.miner for n, want in wanted(config, self._clock.speed).items() if n not in keep}
        self._ready = {name: self._device(miner) for name, miner in fresh.items()}

    def gone(self, config: Config) -> list[str]:
        """The lines that this config removes or connects anew."""
        now = wanted(config, self._clock.speed)
        return [n for n, was in self._wanted.items() if n not in now or now[n].wiring != was.wiring]

    def locking(self, config: Config) -> list[str]:
        """The lines that become read-only with this config, and are not otherwise replaced."""
        now = wanted(config, self._clock.speed)
        gone = self.gone(config)
        return [n for n, line in self._lines.items() if n not in gone and now[n].options.readonly and not line.readonly]

    async def close(self, name: str) -> None:
        """End one line and its poller."""
        await self._supervisor.drop(f"poll {name}")
        self._wanted.pop(name)
        await self._lines.pop(name).close()

    def apply(
        self, config: Config, identities: Mapping[str, Identity], recent_ghs: Mapping[str, tuple[float, ...]]
    ) -> list[Line]:
        """Open the lines that are missing and change those that differ; returns the new ones."""
        opened = []
        for name, want in wanted(config, self._clock.speed).items():
            if name not in self._lines:
                opened.append(self._open(name, want, identities.get(name, Identity()), recent_ghs.get(name, ())))
            elif self._wanted[name].options != want.options:
                self._lines[name].change(want.options)
            self._wanted[name] = want
        return opened

    def doubt(self, why: str) -> None:
        """What is known of every device is too old to act upon."""
        for line in self:
            line.doubt(why)

    def poll(self, lines: Iterable[Line]) -> None:
        """Begin to poll these lines."""
        for line in lines:
            self._supervisor.keep(f"poll {line.name}", partial(poll, line, self._clock, self._rng))

    def _open(self, name: str, want: Wanted, identity: Identity, recent: tuple[float, ...]) -> Line:
        device = self._ready.pop(name, None) or self._device(want.miner)
        twin = partial(self._twin, name)
        line = self._lines[name] = Line(want.options, device, self._clock, self._listener, identity, recent, twin)
        self._listener.took(line.snapshot(), fresh=False)
        return line

    def _device(self, miner: MinerConfig) -> Device:
        headers = {key: value.reveal() for key, value in miner.headers.items()}
        return self._connect(miner.kind, miner.address, headers)

    def _twin(self, name: str, mac: str) -> str:
        """The other line that means the miner with this MAC; empty when none does. Of two that meant it before, the one
        that is asked first is not taken for the other's before that was asked too, if that stands before it."""
        own, before = self._lines.get(name), True
        for other in self._lines.values():
            if other is own:
                before = False
            elif other.expected_mac == mac:
                older = before or own is None or own.expected_mac != mac
                if self._answers(other, unasked=older):
                    return other.name
        return ""

    def _answers(self, line: Line, *, unasked: bool) -> bool:
        """Does its miner answer there, or was heard not long ago? ``unasked``: what to say of one not asked yet."""
        shown = line.snapshot()
        if shown.health in (Health.STRANGER, Health.AUTH):
            return False
        if shown.boot_s is None:
            return unasked and shown.misses == 0
        return shown.misses < LOST_AFTER or self._clock.boot() - shown.boot_s < _GONE_S


def only_simulated(config: Config, speed: float) -> None:
    """A clock that runs at another speed than 1 would lie to hardware: raises ConfigError unless every address is this
    computer's own (127.*, ::1)."""
    if speed == 1:
        return
    for miner in config.miner:
        host, _ = host_port(miner.address)
        with contextlib.suppress(ValueError):
            if ip_address(host).is_loopback:
                continue
        raise ConfigError(
            f"--speed {speed:g} is for simulated miners on this computer; {miner.name} at {miner.address} is not one"
        )
