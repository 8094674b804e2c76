"""What the screen costs: ``minertui attach`` in a terminal of 160x50, beside an engine with 160 made-up miners.

``python -m tests.bench.bench_screen [--short] [--miners N] [--seconds N]`` prints, from one run:

    first picture   from the fork to the painted fleet, beside the smallest Textual program in the same terminal
    burst           all miners change once a second: CPU of the screen, bytes to the terminal
    spread          each miner changes every 5 s at its own moment, so that something is new at every look
    same            as spread, but every reading is what it was
    still           nothing happens: the clock in the header goes on, and beside it not a byte may be written
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.figures import Figures, must
from tests.bench.process import end, environment, minertui, usage
from tests.bench.terminal import Terminal, terminal

MOST_CPU_PCT, MOST_KB_S, MOST_FIRST_S = 3.0, 15.0, 0.6
MODES = ("burst", "spread", "same")
_SETTLE_S = 2.5
_LOOKS = 4  # on a busy machine the engine may be late, and what was on its way comes in the middle of a look
_TICK_S = 2.0  # how often the clock goes on by itself
_CLOCK = re.compile(rb"\d\d:\d\d:\d\d")
_PLACED = re.compile(rb"(?=\x1b\[\d+;\d+H)")
_HELLO = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    def compose(self):
        yield Static("Hello, terminal")
Hello().run()
"""


def first_pictures(folder: Path, miners: int, times: int, figures: Figures) -> None:
    """Ours and the smallest possible one, in turn."""
    ours, hello, ours_cpu, hello_cpu = [], [], [], []
    env = environment(folder)
    last_shown = f"miner-{min(miners, 40) - 1:03}"
    for _ in range(times):
        with terminal(minertui("attach"), env) as screen:
            ours.append(screen.until("miner-000", last_shown, "Detach"))
            ours_cpu.append(usage(screen.pid).cpu_s)
        with terminal([sys.executable, "-c", _HELLO], env) as smallest:
            hello.append(smallest.until("Hello, terminal"))
            hello_cpu.append(usage(smallest.pid).cpu_s)
    figures.add(f"first picture: median of {times}", statistics.median(ours), "s", MOST_FIRST_S)
    figures.add("first picture: worst", max(ours), "s")
    figures.add(f"hello of Textual alone: median of {times}", statistics.median(hello), "s")
    figures.add("first picture: times hello", statistics.median(ours) / statistics.median(hello), "x")
    figures.add("first picture: CPU until then, median", statistics.median(ours_cpu), "s")
    figures.add("hello of Textual alone: CPU until then, median", statistics.median(hello_cpu), "s")


def running_costs(
    screen: Terminal, engine: subprocess.Popen[bytes], modes: Sequence[str], seconds: float, figures: Figures
) -> None:
    """CPU and bytes in each way that a fleet can go."""
    for mode in modes:
        _say(engine, mode)
        screen.take(min(_SETTLE_S, seconds))
        limited = mode != "same"
        for _ in range(_LOOKS):
            begin = usage(screen.pid)
            written = screen.take(seconds)
            if written or not limited:
                break
        figures.add(
            f"{mode}: CPU", begin.pct_until(usage(screen.pid)), "% of a core", MOST_CPU_PCT if limited else None
        )
        figures.add(f"{mode}: to the terminal", written / seconds / 1000, "kB/s", MOST_KB_S if limited else None)
        must(written > 0 or not limited, f"{mode}: the fleet changed and the screen wrote nothing")


def still(screen: Terminal, engine: subprocess.Popen[bytes], seconds: float, figures: Figures) -> None:
    """Nothing changes, and nothing is written but what time it is."""
    _say(engine, "still")
    for _ in range(_LOOKS):
        screen.take(_SETTLE_S)
        begin, place = usage(screen.pid), screen.written
        screen.take(seconds)
        ticks, other = beside_clock(screen.said[place:])
        if not other:
            break
    figures.add(f"still: to the terminal in {seconds:g} s", screen.written - place, "bytes")
    figures.add("still: to the terminal beside the clock", other, "bytes", 0)
    figures.add("still: CPU", begin.pct_until(usage(screen.pid)), "% of a core")
    must(other == 0, f"nothing changed, and the screen wrote {other} bytes beside the clock")
    must(ticks <= seconds / _TICK_S + 2, f"the clock was written {ticks} times in {seconds:g} s")


def beside_clock(written: bytes) -> tuple[int, int]:
    """How often the clock in the first line was written, and how many bytes went to other lines."""
    pieces = _PLACED.split(written)
    other = sum(len(piece) for piece in pieces if piece and not piece.startswith(b"\x1b[1;"))
    return len(_CLOCK.findall(written)), other


def _say(engine: subprocess.Popen[bytes], mode: str) -> None:
    assert engine.stdin is not None
    engine.stdin.write(mode.encode() + b"\n")
    engine.stdin.flush()


def bench(folder: Path, miners: int, seconds: float, times: int, figures: Figures) -> None:
    """Everything from the start."""
    command = [sys.executable, "-m", "tests.bench.parade", str(folder / "engine.sock"), str(miners)]
    engine = subprocess.Popen(command, env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert engine.stdout is not None
        must(engine.stdout.readline() == b"ready\n", "the made-up engine did not start")
        first_pictures(folder, miners, times, figures)
        with terminal(minertui("attach"), environment(folder)) as screen:
            screen.until("miner-000")
            running_costs(screen, engine, ("burst",) if times == 1 else MODES, seconds, figures)
            still(screen, engine, min(max(seconds, _SETTLE_S), 10), figures)
    finally:
        end(engine)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="few miners and seconds: does it work at all?")
    parser.add_argument("--miners", type=int)
    parser.add_argument("--seconds", type=float)
    args = parser.parse_args()
    miners, seconds = args.miners or (30 if args.short else 160), args.seconds or (1.1 if args.short else 20)
    figures = Figures(f"Screen: {miners} miners, 160x50, {seconds:g} s a stretch", short=args.short)
    with tempfile.TemporaryDirectory(prefix="minertui-bench-") as name:
        bench(Path(name), miners, seconds, 1 if args.short else 5, figures)
    return figures.exit_code()


if __name__ == "__main__":
    sys.exit(main())
