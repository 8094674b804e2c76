"""Where an engine of a dry run lives: in a folder of its own, which goes with it.

Of the state folder it has a copy of the records, for the frontier that a sweep left, and neither the journal nor the
sign of life of an engine that was killed. So no way back is walked or forgotten, no sweep taken up and no alert told:
all that is the next real engine's.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from minertui.config import AlertsConfig, Config
from minertui.engine.lock import StateLock
from minertui.engine.records import RECORDS
from minertui.model.errors import LinkError

_BESIDE = ("wal", "journal")  # what a killed engine left beside a database belongs to it


@asynccontextmanager
async def forgetful(settings: Config, state: Path) -> AsyncIterator[tuple[Config, Path]]:
    """The config for an engine that only looks, and its folder. Raises LinkError while another engine works with
    ``state``, and where the disk refuses the copy."""
    try:
        room = tempfile.TemporaryDirectory(prefix="minertui-dry-run-")
    except OSError as error:
        raise LinkError(f"a dry run needs a temporary folder: {error.strerror}; name one with TMPDIR=FOLDER") from error
    with room as name:
        await asyncio.to_thread(_copy, state, Path(name))
        yield _watching(settings), Path(name)


def _watching(settings: Config) -> Config:
    """It writes to no miner, runs no rig and sends nobody anything."""
    engine = msgspec.structs.replace(settings.engine, readonly=True)
    return msgspec.structs.replace(settings, engine=engine, alerts=AlertsConfig(), rig=())


def _copy(state: Path, room: Path) -> None:
    if not state.is_dir():
        return
    with StateLock(state):  # nobody writes meanwhile
        for name in (RECORDS, *(f"{RECORDS}-{kind}" for kind in _BESIDE)):
            try:
                if (state / name).exists():
                    shutil.copyfile(state / name, room / name)
            except OSError as error:
                why = f"{state / name} cannot be copied to {room}: {error.strerror}"
                raise LinkError(f"{why}; a dry run works on a copy, so that it changes nothing") from error
