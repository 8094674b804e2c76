"""minertui duco: tables, balances, boards found; everything on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from minertui.cli import boards, duco
from minertui.cli.main import main
from minertui.clock import SystemClock
from minertui.config import Config
from minertui.config_rigs import RigConfig
from minertui.devices import duco_i2c, duco_serial, duco_sim
from minertui.engine import rig_tools
from minertui.model.account import BalanceRow
from minertui.model.errors import ConfigError, DeviceError, Refused
from minertui.model.relay import BoardPlan, BoardState, BoardStats, BoardView, Place, RelayPlan, RelayView
from minertui.sim.duco_boards import board
from minertui.sim.duco_bus import FakeBus, Opened
from minertui.sim.duco_pool import DucoPool

SPEED = 50.0


def test_the_rig_meant() -> None:
    one = Config(rig=(RigConfig("attic", "alice"),))
    two = Config(rig=(*one.rig, RigConfig("shed", "alice")))
    assert duco.chosen(one, None) == "attic"
    assert duco.chosen(two, "shed") == "shed"
    with pytest.raises(ConfigError, match="name one of the config's rigs: attic, shed"):
        duco.chosen(two, None)
    with pytest.raises(ConfigError, match=r"no \[\[rig\]\]"):
        duco.chosen(Config(), "attic")


def test_a_rig_as_text() -> None:
    stats = BoardStats(
        jobs=10,
        good=9,
        bad=1,
        request_wait_s=8.82,
        verdict_wait_s=7.99,
        calc_s=12.0,
        rated=10,
        nonces=2500,
        share_s=30.0,
    )
    plan = BoardPlan("pro mini 1", "i2c:1:20")
    view = RelayView(
        RelayPlan("attic"),
        (
            BoardView(
                plan, BoardState.HASHING, why="late", difficulty=5, now_hs=208.4, stats=stats, words=("slow pool",)
            ),
        ),
        words=("4 workers",),
        balance=(BalanceRow(0.0, 100.5, 12.0, 0.016, 3.76, 15.0, 37.42, miners=3, server_hs=600.0),),
    )
    head, row, *rest = duco.table(view)
    assert head.split()[:4] == ["BOARD", "STATE", "DIFF", "H/S"]
    assert " ".join(row.split()) == "pro mini 1 K 5 208 9 1 20.0 882 ms 799 ms 1200 ms 40 % 0"
    assert rest[:3] == ["  pro mini 1: late", "  pro mini 1: slow pool", "  4 workers"]
    assert "minute 37.420, 53.88 DUCO/day" in rest[3]
    narrow, *_ = duco.table(view, 80)
    assert len(narrow) <= 80 < len(head) or len(head) <= 80
    assert len(duco.table(view, 60)[0]) < len(head)  # nearer to each other: no line of a board is broken in two
    assert "—" in duco.table(RelayView(RelayPlan("attic"), (BoardView(plan),)))[1]


async def test_the_balance_of_a_user() -> None:
    async with DucoPool(clock=SystemClock()) as pool:
        rows = rig_tools.balances("alice", pool.rest, 15.0, SystemClock(1000))
        assert (await anext(rows))[0].balance == 100.0
        assert (await anext(rows))[0].step_mduco == 0.0
        await rows.aclose()  # type: ignore[attr-defined]
        with pytest.raises(Refused, match="nobody: the server says: This user doesn't exist"):
            await anext(rig_tools.balances("nobody", pool.rest, 15.0, SystemClock()))


def test_a_balance_is_not_asked_too_often(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["duco", "balance", "alice", "--every", "10"])
    assert "--every: “10” is too low: write 15 to 86400 s, such as 15" in capsys.readouterr().err


async def test_a_board_is_measured() -> None:
    clock = SystemClock(SPEED)
    bus = FakeBus({20: board("A")}, clock.mono)
    measured = await rig_tools.measure("i2c:1:20", 4, clock, lambda place: lambda: Opened(bus))
    assert (measured.right, measured.chip is not None) == (4, True)
    assert measured.rate_hs == pytest.approx(208, rel=0.02)
    with pytest.raises(DeviceError, match="i2c:1:21: nothing answers at this address"):
        await rig_tools.measure("i2c:1:21", 1, clock, lambda place: lambda: Opened(bus))


def test_boards_found_are_written_as_the_config_wants_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    clock = SystemClock(SPEED)
    bus = FakeBus({20: board("A"), 8: board("C", seed=1)}, clock.mono)

    class Scanned(Opened):
        def scan(self) -> tuple[int, ...]:
            return (8, 20, 99)

    identify = rig_tools.identify
    monkeypatch.setattr(duco_i2c, "buses", lambda: ["1"])
    monkeypatch.setattr(duco_i2c, "connect", lambda number: lambda: Scanned(bus))
    monkeypatch.setattr(duco_serial, "found_ports", list)
    monkeypatch.setattr(rig_tools, "identify", lambda at, _: identify(at, clock, lambda place: lambda: Opened(bus)))
    assert main(["discover", "--serial", "--i2c"]) == 0
    out = capsys.readouterr().out
    assert 'at = "i2c:1:8"  # atmega328p' in out
    assert 'at = "i2c:1:20"  # ATmega328P (hauchel)' in out
    assert "# they belong under a [[rig]] of the config, with name, user and mining_key: minertui config edit" in out
    assert "asking i2c:1:99 …\n  no board that mines: nothing answers at this address" in out


def test_boards_are_looked_for_where_a_person_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Wire:
        def __init__(self, *found: int) -> None:
            self.found, self.closed = found, False

        def scan(self) -> tuple[int, ...]:
            if not self.found:
                raise OSError("the adaptor does not answer")
            return self.found

        def close(self) -> None:
            self.closed = True

    wires = {"/dev/one": Wire(8, 9), "/dev/two": Wire(), "sim:40000": Wire(20), "1": Wire(4)}

    def opened(name: str) -> Wire:
        if name not in wires:
            raise FileNotFoundError(2, f"there is no {name}")
        return wires[name]

    for driver, function in ((duco_serial, "connect_adaptor"), (duco_i2c, "connect"), (duco_sim, "connect")):
        monkeypatch.setattr(driver, function, lambda name: lambda: opened(name))
    named = ["1", "sim:40000", "/dev/one", "/dev/two", "/dev/none"]
    assert boards.places(serial=True, i2c=True, named=named) == [
        "i2c:1:4", "i2c:sim:40000:20", "adaptor:/dev/one:8", "adaptor:/dev/one:9", "serial:/dev/two",
        "serial:/dev/none",
    ]  # fmt: skip
    assert boards.places(serial=True, i2c=False, named=["/dev/one"]) == ["serial:/dev/one"]
    assert boards.places(serial=False, i2c=True, named=["7", "/dev/two"]) == []
    assert "I2C bus 7: there is no 7" in capsys.readouterr().out
    assert all(wire.closed for wire in wires.values())


async def test_a_board_gets_another_address() -> None:
    clock = SystemClock(SPEED)
    bus = FakeBus({4: board("A"), 21: board("A", seed=1), 50: board("A85"), 8: board("C", seed=2)}, clock.mono)

    def way(place: Place) -> Any:
        return lambda: Opened(bus)

    assert await rig_tools.readdress("i2c:1:4", 20, clock, way) == "i2c:1:20"
    assert sorted(bus.boards) == [8, 20, 21, 50]
    assert (await rig_tools.identify("i2c:1:20", clock, way)).chip == bus.boards[20].chip_id  # type: ignore[attr-defined]
    for at, new, why in (
        ("i2c:1:20", 21, "another board answers at address 21 already"),
        ("i2c:1:20", 51, "a Pro Mini has an address from 1 to 49"),
        ("i2c:1:50", 49, "an ATtiny85 has an address from 50 to 99"),
        ("i2c:1:8", 9, "a board of dialect C has its address in its sketch"),
    ):
        with pytest.raises(DeviceError, match=why):
            await rig_tools.readdress(at, new, clock, way)
    with pytest.raises(ConfigError, match="only boards on an I2C bus"):
        await rig_tools.readdress("adaptor:COM5:8", 9, clock, way)
    with pytest.raises(ConfigError, match="an I2C address is 1 to 119"):
        await rig_tools.readdress("i2c:1:20", 120, clock, way)
    assert sorted(bus.boards) == [8, 20, 21, 50]
