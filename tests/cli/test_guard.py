"""``minertui guard``: the script's variables, what is said, and a clean end; once against a real simulated miner."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from minertui.cli import guard
from minertui.cli.main import main, parser
from minertui.config import Config, MinerConfig
from minertui.engine.engine import Engine
from minertui.model.errors import ConfigError
from minertui.model.events import JobChanged, Numbered, Whole
from minertui.model.fleet import Fleet
from minertui.model.plans import GuardEnd, GuardPlan, GuardView, JobState, Phase
from minertui.sim.axeos import fleet, serve
from tests.proofs.wound import WoundClock, WoundLoop, run


def parsed(*words: str) -> argparse.Namespace:
    return parser().parse_args(["guard", *words])


def test_without_anything_the_scripts_own_numbers_hold():
    plan = guard.plan_of(parsed(), {})
    assert plan == {"max_chip_temp_c": 65, "high_mhz": 500, "low_mhz": 410, "max_mhz": 575, "stable_s": 3600}


def test_a_miner_that_is_named_keeps_what_it_runs():
    """A sweep may have found more than the script's 500 MHz; what a variable says holds all the same."""
    assert guard.plan_of(parsed("attic"), {}) == {"max_chip_temp_c": 65, "stable_s": 3600}
    assert guard.plan_of(parsed("attic"), {"FIRST_FREQUENCY": "525"})["high_mhz"] == 525


def test_variables_beat_the_defaults_and_options_beat_variables():
    env = {"TEMP_THRESHOLD": "63", "FIRST_FREQUENCY": "525", "MAX_FREQUENCY": "600", "STABLE_TIMEFRAME": "60"}
    plan = guard.plan_of(parsed("10.0.0.1", "--max-temp", "61", "--max-vr-temp", "80"), env)
    assert plan["max_chip_temp_c"] == 61
    assert plan["max_vr_temp_c"] == 80
    assert (plan["high_mhz"], plan["max_mhz"], plan["stable_s"]) == (525, 600, 60)


def test_whatever_the_screens_dialog_asks_can_be_said_here_too():
    words = (
        "--hysteresis 3 --step-down 40 --step-up 10 --settle 60 --check 30 --max-writes 12 --hold-temp 58 "
        "--hold-dwell 900 --no-hold --max-vr-temp 80"
    )
    plan = guard.plan_of(parsed(*words.split()), {})
    asked = msgspec.structs.asdict(msgspec.convert({"type": "guard", **plan}, GuardPlan))
    assert asked == {
        "device": "", "max_chip_temp_c": 65, "max_vr_temp_c": 80, "high_mhz": 500, "low_mhz": 410, "max_mhz": 575,
        "step_down_mhz": 40, "step_up_mhz": 10, "hysteresis_c": 3, "stable_s": 3600, "settle_s": 60, "check_s": 30,
        "max_writes_per_day": 12, "hold": False, "hold_temp_c": 58, "hold_dwell_s": 900,
    }  # fmt: skip
    assert set(plan) == {*asked} - {"device"}, "a key without an option"
    assert type(plan["max_writes_per_day"]) is int
    assert guard.plan_of(parsed("10.0.0.1", "--hold"), {})["hold"] is True


def test_half_a_write_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        parsed("10.0.0.1", "--max-writes", "1.5")
    assert "--max-writes: “1.5” is no whole number: write 1 to 1000, such as 48" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("phase", "end", "code"),
    [
        (Phase.STOPPED, GuardEnd.GIVEN_BACK, 0),
        (Phase.STOPPED, GuardEnd.WAITS, 0),
        (Phase.STOPPED, GuardEnd.OWED, 1),
        (Phase.STOPPED, GuardEnd.NEVER_GUARDED, 1),
        (Phase.STOPPED, None, 0),  # a person took the miner
        (Phase.FAILED, None, 1),
    ],
)
async def test_how_it_ended_is_the_exit_code_whatever_the_words(phase: Phase, end: GuardEnd | None, code: int):
    class Ended:
        async def start(self, plan: GuardPlan) -> JobState:
            return JobState("guard:a", "a", phase, GuardView(plan, end=end), note="left at 450 MHz, as its guard asks")

        async def watch(self) -> AsyncIterator[Whole]:
            yield Whole(Fleet())

    link: Any = Ended()
    assert await guard.Guarding(link, [GuardPlan("a")], 60).run() == code


async def test_a_guard_that_a_fault_ended_is_followed_until_it_is_stopped():
    """The engine starts it again; whoever asks it to end meanwhile is obeyed."""

    class Failing:
        def __init__(self) -> None:
            self.stopped: list[str] = []

        async def start(self, plan: GuardPlan) -> JobState:
            self.job = JobState("guard:a", "a", Phase.RUNNING, GuardView(plan))
            return self.job

        async def watch(self) -> AsyncIterator[Whole | Numbered]:
            yield Whole(Fleet())
            for n, phase in enumerate((Phase.FAILED, Phase.RUNNING, Phase.FAILED)):
                yield Numbered(n, JobChanged(msgspec.structs.replace(self.job, phase=phase)))
            following._stop()
            while not self.stopped:
                await asyncio.sleep(0)
            yield Numbered(9, JobChanged(msgspec.structs.replace(self.job, phase=Phase.STOPPED)))
            raise AssertionError("it goes on")

        async def stop(self, job_id: str) -> None:
            self.stopped.append(job_id)

    link: Any = Failing()
    following = guard.Guarding(link, [GuardPlan("a")], 60)
    assert await following.run() == 0
    assert link.stopped == ["guard:a"]


@pytest.mark.parametrize("text", ["warm", "-5", "0", "nan", "inf"])
def test_a_variable_that_is_no_number_is_named(text: str):
    with pytest.raises(ConfigError, match=f"TEMP_THRESHOLD: “{text}” is .*: write 30 to 110 °C, such as 65"):
        guard.plan_of(parsed("10.0.0.1"), {"TEMP_THRESHOLD": text})


def test_a_value_that_nobody_can_mean_is_refused_with_its_range():
    with pytest.raises(ConfigError, match="TEMP_THRESHOLD: “500” is too high: write 30 to 110 °C, such as 65"):
        guard.plan_of(parsed("10.0.0.1"), {"TEMP_THRESHOLD": "500"})


async def test_a_limit_that_is_lower_in_force_is_said(capsys: pytest.CaptureFixture[str]):
    class Lowering:
        async def start(self, plan: GuardPlan) -> JobState:
            held = msgspec.structs.replace(plan, max_chip_temp_c=60.0)
            return JobState("guard:a", "a", Phase.STOPPED, GuardView(held))

        async def watch(self) -> AsyncIterator[Whole]:
            yield Whole(Fleet())

    link: Any = Lowering()
    await guard.Guarding(link, [GuardPlan("a", max_chip_temp_c=65)], 60).run()
    said = capsys.readouterr().out
    assert "guarded, chip < 60 °C, VR < 85 °C" in said
    assert "65 and 85 °C were asked for; the limits in force on this miner are lower" in said


def test_a_floor_above_the_ceiling_is_refused():
    with pytest.raises(ConfigError, match="SECOND_FREQUENCY"):
        guard.plan_of(parsed(), {"SECOND_FREQUENCY": "600"})


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("192.168.1.40", ["192.168.1.40"]),
        ("http://192.168.1.40/", ["192.168.1.40"]),
        ("192.168.1.40, http://bitaxe.local:8080", ["192.168.1.40", "bitaxe.local:8080"]),
    ],
)
def test_bitaxe_ip_works_bare_and_as_a_url(text: str, places: list[str]):
    assert guard._from_script(text) == places


def test_without_a_miner_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.delenv("BITAXE_IP", raising=False)
    assert main(["guard"]) == 1
    assert "BITAXE_IP=192.168.1.40" in capsys.readouterr().err


def test_a_miner_of_the_config_keeps_its_name():
    settings = Config(miner=(MinerConfig("garage", "192.168.1.40"),))
    (miner,) = guard.chosen(settings, ["192.168.1.40:80"], {"max_chip_temp_c": 60})
    assert (miner.name, miner.guard.device, miner.guard.max_chip_temp_c) == ("garage", "garage", 60)


def guarded(tmp_path: Path, ambient_c: float) -> tuple[int, float, float]:
    """Guard a hot simulated Gamma at 50 °C for a while, let it have ``ambient_c`` for two minutes, then SIGTERM: exit
    code, lowest and last frequency set on it."""
    plan = GuardPlan("a", max_chip_temp_c=50, high_mhz=525, low_mhz=400)

    async def whole(loop: WoundLoop) -> tuple[int, float, float]:
        clock, told = WoundClock(loop), dict[int, Callable[[], None]]()
        loop.add_signal_handler = told.__setitem__  # type: ignore[method-assign,assignment]
        loop.remove_signal_handler = told.pop  # type: ignore[method-assign,assignment]
        (board,) = fleet(1, seed=3, mix={("gamma", "v2.15.3"): 1}, ambient_c=30, warm_s=600)
        server = await serve([board], clock=clock)
        engine = Engine(Config(miner=(MinerConfig("a", server.addresses[0]),)), state=tmp_path, clock=clock)
        await engine.open()
        guarding = asyncio.create_task(guard.Guarding(engine, [plan], 60).run())
        await asyncio.sleep(90)
        lowest = board.nvs["frequency"]
        board.ambient_c = ambient_c
        await asyncio.sleep(120)
        told[signal.SIGTERM]()
        code = await guarding
        assert not told
        await engine.close()
        await server.close()
        return code, lowest, board.nvs["frequency"]

    return run(whole)


def test_hot_it_goes_down_and_sigterm_gives_the_settings_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code, lowest, last = guarded(tmp_path, ambient_c=-20)
    said = capsys.readouterr().out
    assert lowest == 400
    assert last == 525
    assert code == 0
    assert "down to 475 MHz" in said
    assert "Stopping: every miner gets its own settings back" in said
    assert said.rstrip().endswith("525 MHz | stopped: your own settings are back")


def test_ended_hot_it_leaves_the_miner_lower_says_what_for_and_that_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert guarded(tmp_path, ambient_c=30) == (0, 400, 400)
    assert "525 MHz / 1150 mV wait until the chip is down to" in capsys.readouterr().out
