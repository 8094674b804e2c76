"""What safety takes: the guard's reaction (see bench_hot), and kills in the middle of sweeps (see bench_kill).

``python -m tests.bench.bench_safety [--short] [--kills N] [--speed N] [--seed N] [--only hot|kill]``
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.bench import bench_hot, bench_kill
from tests.bench.figures import Figures


async def bench(args: argparse.Namespace, figures: Figures) -> None:
    """Both, one after the other."""
    with tempfile.TemporaryDirectory(prefix="minertui-bench-") as name:
        folder = Path(name)
        for part in ("hot", "kill"):
            (folder / part).mkdir()
        if args.only in (None, "hot"):
            boards, rounds, poll_s = (2, 1, 2.0) if args.short else (12, 2, 5.0)
            await bench_hot.bench(folder / "hot", boards, rounds, poll_s, args.seed, figures)
        if args.only in (None, "kill"):
            kills, boards = (2, 1) if args.short else (24, 3)
            speed = args.speed or (60.0 if args.short else 20.0)
            await bench_kill.bench(
                folder / "kill", args.kills or kills, boards, speed, args.seed, figures, short=args.short
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="few runs: does it hold at all?")
    parser.add_argument("--only", choices=("hot", "kill"))
    parser.add_argument("--kills", type=int)
    parser.add_argument("--speed", type=float, help="of the kills; the guard's part runs at real speed")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    args = parser.parse_args()
    figures = Figures("Safety", short=args.short)
    asyncio.run(bench(args, figures))
    return figures.exit_code()


if __name__ == "__main__":
    sys.exit(main())
