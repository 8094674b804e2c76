"""Where the config's miners are. One miner that stands there twice, under two names, is a mistake: each name would undo
what the other does. So no text with it passes ``config check`` and ``config edit``, and nothing is saved that makes it
so; but an engine that finds it in the file starts, watches one of the two and says so: a miner that nobody guards is
worse than a name too many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from minertui.config import Config, MinerConfig
from minertui.model.errors import ConfigError
from minertui.toml_place import dotted, line_of
from minertui.wire.axeos.address import authority, host_port


def place(address: str) -> str:
    """The one spelling of an address: small letters, without ``http://``, a slash or dot at the end and port 80."""
    try:
        host, port = host_port(address)
    except ConfigError:
        return address.lower()
    return authority(host.rstrip("."), port)


def same_place(one: str, other: str) -> bool:
    """True when both addresses are the same, however they are written."""
    return place(one) == place(other)


def renamed(before: Config, after: Config) -> list[tuple[str, str]]:
    """The old and the new name of each miner that has another one at the same address now."""
    was = {place(miner.address): miner.name for miner in before.miner}
    now = {place(miner.address): miner.name for miner in after.miner}
    stay = {miner.name for miner in before.miner} & {miner.name for miner in after.miner}
    return [(was[at], name) for at, name in now.items() if at in was and not {was[at], name} & stay]


class Double(msgspec.Struct, frozen=True):
    """Two miners of one address. ``index``: the second one's among the miners, from 0."""

    index: int
    first: MinerConfig
    second: MinerConfig

    @property
    def sentence(self) -> str:
        """Who they are and what to do."""
        return (
            f"“{self.first.name}” and “{self.second.name}” have one address, {self.second.address}: "
            "give each its own, or remove one of the two"
        )


def doubles(miners: Sequence[MinerConfig]) -> list[Double]:
    """Every miner whose address one before it has."""
    first: dict[str, MinerConfig] = {}
    found = [(index, first.setdefault(place(miner.address), miner), miner) for index, miner in enumerate(miners)]
    return [Double(index, one, other) for index, one, other in found if one is not other]


def notice(config: Config) -> str:
    """What an engine says of them; empty where there are none."""
    found = doubles(config.miner)
    more = f" (and {len(found) - 1} more such)" if len(found) > 1 else ""
    return f"in the config {found[0].sentence}{more}; two names of one miner undo each other's work" if found else ""


def check(config: Config, file: Path, text: str) -> None:
    """Raises ConfigError for the first miner of ``text`` whose address another one has."""
    for double in doubles(config.miner):
        where = ("miner", double.index, "address")
        raise ConfigError(double.sentence, file=file, key=dotted(where), line=line_of(text, where))


def free(miners: Sequence[Mapping[str, str]], file: Path, name: str, address: str) -> None:
    """Raises ConfigError where another miner than ``name`` has this address, unless ``name`` has had it already: a file
    that has a double can be changed all the same."""
    at = {miner["name"]: miner["address"] for miner in miners}
    if name in at and same_place(at[name], address):
        return
    for other, there in at.items():
        if other != name and same_place(there, address):
            text = f"“{other}” has the address {there} already; change that entry, or remove it first"
            raise ConfigError(text, file=file, key="miner")
