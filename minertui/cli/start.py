"""Starting the engine in the background: its own session, its own log, nothing of this terminal.

What it prints goes to ``engine.log`` in the state folder. It counts as started when its API answers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from minertui import paths
from minertui.model.errors import LinkError, MinertuiError
from minertui.model.seams import Clock

if TYPE_CHECKING:
    from minertui.api.client import ApiClient
    from minertui.api.shapes import EngineHealth

PATIENCE_S = 60.0
_LOOK_S = 0.1
_LOG_BYTES = 1024 * 1024
_SHOWN = 12


def log_file(state: Path) -> Path:
    """Where an engine in the background writes what it prints."""
    return state / "engine.log"


def last_lines(file: Path, count: int) -> list[str]:
    """The last lines of a text file; none when it is not there, or cannot be read."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - 64 * 1024))
            return log.read().decode(errors="replace").splitlines()[-count:] if count else []
    except OSError:  # not there, or not to be read
        return []


async def running_engine(
    client: ApiClient,
    config: Path,
    state: Path,
    socket: Path,
    clock: Clock,
    extra: Sequence[str] = (),
    command: Sequence[str] = ("engine",),
) -> EngineHealth:
    """The engine that answers at ``socket``, started as ``minertui COMMAND EXTRA`` when there is none.

    With ``extra`` options one that runs already is refused, because they would not count. Raises LinkError, with the
    end of its log, when it does not come up.
    """
    try:
        health = await client.health()
    except LinkError:
        pass
    else:
        if extra:
            raise MinertuiError(
                f"{' '.join(extra)} is for starting an engine, and one runs already; “minertui stop” first"
            )
        return health
    process = start(config, state, socket, (*command, *extra))
    deadline_s = clock.mono() + PATIENCE_S
    while clock.mono() < deadline_s:
        ended = process.poll() is not None
        try:
            return await client.health()
        except LinkError as error:
            if ended:
                raise _failed(f"the engine ended with code {process.returncode}", state, command[0]) from error
        await clock.sleep(_LOOK_S)
    raise _failed(f"the engine does not answer after {PATIENCE_S:g} s", state, command[0])


def start(config: Path, state: Path, socket: Path, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start ``minertui COMMAND`` on its own; it outlives this process and its terminal. Raises LinkError for a state
    folder that cannot be."""
    try:
        paths.private_dir(state)
    except OSError as error:
        text = f"the state folder {state} cannot be used: {error.strerror}; mend it or choose another"
        raise LinkError(text) from error
    places = {"MINERTUI_CONFIG": config, "MINERTUI_STATE": state, "MINERTUI_SOCKET": socket}
    handle = _log(log_file(state))
    try:
        return subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, "-m", "minertui", *command],
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            cwd="/",
            env={**os.environ, **{name: str(path) for name, path in places.items()}},
            start_new_session=True,
        )
    finally:
        os.close(handle)


def _log(file: Path) -> int:
    """Where it writes to; a disk that takes no log keeps no engine from its miners."""
    try:
        if file.exists() and file.stat().st_size > _LOG_BYTES:
            file.replace(file.with_suffix(".log.1"))
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def _failed(what: str, state: Path, command: str) -> LinkError:
    log = log_file(state)
    lines = last_lines(log, _SHOWN)
    more = "; its last words:" if lines else ""
    again = "try “minertui engine” to see it start" if command == "engine" else f"try “minertui {command}” again"
    hint = f"{again}; its log is {log}{more}"
    return LinkError(f"{what}; {hint}", *(f"  {line}" for line in lines))
