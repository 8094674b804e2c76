"""Names of miners are looked up in threads of their own.

A resolver that does not answer (a router that restarts, a name server that is off) holds its thread for ten seconds and
more, at each poll of each miner that the config has by name. asyncio shares out four threads more than there are
processors, and the journal is written in them: a hot miner would not be lowered before they are through.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

_AT_ONCE = 32


def look_up_apart() -> None:
    """From now on, in the loop that runs."""
    loop: Any = asyncio.get_running_loop()
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="name")

    def getaddrinfo(host: str | None, port: int | None, **more: int) -> Awaitable[Any]:
        found: Awaitable[Any] = loop.run_in_executor(pool, partial(socket.getaddrinfo, host, port, **more))
        return found

    loop.getaddrinfo = getaddrinfo
