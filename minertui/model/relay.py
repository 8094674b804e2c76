"""Duino-Coin rigs: what is asked of one, how each of its boards does, and what its boards may be told.

A rig is a host with small boards; each board is one worker and keeps one connection to a pool. A rig is no Snapshot:
how it goes is the view of its job, ``relay:<rig>``. Statistics are sums, never mixed between boards; means follow
from them. ``at`` says where a board sits:

    serial:/dev/serial/by-id/usb-…   serial:COM5   serial:/dev/cu.usbserial-1410    a sketch on a USB serial port
    i2c:1:20                                                                        address 20 on I2C bus 1
    i2c:sim:40123:20                                                                the same on a simulated bus, which
                                                                                    this computer serves on that port
    adaptor:/dev/serial/by-id/usb-…:20                                              the same, behind a USB-I2C adaptor
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence

import msgspec

from minertui.model.account import AccountMiner, BalanceRow
from minertui.model.errors import ConfigError

REST = "https://server.duinocoin.com"
"""The project's master server: finds pools, checks mining keys, tells balances."""

WORKER_LIMIT = 50
"""Workers of one user or internet address that a pool takes (public pool code 3.3.0); more buy nothing."""
FULL_PAY = 4
"""So many workers are paid in full; each further one 0.96 of the one before (the kolka rule)."""
MAX_DIFFICULTY = 655
"""Above this an AVR sketch answers nonce 0 at once: its search limit does not fit 16 bits."""


class Wire(enum.StrEnum):
    """How a board is reached."""

    SERIAL = "serial"
    I2C = "i2c"
    ADAPTOR = "adaptor"


class Place(msgspec.Struct, frozen=True):
    """Where a board sits, taken apart: the way (port or bus number) and its address there (0 on a serial port)."""

    wire: Wire
    way: str
    address: int = 0

    @property
    def key(self) -> str:
        """The same for all boards on one way."""
        return f"{self.wire}:{self.way}"

    @property
    def simulated(self) -> bool:
        """True when its very name says so; ptys and kernel stubs are known when they are opened."""
        return self.wire is Wire.I2C and self.way.startswith(SIMULATED)


SIMULATED = "sim:"
"""What the way of a simulated I2C bus begins with; its port on 127.0.0.1 follows."""
_AT = re.compile(r"(?:(serial):([^\s:]\S*)|(i2c):(\d{1,3}|sim:[1-9]\d{0,4}):(\d{1,3})|(adaptor):(\S+):(\d{1,3}))")
_FIRST, _LAST = 1, 0x77


def place_of(at: str) -> Place:
    """``at`` taken apart. Raises ConfigError."""
    match = _AT.fullmatch(at)
    if not match:
        raise ConfigError(
            f"{at!r} is no place of a board; write serial:/dev/serial/by-id/…, serial:COM5, i2c:BUS:ADDRESS or "
            "adaptor:PORT:ADDRESS"
        )
    if match[1]:
        return Place(Wire.SERIAL, match[2])
    wire, way, address = (Wire.I2C, match[4], int(match[5])) if match[3] else (Wire.ADAPTOR, match[7], int(match[8]))
    if not _FIRST <= address <= _LAST:
        raise ConfigError(f"{at!r}: an I2C address is {_FIRST} to {_LAST}, in decimal")
    return Place(wire, way, address)


def is_name(name: str) -> bool:
    """True for what a board may be called: 1 to 64 printable characters, no slash (``rig/board`` is a board)."""
    return 0 < len(name) <= 64 and name.isprintable() and "/" not in name


class Dialect(enum.StrEnum):
    """What a board speaks. AUTO: it is asked. SKETCH: the official serial sketch. A to D: the I2C dialects of hauchel,
    ricaun, JK-Rolling's RPI and JK-Rolling's ESP workers."""

    AUTO = "auto"
    SKETCH = "sketch"
    A = "a"
    B = "b"
    C = "c"
    D = "d"


class BoardPlan(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One board. ``name``: unique in its rig. ``max_difficulty``: refuse harder jobs (1..6553; None: what its kind can
    do). ``jobs``: stop after so many (None: no limit). ``max_temp_c``: rest from this temperature on, where the board
    tells it (dialects C and D; None: no limit)."""

    name: str
    at: str
    dialect: Dialect = Dialect.AUTO
    max_difficulty: int | None = None
    jobs: int | None = None
    max_temp_c: float | None = None
    paused: bool = False


class RelayPlan(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag="relay"):
    """Mine with a rig's boards. Who starts a rig names ``device`` alone; the rest is the config's. Times in seconds.

    ``tier``: the difficulty class asked for. ``pool``: ``host:port`` of a pool to use instead of asking ``rest`` (pools
    move; the project asks not to fix them). ``send_hashrate`` False: the pool estimates it, lower. ``balance_s``:
    between readings of the balance, 15 or more. ``progress_s``: a connection without progress for so long is given up.
    ``log_shares``: a line in the log for every share.
    """

    device: str = ""  # the rig's name
    user: str = ""
    tier: str = "AVR"
    rest: str = REST
    pool: str | None = None
    software: str = "minertui AVR"
    send_hashrate: bool = True
    balance_s: float = 15
    progress_s: float = 20
    apart_s: float = 1  # between the first connections of two boards; pools refuse more than 50 in 30 s
    worker_limit: int = WORKER_LIMIT  # shop items of the user raise it to 75, 100 or 125
    workers_elsewhere: int = 0  # of the same user or internet address: they count for kolka and limit
    log_shares: bool = False
    board: tuple[BoardPlan, ...] = ()


class BoardState(enum.StrEnum):
    """Where a board is: the letters of the reference rig master first, then what this relay adds."""

    DISCONNECTED = "D"
    VERSION = "V"  # waits for the pool's greeting
    IDLE = "C"  # connected, nothing asked yet
    REQUESTED = "R"
    JOB = "J"  # a job is here and not yet at the board
    HASHING = "K"
    RESULT = "W"  # verified, not yet sent
    SENT = "E"
    BAD = "F"
    GOOD = "G"
    AWAY = "away"  # unplugged, or it does not answer: looked for
    PAUSED = "paused"
    LIMIT = "limit"  # its jobs are done
    HOT = "hot"  # rests until it has cooled down
    STOPPED = "stopped"  # the relay stopped it and says why; a person resumes it

    @property
    def mining(self) -> bool:
        """True while shares can be expected."""
        return len(self.value) == 1 and self is not BoardState.DISCONNECTED


class BoardStats(msgspec.Struct, frozen=True, omit_defaults=True):
    """One board's sums since ``since_s`` (wall time). Waits and times are seconds of the program's clock.

    ``request_wait_s``: JOB sent → job received, of it ``request_send_s`` in sending; ``verdict_wait_s``: result sent →
    verdict, of it ``verdict_send_s``. ``handover_s``: passing jobs to the board. ``calc_s`` and ``nonces``: what the
    board says it worked, for ``rated`` jobs. ``turn_s``: hand-over done → result here (calculation, bus, polling).
    ``share_s``: whole shares. ``wrong``: answers that the relay found wrong and did not send; ``not_found``: nonce 0.
    ``lost``: jobs that died with their connection or board, after ``lost_s`` together.
    """

    since_s: float = 0.0
    jobs: int = 0  # jobs received
    good: int = 0  # BLOCK included
    bad: int = 0
    block: int = 0
    request_wait_s: float = 0.0
    request_send_s: float = 0.0
    verdict_wait_s: float = 0.0
    verdict_send_s: float = 0.0
    handover_s: float = 0.0
    calc_s: float = 0.0
    turn_s: float = 0.0
    share_s: float = 0.0
    nonces: int = 0
    rated: int = 0
    busy_polls: int = 0
    retries: int = 0
    bus_errors: int = 0
    wrong: int = 0
    not_found: int = 0
    lost: int = 0
    connects: int = 0
    unpaid: int = 0  # good shares among the first 10 of a connection, which pools do not pay
    lost_s: float = 0.0

    @property
    def shares(self) -> int:
        """Shares with a verdict."""
        return self.good + self.bad

    @property
    def mean_hs(self) -> float | None:
        """Hashes per second, over all rated jobs."""
        return self.nonces / self.calc_s if self.calc_s > 0 else None

    @property
    def accepted(self) -> float | None:
        """Share of good verdicts, 0..1."""
        return self.good / self.shares if self.shares else None

    @property
    def request_wait_mean_s(self) -> float | None:
        """Per job."""
        return self.request_wait_s / self.jobs if self.jobs else None

    @property
    def verdict_wait_mean_s(self) -> float | None:
        """Per share."""
        return self.verdict_wait_s / self.shares if self.shares else None

    @property
    def calc_mean_s(self) -> float | None:
        """Per rated job."""
        return self.calc_s / self.rated if self.rated else None

    @property
    def handover_mean_s(self) -> float | None:
        """Per job."""
        return self.handover_s / self.jobs if self.jobs else None

    @property
    def share_mean_s(self) -> float | None:
        """Per share: request, hand-over, calculation, verdict."""
        return self.share_s / self.shares if self.shares else None

    @property
    def per_minute(self) -> float | None:
        """Shares a minute while it mined (pauses and broken connections left out)."""
        return 60 * self.shares / self.share_s if self.share_s > 0 else None

    @property
    def busy(self) -> float | None:
        """Share of the time in which the board calculated, 0..1."""
        worked_s = self.share_s + self.lost_s
        return min(1.0, self.calc_s / worked_s) if worked_s > 0 else None


def stats_total(boards: Sequence[BoardStats]) -> BoardStats:
    """The sums over several boards, or over several stretches of time."""
    names = [name for name in BoardStats.__struct_fields__ if name != "since_s"]
    sums = {name: sum(getattr(stats, name) for stats in boards) for name in names}
    return BoardStats(since_s=min((s.since_s for s in boards), default=0.0), **sums)


class Share(msgspec.Struct, frozen=True, omit_defaults=True):
    """The board's last share; ``at_s`` wall time, waits in seconds, ``rate_hs`` from this one share (coarse)."""

    at_s: float
    nonce: int
    difficulty: int
    calc_s: float
    rate_hs: float | None
    request_wait_s: float
    handover_s: float
    verdict_wait_s: float
    verdict: str  # GOOD, BLOCK, or BAD with the pool's reason


class BoardView(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a board goes. ``dialect`` and ``chip`` (its DUCOID) None: not known yet. ``worker``: its number, 1-based, for
    kolka; None while it has no connection. ``why``: one sentence when it does not mine or has a problem. ``left``: jobs
    until its limit. ``now_hs``: hashrate over its last ten shares. ``job_s``: seconds since its present job came."""

    plan: BoardPlan
    state: BoardState = BoardState.DISCONNECTED
    why: str = ""
    dialect: Dialect | None = None
    what: str = ""  # the kind of board in words, as it says: «sketch 2.6.5 to 4.3», «atmega328p»
    chip: str | None = None
    simulated: bool = False
    worker: int | None = None
    pool: str = ""
    difficulty: int | None = None
    left: int | None = None
    now_hs: float | None = None
    temp_c: float | None = None
    job_s: float | None = None
    stats: BoardStats = BoardStats()
    last: Share | None = None
    words: tuple[str, ...] = ()  # why it earns little, each one sentence with its number

    @property
    def name(self) -> str:
        """The board's name in its rig."""
        return self.plan.name


class KeyCheck(enum.StrEnum):
    """What the master server says of the mining key. A wrong key is not rejected by pools: shares say GOOD and pay
    nothing. UNCHECKED: it could not be asked yet, and nothing mines."""

    UNCHECKED = "unchecked"
    NOT_NEEDED = "not-needed"
    RIGHT = "right"
    WRONG = "wrong"


class RelayView(msgspec.Struct, frozen=True, omit_defaults=True, tag="relay"):
    """How a rig goes. ``balance``: newest last, at most 60 rows. ``miners``: all of the user's that the server shows,
    other rigs' and programs' too. ``words``: what costs money now, one sentence each."""

    plan: RelayPlan
    boards: tuple[BoardView, ...] = ()
    pool: str = ""  # name and address of the pool in use
    key: KeyCheck = KeyCheck.UNCHECKED
    workers: int = 0  # connected now, those elsewhere included
    balance: tuple[BalanceRow, ...] = ()
    miners: tuple[AccountMiner, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def kolka(self) -> float | None:
        """Mean pay of the workers, 0..1; None without workers."""
        return kolka_mean(self.workers) if self.workers else None

    @property
    def mining(self) -> tuple[BoardView, ...]:
        """The boards that mine now."""
        return tuple(board for board in self.boards if board.state.mining)

    @property
    def now_hs(self) -> float | None:
        """The rig's hashrate: that of the boards that mine, added. One that rests or is away keeps the figure of its
        last shares and adds nothing. None: no board that mines has told its own yet."""
        return hashrate_sum(board.now_hs for board in self.mining)


class AddBoard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="add"):
    """One more board, while the others go on; until the rig stops (the config is not changed)."""

    board: BoardPlan


class DropBoard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="drop"):
    """Close the board's connection and forget it until the rig starts again."""

    board: str


class PauseBoard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pause"):
    """No new job after the present one; the connection ends."""

    board: str


class ResumeBoard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="resume"):
    """Mine again after a pause, a limit or a stop."""

    board: str


class LimitBoard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="limit"):
    """``jobs`` more, then rest; None: no limit."""

    board: str
    jobs: int | None


class ResetStats(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="reset"):
    """Sums begin anew; ``board`` empty: of all boards."""

    board: str = ""


BoardOrder = AddBoard | DropBoard | PauseBoard | ResumeBoard | LimitBoard | ResetStats


def hashrate_sum(rates_hs: Iterable[float | None]) -> float | None:
    """What is known of these, added; None where nothing is."""
    known = [rate for rate in rates_hs if rate is not None]
    return sum(known) if known else None


def pay(worker: int) -> float:
    """What worker number ``worker`` (1-based) is paid, 0..1."""
    return 0.96 ** max(0, worker - FULL_PAY)


def kolka_sum(workers: int) -> float:
    """The pay of so many workers in full workers: 10 → 9.2, 50 → 24.3."""
    return sum(pay(n) for n in range(1, workers + 1))


def kolka_mean(workers: int) -> float:
    """Mean pay of so many workers (≥ 1), 0..1."""
    return kolka_sum(workers) / workers
