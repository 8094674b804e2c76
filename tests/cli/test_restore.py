"""``minertui restore`` on miners that are there, moved, absent or swapped, and beside a running engine."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from minertui.cli.main import main
from minertui.cli.restore import _parked, restore
from minertui.config import Config, EngineConfig, MinerConfig
from minertui.engine.journal import FOLDER, Entry, Journal
from minertui.engine.line import Identity
from minertui.engine.lock import StateLock
from minertui.engine.outbox import Outbox
from minertui.engine.records import Records
from minertui.engine.sudden_end import FILE
from minertui.model.alerts import Alert
from minertui.model.plans import Limits
from minertui.safety.settings import Settings
from tests.engine.hardware import MAC, FakeMiner, LoopClock

ENTRY = Entry(
    "020000000010",
    "garage",
    "192.0.2.1",
    Settings(525.0, 1150.0, True, 60.0),
    mac=MAC,
    ours=(Settings(600.0, 1210.0, True, 60.0),),
)


def raised(mac: str = MAC) -> FakeMiner:
    miner = FakeMiner()
    miner.set(frequency_mhz=600.0, actual_mhz=600.0, core_mv=1210, core_actual_mv=1210, mac=mac)
    return miner


class Net:
    """Miners by address; everything else is silent."""

    def __init__(self, **miners: FakeMiner) -> None:
        self.miners = {name.replace("_", "."): miner for name, miner in miners.items()}
        self.opened: list[FakeMiner] = []

    def connect(self, kind: str, address: str, headers: Mapping[str, str]) -> FakeMiner:
        miner = self.miners.get(address)
        if miner is None:
            miner = FakeMiner()
            miner.dead = True
        self.opened.append(miner)
        return miner


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "journal", lambda: 1.0)
    journal.open_entry(ENTRY)
    return journal


async def run(journal: Journal, net: Net, *miners: MinerConfig, dry_run: bool = False, readonly: bool = False) -> int:
    known = Config(engine=EngineConfig(readonly=readonly), miner=miners)
    return await restore(journal, known, LoopClock(), dry_run=dry_run, connect=net.connect)


@pytest.mark.looptime
async def test_a_miner_at_its_address_goes_back_in_down_order(journal: Journal, capsys: pytest.CaptureFixture[str]):
    miner = raised()
    net = Net(**{"192.0.2.1": miner})
    assert await run(journal, net) == 0
    assert (miner.status.frequency_mhz, miner.status.core_mv) == (525, 1150)
    assert miner.low == []
    assert journal.entries() == ()
    assert all(one.closed for one in net.opened)
    assert "garage: at 525 MHz / 1150 mV, proven by two readings" in capsys.readouterr().out


@pytest.mark.looptime
async def test_a_moved_miner_is_found_by_its_mac(journal: Journal):
    miner, other = raised(), raised("02:00:00:00:00:99")
    net = Net(**{"192.0.2.1": other, "192.0.2.7": miner})
    assert await run(journal, net, MinerConfig("attic", "192.0.2.6"), MinerConfig("new", "192.0.2.7")) == 0
    assert miner.status.frequency_mhz == 525
    assert other.writes == []


@pytest.mark.looptime
async def test_one_without_a_mac_is_looked_for_where_its_name_is_and_nowhere_else(tmp_path: Path):
    """Every other miner of so old a firmware would look the same."""
    journal = Journal(tmp_path / "old", lambda: 1.0)
    journal.open_entry(replace(ENTRY, key="name-garage", mac=None))
    other, moved = raised(), raised()
    for miner in (other, moved):
        miner.set(mac=None)
    net = Net(**{"192.0.2.7": other, "192.0.2.9": moved})
    attic = MinerConfig(name="attic", address="192.0.2.7")
    assert await run(journal, net, attic) == 1
    assert other.writes == []
    assert await run(journal, net, attic, MinerConfig(name="garage", address="192.0.2.9")) == 0
    assert other.writes == []
    assert (moved.status.frequency_mhz, moved.status.core_mv) == (525, 1150)


@pytest.mark.looptime
async def test_an_absent_miner_keeps_its_entry_and_says_what_to_do(
    journal: Journal, capsys: pytest.CaptureFixture[str]
):
    assert await run(journal, Net(), MinerConfig("attic", "192.0.2.6")) == 1
    assert len(journal.entries()) == 1
    text = capsys.readouterr().err
    assert f"no miner with MAC {MAC} answers" in text
    assert "525 MHz / 1150 mV is kept" in text
    assert "restore again" in text


@pytest.mark.looptime
async def test_a_dry_run_writes_nothing(journal: Journal, capsys: pytest.CaptureFixture[str]):
    miner = raised()
    assert await run(journal, Net(**{"192.0.2.1": miner}), dry_run=True) == 0
    assert miner.writes == []
    assert len(journal.entries()) == 1
    assert "would go from 600 MHz / 1210 mV to 525 MHz / 1150 mV" in capsys.readouterr().out


@pytest.mark.looptime
async def test_a_dry_run_says_where_a_way_back_over_a_cap_of_the_model_really_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    journal, miner = Journal(tmp_path / "journal", lambda: 1.0), raised()
    journal.open_entry(replace(ENTRY, baseline=Settings(600, 1450)))
    net = Net(**{"192.0.2.1": miner})
    assert await run(journal, net, dry_run=True) == 0
    assert "to 600 MHz / 1210 mV" in capsys.readouterr().out
    await run(journal, net)
    assert (miner.status.frequency_mhz, miner.status.core_mv) == (600, 1210)
    assert journal.entries() == ()


@pytest.mark.looptime
async def test_the_configs_word_counts_readonly_and_limits(journal: Journal):
    miner = raised()
    net = Net(**{"192.0.2.1": miner})
    assert await run(journal, net, MinerConfig("garage", "192.0.2.1", readonly=True)) == 1
    assert miner.writes == []
    assert await run(journal, net, MinerConfig("garage", "192.0.2.1", limits=Limits(max_mhz=400))) == 0
    assert miner.status.frequency_mhz == 525  # going down is never refused


@pytest.mark.looptime
@pytest.mark.parametrize("miners", [(), (MinerConfig("garage", "192.0.2.1"),), (MinerConfig("attic", "192.0.2.6"),)])
async def test_a_read_only_engine_leaves_a_command_that_writes_nothing(
    journal: Journal, miners: tuple[MinerConfig, ...], capsys: pytest.CaptureFixture[str]
):
    miner = raised()
    net = Net(**{"192.0.2.1": miner})
    for dry_run in (True, False):
        assert await run(journal, net, *miners, readonly=True, dry_run=dry_run) == 1
        assert "read-only" in capsys.readouterr().err
    assert (miner.writes, len(journal.entries())) == ([], 1)


@pytest.mark.looptime
@pytest.mark.parametrize("address", ["192.0.2.1", "http://192.0.2.1:80", "attic.local"])
async def test_what_the_config_says_of_a_renamed_miner_holds(tmp_path: Path, address: str):
    """Lowered by us to 450 MHz, and 525 MHz were its own; it is known by its address, or by its MAC there."""
    journal, miner = Journal(tmp_path / "journal", lambda: 1.0), FakeMiner()
    journal.open_entry(replace(ENTRY, ours=(Settings(450.0, 1150.0, True, 60.0),)))
    miner.set(frequency_mhz=450.0, actual_mhz=450.0)
    net = Net(**{"192.0.2.1": miner})
    net.miners[address] = miner
    other = MinerConfig("other", "192.0.2.6")
    assert await run(journal, net, other, MinerConfig("attic", address, readonly=True)) == 1
    assert miner.writes == []
    await run(journal, net, other, MinerConfig("attic", address, limits=Limits(max_mhz=480)))
    assert miner.status.frequency_mhz == 480


@pytest.mark.looptime
async def test_of_a_miner_that_moved_and_one_at_its_old_address_each_has_its_own_word(journal: Journal):
    miner, other = raised(), raised("02:00:00:00:00:99")
    net = Net(**{"192.0.2.1": other, "192.0.2.7": miner})
    named, there = MinerConfig("garage", "192.0.2.7", readonly=True), MinerConfig("attic", "192.0.2.1")
    assert await run(journal, net, there, named) == 1
    assert miner.writes == other.writes == []


@pytest.mark.looptime
async def test_a_journal_that_is_closed_to_us_is_not_an_empty_one(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def closed(*_: object) -> object:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    miner = raised()
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", closed)
        assert await run(journal, Net(**{"192.0.2.1": miner})) == 1
    said = capsys.readouterr()
    assert "cannot be read: Permission denied" in said.err
    assert "restore as the user of the engine" in said.err
    assert said.out == ""


@pytest.mark.looptime
async def test_an_entry_that_the_disk_does_not_give_counts_as_left(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "journal" / "020000000011.json").mkdir()
    miner = raised()
    assert await run(journal, Net(**{"192.0.2.1": miner})) == 1
    assert "020000000011.json cannot be read" in capsys.readouterr().err
    assert miner.status.frequency_mhz == 525


@pytest.mark.looptime
async def test_a_broken_entry_is_said_and_counts_as_left(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "journal" / "020000000010.json").write_text("{torn")
    assert await run(journal, Net()) == 1
    assert "set aside as 020000000010.json.corrupt-1" in capsys.readouterr().err


def test_the_command_with_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["restore", "--journal", "--state", str(tmp_path), "--config", str(tmp_path / "none.toml")]) == 0
    assert capsys.readouterr().out == "nothing to restore\n"


def killed(state: Path) -> None:
    """What an engine leaves that ended without warning while it swept a miner, which is off by now."""
    left = replace(ENTRY, address="127.0.0.1:9", reason="sweep:garage")
    Journal(state / FOLDER, lambda: 1_000.0).open_entry(left)
    (state / FILE).write_text("900\n")


def alerts_of(state: Path) -> list[Alert]:
    async def ask() -> list[Alert]:
        records = Records(state / "records.db", LoopClock(), trouble=print, damaged=print)
        try:
            return await records.alerts()
        finally:
            await records.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(("mute", "sent"), [("", 1), ('mute = ["sudden-end"]', 0)])
def test_after_a_sudden_end_the_next_engine_finds_an_alert_to_show_and_to_send(tmp_path: Path, mute: str, sent: int):
    killed(tmp_path)
    config = tmp_path / "config.toml"
    config.write_text(f'[alerts]\nurls = ["json://127.0.0.1:9"]\n{mute}\n')
    config.chmod(0o600)
    arguments = ["restore", "--state", str(tmp_path), "--config", str(config)]
    assert main([*arguments, "--dry-run"]) == 1
    assert alerts_of(tmp_path) == []
    for _ in range(2):  # the second time is told nothing new
        assert main(arguments) == 1
    [alert] = alerts_of(tmp_path)
    assert (alert.id, alert.active, alert.count) == ("sudden-end:garage", True, 1)
    assert "while garage was being swept; its baseline is not restored yet: no miner with MAC" in alert.text
    assert len(Outbox(tmp_path / "outbox.json", LoopClock())._unsent) == sent


def test_a_broken_config_does_not_keep_it_from_trying(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "bad.toml").write_text("[[miner]\n")
    assert main(["restore", "--state", str(tmp_path), "--config", str(tmp_path / "bad.toml")]) == 0
    out = capsys.readouterr()
    assert "addresses of the journal alone" in out.err
    assert "nothing to restore" in out.out


def test_it_stands_back_while_an_engine_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with StateLock(tmp_path):
        assert main(["restore", "--state", str(tmp_path)]) == 1
    assert "already works with" in capsys.readouterr().err


@pytest.mark.looptime
@pytest.mark.parametrize("dry_run", [True, False])
async def test_what_stays_where_it_is_has_an_exit_code_of_its_own(
    journal: Journal, capsys: pytest.CaptureFixture[str], dry_run: bool
):
    miner = raised()
    miner.set(frequency_mhz=425.0, actual_mhz=425.0, core_mv=1050, core_actual_mv=1050)  # the firmware tripped
    code = await run(journal, Net(**{"192.0.2.1": miner}), dry_run=dry_run)
    said = capsys.readouterr().out
    assert code == (0 if dry_run else 4)
    assert "left as it is, not above its baseline 525 MHz / 1150 mV" in said
    assert ("nothing would be changed" in said) is dry_run
    assert miner.writes == []


@pytest.mark.looptime
@pytest.mark.parametrize("dry_run", [True, False])
async def test_who_is_parked_is_lowered_and_not_raised(
    journal: Journal, capsys: pytest.CaptureFixture[str], dry_run: bool
):
    """systemd runs it after every end of the engine: that is no person who clears anything."""
    journal.open_entry(replace(ENTRY, ours=(Settings(400.0, 1100.0),)), instead=True)
    miner = FakeMiner()
    miner.set(frequency_mhz=400.0, actual_mhz=400.0, core_mv=1100, core_actual_mv=1100)
    net, parked = Net(**{"192.0.2.1": miner}), {MAC: "3 restarts did not help"}
    options = {"dry_run": dry_run, "connect": net.connect, "parked": parked}
    await restore(journal, Config(), LoopClock(), **options)  # type: ignore[arg-type]
    assert miner.writes == []
    assert len(journal.entries()) == 1
    told = capsys.readouterr()
    assert "it is parked (3 restarts did not help): clear it first" in told.out + told.err
    miner.set(frequency_mhz=600.0, actual_mhz=600.0, core_mv=1210, core_actual_mv=1210)
    await restore(journal, Config(), LoopClock(), **{**options, "dry_run": False})  # type: ignore[arg-type]
    assert (miner.status.frequency_mhz, miner.status.core_mv) == (525, 1150)


async def test_who_is_parked_is_read_from_the_records(tmp_path: Path):
    records = Records(tmp_path / "records.db", LoopClock(), trouble=lambda *_: None, damaged=lambda _: None)
    await records.start()
    await records.learn("garage", Identity(MAC, parked="hot"))
    await records.learn("old", Identity(None, parked="cold"))
    await records.learn("well", Identity("02:00:00:00:00:11"))
    assert await _parked(records) == {MAC: "hot", "old": "cold"}
    await records.close()
