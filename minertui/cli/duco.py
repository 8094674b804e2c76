"""``minertui duco``: Duino-Coin rigs from the command line.

    minertui duco run attic            mine with the rig “attic” until Ctrl+C
    minertui duco bench serial:COM5    how fast is this board? No pool is asked
    minertui duco address i2c:1:4 20   a new board's address, kept in its EEPROM
    minertui duco balance alice        what a user earns, a line every 15 s

When an engine runs that has the rig, that engine does the work and this command shows it.
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from minertui import config
from minertui.cli import duco_balance, places
from minertui.cli.numbers import UNITS, Number, add_number
from minertui.cli.own_engine import opened
from minertui.cli.terminal import columns, ended_by, fitted
from minertui.cli.wording import Paragraphs, told
from minertui.model.errors import ConfigError, MinertuiError

if TYPE_CHECKING:
    from minertui.model.account import BalanceRow
    from minertui.model.plans import JobState
    from minertui.model.relay import BoardView, RelayView
    from minertui.model.seams import Link

_EVERY = Number(0.1, 86_400, UNITS["s"], 10)
_JOBS = Number(1, 10_000, example=20, whole=True)
_ADDRESS = Number(1, 99, example=20, whole=True)


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui duco``."""
    parser = subparsers.add_parser(
        "duco",
        help="mine Duino-Coin with small boards",
        description=told(__doc__),
        formatter_class=Paragraphs,
    )
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run_ = actions.add_parser("run", help="mine with a rig of the config", parents=[places.options()])
    run_.add_argument("rig", nargs="?", help="its name (default: the only one)")
    add_number(run_, "--every", number=_EVERY, what="between two tables", default=10)
    run_.set_defaults(run=run)
    bench = actions.add_parser("bench", help="how fast is a board? (the official test job and 20 more)")
    bench.add_argument("at", help="serial:PORT, i2c:BUS:ADDRESS or adaptor:PORT:ADDRESS")
    add_number(bench, "--jobs", number=_JOBS, what="jobs of difficulty 5", default=20)
    bench.set_defaults(run=run_bench)
    address = actions.add_parser("address", help="give a board of dialect A another I2C address, kept in its EEPROM")
    address.add_argument("at", help="where it is, e.g. i2c:1:4 (a new Pro Mini)")
    address.add_argument(
        "new", type=_ADDRESS, metavar="ADDRESS", help=f"{_ADDRESS.span}: to 49 for a Pro Mini, from 50 for an ATtiny85"
    )
    address.set_defaults(run=run_address)
    duco_balance.add(actions)


def run(args: argparse.Namespace) -> int:
    """0: ended by a signal. 1: the rig failed. Raises ConfigError for a rig that there is not."""
    settings = config.load(places.config_file(args))
    return asyncio.run(_run(args, settings, chosen(settings, args.rig)))


def chosen(settings: config.Config, name: str | None) -> str:
    """The rig meant. Raises ConfigError with the names there are."""
    names = [rig.name for rig in settings.rig]
    if name in names:
        return name
    if name is None and len(names) == 1:
        return names[0]
    if not names:
        raise ConfigError("the config has no [[rig]]; docs/duco.md and config.example.toml show one")
    raise ConfigError(f"name one of the config's rigs: {', '.join(names)}")


async def _run(args: argparse.Namespace, settings: config.Config, rig: str) -> int:
    from msgspec.structs import replace

    from minertui.api.client import ApiClient
    from minertui.model.errors import LinkError

    async with ApiClient(places.socket_path(args)) as client:
        try:
            await client.fleet()
        except LinkError:
            rigs = tuple(replace(one, log_shares=True) for one in settings.rig if one.name == rig)
            alone = config.Config(engine=settings.engine, rig=rigs)
            async with opened(alone, places.state_dir(args), work=f"minertui duco of {rig}") as engine:
                return await Following(engine, rig, args.every).run()
        return await Following(client, rig, args.every).run()


class Following:
    """A rig followed over a Link until a signal."""

    def __init__(self, link: Link, rig: str, every_s: float) -> None:
        self._link, self._id, self._rig, self._every_s = link, f"relay:{rig}", rig, every_s
        self._shown_s = 0.0
        self._own = False
        self._stopping: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """The exit code."""
        from minertui.model.relay import RelayPlan

        with ended_by(self._stop):
            try:
                await self._link.start(RelayPlan(self._rig))
                self._own = True
            except MinertuiError as error:
                if "mines already" not in str(error):
                    raise
                print(f"{error}; shown until Ctrl+C, which leaves it running")
            return await self._follow()

    async def _follow(self) -> int:
        from minertui.model.events import JobChanged, LogLine, Numbered, Whole

        async for message in self._link.watch():
            if isinstance(message, Whole):
                job = message.fleet.jobs.get(self._id)
            else:
                assert isinstance(message, Numbered)
                event = message.event
                if isinstance(event, LogLine) and event.source == self._id:
                    print(fitted(event.text, 4), flush=True)
                job = event.job if isinstance(event, JobChanged) and event.job.id == self._id else None
            if job is not None and self._show(job):
                return 0 if job.phase.value == "stopped" else 1
            if self._stopping is not None and not self._own:
                return 0
        return 0

    def _show(self, job: JobState) -> bool:
        """Print what is due; True when it is over."""
        from minertui.clock import SystemClock
        from minertui.model.relay import RelayView

        now_s = SystemClock().mono()
        if isinstance(job.view, RelayView) and (job.phase.over or now_s - self._shown_s >= self._every_s):
            self._shown_s = now_s
            print(fitted("\n".join(table(job.view, columns())), 4), flush=True)
        if job.phase.over:
            print(f"{job.device}: {job.phase.value}{f', {job.note}' if job.note != job.phase.value else ''}")
        return job.phase.over

    def _stop(self) -> None:
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self._stopped())

    async def _stopped(self) -> None:
        if self._own:
            print("Stopping: shares under way are still judged.", flush=True)
            await self._link.stop(self._id)


_HEAD: tuple[str, ...] = (
    "BOARD", "STATE", "DIFF", "H/S", "GOOD", "BAD", "/MIN", "REQUEST", "VERDICT", "CALC", "BUSY", "ERR", "TEMP",
)  # fmt: skip


def table(view: RelayView, wide: int | None = None) -> list[str]:
    """A rig as text: a row per board, then what is to say. ``wide``: cells of the terminal; its columns stand nearer to
    each other where there are too few."""
    rows = [_HEAD, *(_row(board) for board in view.boards)]
    if all(board.temp_c is None for board in view.boards):
        rows = [row[:-1] for row in rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    gap = "  " if wide is None or sum(widths) + 2 * len(widths) - 2 <= wide else " "
    lines = [gap.join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    lines += [f"  {board.name}: {text}" for board in view.boards for text in (*_why(board), *board.words)]
    lines += [f"  {text}" for text in view.words]
    if view.balance:
        lines.append(f"  {balance_line(view.balance[-1])}")
    return lines


def _row(board: BoardView) -> tuple[str, ...]:
    stats = board.stats
    errors = stats.bus_errors + stats.wrong + stats.not_found
    return (
        board.name,
        board.state.value,
        _text(board.difficulty, "{:d}"),
        _text(board.now_hs, "{:.0f}"),
        str(stats.good),
        str(stats.bad),
        _text(stats.per_minute, "{:.1f}"),
        _text(stats.request_wait_mean_s, "{:.0f} ms", 1000),
        _text(stats.verdict_wait_mean_s, "{:.0f} ms", 1000),
        _text(stats.calc_mean_s, "{:.0f} ms", 1000),
        _text(stats.busy, "{:.0f} %", 100),
        str(errors),
        _text(board.temp_c, "{:.0f} °C"),
    )


def _why(board: BoardView) -> tuple[str, ...]:
    return (board.why,) if board.why else ()


def _text(value: float | None, form: str, times: float = 1) -> str:
    return "—" if value is None else form.format(value * times if times != 1 else value)


def balance_line(row: BalanceRow) -> str:
    """A sample of the balance as text."""
    at = datetime.fromtimestamp(row.at_s, UTC).astimezone().strftime("%H:%M:%S")
    parts = [f"{at}  {row.balance:.6f} DUCO", f"total {row.total_mduco:.3f} mDUCO", f"ping {1000 * row.ping_s:.0f} ms"]
    if row.step_mduco is not None and row.span_s is not None:
        parts.append(f"last {row.span_s:.0f} s {row.step_mduco:+.3f}")
    if row.minute_mduco is not None:
        parts.append(f"minute {row.minute_mduco:.3f}, {row.per_day or 0:.2f} DUCO/day")
    if row.miners is not None:
        parts.append(f"{row.miners} miners, {row.server_hs or 0:.0f} H/s at the server")
    return "  ".join(parts)


def run_bench(args: argparse.Namespace) -> int:
    """0 when every answer was right. Raises MinertuiError when the board cannot be reached."""
    return asyncio.run(_bench(args.at, args.jobs))


async def _bench(at: str, jobs: int) -> int:
    from minertui.clock import SystemClock
    from minertui.engine.rig_tools import measure

    measured = await measure(at, jobs, SystemClock())
    print(f"{at}: {measured.what}, chip id {measured.chip or 'none'}")
    print(f"{measured.right} of {jobs} answers right, {measured.rate_hs or 0:.1f} H/s, hand-over "
          f"{1000 * measured.handover_s:.0f} ms, {measured.errors} errors on the wire")  # fmt: skip
    return 0 if measured.right == jobs else 1


def run_address(args: argparse.Namespace) -> int:
    """0 when the board answers at its new address. Raises MinertuiError."""
    from minertui.clock import SystemClock
    from minertui.engine.rig_tools import readdress

    at = asyncio.run(readdress(args.at, args.new, SystemClock()))
    print(f"the board is at {at} now, and stays there; label it")
    return 0
