"""``minertui duco balance``: what a user earns, a line per reading, with the pace drawn as a bar; and who earns it.

The first line says what is there already; a pace needs 60 s. Any user's balance may be read, it is public.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minertui.cli.numbers import UNITS, Number, add_number
from minertui.cli.wording import told

if TYPE_CHECKING:
    from minertui.model.account import AccountMiner, BalanceRow

UNKNOWN = "—"
_LEAST_S = 15
_EVERY = Number(_LEAST_S, 86_400, UNITS["s"], _LEAST_S)
_COUNT = Number(1, example=20, whole=True)
_BAR = 24
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def add(actions: Any) -> None:
    """The command and its options."""
    sort = f"column of that list (default: rig): {', '.join(MINERS)}"
    balance = actions.add_parser("balance", help="what a user earns, and with which miners", description=told(__doc__))
    balance.add_argument("user")
    balance.add_argument("--rest", default=None, metavar="URL", help="the server to ask (default: Duino-Coin's)")
    add_number(
        balance,
        "--every",
        number=_EVERY,
        what="between two readings (the balance moves no faster, and the server bans who asks more)",
        default=_LEAST_S,
    )
    add_number(balance, "--count", number=_COUNT, what="end after so many lines", absent="never")
    balance.add_argument("--miners", action="store_true", help="list the user's miners after every line")
    balance.add_argument("--sort", choices=tuple(MINERS), default="rig", metavar="COLUMN", help=sort)
    balance.add_argument(
        "--log", type=Path, metavar="DIR", help="also append every reading to a file per hour there (default: to none)"
    )
    balance.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 unless the server says no."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from minertui.clock import SystemClock
    from minertui.engine.balance_log import BalanceLog
    from minertui.engine.rig_tools import balances
    from minertui.model.relay import REST

    log = BalanceLog(args.log, args.user) if args.log else None
    count, most = 0, 0.0
    print(head(args.every))
    async for row, miners in balances(args.user, args.rest or REST, args.every, SystemClock()):
        most = max(most, row.minute_mduco or 0.0)
        print(balance_row(row, most), flush=True)
        if log is not None:
            log.write(row)
        count += 1
        if args.miners:
            print("\n".join(["", *miner_table(miners, args.sort), ""]), flush=True)
        if args.count is not None and count >= args.count:
            break
    return 0


# -- the balance ------------------------------------------------------------------------------------------------------

_COLUMNS: tuple[tuple[str, int], ...] = (
    ("TIME", 8), ("BALANCE", 14), ("TOTAL m", 9), ("PING ms", 7), ("STEP m", 8), ("IN s", 5), ("MINUTE m", 8),
    ("DUCO/DAY", 8), ("SMOOTH", 7), ("H/S", 7), ("MINERS", 6),
)  # fmt: skip


def head(every_s: float) -> str:
    """The titles; ``m``: milli-DUCO."""
    titles = "  ".join(title.rjust(width) for title, width in _COLUMNS)
    return f"{titles}  the last minute's pace (a reading every {every_s:g} s; m: milli-DUCO)"


def balance_row(row: BalanceRow, most: float) -> str:
    """A reading in columns; its bar is full at ``most`` milli-DUCO a minute."""
    cells = (
        datetime.fromtimestamp(row.at_s, UTC).astimezone().strftime("%H:%M:%S"),
        f"{row.balance:.6f}",
        f"{row.total_mduco:.3f}",
        f"{1000 * row.ping_s:.0f}",
        _text(row.step_mduco, "+.3f"),
        _text(row.span_s, ".0f"),
        _text(row.minute_mduco, ".3f"),
        _text(row.per_day, ".2f"),
        _text(row.smooth_per_day, ".2f"),
        _text(row.server_hs, ".0f"),
        _text(row.miners, "d"),
    )
    line = "  ".join(cell.rjust(width) for cell, (_, width) in zip(cells, _COLUMNS, strict=True))
    return f"{line}  {bar(row.minute_mduco, most)}".rstrip()


def bar(value: float | None, most: float) -> str:
    """``value`` of ``most`` in eighths of a cell."""
    if value is None or value <= 0 or most <= 0:
        return ""
    eighths = round(8 * _BAR * min(1.0, value / most))
    return _EIGHTHS[8] * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


# -- the miners -------------------------------------------------------------------------------------------------------

_Read = Callable[["AccountMiner"], Any]
MINERS: dict[str, tuple[str, _Read, str]] = {
    "rig": ("RIG", lambda m: m.rig, ""),
    "software": ("SOFTWARE", lambda m: m.software, ""),
    "pool": ("POOL", lambda m: m.pool, ""),
    "difficulty": ("DIFF", lambda m: m.difficulty, "d"),
    "accepted": ("GOOD", lambda m: m.accepted, "d"),
    "rejected": ("BAD", lambda m: m.rejected, "d"),
    "rate": ("H/S", lambda m: m.rate_hs, ".0f"),
    "share": ("SHARE s", lambda m: m.share_s, ".2f"),
    "ping": ("PING ms", lambda m: m.ping_ms, ".0f"),
    "paid": ("PAID", lambda m: m.paid, ".0%"),
    "iot": ("SAYS", lambda m: m.iot, ""),
}
_LEFT = ("rig", "software", "pool", "iot")


def miner_table(miners: Sequence[AccountMiner], by: str = "rig") -> list[str]:
    """The user's miners as the server shows them; numbers are sorted with the highest first, unknown ones last."""
    if not miners:
        return ["the server shows no miner of this user: one appears after two good shares and up to 15 s"]
    columns = [(id_, *rest) for id_, rest in MINERS.items() if any(rest[1](m) not in (None, "") for m in miners)]
    read = MINERS[by][1]
    known = [m for m in miners if read(m) is not None]
    ordered = sorted(known, key=lambda m: str(read(m)).casefold()) if by in _LEFT else sorted(known, key=read)[::-1]
    rows = [[title for _, title, _, _ in columns]]
    rows += [
        [_text(get(m), form) for _, _, get, form in columns] for m in (*ordered, *(m for m in miners if m not in known))
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(len(columns))]
    return [
        "  ".join(
            cell.ljust(width) if id_ in _LEFT else cell.rjust(width)
            for cell, width, (id_, *_) in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in rows
    ]


def _text(value: Any, form: str) -> str:
    return UNKNOWN if value is None or value == "" else format(value, form)
