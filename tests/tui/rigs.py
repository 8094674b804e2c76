"""Made-up Duino-Coin rigs to draw."""

from __future__ import annotations

from minertui.model.account import AccountMiner, BalanceRow
from minertui.model.fleet import Fleet
from minertui.model.plans import JobState, Phase
from minertui.model.relay import (
    BoardPlan,
    BoardState,
    BoardStats,
    BoardView,
    Dialect,
    KeyCheck,
    RelayPlan,
    RelayView,
    Share,
)
from tests.tui import pictures

_STATES = (BoardState.HASHING, BoardState.SENT, BoardState.REQUESTED, BoardState.AWAY, BoardState.PAUSED)


def stats(n: int) -> BoardStats:
    """Sums like those of a real board: it mostly waits for the pool."""
    jobs = 300 + 17 * n
    return BoardStats(
        since_s=pictures.NOW_S - 3600, jobs=jobs, good=jobs - 2 - n, bad=2, block=n // 3,
        request_wait_s=0.88 * jobs, request_send_s=0.003 * jobs, verdict_wait_s=0.8 * jobs, verdict_send_s=0.1,
        handover_s=0.03 * jobs, calc_s=2.1 * jobs, turn_s=2.25 * jobs, share_s=4.1 * jobs, nonces=460 * jobs,
        rated=jobs, busy_polls=611 + n, retries=n, bus_errors=7 * (n % 2), wrong=n % 3, connects=1 + n, unpaid=10,
    )  # fmt: skip


def board(n: int, name: str = "") -> BoardView:
    """The nth board of a rig."""
    state = _STATES[n % len(_STATES)]
    return BoardView(
        plan=BoardPlan(name or f"board-{n}", f"i2c:1:{20 + n}", Dialect.A),
        state=state,
        why="it does not answer on bus 1 address 23; looked for" if state is BoardState.AWAY else "",
        dialect=Dialect.A,
        what="atmega328p",
        chip=f"DUCOID3030{n:02}",
        worker=None if state is BoardState.AWAY else n + 1,
        pool="beyond-pool-1",
        difficulty=8,
        left=12 if n == 1 else None,
        now_hs=None if state is BoardState.AWAY else 218.0 + n,
        stats=stats(n),
        last=Share(pictures.NOW_S - 4, 476, 8, 2.863, 166.0, 1.431, 0.03, 0.755, "GOOD"),
        words=("it waits 41 % of its time for the pool; a nearer one would give 1.3 times the shares",)
        if n == 0
        else (),
    )


def view(rig: str = "rig-42", boards: int = 5) -> RelayView:
    """A rig in the middle of its work; one board more is in its plan, dropped by hand."""
    shown = tuple(board(n) for n in range(boards))
    plans = (*(b.plan for b in shown), BoardPlan("spare", "i2c:1:60"))
    return RelayView(
        RelayPlan(rig, "somebody", board=plans), shown, "beyond-pool-1 203.0.113.7:6000", KeyCheck.RIGHT, 9,
        tuple(BalanceRow(pictures.NOW_S - 15 * n, 1234.567891, 53.31, 0.016, 3.76, 15.0, 37.42, 51.2, 9)
              for n in reversed(range(4))),
        miners=(
            AccountMiner("shed", "AVR Miner 4.3", iot="temp:31.0"),
            AccountMiner(rig, "AVR Miner 4.3", "pool-1", 8, 308, 2, 208.0, 3.1, 41.0, 1),
            AccountMiner(rig, "AVR Miner 4.3", "pool-1", 8, 900, 1, 218.0, 2.9, 44.0, 2),
        ),
        words=("9 workers are paid 90 % of 9 full ones (kolka); 5 fewer elsewhere would give 4 %",),
    )  # fmt: skip


def job(rig: str = "rig-42", phase: Phase = Phase.RUNNING) -> JobState:
    """Its relay."""
    made = view(rig) if phase is Phase.RUNNING else RelayView(RelayPlan(rig, "somebody"))
    return JobState(f"relay:{rig}", rig, phase, made, since_s=pictures.NOW_S - 3600)


def fleet(base: Fleet | None = None) -> Fleet:
    """The normal fleet and two rigs, one of them closed."""
    return (base or pictures.normal()).with_job(job()).with_job(job("bench", Phase.STOPPED))
