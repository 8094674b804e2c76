"""``minertui probe``: what this program understands of one miner, and a recording of what the miner says."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from minertui import __version__
from minertui.cli import places
from minertui.cli.numbers import UNITS
from minertui.cli.wording import Paragraphs
from minertui.model.errors import ConfigError, DeviceError
from minertui.model.status import Ability, ChipStatus, MinerStatus, PoolSetting, RejectReason
from minertui.model.text import clean, masked, path_text

if TYPE_CHECKING:
    from minertui.devices.axeos import AxeosDevice

_ABOUT = """\
Reads one miner once and prints every field that is understood, with its unit. --record writes the raw answers
to a new file for a bug report or a test; addresses, names, Wi-Fi, pools and wallets are replaced by examples.
Nothing is changed on the miner.
"""
_CLEARER = {  # two fields of one name, told apart by their unit alone
    "core_mv": "core_set_mv",
    "frequency_mhz": "frequency_set_mhz",
    "actual_mhz": "frequency_mhz",
    "core_actual_mv": "core_mv",
    "cap_mhz": "highest_frequency_mhz",
    "cap_mv": "highest_core_mv",
    "default_mhz": "default_frequency_mhz",
    "default_mv": "default_core_mv",
    "fan_rpm": "fan_speed_rpm",
    "fan2_rpm": "second_fan_speed_rpm",
    "chip_temp2_c": "other_chip_temp_c",
    "error_pct": "errors_pct",
}
_TAKEN = "exists already; name a new file"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui probe``."""
    parser = subparsers.add_parser(
        "probe",
        help="show all that one miner says",
        description=_ABOUT,
        formatter_class=Paragraphs,
        parents=[places.options()],
    )
    parser.add_argument("address", metavar="ADDRESS", help="host, host:port, or the name of a miner in the config")
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="write the answers, redacted, to this new file (default: to none)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when the miner was understood. Raises ConfigError and DeviceError."""
    from minertui import config
    from minertui.devices.axeos import connect
    from minertui.engine.reach import check_address

    record = args.record.absolute() if args.record else None
    if record:
        _free(record)
    miners = config.load(places.config_file(args)).miner
    miner = next((m for m in miners if args.address in (m.name, m.address)), None)
    address = miner.address if miner else args.address
    headers = {name: secret.reveal() for name, secret in miner.headers.items()} if miner else {}
    check_address(address, confirm=True)  # the person typed it
    asyncio.run(probe(connect(address, headers=headers), record))
    return 0


async def probe(device: AxeosDevice, record: Path | None) -> None:
    """Prints what ``device`` says and records it. An answer that cannot be read is recorded all the same."""
    from minertui.wire.axeos import unknown_fields

    status: MinerStatus | None = None
    try:
        status = await device.read()
        _show(status, device.address, unknown_fields(next(iter(device.answers.values()))))
        if record and Ability.STATISTICS in status.abilities:
            with contextlib.suppress(DeviceError):
                await device.statistics()
    finally:
        await device.close()
        if record and device.answers:
            _write(record, status, device.answers)
            print(f"recorded in {path_text(record)}; have a look before you share it")


def _show(status: MinerStatus, address: str, unknown: list[str]) -> None:
    print(f"{status.model or 'A miner'} at {address}")
    missing: list[str] = []
    for field in status.__struct_fields__:
        value = getattr(status, field)
        value = masked(value) if field == "pool_user" and value else value
        name, unit = _name(field)
        if field == "total_hashes" and isinstance(value, float):
            value, unit = value / 1e9, "GH"  # as hashrates are GH/s
        if value is None or value == ():
            missing.append(name)
        for line in _lines(value):
            print(f"  {name:<22} {line} {unit}".rstrip())
            name = ""
    print(f"not told by this firmware: {', '.join(missing) or 'nothing'}")
    if unknown:
        print(f"not understood: {', '.join(clean(name, 60) for name in unknown)}")
        print("these fields are new to minertui; a recording (--record FILE) in a bug report helps")


def _name(field: str) -> tuple[str, str]:
    """``chip_temp_c`` → ``chip temp`` and ``°C``."""
    field = _CLEARER.get(field, field)
    stem, _, suffix = field.rpartition("_")
    if suffix in UNITS and stem:
        return stem.replace("_", " "), UNITS[suffix]
    return field.replace("_", " "), ""


def _lines(value: object) -> Iterator[str]:
    if isinstance(value, tuple):
        for item in value:
            yield from _lines(item)
    elif isinstance(value, frozenset):
        yield ", ".join(sorted(value))
    elif isinstance(value, ChipStatus):
        yield _chip(value)
    elif isinstance(value, PoolSetting):
        place = "" if value.slot is None else f"slot {value.slot}: "
        yield f"{place}{value.url}:{value.port} as {masked(value.user)}"
    elif isinstance(value, RejectReason):
        yield f"{value.reason}: {value.count}"
    elif value is not None:
        yield _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value < 1e15 and (value >= 1e5 or value == int(value)) else f"{value:.6g}"
    return str(value)


def _chip(chip: ChipStatus) -> str:
    parts = [f"{chip.hashrate_ghs:.0f} GH/s"] if chip.hashrate_ghs is not None else []
    parts += [f"{chip.errors} errors"] if chip.errors is not None else []
    parts += [f"{chip.temp_c:g} °C"] if chip.temp_c is not None else []
    parts += ["domains " + " ".join(f"{ghs:.0f}" for ghs in chip.domains_ghs)] if chip.domains_ghs else []
    return ", ".join(parts) or "says nothing"


def _free(path: Path) -> None:
    """Before anything is asked: a recording can be written there. Raises ConfigError."""
    if path.exists():
        raise ConfigError(_TAKEN, file=path)
    if not path.parent.is_dir():
        raise ConfigError("cannot be written: there is no such folder", file=path)
    if not os.access(path.parent, os.W_OK):
        raise ConfigError("cannot be written: its folder is not yours to write to", file=path)


def _write(path: Path, status: MinerStatus | None, answers: Mapping[str, bytes]) -> None:
    """The recording: one JSON object; ``answers`` holds each answer as text, byte for byte but for what identifies. The
    file is ASCII: who looks into it on a terminal sees escapes where the answer has what a terminal obeys."""
    from minertui.wire.axeos import redact

    recording = {
        "recorded_by": f"minertui {__version__}",
        "kind": "axeos",
        "model": status.model if status else None,
        "firmware": status.firmware if status else None,
        "answers": {name: redact(body).decode() for name, body in answers.items()},
    }
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(json.dumps(recording, indent=2) + "\n")
    except FileExistsError as error:
        raise ConfigError(_TAKEN, file=path) from error
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=path) from error
