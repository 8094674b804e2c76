"""What Duino-Coin boards, adaptors, pools and the master server say, damaged, for ``tests/proofs/fuzz.py``.

A conversation or an exchange is driven to its end: the damaged bytes are what the other side says, piece by piece.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from minertui.model.errors import Garbled, Refused
from minertui.model.text import clean
from minertui.wire.duco import adaptor, dialect, i2c_a, i2c_b, i2c_c, i2c_d, i2c_text, rest, sketch
from minertui.wire.duco.exchange import Exchange, Read, Solved, Wait, Write
from minertui.wire.duco.hash import TEST_JOB, TEST_NONCE, verify
from minertui.wire.duco.pool import Closed, Conversation, Greeted, JobCame, Motd, State, Verdict
from minertui.wire.duco.pool import Kind as VerdictKind

_ID = b"DUCOID303030303030303A"
_MOST_STEPS = 60_000


class Target(msgspec.Struct, frozen=True):
    """``run`` raises when the parser broke its promise; ``seeds`` are what it usually gets."""

    name: str
    run: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


def leaves(value: Any) -> Iterator[Any]:
    """Every plain value in it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from leaves(inner)
    elif isinstance(value, list | tuple | frozenset | set):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from leaves(getattr(value, name))
    else:
        yield value


def finite(value: Any) -> None:
    """No number that is none, and no text that could drive a terminal, anywhere in it."""
    for leaf in leaves(value):
        if isinstance(leaf, float):
            assert math.isfinite(leaf), leaf
        elif isinstance(leaf, str):
            assert clean(leaf, len(leaf) + 1) == leaf, leaf


def _pool(data: bytes) -> None:
    """A whole connection in small and in large pieces: after Refusal, Desync or Closed nothing more comes."""
    for size in (1 + len(data) % 9, 64):
        talk = Conversation("somebody", "AVR", chip_id=_ID.decode(), software="minertui AVR", rig_id="rig")
        for at in range(0, len(data), size):
            for event in talk.received(data[at : at + size]):
                finite(event)
                _answer(talk, event)
            if talk.over:
                assert talk.received(b"GOOD\n") == []
                break
        ended = talk.closed()
        assert all(isinstance(event, Closed) for event in ended)
        assert talk.over
        assert talk.job is None


def _answer(talk: Conversation, event: object) -> None:
    if isinstance(event, Greeted) and talk.state is State.READY:
        talk.ask_motd()
    elif isinstance(event, Motd) and talk.state is State.MOTD:
        talk.request_job()
    elif isinstance(event, JobCame) and talk.state is State.OPEN:
        assert event.job.difficulty >= 1
        talk.submit(1, 200.0)
    elif isinstance(event, Verdict) and talk.state is State.READY:
        assert event.accepted == (event.kind in (VerdictKind.GOOD, VerdictKind.BLOCK))
        talk.request_job()


def _rest(data: bytes) -> None:
    for parse in (rest.parse_get_pool, rest.parse_users, rest.parse_miners, rest.parse_mining_key):
        try:
            finite(parse(data))
        except (Garbled, Refused) as error:
            finite(str(error))


def _answers(data: bytes) -> None:
    """The answers of boards alone, in every dialect."""
    readers: list[Callable[[bytes], object]] = [partial(sketch.parse_reply, base=base) for base in sketch.Base]
    readers += [
        partial(i2c_text.parse_answer, spelling=spelling)
        for spelling in (i2c_b.SPELLING, i2c_c.SPELLING, i2c_d.SPELLING)
    ]
    for read in (*readers, sketch.base_told_by, i2c_a.state_of, i2c_a.number_of):
        try:
            finite(read(data))
        except Garbled as error:
            finite(str(error))


_ON_I2C: tuple[Callable[[], Exchange], ...] = (
    dialect.detect, *(partial(dialect.solve, name, TEST_JOB, rate_hs=200.0) for name in dialect.DIALECTS),
)  # fmt: skip
_ON_SERIAL: tuple[Callable[[], Exchange], ...] = (
    partial(sketch.solve, TEST_JOB, sketch.Base.DECIMAL), lambda: sketch.Handshake().exchange,
)  # fmt: skip


def _boards(data: bytes) -> None:
    """A whole exchange in which a board says it: a byte at a time on I2C, in two pieces on a serial port. All eight of
    them would cost as much as a hundred other runs; which one it is the bytes decide, so that a find stays one."""
    n = zlib.crc32(data) % (len(_ON_I2C) + len(_ON_SERIAL))
    if n < len(_ON_I2C):
        _ends(_ON_I2C[n](), _said(data, 1))
    else:
        _ends(_ON_SERIAL[n - len(_ON_I2C)](), _said(data, max(1, len(data) // 2)))


def _said(data: bytes, size: int) -> Iterator[bytes]:
    """Pieces of it, then nothing for ever."""
    return itertools.chain((data[at : at + size] for at in range(0, len(data), size)), itertools.repeat(b""))


def _ends(exchange: Exchange, said: Iterator[bytes]) -> None:
    """The exchange comes to an outcome whatever is said, and only a nonce that was checked is one."""
    now_s, silent_s, held, most = 0.0, 0.0, b"", _MOST_STEPS
    while True:
        most -= 1
        assert most, "no end"
        step = exchange.next(now_s)
        if isinstance(step, Wait):
            now_s = step.until_s + silent_s
        elif isinstance(step, Write):
            exchange.got(b"")
        elif isinstance(step, Read):
            held = held or next(said)
            silent_s = 0.0 if held else 1.0  # nothing more will come: its waits need not be looked at one by one
            exchange.got(held[: step.count] if held else b"\n" * step.count if step.count < 64 else b"")
            held = held[step.count :]
            now_s += 0.001
        else:
            finite(step)
            assert not isinstance(step, Solved) or verify(TEST_JOB, step.nonce)
            return


def _adaptor(data: bytes) -> None:
    answers = adaptor.Answers()
    for at in range(0, len(data), 16):
        for look in (lambda: answers.read_byte(8), answers.scanned):
            try:
                finite(look())
            except Garbled as error:
                finite(str(error))
        try:
            answers.feed(data[at : at + 16])
        except Garbled:
            break
    for parse in (adaptor.parse_scan, lambda line: adaptor.parse_read(line, 8)):
        try:
            finite(parse(data))
        except Garbled as error:
            finite(str(error))


_JOB = f"{TEST_JOB.last_hash},{TEST_JOB.expected},8\n".encode()
_REST_MINER = (
    b'{"threadid":"1","username":"somebody","hashrate":218.5,"sharetime":2.4,"accepted":9,"rejected":1,"diff":8,'
    b'"software":"minertui AVR","identifier":"rig","algorithm":"DUCO-S1","pool":"beyond-pool-1","ki":1,"pg":30}'
)
_BASE2 = b"%s,%s," % (format(TEST_NONCE, "b").encode(), format(229_000, "b").encode())
TARGETS: tuple[Target, ...] = (
    Target("duco-pool", _pool, (
        b"4.3\nWelcome to the pool\nBe kind\n" + _JOB + b"GOOD\n" + _JOB + b"BLOCK\n" + _JOB + b"BAD,Too slow\n",
        b"4.3\n\n" + _JOB + b"BAD\n" + _JOB + b"BAD,User banned\n", b"BAD,Pool is full\n",
        b"4.3\nlast line without an end" + _JOB + b"GOOD\r\n",
    )),
    Target("duco-rest", _rest, (
        b'{"client":"x","ip":"203.0.113.7","name":"beyond-pool-1","port":6000,"region":"eu","server":"s","success":true}',
        b'{"result":{"balance":{"balance":12.5,"username":"somebody","verified":"yes","stake_amount":0},"miners":['
        + _REST_MINER + b'],"transactions":[]},"success":true}',
        b'{"result":[' + _REST_MINER + b'],"success":true}', b'{"success":true,"has_key":true}',
        b'{"success":false,"message":"This user doesn\'t exist"}',
    )),
    Target("duco-answers", _answers, (
        b"50,229000," + _ID, _BASE2 + _ID, b"0,1000,", b"50,57250," + _ID + b",77", b"#,1,12", b"CIO", b"   50",
    )),
    Target("duco-boards", _boards, (
        b"50,229000," + _ID + b"\n", _BASE2 + _ID + b"\r\n", b"\n\n50,57250," + _ID + b"\n", b"\n#\n50,229,12\n",
        b"\natmega328p\n" + _ID + b"\n1\n1\n50,57250," + _ID + b",77\n", b"II1AIC1OIC1OCC1O   50  229" + _ID,
    )),
    Target("duco-adaptor", _adaptor, (b"08:c$08:\n$", b"08 0A 7E \n", b"no I2CS detected\n")),
)  # fmt: skip
