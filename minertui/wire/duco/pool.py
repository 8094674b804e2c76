"""One connection to a Duino-Coin pool, as a state machine between bytes and events.

    GREETING ─3.0→ READY ─request_job→ ASKED ─job→ OPEN ─submit→ JUDGED ─verdict→ READY …

The protocol has no message ids and the pool takes one received segment as one message. So what the client sends is one
write at a time, never two in flight; and an answer that does not fit the state means that the two ends are out of step,
which nothing but a new connection mends: Desync. A reconnect costs ten unpaid shares, so it is asked for then only.
Not modelled: time. The pool closes 30 s after the greeting without a first JOB, and after 90 s of silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

import msgspec

from minertui.model.text import clean
from minertui.wire.duco.hash import Job
from minertui.wire.duco.lines import Lines, Overlong
from minertui.wire.duco.messages import encode_iot, encode_job, encode_result

FIRST_JOB_S = 30.0
SILENCE_S = 90.0
UNPAID_SHARES = 10
"""The first accepted shares of every connection pay nothing."""
MAX_LINE = 512
_MAX_MOTD_LINES = 64

_VERSION = re.compile(rb"\d{1,3}(\.\d{1,5}){0,2}")
_JOB = re.compile(rb"([0-9a-fA-F]{40}),([0-9a-fA-F]{40}),([1-9]\d{0,9})")
_CLOSING = frozenset({"Incorrect data", "User banned", "No username specified"})


class State(StrEnum):
    """Whose turn it is."""

    GREETING = "greeting"  # the pool's: its version
    READY = "ready"  # ours: request_job, or before the first one ask_motd
    MOTD = "motd"  # the pool talks; request_job ends it
    ASKED = "asked"  # the pool's: a job
    OPEN = "open"  # ours: submit
    JUDGED = "judged"  # the pool's: a verdict
    OVER = "over"


class Kind(StrEnum):
    """Classes of verdicts. GOOD and BLOCK are accepted shares."""

    GOOD = "good"
    BLOCK = "block"
    BAD = "bad"
    OTHER = "other"  # a rejected share, and the ends are out of step


class Greeted(msgspec.Struct, frozen=True, tag=True):
    """The pool said its version."""

    version: str


class Motd(msgspec.Struct, frozen=True, tag=True):
    """One line of the message of the day, cleaned."""

    text: str


class JobCame(msgspec.Struct, frozen=True, tag=True):
    """A job. Check its difficulty before a board gets it: a pool can move to a tier no board can do."""

    job: Job


class Verdict(msgspec.Struct, frozen=True, tag=True):
    """What the pool says about a share; ``reason`` is empty for GOOD, BLOCK and a BAD that gives none."""

    kind: Kind
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """True for GOOD and BLOCK."""
        return self.kind in (Kind.GOOD, Kind.BLOCK)


class Refusal(msgspec.Struct, frozen=True, tag=True):
    """The pool gives no job (``User banned``, ``No username specified`` …). The connection is over."""

    reason: str


class Desync(msgspec.Struct, frozen=True, tag=True):
    """The two ends are out of step: close and connect again. ``reason`` is fit for the user."""

    reason: str


class Closed(msgspec.Struct, frozen=True, tag=True):
    """The pool closed the connection; ``during`` says what was under way. An open job died with it."""

    during: State


Event: TypeAlias = Greeted | Motd | JobCame | Verdict | Refusal | Desync | Closed


class Conversation:
    """One connection. Each method that returns bytes is one message: send it with one write, at once.

    ``key``: the mining key in clear, None when the user has none; never shown. ``chip_id`` stays the same for the whole
    connection, because a share with another one is accepted and not paid. Raises ValueError for a user, tier, key or
    chip id that cannot be sent.
    """

    def __init__(
        self,
        user: str,
        tier: str,
        *,
        chip_id: str,
        software: str,
        rig_id: str,
        key: str | None = None,
    ) -> None:
        encode_job(user, tier, key)
        self._user, self._tier, self._key = user, tier, key
        self._chip_id, self._software, self._rig_id = chip_id, software, rig_id
        encode_result(1, 1.0, software=software, rig_id=rig_id, chip_id=chip_id)
        self._lines = Lines(MAX_LINE)
        self._motd_left = 0
        self._first = True
        self.state = State.GREETING
        self.accepted = 0
        self.job: Job | None = None

    @property
    def unpaid_left(self) -> int:
        """How many more accepted shares of this connection will not be paid."""
        return max(0, UNPAID_SHARES - self.accepted)

    @property
    def over(self) -> bool:
        """True when nothing can be sent any more and nothing more will come."""
        return self.state is State.OVER

    def ask_motd(self) -> bytes:
        """Ask for the message of the day; before the first job only. Raises RuntimeError out of turn."""
        self._our_turn(State.READY)
        if not self._first:
            raise RuntimeError("after the first JOB the pool takes MOTD for a result")
        self.state, self._motd_left = State.MOTD, _MAX_MOTD_LINES
        return b"MOTD"

    def request_job(self, iot: Mapping[str, float] | None = None) -> bytes:
        """Ask for a job. ``iot``: what a board's sensors say, for the account's page (the pool keeps 48 characters).
        Ends a MOTD: wait for a quiet second before. Raises RuntimeError out of turn."""
        self._our_turn(State.READY, State.MOTD)
        self.state, self._first = State.ASKED, False
        return encode_job(self._user, self._tier, self._key, encode_iot(iot) if iot else None)

    def submit(self, nonce: int, rate_hs: float | None) -> bytes:
        """Answer the open job; ``rate_hs`` None lets the pool estimate. Raises RuntimeError out of turn."""
        self._our_turn(State.OPEN)
        message = encode_result(
            nonce, rate_hs, software=self._software, rig_id=self._rig_id, chip_id=self._chip_id
        )  # fmt: skip
        self.state, self.job = State.JUDGED, None
        return message

    def received(self, data: bytes) -> list[Event]:
        """What came, in order. After Refusal, Desync or Closed nothing more comes."""
        events: list[Event] = []
        for line in self._lines.feed(data):
            if not self.over:
                events += self._told(line)
        return events

    def closed(self) -> list[Event]:
        """The connection ended, from whichever end."""
        during, self.state, self.job = self.state, State.OVER, None
        return [] if during is State.OVER else [Closed(during)]

    def _our_turn(self, *states: State) -> None:
        if self.state not in states:
            raise RuntimeError(f"not now: the conversation is at {self.state}")

    def _told(self, line: bytes | Overlong) -> list[Event]:
        if isinstance(line, Overlong):
            return [self._out_of_step("sent a line without end")]
        if self.state is State.GREETING:
            return [self._greeted(line)]
        if self.state is State.MOTD:
            return [self._motd(line)]
        if self.state is State.ASKED:
            return [self._job(line)]
        if self.state is State.JUDGED:
            return self._verdict(line)
        return [self._out_of_step(f"said {_shown(line)!r} unasked")]

    def _greeted(self, line: bytes) -> Event:
        if _VERSION.fullmatch(line):
            self.state = State.READY
            return Greeted(line.decode())
        if line.startswith(b"BAD"):
            return self._refused(line)
        return self._out_of_step(f"greets with {_shown(line)!r} instead of its version")

    def _motd(self, line: bytes) -> Event:
        self._motd_left -= 1
        if self._motd_left < 0:
            return self._out_of_step("sends a message of the day without end")
        return Motd(_shown(line))

    def _job(self, line: bytes) -> Event:
        # A message of the day can end without a newline; then its last line sticks to the first job.
        match = _JOB.search(line) if self._motd_left else _JOB.fullmatch(line)
        if match and match.end() == len(line):
            self.state, self._motd_left = State.OPEN, 0
            self.job = Job(match[1].decode().lower(), match[2].decode().lower(), int(match[3]))
            return JobCame(self.job)
        if line.startswith(b"BAD"):
            return self._refused(line)
        if self._motd_left > 0:
            return self._motd(line)
        return self._out_of_step(f"answers a request with {_shown(line)!r} instead of a job")

    def _verdict(self, line: bytes) -> list[Event]:
        kind, _, reason = line.partition(b",")
        if kind == b"BAD":
            verdict = Verdict(Kind.BAD, _shown(reason))
        elif line in (b"GOOD", b"BLOCK"):
            verdict = Verdict(Kind.GOOD if line == b"GOOD" else Kind.BLOCK)
            self.accepted += 1
        else:
            verdict = Verdict(Kind.OTHER, _shown(line))
            return [verdict, self._out_of_step(f"answers a result with {_shown(line)!r} instead of a verdict")]
        self.state = State.READY
        return [verdict, self._refused(line)] if verdict.reason in _CLOSING else [verdict]

    def _refused(self, line: bytes) -> Refusal:
        self.state = State.OVER
        return Refusal(_shown(line.removeprefix(b"BAD").removeprefix(b",")) or "without a reason")

    def _out_of_step(self, what: str) -> Desync:
        self.state, self.job = State.OVER, None
        return Desync(f"the pool {what}; connecting again")


def _shown(line: bytes) -> str:
    return clean(line.decode("utf-8", errors="replace").strip(), 120)
