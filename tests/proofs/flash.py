"""A miner that outlives the program that drives it: it lives in memory that a killed child shares with its parent.

A system call stands on either side of what a write does, as packets do in the field, so that a kill can fall between
the order's arrival, its effect and its answer. It judges itself: too little voltage for its
frequency, and how far it was driven.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import struct

from minertui.model.commands import Command, Restart, SetFan, Tune
from minertui.model.status import Ability, MinerStatus

MAC = "02:00:00:00:00:10"
BASE = (525.0, 1150.0)
_MHZ, _MV, _LOW, _TOP_MHZ, _TOP_MV, _WRITES, _READS, _NOW_S, _FAN, _HOT_OVER_MHZ = range(10)
ACKS = 16  # from here on: what the program said is done
_SLOTS = 256


def need_mv(mhz: float) -> float:
    """Steep, so that a wrong order of two writes cannot hide."""
    return 1140 + (mhz - 525)


class Flash:
    """The shared memory of one miner, and of what was acknowledged to somebody outside."""

    def __init__(self) -> None:
        self._map = mmap.mmap(-1, 8 * _SLOTS)
        self.clear()

    def clear(self) -> None:
        """A new miner at its baseline."""
        self._map[:] = bytes(8 * _SLOTS)
        self[_MHZ], self[_MV] = BASE
        self[_TOP_MHZ], self[_TOP_MV] = BASE
        self[_HOT_OVER_MHZ] = 1e9

    def __getitem__(self, slot: int) -> float:
        value: float = struct.unpack_from("<d", self._map, 8 * slot)[0]
        return value

    def __setitem__(self, slot: int, value: float) -> None:
        struct.pack_into("<d", self._map, 8 * slot, value)

    @property
    def settings(self) -> tuple[float, float]:
        """MHz and mV as stored."""
        return self[_MHZ], self[_MV]

    @property
    def low(self) -> int:
        """How often a write left too little voltage for the frequency."""
        return int(self[_LOW])

    @property
    def top(self) -> tuple[float, float]:
        """The highest MHz and mV that it was ever set to."""
        return self[_TOP_MHZ], self[_TOP_MV]

    @property
    def writes(self) -> int:
        """Writes that took effect."""
        return int(self[_WRITES])

    @property
    def now_s(self) -> float:
        """How late it was when the last program looked: the next one goes on from there."""
        return self[_NOW_S]

    def runs_hot_over(self, mhz: float) -> None:
        """Above this frequency it is hotter than any guard likes."""
        self[_HOT_OVER_MHZ] = mhz

    def put(self, mhz: float, mv: float) -> None:
        """Store settings, and judge them."""
        self[_MHZ], self[_MV] = mhz, mv
        self[_TOP_MHZ], self[_TOP_MV] = max(self[_TOP_MHZ], mhz), max(self[_TOP_MV], mv)
        self[_WRITES] += 1
        self[_LOW] += mv < need_mv(mhz)

    def acknowledge(self, slot: int, value: float = 1.0) -> None:
        """Somebody outside was told that this is done."""
        self[ACKS + slot] = value

    def acknowledged(self, slot: int) -> float:
        """What was told; 0.0 for nothing."""
        return self[ACKS + slot]

    def status(self, now_s: float) -> MinerStatus:
        """What it says of itself; no two answers are alike."""
        self[_NOW_S] = max(self[_NOW_S], now_s)
        self[_READS] += 1
        mhz, mv, wobble = self[_MHZ], self[_MV], 1 + 0.001 * (self[_READS] % 7)
        chip_c = 72.0 if mhz > self[_HOT_OVER_MHZ] else 50.0
        return MinerStatus(
            mac=MAC, model="Gamma", board="601", chip="BM1370", chip_count=1, small_cores=2040, firmware="v2.15.3",
            abilities=frozenset({Ability.TUNE, Ability.TUNE_LIVE, Ability.FAN, Ability.RESTART}),
            hashrate_ghs=mhz * 2.04 * wobble, expected_ghs=mhz * 2.04, error_pct=0.1, power_w=17 * wobble,
            max_power_w=40, input_mv=5100, nominal_input_v=5,
            core_mv=mv, core_actual_mv=mv, frequency_mhz=mhz, actual_mhz=mhz,
            chip_temp_c=chip_c * wobble, vr_temp_c=55.0 * wobble, fan_pct=50, fan_rpm=4000 + self[_READS] % 50,
            fan_auto=self[_FAN] == 0, fan_manual_pct=60.0 if self[_FAN] == 0 else self[_FAN], uptime_s=1000 + now_s,
            shares_accepted=int(self[_READS]), total_hashes=now_s * 1e9, paused=False, overheat=False,
        )  # fmt: skip


class Wire:
    """The ``Device`` in front of it: each packet is a system call."""

    address = "127.0.0.1:8001"

    def __init__(self, flash: Flash) -> None:
        self._flash = flash

    async def read(self) -> MinerStatus:
        await asyncio.sleep(0.02)
        os.getppid()  # the question
        status = self._flash.status(asyncio.get_running_loop().time())
        os.getppid()  # the answer
        return status

    async def apply(self, command: Command) -> None:
        await asyncio.sleep(0.02)
        os.getppid()  # the order arrives
        self._obey(command)
        os.getppid()  # it has taken effect

    def _obey(self, command: Command) -> None:
        mhz, mv = self._flash.settings
        if isinstance(command, Tune):
            mv = mv if command.core_mv is None else float(command.core_mv)
            if command.core_mv is not None:
                self._flash.put(mhz, mv)
            if command.frequency_mhz is not None:
                self._flash.put(command.frequency_mhz, mv)
        elif isinstance(command, SetFan):
            self._flash[_FAN] = 0.0 if command.auto else float(command.pct or 100)
        else:
            assert isinstance(command, Restart), command

    async def close(self) -> None:
        """Nothing to give back."""
