"""Where things live. What the command line says goes first, then the environment, then the platform's own places.

config  MINERTUI_CONFIG   ~/.config/minertui/config.toml
state   MINERTUI_STATE    ~/.local/state/minertui        history, journal, log; mode 0700
socket  MINERTUI_SOCKET   $XDG_RUNTIME_DIR/minertui/engine.sock, or engine.sock in the state folder where there is no
                          runtime directory (never /tmp: another user could sit there first)
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from minertui.model.errors import ConfigError

APP = "minertui"
SOCKET_NAME = "engine.sock"


def config_file(given: Path | None = None) -> Path:
    """The config file; it may not exist yet."""
    return _chosen(given, "MINERTUI_CONFIG") or platformdirs.user_config_path(APP) / "config.toml"


def state_dir(given: Path | None = None) -> Path:
    """The folder of history, journal and log; it may not exist yet."""
    return _chosen(given, "MINERTUI_STATE") or platformdirs.user_state_path(APP)


def socket_path(given: Path | None = None, state: Path | None = None) -> Path:
    """The engine's socket. A state folder named by ``state`` or MINERTUI_STATE brings its own socket, so that two
    engines with two states never meet."""
    chosen = _chosen(given, "MINERTUI_SOCKET")
    if chosen:
        return chosen
    own_state = _chosen(state, "MINERTUI_STATE")
    if own_state:
        return own_state / SOCKET_NAME
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / APP / SOCKET_NAME
    return state_dir() / SOCKET_NAME


def private_dir(path: Path) -> Path:
    """``path``, made with mode 0700 when it is not there; an existing folder keeps its mode."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def expanded(text: str) -> Path:
    """``text`` with the home that a ``~`` in front stands for. Raises ConfigError where nobody knows it: another user's
    that there is not, or a service without one."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{text}: nobody knows that home here; write the whole path, beginning with /") from error


def _chosen(given: Path | None, variable: str) -> Path | None:
    text = str(given) if given else os.environ.get(variable, "")
    return expanded(text).absolute() if text else None
