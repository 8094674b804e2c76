"""config.toml → Config, decoded once into typed frozen values. An error names the file, the key and what is allowed.

[engine] [api] [limits] [sweep] [guard] [alerts] [screen]      one table each, all optional
[[miner]]                                                      one per device; its own limits, sweep and guard
                                                               tables override the general ones key by key
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from minertui.model.plans import GuardPlan, Limits, SweepPlan


class Secret:
    """A value that never shows itself: repr and str are ``•••``; ``reveal()`` gives it to whoever sends it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "•••"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "•••"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


class EngineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``poll_s``: seconds between polls of a device (2..3600); old web servers die under less than 5
    (ESP-Miner #70, #356, #773). ``log_level``: debug, info, warning or error."""

    poll_s: float = 5.0
    log_level: str = "info"
    readonly: bool = False


class ApiConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Unix socket is always there. ``tcp``: ``host:port`` to listen on as well, with a bearer token from
    ``token_file`` (mode 0600, made on first use)."""

    tcp: str | None = None
    token_file: str | None = None


class AlertsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``urls``/``urls_file``: Apprise addresses. ``rules``: which rules send (default: all but ``best-diff``).
    ``per_hour``: messages per target and hour at most."""

    urls: tuple[Secret, ...] = ()
    urls_file: str | None = None
    mute: tuple[str, ...] = ()
    per_hour: int = 20
    hashrate_drop_pct: float = 20.0


class ScreenConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the screen looks. ``keys``: binding id → key, see ``minertui keys``."""

    theme: str = "dark"
    ascii: bool = False
    readonly: bool = False
    mouse: bool = True
    keys: Mapping[str, str] = {}


class MinerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A miner. ``address``: host or host:port. ``headers``: sent with every request, for firmware that wants
    authentication. ``guarded``: the thermal guard starts with the engine. ``readonly``: never write to it."""

    name: str
    address: str
    kind: str = "axeos"
    tags: tuple[str, ...] = ()
    pinned: bool = False
    poll_s: float | None = None
    readonly: bool = False
    guarded: bool = False
    headers: Mapping[str, Secret] = {}
    limits: Limits = Limits()
    sweep: SweepPlan = SweepPlan()
    guard: GuardPlan = GuardPlan()


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the file says."""

    engine: EngineConfig = EngineConfig()
    api: ApiConfig = ApiConfig()
    limits: Limits = Limits()
    sweep: SweepPlan = SweepPlan()
    guard: GuardPlan = GuardPlan()
    alerts: AlertsConfig = AlertsConfig()
    screen: ScreenConfig = ScreenConfig()
    miner: tuple[MinerConfig, ...] = ()
