"""What is concluded from readings and entries."""

from __future__ import annotations

import msgspec

from minertui.engine.facts import foreign, is_it, new_entry, planned, recent, stranger
from minertui.engine.journal import Entry
from minertui.model.commands import Change, Rank, Restart, SetPools, Tune
from minertui.model.fleet import Health, Snapshot
from minertui.model.status import PoolSetting
from minertui.safety.settings import Settings
from tests.engine.hardware import GAMMA, MAC, FakeMiner, LoopClock, line

OK = Snapshot("garage", status=GAMMA, boot_s=100.0, health=Health.OK, address="192.0.2.1")
ENTRY = new_entry(OK, "sweep:garage", Rank.SWEEP)
_with = msgspec.structs.replace


def test_a_stranger_is_told_by_mac_whatever_its_health_says():
    meant = line(FakeMiner(), LoopClock())
    assert stranger(meant, OK) is None
    other = _with(OK, status=_with(GAMMA, mac="02:00:00:00:00:99"))
    assert "MAC 02:00:00:00:00:99, not 02:00:00:00:00:10" in (stranger(meant, other) or "")
    assert "MAC unknown" in (stranger(meant, _with(OK, status=_with(GAMMA, mac=None))) or "")
    assert stranger(meant, _with(OK, health=Health.STRANGER))
    assert stranger(line(FakeMiner(), LoopClock(), mac=None), other) is None
    assert stranger(meant, Snapshot("garage")) is None


def test_foreign_settings_are_neither_the_baselines_nor_ours():
    assert foreign(ENTRY, OK) == ""
    ours = _with(ENTRY, ours=(Settings(550.0, 1150), Settings(575.0, 1150)))
    for mhz in (525.0, 550.0, 575.0):
        assert foreign(ours, _with(OK, status=_with(GAMMA, frequency_mhz=mhz))) == ""
    changed = _with(OK, status=_with(GAMMA, frequency_mhz=425.0, core_mv=1050.0))
    assert foreign(ours, changed).endswith("to 425 MHz / 1050 mV; we left it at 575 MHz / 1150 mV")
    assert foreign(ENTRY, changed).endswith("we left it at 525 MHz / 1150 mV")
    assert foreign(ENTRY, Snapshot("garage")) == ""


def test_an_entry_says_all_that_is_needed_to_come_back():
    assert (
        Entry(
            "020000000010",
            "garage",
            "192.0.2.1",
            Settings(525.0, 1150, True, 60.0, 60.0),
            mac=MAC,
            firmware="v2.15.0",
            overheat=False,
            reason="sweep:garage",
        )
        == ENTRY
    )


def test_it_is_it_by_mac_and_by_name_only_without_one():
    assert is_it(ENTRY, OK)
    assert is_it(ENTRY, _with(OK, device="renamed"))
    assert is_it(ENTRY, _with(OK, health=Health.PARKED))
    assert is_it(ENTRY, _with(OK, health=Health.STALE)), "it repeats itself, and is it"
    assert not is_it(ENTRY, _with(OK, health=Health.STALE, misses=1))
    assert not is_it(ENTRY, _with(OK, status=None))
    assert not is_it(ENTRY, _with(OK, status=_with(GAMMA, mac=None)))
    nameless = _with(ENTRY, mac=None)
    assert is_it(nameless, _with(OK, status=_with(GAMMA, mac=None)))
    assert not is_it(nameless, _with(OK, device="renamed", status=_with(GAMMA, mac=None)))
    assert not is_it(nameless, OK)


def test_what_would_be_sent_in_words():
    pool = PoolSetting("pool.example.com", 3333, "bc1q")
    old = _with(OK, status=_with(GAMMA, pools=(PoolSetting("old.example.com", 1, "x"),)))
    assert planned(SetPools((pool, pool)), old) == (
        Change("pool 1", "old.example.com:1 as x", "pool.example.com:3333 as bc1q"),
        Change("pool 2", "—", "pool.example.com:3333 as bc1q"),
    )
    assert planned(Tune(550), OK) == (Change("frequency", "525 MHz", "550 MHz"),)
    assert planned(Restart(), OK) == ()
    assert planned(Tune(550), Snapshot("garage")) == ()


def test_a_reading_long_ago_says_nothing_about_a_jump():
    assert recent(_with(OK, boot_s=95.0), OK) is GAMMA
    assert recent(_with(OK, boot_s=39.0), OK) is None
    assert recent(OK, OK) is None
    assert recent(None, OK) is None
    assert recent(Snapshot("garage"), OK) is None
    assert recent(OK, Snapshot("garage", status=GAMMA)) is None


def test_two_macs_that_look_the_same_are_told_apart():
    meant = line(FakeMiner(), LoopClock())
    other = _with(OK, status=_with(GAMMA, mac=f"{MAC}\u200b"))
    assert f"MAC '{MAC}\\u200b', not {MAC}" in (stranger(meant, other) or "")
