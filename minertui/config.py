"""config.toml → Config, decoded once into typed frozen values. An error names the file, the key and what is allowed.

[engine] [api] [limits] [sweep] [guard] [alerts] [screen]      one table each, all optional
[[miner]]                                                      one per device; its own limits, sweep and guard
                                                               tables override the general ones key by key
[[rig]] [[rig.board]]                                          Duino-Coin rigs and their boards

On the way: size cap → TOML → plain text → unknown keys (with a suggestion) → types → ranges → secrets fetched. Keys
in errors count miners from 1, as a person does: ``miner[2].address`` is in the second [[miner]].
"""

from __future__ import annotations

import difflib
import enum
import logging
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from minertui import config_miners, config_rigs
from minertui.config_ranges import disorder, refusal
from minertui.config_rigs import RigConfig
from minertui.model.errors import ConfigError
from minertui.model.plans import GuardPlan, Limits, SweepPlan
from minertui.model.relay import BoardPlan
from minertui.model.text import clean, is_plain
from minertui.paths import expanded
from minertui.secret import Secret as Secret
from minertui.toml_place import Where, dotted, line_of

MAX_BYTES = 256 * 1024
"""A larger file is refused unread: hostile TOML takes seconds per 100 KiB in tomllib."""

_log = logging.getLogger(__name__)


class EngineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``poll_s``: seconds between polls of a device (2..3600); old web servers die under less than 5
    (ESP-Miner #70, #356, #773). ``log_level``: debug, info, warning or error."""

    poll_s: float = 5.0
    log_level: str = "info"
    readonly: bool = False


class ApiConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Unix socket is always there. ``tcp``: ``host:port`` to listen on as well, with a bearer token from
    ``token_file`` (mode 0600, made on first use), which ``load`` has made absolute."""

    tcp: str | None = None
    token_file: str | None = None


class AlertsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``urls``: Apprise addresses; ``load`` has added the lines of ``urls_file`` to them. ``mute``: rules that are
    shown and not sent. ``per_hour``: messages per address and hour at most. ``hashrate_drop_pct``: per cent below the
    expected hashrate that is worth an alert."""

    urls: tuple[Secret, ...] = ()
    urls_file: str | None = None
    mute: tuple[str, ...] = ()
    per_hour: int = 20
    hashrate_drop_pct: float = 20.0


class ScreenConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the screen looks. ``keys``: binding id → key; the help (``?``) lists the ids."""

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
    rig: tuple[RigConfig, ...] = ()


_SECTIONS: Mapping[str, type[msgspec.Struct]] = {
    "engine": EngineConfig,
    "api": ApiConfig,
    "limits": Limits,
    "sweep": SweepPlan,
    "guard": GuardPlan,
    "alerts": AlertsConfig,
    "screen": ScreenConfig,
}
_OVERRIDABLE = ("limits", "sweep", "guard")
_REFERENCES = ("env:", "file:")

_WORDS = {
    "`str`": "text in quotes",
    "`bool`": "true or false",
    "`int | null`": "a whole number",
    "`float | null`": "a number",
    "`str | null`": "text in quotes",
    "`int`": "a whole number",
    "`float`": "a number",
    "`array`": "a list […]",
    "`object`": "a table",
}

_NAME = re.compile(r"[^\s/\\]([^/\\]{0,62}[^\s/\\])?")


def load(path: Path) -> Config:
    """The config in ``path``; a file that is not there is an empty config. Values ``env:NAME`` and ``file:/path`` of
    secrets are fetched, and the lines of ``alerts.urls_file`` are added to ``alerts.urls``.

    Raises ConfigError for the first thing that is wrong. Logs a warning when a file that others may read holds
    secrets in plain text.
    """
    try:
        data = path.read_bytes()[: MAX_BYTES + 1] if path.exists() else b""
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path) from error
    config = decode(data, path)
    if warning := exposure(path, data):
        _log.warning("%s", warning)
    return config


def decode(data: bytes, path: Path) -> Config:
    """``data`` as the config that ``path`` holds (or would hold). Raises ConfigError."""
    return _Decoder(path, data).config()


def exposure(path: Path, data: bytes | None = None) -> str | None:
    """A warning when ``path`` holds secrets in plain text and other users may read it; None when all is well."""
    if not path.exists() or not path.stat().st_mode & 0o077:
        return None
    table = tomllib.loads((path.read_bytes() if data is None else data).decode("utf-8-sig"))
    values = [*table.get("alerts", {}).get("urls", ())]
    for miner in table.get("miner", ()):
        values += miner.get("headers", {}).values()
    values += [rig["mining_key"] for rig in table.get("rig", ()) if "mining_key" in rig]
    if all(str(value).startswith(_REFERENCES) for value in values):
        return None
    return f"{path} holds secrets and other users may read it; run: chmod 600 {path}"


class _Decoder:
    """One file on its way to a Config; knows how to say where something is wrong."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.text = self._text(data)
        self.table = self._parse()

    def config(self) -> Config:
        """All sections, converted one by one so that an error knows its exact place."""
        self._plain(self.table, ())
        self._known(self.table, Config, ())
        self._keys(self.table.get("screen"), ("screen", "keys"))
        miners, rigs = self._list("miner"), self._list("rig")
        sections = {name: self._convert(self.table.get(name, {}), kind, (name,)) for name, kind in _SECTIONS.items()}
        config = Config(
            **sections,
            miner=tuple(self._miner(n, table) for n, table in enumerate(miners)),
            rig=tuple(self._rig(n, table) for n, table in enumerate(rigs)),
        )
        self._unique(config.miner, config.rig)
        return msgspec.structs.replace(config, api=self._api(config.api), alerts=self._urls(config.alerts))

    def _list(self, name: str) -> list[Any]:
        tables = self.table.get(name, [])
        if isinstance(tables, dict) and tables.keys() == {"board"}:
            raise self.error("boards belong to a rig: write [[rig]] with name and user above the first one", (name,))
        if not isinstance(tables, list):
            raise self.error(f"write each {name} as a table of its own: [[{name}]]", (name,))
        return tables

    def _keys(self, screen: object, where: Where) -> None:
        """The ids of keys have dots in them, and without quotes TOML makes tables of those."""
        keys = screen.get("keys") if isinstance(screen, dict) else None
        for name, inner in keys.items() if isinstance(keys, dict) else ():
            parts = [name]
            while isinstance(inner, dict) and inner:
                part, inner = next(iter(inner.items()))
                parts.append(part)
            if len(parts) > 1:
                whole = ".".join(parts)
                raise self.error(f'a name with a dot in it stands in quotes; write "{whole}" = …', (*where, *parts))
            if not isinstance(inner, str):
                raise self.error('write the key in quotes, such as "ctrl+t" or "E,f5"', (*where, name))

    def error(self, message: str, where: Where) -> ConfigError:
        """What is wrong at ``where``, with the line if it can be found."""
        return ConfigError(message, file=self.path, key=dotted(where), line=line_of(self.text, where))

    def _text(self, data: bytes) -> str:
        if len(data) > MAX_BYTES:
            raise ConfigError(f"is larger than {MAX_BYTES // 1024} KiB; this is not a config file", file=self.path)
        try:
            return data.decode("utf-8-sig")  # some editors put a mark in front
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise ConfigError("is not UTF-8 text; save it as UTF-8", file=self.path, line=line) from error

    def _parse(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            message, _, place = str(error).partition(" (at ")
            digits = re.search(r"line (\d+)", place)
            line = int(digits[1]) if digits else len(self.text.splitlines())
            raise ConfigError(f"is not valid TOML: {message}", file=self.path, line=line) from error
        except RecursionError as error:
            raise ConfigError("is nested too deeply; a config has two levels", file=self.path) from error
        except ValueError as error:  # a number of thousands of digits
            raise ConfigError("holds a number that no config needs", file=self.path) from error

    def _miner(self, index: int, table: object) -> MinerConfig:
        where = ("miner", index)
        if isinstance(table, dict):
            for name in _OVERRIDABLE:
                general, own = self.table.get(name, {}), table.get(name, {})
                if isinstance(own, dict):
                    self._known(own, _SECTIONS[name], (*where, name))
                    table = {**table, name: {**general, **own}}
        miner: MinerConfig = self._convert(table, MinerConfig, where)
        self._named(miner.name, where)
        if problem := config_miners.problem(miner.kind, miner.address, miner.headers):
            raise self.error(problem[1], (*where, problem[0]))
        return miner

    def _rig(self, index: int, table: object) -> RigConfig:
        where = ("rig", index)
        boards = table.get("board", []) if isinstance(table, dict) else []
        if not isinstance(boards, list):
            raise self.error("write each board as a table of its own: [[rig.board]]", (*where, "board"))
        bare = {**table, "board": []} if isinstance(table, dict) else table
        found = tuple(self._convert(board, BoardPlan, (*where, "board", n)) for n, board in enumerate(boards))
        rig: RigConfig = msgspec.structs.replace(self._convert(bare, RigConfig, where), board=found)
        self._named(rig.name, where)
        if problem := config_rigs.problem(rig):
            raise self.error(problem[1], (*where, *problem[0]))
        return rig

    def _named(self, name: str, where: Where) -> None:
        if not _NAME.fullmatch(name) or clean(name, 64) != name:
            raise self.error("1 to 64 characters, no slash or backslash, no space at the ends", (*where, "name"))

    def _unique(self, miners: tuple[MinerConfig, ...], rigs: tuple[RigConfig, ...]) -> None:
        seen: dict[str, str] = {}
        named = [("miner", index, miner.name) for index, miner in enumerate(miners)]
        for kind, index, name in [*named, *(("rig", index, rig.name) for index, rig in enumerate(rigs))]:
            first = seen.setdefault(name.casefold(), f"{kind}[{index + 1}]")
            if first != f"{kind}[{index + 1}]":
                raise self.error(f"“{name}” is the name of {first} too", (kind, index, "name"))

    def _convert(self, table: object, kind: type[msgspec.Struct], where: Where) -> Any:
        self._known(table, kind, where)
        try:
            value = msgspec.convert(table, kind, dec_hook=self._secret)
        except msgspec.ValidationError as error:
            raise self._explained(error, kind, where) from error
        self._in_range(value, where)
        return value

    def _explained(self, error: msgspec.ValidationError, kind: type, where: Where) -> ConfigError:
        message, _, place = str(error).partition(" - at `$")
        inner = tuple(part for part in re.split(r"[.\[\]`]+", place) if part and part != "...")
        missing = re.fullmatch(r"Object missing required field `(\w+)`", message)
        if missing:
            message = f"has no {missing[1]}; write {missing[1]} = …"
        elif message.startswith("Invalid enum value"):
            message = f"allowed: {', '.join(_members(kind, inner))}"
        for code, words in _WORDS.items():
            message = message.replace(code, words)
        return self.error(message[:1].lower() + message[1:], (*where, *inner))

    def _plain(self, value: object, where: Where) -> None:
        """Names and tags of a config are shown everywhere, so they hold nothing that a terminal acts upon or hides."""
        if isinstance(value, str) and not is_plain(value):
            raise self.error("holds a character that cannot be shown, such as an escape or a line end", where)
        if isinstance(value, dict):
            for key, inner in value.items():
                self._plain(key, (*where, key))
                self._plain(inner, (*where, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self._plain(inner, (*where, index))

    def _known(self, table: object, kind: type[msgspec.Struct], where: Where) -> None:
        if not isinstance(table, dict):
            raise self.error("must be a table", where)
        names = keys_of(kind)
        for key in table:
            if key not in names:
                near = difflib.get_close_matches(key, names, 1)
                hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(names)}"
                raise self.error(f"unknown key; {hint}", (*where, key))
        for name, inner in _nested(kind).items():
            if name in table:
                self._known(table[name], inner, (*where, name))

    def _in_range(self, value: msgspec.Struct, where: Where) -> None:
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            if isinstance(inner, msgspec.Struct):
                self._in_range(inner, (*where, name))
            elif problem := refusal(name, inner):
                raise self.error(problem, (*where, name))
        if found := disorder(value):
            raise self.error(found[1], (*where, found[0]))

    def _secret(self, kind: type, value: object) -> Secret:
        if kind is not Secret or not isinstance(value, str):
            raise ValueError("Expected `str`")
        if value.startswith("env:"):
            return Secret(self._from_env(value[4:]))
        if value.startswith("file:"):
            return Secret(self._from_file(value[5:]).strip())
        return Secret(value)

    def _from_env(self, name: str) -> str:
        if name not in os.environ:
            raise ConfigError(f"needs the environment variable {name}, which is not set", file=self.path)
        return os.environ[name]

    def _from_file(self, name: str) -> str:
        file = self.path.parent / self._expanded(name)
        try:
            return file.read_bytes()[:MAX_BYTES].decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"needs the file {file}, which cannot be read: {error}", file=self.path) from error

    def _expanded(self, name: str) -> Path:
        try:
            return expanded(name)
        except ConfigError as error:
            raise ConfigError(error.message, file=self.path) from error

    def _api(self, api: ApiConfig) -> ApiConfig:
        if api.token_file is None:
            if api.tcp is not None:
                raise self.error("needs a token_file beside it", ("api", "tcp"))
            return api
        file = self.path.absolute().parent / self._expanded(api.token_file)
        return msgspec.structs.replace(api, token_file=str(file))

    def _urls(self, alerts: AlertsConfig) -> AlertsConfig:
        if alerts.urls_file is None:
            return alerts
        lines = (line.strip() for line in self._from_file(alerts.urls_file).splitlines())
        more = tuple(Secret(line) for line in lines if line and not line.startswith("#"))
        return msgspec.structs.replace(alerts, urls=alerts.urls + more)


def keys_of(kind: type[msgspec.Struct]) -> list[str]:
    """The keys that a table of this kind may have; not a plan's ``device``: in the config a plan is a template."""
    return [name for name in kind.__struct_fields__ if name != "device"]


def _nested(kind: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    return {name: _SECTIONS[name] for name in _OVERRIDABLE} if kind is MinerConfig else {}


def _members(kind: type, inner: tuple[str, ...]) -> list[str]:
    """The values of the enum that stands at ``inner`` in a table of this kind."""
    for part in inner:
        kind = get_type_hints(kind)[part]
    return [str(member.value) for member in kind] if issubclass(kind, enum.Enum) else []
