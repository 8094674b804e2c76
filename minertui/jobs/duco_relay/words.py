"""Why a board or a rig earns little, in words with numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from minertui.model.account import AccountMiner
from minertui.model.relay import (
    FULL_PAY,
    BoardPlan,
    BoardState,
    BoardStats,
    BoardView,
    Dialect,
    KeyCheck,
    RelayPlan,
    Share,
    kolka_sum,
    pay,
    place_of,
)
from minertui.wire.duco.messages import cleaned

_ENOUGH = 20  # shares before a mean says something
_SLOW_SHARE = 0.6  # of the time calculating
_USUAL_HS = {Dialect.SKETCH: 200.0, Dialect.A: 150.0, Dialect.B: 150.0, Dialect.C: 220.0, Dialect.D: 220.0}


def of_board(board: BoardView) -> tuple[str, ...]:
    """What keeps this board from earning more; empty when all is well or too little is known."""
    stats, said = board.stats, []
    if board.worker is not None and pay(board.worker) < 1:
        said.append(f"as worker {board.worker} it is paid {pay(board.worker):.0%} (kolka: full pay up to {FULL_PAY})")
    if stats.shares >= _ENOUGH:
        said += [text for text in (_waits(stats), _refused(stats), _unpaid(stats), _slow(board)) if text]
    said += [text for text in (_errors(stats), _elsewhere(board)) if text]
    return tuple(said)


def _waits(stats: BoardStats) -> str:
    busy = stats.busy
    if busy is None or busy >= _SLOW_SHARE:
        return ""
    request, verdict = stats.request_wait_mean_s or 0.0, stats.verdict_wait_mean_s or 0.0
    rest = max(0.0, (stats.share_mean_s or 0.0) - request - verdict - (stats.calc_mean_s or 0.0))
    if rest > request + verdict:
        return (
            f"it calculates {busy:.0%} of the time: {1000 * rest:.0f} ms of each share go to the bus and to polling; "
            "put fewer boards on one bus"
        )
    return (
        f"it calculates {busy:.0%} of the time: of each share it waits {1000 * request:.0f} ms for the job and "
        f"{1000 * verdict:.0f} ms for the verdict; that is the pool's and the network's time"
    )


def _refused(stats: BoardStats) -> str:
    accepted = stats.accepted
    if accepted is None or accepted >= 0.95:
        return ""
    return (
        f"only {accepted:.0%} of its shares are accepted (95 % is usual): the pool's reason stands with the last share"
    )


def _unpaid(stats: BoardStats) -> str:
    if stats.connects < 2 or stats.unpaid < 0.1 * stats.shares:
        return ""
    return (
        f"{stats.unpaid} of its {stats.good} good shares were not paid: the first 10 after each of {stats.connects} "
        "connections are not"
    )


def _slow(board: BoardView) -> str:
    usual, now = _USUAL_HS.get(board.dialect or Dialect.AUTO), board.stats.mean_hs
    if usual is None or now is None or now >= 0.9 * usual:
        return ""
    return f"it makes {now:.0f} H/s where {usual:.0f} or more are usual: an old sketch, a slower clock, or much polling"


def _errors(stats: BoardStats) -> str:
    errors = stats.bus_errors + stats.wrong + stats.not_found
    if errors < 5 or errors < 0.05 * stats.jobs:
        return ""
    return (
        f"{stats.bus_errors} errors on its wire, {stats.wrong} wrong answers and {stats.not_found} without a nonce in "
        f"{stats.jobs} jobs: shorten the wires, add pull-ups, lower the bus clock"
    )


def _elsewhere(board: BoardView) -> str:
    """A board that seldom finishes what it begins."""
    stats = board.stats
    if stats.lost < 3 or stats.lost < 0.05 * stats.jobs:
        return ""
    return f"{stats.lost} of {stats.jobs} jobs were lost with their connection or with the board"


def of_rig(
    plan: RelayPlan,
    workers: int,
    key: KeyCheck,
    boards: tuple[BoardView, ...],
    miners: Sequence[AccountMiner] = (),
) -> tuple[str, ...]:
    """What costs money now, or would with one board more."""
    said = []
    if key is KeyCheck.UNCHECKED:
        said.append("the mining key is not checked yet; nothing mines before that, because a wrong one is not paid")
    if key is KeyCheck.WRONG:
        said.append("the mining key is wrong or missing: pools would take the shares and the server would not pay them")
    said += _pay(plan, workers, miners)
    still = [board.name for board in boards if board.state in (BoardState.STOPPED, BoardState.AWAY, BoardState.HOT)]
    if still:
        said.append(f"{', '.join(still)} {'does' if len(still) == 1 else 'do'} not mine; see why there")
    if not plan.send_hashrate:
        said.append("no hashrate is sent: pools estimate it from the time of the share, which is lower")
    return tuple(said)


def _pay(plan: RelayPlan, workers: int, miners: Sequence[AccountMiner]) -> list[str]:
    """The kolka rule, and who else counts."""
    said = []
    if workers > FULL_PAY:
        paid = kolka_sum(workers)
        said.append(
            f"{workers} workers are paid like {paid:.1f} ({paid / workers:.0%}); "
            f"one more would earn {pay(workers + 1):.0%}"
        )
    elif workers == FULL_PAY:
        said.append(f"one more worker would be paid {pay(workers + 1):.0%}, each further one 96 % of the one before")
    if workers >= 0.9 * plan.worker_limit:
        said.append(f"{workers} of {plan.worker_limit} workers are in use; pools refuse more")
    elsewhere = sum(miner.rig != cleaned(plan.device) for miner in miners)
    if elsewhere > plan.workers_elsewhere:
        said.append(
            f"the server shows {elsewhere} miners of {plan.user} beside this rig, which count for pay and limit: write "
            f"workers_elsewhere = {elsewhere}"
        )
    return said


def of_share(board: BoardView, share: Share) -> str:
    """A share in one line: rounds left, board and state, hashing, nonce, rate, and how long each hand-over took."""
    at = place_of(board.plan.at)
    total_s = share.request_wait_s + share.handover_s + share.calc_s + share.verdict_wait_s
    parts = [
        f"loop {board.left}" if board.left is not None else "",
        f"{board.name} ({at.address or at.way.rpartition('/')[2]}) {board.state.value}",
        f"ela {1000 * share.calc_s:.0f} ms",
        f"res {share.nonce}",
        "" if share.rate_hs is None else f"rat {share.rate_hs:.0f} H/s",
        f"ReqJob {1000 * share.request_wait_s:.0f} ms",
        f"hashes sent {1000 * share.handover_s:.0f} ms",
        f"SndRes {1000 * share.verdict_wait_s:.0f} ms",
        f"total {1000 * total_s:.0f} ms",
        share.verdict,
    ]
    return "  ".join(part for part in parts if part)


def before_adding(plan: RelayPlan, workers: int, board: BoardPlan) -> str:
    """What a person should know before one more board; raises nothing."""
    return f"{board.name} will be worker {workers + 1} of {plan.worker_limit}, paid {pay(workers + 1):.0%}"


def before_start(plan: RelayPlan, boards: int) -> str:
    """What a person should know before a rig with so many boards begins."""
    first, last = plan.workers_elsewhere + 1, plan.workers_elsewhere + boards
    if not boards:
        return "no board yet; add one"
    who = f"worker {first}" if boards == 1 else f"workers {first} to {last}"
    return f"{who} of {plan.worker_limit}: paid like {kolka_sum(last) - kolka_sum(first - 1):.1f} full ones"
