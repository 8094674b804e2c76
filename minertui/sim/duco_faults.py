"""What goes wrong with Duino-Coin boards, buses and pools, by name. A fault is on until it is taken off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from minertui.model.errors import ConfigError

BOARD: dict[str, str] = {
    "stuck-busy": "a search never ends",
    "wrong-nonce": "finds nonces that are none",
    "not-found": "answers every job with nonce 0 or #",
    "silent": "takes jobs and questions and never answers",
    "unplugged": "not on the bus, or pulled out of its port",
}
BUS: dict[str, str] = {
    "hang-bus": "pulls the bus down: no board on it can be reached",
    "block": "a transaction with this board does not return before the fault is off",
    "bit-flip": "a bit of a byte read is flipped now and then",
    "stretch": "clock stretching goes wrong: bytes read are 0xFF now and then",
    "lost-byte": "a byte written is lost now and then",
    "no-ack": "a transaction in eight is not acknowledged (usual with ATtiny85)",
}
SERIAL: dict[str, str] = {
    "torn-job": "the first bytes of every job are lost",
    "torn-reply": "only half of an answer comes",
    "garbage": "answers are noise",
    "flood": "sends without end and without newline",
}
BOARD_FAULTS: dict[str, str] = {**BOARD, **BUS, **SERIAL}

POOL_FAULTS: dict[str, str] = {
    "stall": "takes and counts what comes and is silent, greeting included; connections stay open",
    "refuse": "closes every new connection without a word",
    "half-job": "sends half a job and then nothing",
    "half-verdict": "takes a result, sends half of the verdict and closes",
    "cut-verdict": "takes and counts a result, then closes without the verdict",
    "glued": "sends a job together with a verdict nobody asked for",
    "split": "sends every line a byte at a time",
    "endless": "sends a line that never ends",
    "garbage": "answers with noise",
    "bad": "answers every right result with a plain BAD, without a reason",
    "hard-job": "gives jobs that no board can do, as after a move to a high tier",
}


class Faults:
    """The faults that are on, out of ``known``."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self._on: set[str] = set()

    def add(self, name: str) -> None:
        """Switch a fault on. Raises ConfigError for a name that is not known."""
        if name not in self._known:
            raise ConfigError(f"no fault named {name!r}; the faults are: {', '.join(sorted(self._known))}")
        self._on.add(name)

    def discard(self, name: str) -> None:
        """Switch a fault off."""
        self._on.discard(name)

    def clear(self) -> None:
        """Switch all off."""
        self._on.clear()

    def __contains__(self, name: object) -> bool:
        return name in self._on

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._on))
