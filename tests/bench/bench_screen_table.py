"""What the fleet table costs: 160 miners, all of them changed once a second, on a 160x50 terminal.

``python -m tests.bench.bench_screen_table [--seconds N] [--miners N] [--poll N]`` runs the screen in its own pseudo
terminal and prints the share of one core and the bytes a second it wrote. The limits are those the screen promises.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

import msgspec
from textual.app import App, ComposeResult

from minertui.model.fleet import Fleet
from minertui.tui.widgets.fleet_table import FleetTable
from tests.tui import pictures

MOST_CPU_PCT, MOST_KB_S = 3.0, 15.0
_WARM_S = 2.0


def fleet(miners: int, tick: int, poll: int, before: Fleet | None = None) -> Fleet:
    """The fleet at a tick: every miner is read once in ``poll`` ticks and then differs."""
    snapshots = dict(before.snapshots) if before else {}
    for n in range(miners):
        if before is None or (n + tick) % poll == 0:
            one = pictures.snapshot(n % 12)
            assert one.status is not None
            k = (n * 7 + tick * 13) % 17
            status = msgspec.structs.replace(
                one.status,
                hashrate_ghs=(one.status.hashrate_ghs or 0) * (0.95 + k / 170),
                chip_temp_c=52 + k / 2,
                vr_temp_c=60 + k / 3,
                power_w=(one.status.power_w or 0) + k / 10,
            )
            name = f"miner-{n:03}"
            at_s = pictures.NOW_S + tick
            snapshots[name] = msgspec.structs.replace(one, device=name, status=status, at_s=at_s, poll_s=float(poll))
    return Fleet(version=tick, at_s=pictures.NOW_S + tick, snapshots=snapshots)


class Bench(App[None]):
    """Nothing but the table, redrawn once a second; reports its own CPU time to a pipe."""

    def __init__(self, miners: int, poll: int, seconds: int, report: int) -> None:
        super().__init__()
        self.miners, self.poll, self.seconds, self.report = miners, poll, seconds, report
        self.tick = 0
        self.fleet = fleet(miners, 0, poll)

    def compose(self) -> ComposeResult:
        yield FleetTable()

    def on_mount(self) -> None:
        self.step()
        self.set_interval(1.0, self.step)
        self.set_timer(_WARM_S + 0.5, self.start)

    def step(self) -> None:
        self.tick += 1
        # making up the fleet is not the screen's work
        begin = time.process_time()
        self.fleet = fleet(self.miners, self.tick, self.poll, self.fleet)
        self.made_up = getattr(self, "made_up", 0.0) + time.process_time() - begin
        self.query_one(FleetTable).show(self.fleet, tuple(self.fleet.snapshots), frozenset())

    def start(self) -> None:
        self.begin = time.process_time() - self.made_up
        os.write(self.report, b"start\n")
        self.set_timer(self.seconds, self.end)

    def end(self) -> None:
        os.write(self.report, f"{time.process_time() - self.made_up - self.begin}\n".encode())
        self.exit()


def measure(miners: int, poll: int, seconds: int) -> tuple[float, float]:
    """Per cent of a core and kB/s."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        args = [sys.executable, "-m", "tests.bench.bench_screen_table", "--child", str(writing)]
        os.execv(sys.executable, [*args, f"--miners={miners}", f"--poll={poll}", f"--seconds={seconds}"])
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    os.close(writing)
    total, cpu_s = _follow(master, reading)
    os.waitpid(pid, 0)
    return 100 * cpu_s / seconds, total / seconds / 1000


def _follow(master: int, reading: int) -> tuple[int, float]:
    total, counting = 0, False
    while True:
        ready, _, _ = select.select([master, reading], [], [], 30)
        if not ready:
            raise SystemExit("the screen said nothing for 30 s")
        if reading in ready:
            said = os.read(reading, 100)
            if counting:
                return total, float(said)
            counting = said.startswith(b"start")
        if master in ready:
            try:
                total += len(os.read(master, 65536)) * counting
            except OSError as error:
                raise SystemExit("the screen ended before it was measured") from error


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--miners", type=int, default=160)
    parser.add_argument("--poll", type=int, default=1, help="seconds between two readings of a miner")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--child", type=int)
    args = parser.parse_args()
    if args.child is not None:
        Bench(args.miners, args.poll, args.seconds, args.child).run()
        return 0
    cpu, kb_s = measure(args.miners, args.poll, args.seconds)
    good = cpu <= MOST_CPU_PCT and kb_s <= MOST_KB_S
    verdict = "" if good else "  !! over"
    print(f"{args.miners} miners, read every {args.poll} s, 160x50: {cpu:.2f} % CPU, {kb_s:.1f} kB/s{verdict}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
