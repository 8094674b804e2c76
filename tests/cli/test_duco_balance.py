"""minertui duco balance: columns, bar, miners, log files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from minertui.cli import duco_balance
from minertui.cli.main import main
from minertui.engine import rig_tools
from minertui.engine.balance_log import BalanceLog
from minertui.model.account import AccountMiner, BalanceRow
from minertui.model.errors import MinertuiError

ROW = BalanceRow(1_700_000_000.0, 100.5, 12.0, 0.016, 3.76, 15.0, 37.42, 50.0, miners=2, server_hs=600.0)
MINERS = (
    AccountMiner("attic", "minertui AVR", "pool-1", 10, 300, 2, 208.0, 2.4, 41.0, 1),
    AccountMiner("shed", "Official AVR Miner 4.3", "pool-2", 10, 900, 1, 335.0, 1.4, None, 3, "temp:31.0"),
)


def test_a_balance_in_columns_with_its_pace_as_a_bar() -> None:
    head, row = duco_balance.head(15), duco_balance.balance_row(ROW, 74.84)
    assert head.split()[1:4] == ["BALANCE", "TOTAL", "m"]
    assert " ".join(row.split()[1:]) == "100.500000 12.000 16 +3.760 15 37.420 53.88 50.00 600 2 ████████████"
    first = duco_balance.balance_row(BalanceRow(0.0, 1.0, 0.0, 0.5), 0.0)
    assert first.split()[1:] == ["1.000000", "0.000", "500", "—", "—", "—", "—", "—", "—", "—"]
    assert (duco_balance.bar(1.0, 96.0), duco_balance.bar(1.0, 1.0)) == ("▎", "█" * 24)


def test_the_users_miners_are_listed_in_any_order() -> None:
    head, first, second = duco_balance.miner_table(MINERS, "accepted")
    assert head.split() == ["RIG", "SOFTWARE", "POOL", "DIFF", "GOOD", "BAD", "H/S", "SHARE", "s", "PING", "ms", "PAID",
                            "SAYS"]  # fmt: skip
    assert first.split()[0] == "shed"
    assert "92%" in first
    assert second.split()[0] == "attic"
    assert duco_balance.miner_table(MINERS, "ping")[1].split()[0] == "attic"
    assert duco_balance.miner_table(MINERS)[1].split()[0] == "attic"
    assert "no miner of this user" in duco_balance.miner_table(())[0]


def test_a_balance_is_logged_by_the_hour(tmp_path: Path) -> None:
    log = BalanceLog(tmp_path / "duco", "al/ice")
    log.write(ROW)
    log.write(msgspec.structs.replace(ROW, at_s=ROW.at_s + 15, balance=100.6, minute_mduco=None, server_hs=None))
    log.write(msgspec.structs.replace(ROW, at_s=ROW.at_s + 3600))
    one, two = sorted((tmp_path / "duco").iterdir())
    assert one.name.startswith("duco-al_ice-2023-11-1")
    lines = one.read_text().splitlines()
    assert lines[0].split("\t")[1] == "balance_duco"
    assert [line.split("\t")[1:] for line in lines[1:]] == [
        ["100.500000", "16", "37.420", "2", "600"], ["100.600000", "16", "", "2", ""],
    ]  # fmt: skip
    assert len(two.read_text().splitlines()) == 2
    (tmp_path / "file").write_text("")
    with pytest.raises(MinertuiError, match="cannot be logged"):
        BalanceLog(tmp_path / "file", "alice").write(ROW)


async def test_the_command_tells_balance_miners_and_logs_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def balances(user: str, server: str, every_s: float, clock: object) -> Any:
        assert (user, server, every_s) == ("alice", "http://127.0.0.1:1", 20.0)
        while True:
            yield ROW, MINERS

    monkeypatch.setattr(rig_tools, "balances", balances)
    command = ["duco", "balance", "alice", "--rest", "http://127.0.0.1:1", "--every", "20", "--count", "2"]
    code = await asyncio.to_thread(main, [*command, "--miners", "--sort", "rate", "--log", str(tmp_path)])
    assert code == 0
    out = capsys.readouterr().out
    assert out.count("100.500000") == 2
    assert out.count("Official AVR Miner 4.3") == 2
    assert len(next(tmp_path.iterdir()).read_text().splitlines()) == 3
