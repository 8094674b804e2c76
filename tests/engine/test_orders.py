"""What the command log keeps: everything but secrets."""

from __future__ import annotations

from pathlib import Path

from minertui.clock import SystemClock
from minertui.engine.command_log import CommandLog
from minertui.engine.orders import Orders
from minertui.engine.records import Records
from minertui.model.commands import CommandRecord, Order, Outcome, OutcomeState, SetPools
from minertui.model.events import CommandDone, Event
from minertui.model.status import PoolSetting


class Obeying:
    """An arbiter that applies everything and remembers what really went out."""

    def __init__(self) -> None:
        self.got: list[Order] = []

    async def execute(self, order: Order) -> CommandRecord:
        self.got.append(order)
        return CommandRecord(order, 1.0, Outcome(OutcomeState.APPLIED))

    async def drain(self) -> None: ...


async def test_a_pool_password_reaches_the_miner_and_nobody_else(tmp_path: Path):
    said: list[Event] = []
    arbiter = Obeying()
    records = Records(tmp_path / "records.db", SystemClock(), trouble=print, damaged=print)
    await records.start()
    orders = Orders(arbiter, CommandLog(records, SystemClock(), said.append), SystemClock())  # type: ignore[arg-type]
    pool = PoolSetting("pool.example.org", 3333, "bc1qexample", password="canary-secret")
    for n, dry in enumerate((False, True)):
        record = await orders.execute(Order(f"o{n}", "a", SetPools((pool,)), dry_run=dry, confirmed=True))
        assert "canary-secret" not in repr(record)
    assert [order.command for order in arbiter.got] == [SetPools((pool,))] * 2, "the miner gets it whole"
    (done,) = said
    assert isinstance(done, CommandDone)
    assert "canary-secret" not in repr(done)
    assert "canary-secret" not in repr(await records.commands(10))
    await records.close()
    careless = Order("o9", "a", SetPools((PoolSetting("x:canary-secret@pool.example.org", 3333, "x"),)), confirmed=True)
    assert "•••@pool.example.org" in repr(await orders.execute(careless))
    assert not any(b"canary-secret" in file.read_bytes() for file in tmp_path.iterdir())
