"""Bearer tokens of the TCP door: one that may read, one that may also control, in a file of mode 0600.

read 1f0c…
control 9a77…

The file is made on first use. Deleting it makes new tokens at the next start.
"""

from __future__ import annotations

import enum
import hmac
import os
import secrets
from pathlib import Path

from minertui.model.errors import ConfigError

_BYTES = 32  # 256 bits, as 64 hex digits


class Scope(enum.StrEnum):
    """What a token opens."""

    READ = "read"
    CONTROL = "control"


class Tokens:
    """The tokens of one file. Their text is never shown."""

    def __init__(self, read: str, control: str) -> None:
        self._known = ((Scope.CONTROL, control.encode()), (Scope.READ, read.encode()))

    def scope_of(self, token: str) -> Scope | None:
        """What ``token`` opens, None for a foreign one. Takes equally long for every token of the same length."""
        given = token.encode("utf-8", "surrogatepass")
        matches = [(scope, hmac.compare_digest(given, known)) for scope, known in self._known]
        return next((scope for scope, same in matches if same), None)


def tokens_from(path: Path) -> Tokens:
    """The tokens in ``path``, made when the file is not there. Raises ConfigError when others may read it or it does
    not hold two tokens."""
    try:
        _make(path)
        mode, lines = path.stat().st_mode, path.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot use the token file: {error}", file=path) from error
    if mode & 0o077:
        raise ConfigError(f"other users may read the tokens; run: chmod 600 {path}", file=path)
    found = dict(line.split(None, 1) for line in lines if len(line.split(None, 1)) == 2)
    tokens = {scope: found.get(scope.value, "").strip() for scope in Scope}
    if any(len(token) < _BYTES for token in tokens.values()) or len(set(tokens.values())) < 2:
        raise ConfigError("needs two different tokens, “read …” and “control …”; delete it to get new ones", file=path)
    return Tokens(tokens[Scope.READ], tokens[Scope.CONTROL])


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.writelines(f"{scope.value} {secrets.token_hex(_BYTES)}\n" for scope in Scope)
