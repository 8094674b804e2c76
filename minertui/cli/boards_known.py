"""Which boards the miners of the config are, as an engine learned it: read beside an engine that may be running."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec


class _Board(msgspec.Struct):
    mac: str | None = None


def names_by_mac(state: Path) -> dict[str, str]:
    """Names by hardware address; none where no engine ran yet, or what it kept cannot be read. No file is made: one of
    another user's would keep the engine from its own."""
    from minertui.engine.records import RECORDS

    found: dict[str, str] = {}
    file = state / RECORDS
    if not file.exists():
        return found
    in_use = file.with_name(f"{RECORDS}-wal").exists()  # without one all is in the file, and nobody writes it
    url = f"{file.absolute().as_uri()}?{'mode=ro' if in_use else 'immutable=1'}"
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(url, uri=True)) as db:
        for name, body in db.execute("SELECT device, body FROM identity"):
            with contextlib.suppress(msgspec.MsgspecError):
                mac = msgspec.json.decode(body, type=_Board).mac
                found |= {mac: name} if mac else {}
    return found
