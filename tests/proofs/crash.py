"""The engine, killed at its system calls: then a new one is started, and the promises are looked at from outside.

    python -m tests.proofs.crash                 every system call that changes anything; power cuts at every sync
    python -m tests.proofs.crash --every         really every call, getpid and its like too
    python -m tests.proofs.crash --sample 40     some 40 kills a scenario, spread over all its calls
    python -m tests.proofs.crash --bug NAME      the same on a program with that bug: the checker has to find it

After each kill the state folder is what the calls before it left; after a power cut it is only what was synced (a file
as its last fsync saw it, a name as the last fsync of its folder did). The miner is as the writes left it. Proven:

    the baseline is back when the new engine says that it is open (or the settings that a finished job was to leave)
    what was acknowledged is there: points of the sweep, outcomes of orders, a saved config; nothing is there twice
    at no instant was the voltage too low for the frequency, nor anything above the plan
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from minertui import config_file
from minertui.config import load
from minertui.engine.journal import FOLDER, Journal
from minertui.model.commands import Outcome
from tests.proofs import tracer
from tests.proofs.bugs import BUGS
from tests.proofs.disk import Disk
from tests.proofs.flash import BASE, Flash, Wire
from tests.proofs.lives import (
    CONFIG,
    DOWN,
    ORDER,
    POINTS,
    SAMPLES,
    SCENARIOS,
    UP,
    Witness,
    live,
    new_engine,
    until_over,
)
from tests.proofs.wound import WoundLoop, run

# what has to be true afterwards -------------------------------------------------------------------------------------


async def _after(loop: WoundLoop, flash: Flash, folder: Path, name: str) -> list[str]:
    wrong: list[str] = []
    engine = new_engine(flash, loop, folder)
    began_s = loop.time()
    await engine.open()
    if loop.time() - began_s > 60:
        wrong.append(f"the way back took {loop.time() - began_s:.0f} s")
    wrong += _settled(flash, name, await engine.sweeps())
    wrong += await _kept(flash, engine)
    journal = Journal(folder / "state" / FOLDER, lambda: 0.0)
    wrong += [f"still in the journal: {entry.device}" for entry in journal.entries()]
    wrong += journal.problems
    if "by hand" in name:
        wrong += _logged(flash, {record.order.id: record.outcome for record in await engine.commands()})
    if "sweep:m1" in engine.hub.fleet.jobs:
        await until_over(engine, "sweep:m1")
        wrong += await _kept(flash, engine)
        wrong += _settled(flash, name, await engine.sweeps())
    notice = engine.hub.fleet.notice
    if notice:
        wrong.append(f"a notice: {notice}")
    await engine.close()
    return wrong


def _settled(flash: Flash, name: str, sweeps: Any) -> list[str]:
    """The miner is where it has to be."""
    allowed = {BASE}
    if name == "sweep, best point" and (flash.acknowledged(3) or (sweeps and sweeps[0].phase.over)):
        allowed |= {(575.0, 1200.0)}
    if name == "lowered by hand":  # half of it may stay: a program does not raise what a person began to lower
        allowed = {DOWN} if flash.acknowledged(ORDER) == 1 else {BASE, DOWN, (DOWN[0], BASE[1])}
    if name == "raised by hand":
        allowed = {UP} if flash.acknowledged(ORDER) == 1 else {BASE, UP}
    return [] if flash.settings in allowed else [f"it is at {flash.settings}, not at {sorted(allowed)}"]


async def _kept(flash: Flash, engine: Witness) -> list[str]:
    sweeps = await engine.sweeps()
    points = [point.n for sweep in sweeps for point in sweep.points]
    samples = {10 * s.n + s.index for sweep in sweeps for s in await engine.records.samples(sweep.id)}
    lost = [f"point {n}" for n in range(POINTS, ORDER) if flash.acknowledged(n) and n not in points]
    lost += [f"sample {n}" for n in range(100) if flash.acknowledged(SAMPLES + n) and n not in samples]
    wrong = [f"{what} was acknowledged and is lost" for what in lost]
    return wrong + [f"point {n} is there {count} times" for n, count in Counter(points).items() if count > 1]


def _logged(flash: Flash, log: Mapping[str, Outcome]) -> list[str]:
    told, found = flash.acknowledged(ORDER), log.get("by-hand")
    if told and (found is None or found.ok is not (told == 1)):
        return [f"the order's outcome was told and is not in the log: {found}"]
    if flash.writes and found is None:
        return ["the miner was written by an order that nobody wrote down"]
    return []


def _looked_at(flash: Flash, name: str, folder: Path) -> list[str]:
    """What is seen without a program: the miner's own findings, and the config file."""
    wrong = [f"too little voltage {flash.low} times"] if flash.low else []
    if flash.top > (575.0, 1200.0):
        wrong.append(f"driven to {flash.top}")
    if name == "config":
        names = [miner.name for miner in load(folder / "config.toml").miner]
        expected = [["m1", "m2"]] if flash.acknowledged(CONFIG) else [["m1"], ["m1", "m2"]]
        if names not in expected:
            wrong.append(f"the config holds {names}")
    return wrong


# one life and what comes after it -----------------------------------------------------------------------------------


class Bench:
    """Runs a scenario again and again, each time to another death."""

    def __init__(self, name: str, bug: str = "") -> None:
        self.name, self.bug, self.flash, self.first_write = name, bug, Flash(), 0
        self._folder = Path(tempfile.mkdtemp(prefix="minertui-crash-"))

    def close(self) -> None:
        shutil.rmtree(self._folder)

    @contextlib.contextmanager
    def _place(self) -> Iterator[Path]:
        """A state folder in which an engine has been before."""
        self.flash.clear()
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        (folder / "state").mkdir(mode=0o700)
        if self.name == "config":
            config_file.replace_text(folder / "config.toml", f'[[miner]]\nname="m1"\naddress="{Wire.address}"\n')
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def _life(self, folder: Path) -> Callable[[], None]:
        def life() -> None:
            with BUGS[self.bug](self.flash) if self.bug else contextlib.nullcontext():
                early = self.bug == "told before it is kept"
                run(lambda loop: live(loop, self.flash, folder, SCENARIOS[self.name], early=early))

        return life

    def walk(self) -> tuple[list[tracer.Call], list[int]]:
        """All system calls of an undisturbed life, which has to end well; and those that made something safe."""
        calls: list[tracer.Call] = []
        safe: list[int] = []
        self.first_write = 0
        with self._place() as folder:
            disk = Disk(folder)

            def left(pid: int, call: tracer.Call) -> None:
                if disk.saw(pid, call):
                    safe.append(call.n)

            def entered(pid: int, call: tracer.Call) -> None:
                calls.append(call)
                if not self.first_write and self.flash.writes:
                    self.first_write = call.n

            ended = tracer.traced(self._life(folder), None, entered, left)
            assert ended.code == 0 or self.bug, f"{self.name}: the scenario itself failed"
        return calls, safe

    def killed(self, at: int) -> tuple[str, list[str]]:
        """Killed at call ``at``: the call, and what is wrong afterwards."""
        with self._place() as folder:
            ended = tracer.traced(self._life(folder), at)
            return _call(ended), self._check(folder)

    def power_cut(self, at: int) -> tuple[str, list[str]]:
        """The host loses its power at call ``at``: what was not synced is gone."""
        with self._place() as folder:
            disk = Disk(folder)
            ended = tracer.traced(self._life(folder), at, left=disk.follow)
            disk.cut()
            return f"power cut, {_call(ended)}", self._check(folder)

    def _check(self, folder: Path) -> list[str]:
        wrong: list[str] = []
        self.flash.runs_hot_over(1e9)
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            _checked(write, lambda: run(lambda loop: _after(loop, self.flash, folder, self.name)))
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(pid, 0)
        wrong += json.loads(answer) if answer else ["the new engine died"]
        return wrong + _looked_at(self.flash, self.name, folder)


def _checked(pipe: int, check: Callable[[], list[str]]) -> None:
    """In a child: nothing of one engine is left for the next."""
    try:
        found = check()
    except BaseException as error:
        found = [f"the new engine failed: {type(error).__name__}: {error}"]
    with contextlib.suppress(OSError):
        os.write(pipe, json.dumps(found).encode()[:60_000])
    os._exit(0)


def _call(ended: tracer.Ended) -> str:
    return f"call {ended.killed_at.n} ({ended.killed_at.name})" if ended.killed_at else "after the end"


class Score(msgspec.Struct):
    """What a run found."""

    points: int = 0
    cuts: int = 0
    violations: list[str] = []
    calls: dict[str, int] = {}
    by_call: dict[str, int] = {}


def prove(
    sample: int, seed: int, bug: str = "", only: str = "", at: str = "", *, every: bool = False, said: bool = False
) -> Score:
    """Kill in every scenario: at ``sample`` calls (0: at all that change anything), cut the power at a third as
    many syncs. ``at``: only at calls of this name, or only power cuts (``cut``). With a ``bug`` it ends with the first
    finding."""
    dice, score = random.Random(seed), Score()
    for name in [only] if only else SCENARIOS:
        bench = Bench(name, bug)
        try:
            for death, n in _deaths(bench, sample, dice, score, at, every=every):
                where, wrong = bench.power_cut(n) if death == "cut" else bench.killed(n)
                score.points, score.cuts = score.points + (death == "kill"), score.cuts + (death == "cut")
                call = where.partition("(")[2].rstrip(")")
                score.by_call[call] = score.by_call.get(call, 0) + 1
                score.violations += [f"{name}, {where}: {text}" for text in wrong]
                if bug and wrong:
                    return score
        finally:
            bench.close()
        if said:
            print(f"  {name}: {score.points} kills and {score.cuts} power cuts so far,"
                  f" {len(score.violations)} violations", flush=True)  # fmt: skip
    return score


def _deaths(
    bench: Bench, sample: int, dice: random.Random, score: Score, at: str, *, every: bool
) -> Iterator[tuple[str, int]]:
    """Where to die. A cut after sync n is one at the entry of the call after it; so is one just before it."""
    calls, safe = bench.walk()
    score.calls[bench.name] = len(calls)
    kills = [call.n for call in calls if (every or call.name in tracer.CHANGING) and at in ("", call.name)]
    cuts = [] if at not in ("", "cut") else sorted({n for sync in safe for n in (sync, sync + 1)})
    if sample:
        kills = sorted(dice.sample(kills, min(sample, len(kills))))
        cuts = sorted(dice.sample(cuts, min(-(-sample // 3), len(cuts))))
    found = [("kill", n) for n in kills] + [("cut", n) for n in cuts]
    if bench.bug:
        dice.shuffle(found)
        found.sort(key=lambda death: death[1] < bench.first_write)  # before it there is nothing to break
    yield from found


def main() -> int:
    """Print the figures; 1 where a promise was broken (or, with a bug, where it was not found)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=0, help="kills a scenario; 0: at every system call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bug", default="", choices=["", *BUGS])
    parser.add_argument("--only", default="", choices=["", *SCENARIOS])
    parser.add_argument("--at", default="", help="die only at system calls of this name, or only by power cuts: cut")
    parser.add_argument("--every", action="store_true", help="kill at calls too that change nothing")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if why := tracer.possible():
        print(why)
        return 2
    began = time.perf_counter()
    score = prove(args.sample, args.seed, args.bug, args.only, args.at, every=args.every, said=not args.json)
    if args.json:
        print(json.dumps(msgspec.to_builtins(score)))
    else:
        _say(score, time.perf_counter() - began, args)
    return int(bool(score.violations) is not bool(args.bug))


def _say(score: Score, took_s: float, args: argparse.Namespace) -> None:
    print(f"crash proof, seed {args.seed}{f', with the bug “{args.bug}”' if args.bug else ''}")
    for name, calls in score.calls.items():
        print(f"  {name:<22} {calls} system calls")
    print(f"  kills {score.points}, power cuts {score.cuts}, violations {len(score.violations)}, {took_s:.0f} s")
    print("  killed at: " + ", ".join(f"{name} {count}" for name, count in list(score.by_call.items())[:16]))
    for line in score.violations[:20]:
        print(f"  !! {line}")


if __name__ == "__main__":
    sys.exit(main())
