"""Changing config.toml without losing the user's comments. What would not decode never replaces what did.

The new text is decoded first, then written to a file beside the old one (mode 0600), synced, and renamed over it: a
power cut leaves the old config or the new one, never half of either.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from minertui import config_places, durable
from minertui.config import Config, decode
from minertui.model.errors import ConfigError
from minertui.model.frontier import Known
from minertui.model.history import MinerEntry, Templates
from minertui.model.plans import Limits
from minertui.toml_place import without

_NEW = "# minertui: see config.example.toml for everything that can stand here.\n"


def entries(config: Config) -> list[MinerEntry]:
    """The miners of a config, without secrets. ``limits`` holds only what differs from the general [limits]."""
    return [
        MinerEntry(
            name=miner.name,
            address=miner.address,
            kind=miner.kind,
            tags=miner.tags,
            pinned=miner.pinned,
            poll_s=miner.poll_s,
            readonly=miner.readonly,
            limits=_own(miner.limits, config.limits),
        )
        for miner in config.miner
    ]


def templates(config: Config, name: str, known: Known | None = None) -> Templates:
    """The plans of the miner of that name; the general ones where there is none."""
    of = next((miner for miner in config.miner if miner.name == name), config)
    sweep, guard = msgspec.structs.replace(of.sweep, device=name), msgspec.structs.replace(of.guard, device=name)
    return Templates(sweep, guard, known)


def save_miner(path: Path, entry: MinerEntry, replaces: str | None = None) -> Config:
    """Add ``entry``, or change the miner named ``replaces``; keys that an entry does not know (headers, sweep, guard)
    stay. Returns the new config. Raises ConfigError, also for an address that another miner has, and then the file is
    as it was."""
    document = _document(path)
    config_places.free(_miners(path, document), path, replaces or "", entry.address)
    if replaces is None:
        return replace_text(path, f"{tomlkit.dumps(document).rstrip()}\n\n{_written(entry)}")
    miners = _miners(path, document)
    _update(miners[_index(path, miners, replaces)], entry)
    return replace_text(path, tomlkit.dumps(document))


def remove_miner(path: Path, name: str) -> Config:
    """Take the miner out of the file, with the comments that are clearly its own; all others stay. Returns the new
    config. Raises ConfigError when there is none of that name."""
    document = _document(path)
    whole, miners = tomlkit.dumps(document), _miners(path, document)
    index = _index(path, miners, name)
    del miners[index]
    if not miners:
        del document["miner"]
    text = without(whole, ("miner", index))
    if not _says_the_same(text, tomlkit.dumps(document)):  # written as nobody writes it
        text = tomlkit.dumps(document)
    return replace_text(path, text or _NEW)  # an empty file would be taken for one that was lost


def _says_the_same(text: str, other: str) -> bool:
    try:
        return tomlkit.parse(text).unwrap() == tomlkit.parse(other).unwrap()
    except TOMLKitError:
        return False


def replace_text(path: Path, text: str) -> Config:
    """Make ``text`` the config in ``path`` if it decodes; returns what it says. Raises ConfigError."""
    data = text.encode()
    config = decode(data, path)
    target = path.resolve()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.replace(target, data)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=path) from error
    return config


def _document(path: Path) -> tomlkit.TOMLDocument:
    """The file for editing. One that is already wrong is refused: a change must not be blamed for it."""
    try:
        data = path.read_bytes() if path.exists() else _NEW.encode()
        decode(data, path)
        document = tomlkit.parse(data.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path) from error
    except TOMLKitError as error:
        raise ConfigError(f"cannot be edited by the program: {error}; edit it by hand", file=path) from error
    _miners(path, document)
    return document


def _miners(path: Path, document: tomlkit.TOMLDocument) -> Any:
    miners = document.get("miner", tomlkit.aot())
    if not isinstance(miners, AoT):
        raise ConfigError("is one list; write each miner as [[miner]], or edit it by hand", file=path, key="miner")
    return miners


def _written(entry: MinerEntry) -> str:
    """A [[miner]] of its own: put behind a file, it leaves every byte of the file as it is."""
    document, miners, table = tomlkit.document(), tomlkit.aot(), tomlkit.table()
    _update(table, entry)
    miners.append(table)
    document["miner"] = miners
    return tomlkit.dumps(document)


def _index(path: Path, miners: list[Any], name: str) -> int:
    for index, table in enumerate(miners):
        if table["name"] == name:
            return index
    raise ConfigError(f"has no miner named “{name}”", file=path, key="miner")


def _update(table: MutableMapping[str, Any], entry: MinerEntry) -> None:
    wanted = msgspec.to_builtins(entry)
    limits = wanted.pop("limits", {})
    _set(table, wanted, [name for name in MinerEntry.__struct_fields__ if name != "limits"])
    if limits and "limits" not in table:
        table["limits"] = tomlkit.table()
    if "limits" in table:
        _set(table["limits"], limits, Limits.__struct_fields__)
        if not table["limits"]:
            del table["limits"]


def _set(table: MutableMapping[str, Any], wanted: dict[str, Any], keys: tuple[str, ...] | list[str]) -> None:
    for key in keys:
        if key not in wanted:
            table.pop(key, None)
        elif key not in table or table[key] != wanted[key]:
            table[key] = list(wanted[key]) if isinstance(wanted[key], tuple) else wanted[key]


def _own(limits: Limits, general: Limits) -> Limits:
    pairs = {name: getattr(limits, name) for name in Limits.__struct_fields__}
    return Limits(**{name: value for name, value in pairs.items() if value != getattr(general, name)})
