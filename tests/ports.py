"""A port of this computer that is nobody else's: one found free and let go may be taken by the time it is used."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def held_port() -> Iterator[int]:
    """Nobody listens there, and nobody is given it meanwhile, nor the end of a connection. A server that may reuse its
    address can listen there: all of asyncio's and ours."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
