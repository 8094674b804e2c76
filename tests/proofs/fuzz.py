"""Every parser of foreign bytes, fed with damaged ones: it answers with a plain value or with its one error.

    python -m tests.proofs.fuzz                          a million runs of each parser
    python -m tests.proofs.fuzz --runs 20000 --only info --seed 7

A mutational fuzzer without coverage feedback: real answers whose values are replaced by nasty ones and whose bytes are
flipped, cut, doubled and spliced. What was found goes to ``tests/fuzz/corpus`` and is replayed by every ``make test``.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from minertui import config
from minertui.api import app
from minertui.api.endpoints import ENDPOINTS
from minertui.api.shapes import RequestError
from minertui.devices import axeos
from minertui.engine.journal import Entry, Journal, JournalError
from minertui.model.commands import Order, Tune
from minertui.model.errors import ConfigError, Garbled
from minertui.model.history import MinerEntry
from minertui.model.plans import GuardPlan, PointVerdict, SweepPlan, SweepPoint
from minertui.model.relay import BoardPlan, LimitBoard, RelayPlan
from minertui.model.status import MinerStatus
from minertui.model.text import clean
from minertui.safety.settings import Settings
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_fields import asic, info
from minertui.sim.axeos_statistics import statistics
from minertui.wire import json, results
from minertui.wire.axeos.info import parse_info
from minertui.wire.axeos.statistics import parse_statistics
from tests.proofs import fuzz_duco
from tests.proofs.fuzz_duco import Target, finite, leaves

_SAID_EVERY = 100_000
CORPUS = Path(__file__).resolve().parents[1] / "fuzz" / "corpus"
_TOKEN = re.compile(rb'-?\d+(?:\.\d+)?|"(?:[^"\\]|\\.)*"|true|false|null')
_WORDS = (
    'NaN Infinity -Infinity 1e999 -1e999 null -1 0 -0.0 127 65536 1e308 99999999999999999999999999 "" true false '
    '"NaNundefined" "\\u0000" "\\ud800" "\\u202e\\u001b]52;c" "[@click=app.quit]x[/]" [] {} [[[[[[[[ ] } {"a": " '
    "\\ <html> ' # = inf nan 1_0 0x7fffffffffffffff 1979-05-27T07:32:00Z"
)
NASTY = (
    *_WORDS.encode().split(), b"1" * 400, b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x1b[2J", b"\n",
    b"[[miner]]\n",
    b'"' + b"A" * 5000 + b'"',
)  # fmt: skip


def _only_numbers(value: Any) -> None:
    """No number that is none; texts are cleaned later."""
    for leaf in leaves(value):
        assert not isinstance(leaf, float) or math.isfinite(leaf), leaf


def _json(data: bytes) -> None:
    try:
        value = json.load(data)
    except Garbled:
        return
    _only_numbers(value)


def _info(data: bytes) -> None:
    try:
        status = parse_info(data, None)
    except Garbled:
        return
    finite(status)
    assert msgspec.json.decode(msgspec.json.encode(status), type=MinerStatus) == status


def _asic(data: bytes) -> None:
    finite(parse_info(_INFO, data))


def _statistics(data: bytes) -> None:
    try:
        rows = parse_statistics(data)
    except Garbled:
        return
    finite(rows)
    assert all(age >= 0 for age, _ in rows)


def _log_line(data: bytes) -> None:
    for line in axeos._COLOUR.sub("", data.decode("utf-8", errors="replace")).splitlines():
        finite(clean(line.rstrip(), 512))


_PLACE = Path("config.toml")


def _config(data: bytes) -> None:
    try:
        found = config.decode(data, _PLACE)
    except ConfigError as error:
        if "\n" in str(error):
            raise AssertionError("an error of several lines") from error
        return
    for miner in found.miner:
        finite((miner.name, miner.address, miner.limits, miner.sweep, miner.guard, miner.poll_s))
    for rig in found.rig:
        finite(rig.plan)


_FOLDER = tempfile.TemporaryDirectory(prefix="minertui-fuzz-")
_JOURNAL = Journal(Path(_FOLDER.name), lambda: 0.0)


def _journal(data: bytes) -> None:
    path = Path(_FOLDER.name) / "020000000010.json"
    path.write_bytes(data)
    try:
        entry = _JOURNAL.read("020000000010")
    except JournalError:  # of a newer version: left where it is
        return
    _JOURNAL.problems = ()
    if entry is None:
        return
    assert entry.key == "020000000010"
    _only_numbers(msgspec.to_builtins(entry))


_ENDPOINTS = {endpoint.body: endpoint for endpoint in ENDPOINTS if endpoint.body is not None}


def _api(data: bytes) -> None:
    for endpoint in _ENDPOINTS.values():
        try:
            value = app._body(data, endpoint)
        except RequestError as error:
            finite(clean(str(error), 10_000))
            continue
        finite(value)


def _results(data: bytes) -> None:
    try:
        points = results.decode_results(data)
    except Garbled:
        return
    _only_numbers(msgspec.to_builtins(points))
    results.encode_csv(points)
    results.decode_results(results.encode_results(points))


def _boards() -> Iterator[Board]:
    for family, firmware in (("gamma", "v2.15.3"), ("gamma", "v2.7.0"), ("supra", "v2.4.5"), ("hex", "v2.12.2"),
                             ("nerdqaxe++", None)):  # fmt: skip
        board = Board(family, firmware=firmware, seed=1)
        board.settle(900)
        yield board


def _some(values: Iterator[Any]) -> tuple[bytes, ...]:
    return tuple(msgspec.json.encode(value) for value in values if value)


_ALL = tuple(_boards())
_INFO = msgspec.json.encode(info(_ALL[0]))
_ENTRY = Entry("020000000010", "m1", "127.0.0.1", Settings(525, 1150, True, 60), mac="02:00:00:00:00:10",
               ours=(Settings(550, 1150), Settings(550, 1175)), goal=Settings(600, 1200))  # fmt: skip
_POINTS = [SweepPoint(1, 525, 1150, PointVerdict.PASSED, hashrate_ghs=1071.0, power_w=17.0, chip_temp_c=55.0),
           SweepPoint(2, 550, 1150, PointVerdict.UNSTABLE, "too few", hashrate_ghs=900.0)]  # fmt: skip
_TOML = b"""[engine]
poll_s = 5.0
[limits]
max_chip_temp_c = 65
max_mv = 1250
[alerts]
urls = ["json://localhost/x"]
mute = ["lost"]
[[miner]]
name = "garage"
address = "192.168.1.20:80"
tags = ["shed", "old"]
guarded = true
headers = { Authorization = "env:TOKEN" }
[miner.sweep]
max_mhz = 700
strategy = "grid"
[[miner]]
name = "attic"
address = "bitaxe.local"
[miner.guard]
high_mhz = 600
[[rig]]
name = "attic-boards"
user = "somebody"
mining_key = "env:KEY"
pool = "pool.example.org:6000"
balance_s = 30
[[rig.board]]
name = "nano-1"
at = "i2c:1:8"
max_difficulty = 16
"""
TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("json", _json, (_INFO, b'{"a": [1, 2.5, {"b": "c\\u00e9"}], "d": null}', b"[1e3, true, \"x\"]")),
        Target("info", _info, _some(info(board) for board in _ALL)),
        Target("asic", _asic, _some(asic(board) for board in _ALL)),
        Target("statistics", _statistics, _some(statistics(board, "") for board in _ALL)),
        Target("log", _log_line, ("\x1b[0;32mI (1234) asic: Nonce 1A2B diff 512.0 of 256.\x1b[0m\nW é".encode(),)),
        Target("config", _config, (_TOML,)),
        Target("journal", _journal, (msgspec.json.encode(_ENTRY),)),
        Target("api", _api, _some(iter((Order("o1", "m1", Tune(525, 1150)), SweepPlan("m1", max_mhz=600),
                                        GuardPlan("m1"), MinerEntry("m1", "127.0.0.1", tags=("a",)),
                                        RelayPlan("rig", "somebody", board=(BoardPlan("b1", "i2c:1:8"),)),
                                        LimitBoard("b1", 9))))),
        Target("results", _results, (results.encode_results(_POINTS), b'[{"coreVoltage":1150,"frequency":525,'
                                     b'"averageHashRate":1000.5,"averageTemperature":60,"efficiencyJTH":17}]')),
        *fuzz_duco.TARGETS,
    )
}  # fmt: skip


class Mutator:
    """Damages seeds, one to six times each."""

    def __init__(self, target: Target, dice: random.Random) -> None:
        self._dice = dice
        self._seeds = [(seed, [m.span() for m in _TOKEN.finditer(seed)]) for seed in target.seeds]
        self._ways = (self._flip, self._cut, self._insert, self._double, self._splice, self._drop)

    def one(self) -> bytes:
        """The next input."""
        dice = self._dice
        seed, spans = dice.choice(self._seeds)
        data = seed
        if spans and dice.random() < 0.7:
            start, end = dice.choice(spans)
            data = seed[:start] + dice.choice(NASTY) + seed[end:]
            if dice.random() < 0.6:
                return data
        for _ in range(dice.randint(1, 6)):
            data = dice.choice(self._ways)(data)
        return data[:300_000]

    def _at(self, data: bytes) -> int:
        return self._dice.randrange(len(data) + 1)

    def _flip(self, data: bytes) -> bytes:
        if not data:
            return data
        at = self._dice.randrange(len(data))
        return data[:at] + bytes((data[at] ^ 1 << self._dice.randrange(8),)) + data[at + 1 :]

    def _cut(self, data: bytes) -> bytes:
        return data[: self._at(data)]

    def _insert(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + self._dice.choice(NASTY) * self._dice.choice((1, 1, 1, 40)) + data[at:]

    def _double(self, data: bytes) -> bytes:
        start, end = sorted((self._at(data), self._at(data)))
        return data[:end] + data[start:end] * self._dice.choice((1, 1, 8)) + data[end:]

    def _drop(self, data: bytes) -> bytes:
        start = self._at(data)
        return data[:start] + data[start + self._dice.randint(1, 40) :]

    def _splice(self, data: bytes) -> bytes:
        other = self._dice.choice(self._seeds)[0]
        return data[: self._at(data)] + other[self._at(other) :]


class Found(msgspec.Struct):
    """An input that a parser did not stand, and what happened."""

    target: str
    data: bytes
    error: str


def fuzz(target: Target, runs: int, seed: int, *, most: int = 5, said: bool = False) -> list[Found]:
    """Run ``target`` on so many damaged inputs; stops after ``most`` findings of different kinds. ``said``: print how
    far it is."""
    mutator, found = Mutator(target, random.Random(f"{target.name}-{seed}")), dict[str, Found]()
    for n in range(runs):
        if said and n and n % _SAID_EVERY == 0:
            print(f"    {target.name}: {n:,} of {runs:,}, found {len(found)}", flush=True)
        data = mutator.one()
        error = stands(target, data)
        if error and error not in found:
            found[error] = Found(target.name, data, error)
            if len(found) == most:
                break
    return list(found.values())


def stands(target: Target, data: bytes) -> str:
    """Empty, or what happened: the error's name and where."""
    try:
        target.run(data)
    except (Exception, RecursionError) as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
        return f"{type(error).__name__} at {place}"
    return ""


def kept() -> Iterator[tuple[Target, Path]]:
    """The corpus: what was found before."""
    for path in sorted(CORPUS.glob("*/*.bin")):
        yield TARGETS[path.parent.name], path


def main() -> int:
    """Print the figures, keep what was found; 1 where anything was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000_000, help="of each parser")
    parser.add_argument("--only", default="", choices=["", *TARGETS])
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    print(f"fuzzing, {args.runs:,} runs each, seed {args.seed}", flush=True)
    bad = 0
    for name in [args.only] if args.only else TARGETS:
        began = time.process_time()
        found = fuzz(TARGETS[name], args.runs, args.seed, said=True)
        took_s = time.process_time() - began
        per_ms = args.runs / max(took_s, 1e-9) / 1000
        print(f"  {name:<12} {args.runs:>9,} runs, {per_ms:6.1f} k/s of CPU, found {len(found)}", flush=True)
        for one in found:
            path = CORPUS / name / f"{hashlib.sha256(one.data).hexdigest()[:16]}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(one.data)
            print(f"  !! {one.error}\n     {path}")
        bad += len(found)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
