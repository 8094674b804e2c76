"""``minertui sweep``: which miners with which plans, what is shown, saved and said, and how it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from minertui import config
from minertui.cli import own_engine, sweep, sweep_lines
from minertui.cli.sweep_follow import Follower, Sweep
from minertui.config import Config, MinerConfig
from minertui.model.errors import ConfigError, JobError, LinkError
from minertui.model.events import JobChanged, JobForgotten, Message, Numbered, Whole
from minertui.model.fleet import Fleet, Snapshot
from minertui.model.plans import (
    Goal,
    JobState,
    Limits,
    Phase,
    PointVerdict,
    Strategy,
    SweepPlan,
    SweepPoint,
    SweepSample,
    SweepView,
)
from minertui.model.status import Ability, MinerStatus

STATUS = MinerStatus(
    frequency_mhz=500, core_mv=1150, power_w=17.0, ip="10.0.0.7", abilities=frozenset({Ability.TUNE, Ability.TUNE_LIVE})
)


def parsed(*words: str) -> argparse.Namespace:
    top = argparse.ArgumentParser()
    sweep.add(top.add_subparsers())
    return top.parse_args(["sweep", *words])


def plans(*words: str, settings: Config | None = None) -> list[SweepPlan]:
    args = parsed(*words)
    return [m.sweep for m in sweep.chosen(settings or Config(), args.miner, sweep.options_of(args))]


# which miners, which plans --------------------------------------------------------------------------------------------


def test_options_go_over_the_config_and_a_miners_own_over_both():
    settings = Config(sweep=SweepPlan(measure_s=300, max_chip_temp_c=60), limits=Limits(max_mv=1250))
    one, two = plans(
        "10.0.0.1",
        "10.0.0.2:8080,v=1100,f=450.5,max-temp=58,goal=efficiency",
        "-v",
        "1160",
        "-f",
        "510",
        "--max-power",
        "30",
        "--restart",
        settings=settings,
    )
    assert (one.device, one.start_mv, one.start_mhz, one.max_power_w, one.measure_s) == ("10.0.0.1", 1160, 510, 30, 300)
    assert one.restart
    assert one.max_chip_temp_c == 60
    assert (two.device, two.start_mv, two.start_mhz, two.max_chip_temp_c) == ("10.0.0.2:8080", 1100, 450.5, 58)
    assert two.goal is Goal.EFFICIENCY
    assert two.max_power_w == 30


def test_a_miner_of_the_config_keeps_its_own_plan_and_headers():
    known = MinerConfig(
        "desk", "10.0.0.1", headers={"X-A": config.Secret("s")}, sweep=SweepPlan(step_mv=10), limits=Limits(max_mhz=600)
    )
    settings = Config(miner=(known,))
    for word in ("desk", "10.0.0.1", "10.0.0.1:80"):
        (miner,) = sweep.chosen(settings, [word], {})
        assert (miner.name, miner.headers, miner.limits) == ("desk", known.headers, known.limits)
        assert miner.sweep == SweepPlan(device="desk", step_mv=10)


def test_each_of_several_miners_of_the_config_keeps_its_own_plan_but_for_the_options():
    lax, strict = SweepPlan(max_chip_temp_c=66, max_power_w=80), SweepPlan(max_chip_temp_c=55)
    settings = Config(miner=(MinerConfig("a", "10.0.0.1", sweep=lax), MinerConfig("b", "10.0.0.2", sweep=strict)))
    found = plans("a", "b", "-f", "510", settings=settings)
    assert [(p.max_chip_temp_c, p.max_power_w, p.start_mhz) for p in found] == [(66, 80, 510), (55, None, 510)]


def test_a_word_that_an_option_does_not_know_is_told_those_it_knows(capsys):
    with pytest.raises(SystemExit):
        plans("10.0.0.1", "--goal", "speed")
    assert "“speed” is none of: hashrate, efficiency" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["http://10.0.0.1"], "neither an address nor the name"),
        (["10.0.0.1", "10.0.0.1"], "named twice"),
        (["10.0.0.1,volt=3"], "no option of a miner"),
        (["10.0.0.1,v=high"], "--voltage: “high” is no number: write 500 to 2000 mV, such as 1150"),
        (["10.0.0.1,f=nan"], "--frequency: “nan” is no number: write 50 to 3000 MHz, such as 525"),
        (["10.0.0.1,strategy=magic"], "--strategy: “magic” is none of: adaptive, grid"),
        (["10.0.0.1,min-voltage=1300"], "min_mv 1300 is above max_mv 1200"),
        (["10.0.0.1", "-f", "2500"], "cannot start at 2500 MHz: this sweep keeps within 400..1200 MHz"),
        (["10.0.0.1,v=900"], "cannot start at 900 mV: this sweep keeps within 1000..1200 mV"),
        (["10.0.0.1,max-temp=500"], "--max-temp: “500” is too high: write 30 to 110 °C, such as 62"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(words, said):
    with pytest.raises(ConfigError, match=said):
        plans(*words)


def test_a_start_over_a_miners_own_limits_is_refused_with_the_range_allowed():
    settings = Config(miner=(MinerConfig("desk", "10.0.0.1", limits=Limits(max_mv=1150)),))
    with pytest.raises(
        ConfigError, match=r"cannot start at 1160 mV: the limits in force on this miner allow 1000..1150"
    ):
        plans("desk", "-v", "1160", settings=settings)


def test_a_wrong_option_is_named(capsys):
    with pytest.raises(SystemExit):
        parsed("10.0.0.1", "--max-temp", "warm")
    assert "argument --max-temp: “warm” is no number: write 30 to 110 °C, such as 62" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["192.168.1.5", "8.8.8.8", "bitaxe.local", "10.0.0.1:8080"])
def test_speed_is_refused_for_anything_but_this_host(address, tmp_path):
    args = parsed("127.0.0.1:8081", address, "--speed", "60", "--yes", "--config", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match="simulated miners on this computer"):
        args.run(args)


def test_an_output_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    args = parsed("10.0.0.1", "--output", str(tmp_path / "file" / "x"), "--config", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match="output folder"):
        args.run(args)


@pytest.mark.parametrize(
    ("typed", "patience_s", "starts"),
    [(b"\n", 30.0, True), (b"", 0.01, True), (b"\x04", 30.0, False)],
    ids=["enter", "nobody", "Ctrl+D"],
)
async def test_a_plan_stands_for_a_moment_on_a_terminal(monkeypatch, capsys, typed, patience_s, starts):
    mine, theirs = pty.openpty()
    os.write(mine, typed)
    with os.fdopen(theirs, encoding="utf-8") as keyboard:
        monkeypatch.setattr(sys, "stdin", keyboard)
        monkeypatch.setattr(sweep, "LAST_MOMENT_S", patience_s)
        async with asyncio.timeout(60):
            assert await sweep._last_moment() is starts
    os.close(mine)
    assert "Ctrl+C starts nothing" in capsys.readouterr().out


# following ------------------------------------------------------------------------------------------------------------


class Scripted:
    """A Link whose watcher reads a queue. ``on_stop`` decides what a stop leads to."""

    def __init__(self, devices: tuple[str, ...] = ("a", "b")) -> None:
        self.queue: asyncio.Queue[Message | None] = asyncio.Queue()
        self.fleet = Fleet(
            snapshots={d: Snapshot(d, address=f"10.0.0.{i}", status=STATUS) for i, d in enumerate(devices, 1)}
        )
        self.stopped: list[str] = []
        self.refuse: dict[str, str] = {}
        self.version = self.watches = 0
        self.on_start: Any = lambda job: None
        self.on_stop: Any = lambda job_id: None

    async def start(self, plan: SweepPlan) -> JobState:
        if plan.device in self.refuse:
            raise JobError(self.refuse[plan.device])
        job = state(plan.device, Phase.RUNNING, plan=plan)
        self.fleet = self.fleet.with_job(job)
        self.on_start(job)
        return job

    async def stop(self, job_id: str) -> JobState:
        self.stopped.append(job_id)
        self.on_stop(job_id)
        return self.fleet.jobs[job_id]

    async def watch(self) -> AsyncIterator[Message]:
        self.watches += 1
        while self.watches > 1 and not self.queue.empty():  # a new watch begins with all that was published
            self._seen(self.queue.get_nowait())
        yield Whole(self.fleet)
        while (message := await self.queue.get()) is not None:
            self._seen(message)
            yield message

    def _seen(self, message: Message | None) -> None:
        if isinstance(message, Numbered) and isinstance(message.event, JobChanged):
            self.fleet = self.fleet.with_job(message.event.job)

    def push(self, *events: Any) -> None:
        for event in events:
            if isinstance(event, JobState):
                event = JobChanged(event)
            self.version += 1
            self.queue.put_nowait(Numbered(self.version, event))


def point(n: int, mhz: float = 500, rate: float = 1000, verdict: PointVerdict = PointVerdict.PASSED) -> SweepPoint:
    return SweepPoint(n, mhz, 1150, verdict, hashrate_ghs=rate, efficiency_jth=17.0, chip_temp_c=58.2, vr_temp_c=61)


def state(device: str, phase: Phase, *points: SweepPoint, note: str = "", **view: Any) -> JobState:
    fields = {"plan": SweepPlan(device=device), "points": points, **view}
    return JobState(f"sweep:{device}", device, phase, SweepView(**fields), note=note, left_s=3700)


def follower(link: Any, folder: Path, devices: tuple[str, ...] = ("a", "b"), colour: bool = False):
    said: list[str] = []
    sweeps = [Sweep(i, f"10.0.0.{i}", SweepPlan(device=d, strategy=Strategy.GRID)) for i, d in enumerate(devices, 1)]
    return Follower(link, sweeps, folder, said.append, colour), said


SAMPLE = SweepSample(0, 1, 500, 1150, 15, 40, 1010.4, 58.2, 61.4, 17.25, 5012.3)


def test_the_live_line_is_the_guides_with_the_frequency_first():
    assert (
        sweep_lines.sample_line(SAMPLE)
        == "[15/40]  37.5% | F: 500MHz | CV: 1150mV | H: 1010 GH/s | IV: 5012mV | T: 58°C | VR: 61°C | P: 17.2W"
    )
    bare = msgspec.structs.replace(SAMPLE, vr_temp_c=None, power_w=None, hashrate_ghs=None, index=3)
    assert sweep_lines.sample_line(bare).startswith("[ 3/40]   7.5% | F: 500MHz | CV: 1150mV | H: — GH/s")
    assert "VR" not in sweep_lines.sample_line(bare)
    assert sweep_lines.sample_line(SAMPLE, Strategy.ADAPTIVE).startswith("[15] | F: 500MHz")  # its count has no end


async def test_a_confirmation_is_told_once_and_not_with_every_sample(tmp_path):
    link = Scripted(("a",))
    show, said = follower(link, tmp_path, ("a",))
    notes = [f"confirming 565 MHz / {mv} mV: {n} readings" for mv in (1135, 1140) for n in (16, 17, 18)]
    link.push(*(state("a", Phase.RUNNING, note=note) for note in notes), state("a", Phase.DONE, point(1)))
    assert await show.run() == 0
    told = [line for line in said if "confirming" in line]
    assert told == [f"[a] running: confirming 565 MHz / {mv} mV" for mv in (1135, 1140)]
    assert any(line.startswith("Ctrl+C ends it: every miner gets") for line in said)


async def test_of_a_way_only_what_is_new_in_meaning_is_told(tmp_path):
    link = Scripted(("a",))
    show, said = follower(link, tmp_path, ("a",))
    way = "at {} MHz / 1150 mV on the way to {} MHz / 1180 mV"
    chip, power = ": chip is heading for {} of 62 °C", ": power is heading for {} of 28 W"
    notes = [
        way.format(525, 600),
        way.format(525, 600) + chip.format(58.1),
        way.format(525, 600) + chip.format(58.2),
        way.format(530, 600) + power.format(27.1),
        way.format(530, 600) + chip.format(58.4),
        way.format(535, 600),
        way.format(535, 650) + chip.format(58.4),
        "cooling after chip at 62 °C",
        way.format(500, 650) + chip.format(57.0),
    ]
    link.push(*(state("a", Phase.RUNNING, note=note) for note in notes), state("a", Phase.DONE, point(1)))
    assert await show.run() == 0
    told = [line for line in said if "running: " in line]
    assert told == [f"[a] running: {notes[n]}" for n in (0, 1, 3, 6, 7, 8)]


def test_the_colours_are_the_guides_in_its_order():
    codes = [sweep_lines.painted("x", n, True) for n in range(1, 7)]
    assert codes == [f"\033[{c}mx\033[0m" for c in (32, 34, 35, 36, 33, 32)]
    assert sweep_lines.painted("x", 1, False) == "x"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(25, "25 s"), (675, "11 min"), (7500, "2 h 05 min"), (300_000, "3 d 11 h"), (None, "?"), (7199, "2 h 00 min")],
)
def test_durations(seconds, text):
    assert sweep_lines.duration(seconds) == text


async def test_two_miners_are_shown_and_saved_and_ranked(tmp_path):
    link = Scripted()
    show, said = follower(link, tmp_path)
    link.push(
        state("a", Phase.RUNNING, sample=SAMPLE, note="measuring 1150 mV"),
        state("a", Phase.RUNNING, sample=SAMPLE, note="measuring 1150 mV"),
        state("a", Phase.RUNNING, point(1), point(2, 520, 1040), point(3, 600, 9999, PointVerdict.UNSTABLE)),
        state("b", Phase.DONE, note="complete: plateau"),
        state("a", Phase.DONE, point(1), point(2, 520, 1040), point(3, 600, 9999, PointVerdict.UNSTABLE), note="done"),
    )
    assert await show.run() == 0
    assert len([line for line in said if "[15]" in line]) == 1  # the same sample is not shown twice
    assert any(line.startswith("[a] 500 MHz / 1150 mV: passed, 1000.0 GH/s") for line in said)
    assert "[b] done: complete: plateau" in said
    ranking = said[said.index("[a] Top 5 highest hashrate:") + 1 :]
    assert ranking[0].startswith("[a]   1. 520 MHz / 1150 mV: 1040.0 GH/s")
    assert not any("9999" in line for line in ranking)
    assert "[b] No valid results collected" in said
    one = json.loads((tmp_path / "bitaxe_benchmark_results_10.0.0.1.json").read_text())
    assert [r["frequency"] for r in one["top_performers"]] == [520, 500]
    assert [p.name for p in tmp_path.iterdir()] == ["bitaxe_benchmark_results_10.0.0.1.json"]


async def test_each_line_names_its_miner_and_the_texts_stand_in_one_column(tmp_path):
    show, said = follower(Scripted(("desk", "10.0.0.2")), tmp_path, ("desk", "10.0.0.2"))
    await show.preview()
    assert said[0].startswith("[desk]     10.0.0.1: from 500 MHz / 1150 mV")  # a name, and where that is
    assert said[2].startswith("[10.0.0.2] from 500 MHz / 1150 mV")  # an address alone is not said twice


async def test_the_file_is_there_after_every_point(tmp_path):
    link = Scripted(("a",))
    show, _ = follower(link, tmp_path, ("a",))
    task = asyncio.create_task(show.run())
    path = tmp_path / "bitaxe_benchmark_results_10.0.0.1.json"
    for n in (1, 2):
        link.push(state("a", Phase.RUNNING, *(point(i) for i in range(1, n + 1))))
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(json.loads(path.read_text())["all_results"]) == n
    link.push(state("a", Phase.DONE, point(1), point(2)))
    assert await task == 0


async def test_one_miner_that_cannot_start_does_not_touch_the_other(tmp_path):
    link = Scripted()
    link.refuse["a"] = "a is held by a person"
    show, said = follower(link, tmp_path)
    link.push(state("b", Phase.DONE, point(1)))
    assert await show.run() == 1
    assert "[a] cannot be swept: a is held by a person" in said
    assert (tmp_path / "bitaxe_benchmark_results_10.0.0.2.json").exists()


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.PARKED])
async def test_a_sweep_that_ends_badly_is_exit_code_1(tmp_path, phase):
    link = Scripted(("a",))
    show, said = follower(link, tmp_path, ("a",))
    link.push(state("a", phase, point(1), note="the firmware's overheat protection tripped"))
    assert await show.run() == 1
    assert f"[a] {phase}: the firmware's overheat protection tripped" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_defect_4_3_a_signal_stops_every_sweep_and_waits_for_it(tmp_path, number):
    link = Scripted()
    show, said = follower(link, tmp_path)
    link.on_start = lambda job: os.kill(os.getpid(), number) if job.device == "b" else None
    link.on_stop = lambda job_id: link.push(state(job_id[6:], Phase.RESTORING, point(1), note="applying 1150 mV"))
    task = asyncio.create_task(show.run())
    while len(link.stopped) < 2:
        await asyncio.sleep(0)
    assert link.stopped == ["sweep:a", "sweep:b"]
    os.kill(os.getpid(), number)  # a second one does not cut it short
    await asyncio.sleep(0.02)
    assert not task.done()
    assert any("Still stopping; waiting for a (applying 1150 mV), b (applying" in line for line in said)
    assert link.stopped == ["sweep:a", "sweep:b"]
    link.push(state("a", Phase.STOPPED, point(1)), state("b", Phase.STOPPED, point(1)))
    assert await task == 0
    assert (tmp_path / "bitaxe_benchmark_results_10.0.0.2.json").exists()


async def test_a_signal_before_a_miner_started_does_not_start_it(tmp_path):
    link = Scripted()
    show, _ = follower(link, tmp_path)
    link.on_start = lambda job: show.ask_to_stop() if job.device == "a" else None
    link.on_stop = lambda job_id: link.push(state(job_id[6:], Phase.STOPPED))
    assert await show.run() == 1
    assert set(link.fleet.jobs) == {"sweep:a"}


async def test_an_engine_that_ends_is_said(tmp_path):
    link = Scripted(("a",))
    show, said = follower(link, tmp_path, ("a",))
    link.push(state("a", Phase.RUNNING, point(1)))
    link.queue.put_nowait(None)
    assert await show.run() == 1
    assert any("the engine ended before the sweep did" in line and "minertui restore" in line for line in said)


async def test_a_sweep_that_goes_on_restoring_is_waited_for(tmp_path):
    link = Scripted(("a",))
    show, said = follower(link, tmp_path, ("a",))
    link.push(state("a", Phase.FAILED, note="lost"), state("a", Phase.RESTORING, note="not proven; tried again in 5 s"))
    task = asyncio.create_task(show.run())
    await asyncio.sleep(0.01)
    assert not task.done()
    assert "[a] restoring: not proven; tried again in 5 s" in said
    link.push(state("a", Phase.FAILED, note="lost; later proven"))
    assert await task == 1


async def test_a_sweep_that_runs_already_is_shown_and_not_started_twice(tmp_path):
    link = Scripted(("a",))
    link.refuse["a"] = "a sweep runs on a already"
    link.fleet = link.fleet.with_job(state("a", Phase.RUNNING, point(1)))
    show, said = follower(link, tmp_path, ("a",))
    await show.preview()
    link.push(state("a", Phase.DONE, point(1), point(2, 520)))
    assert await show.run() == 0
    text = "\n".join(said)
    assert "a sweep runs on a already and goes on with its own plan; what this command asks for is not used" in text
    assert "that plan: " in text
    assert "1 point done" in text
    assert "in steps of" not in text  # the preview of a plan that nobody carries out


async def test_a_forgotten_sweep_is_not_waited_for(tmp_path):
    link = Scripted(("a",))
    show, said = follower(link, tmp_path, ("a",))
    link.push(JobForgotten("sweep:a"))
    assert await show.run() == 1
    assert "[a] the engine no longer knows this sweep" in said


async def test_a_full_disk_does_not_end_the_sweep(tmp_path):
    link = Scripted(("a",))
    show, said = follower(link, tmp_path / "gone", ("a",))
    link.push(state("a", Phase.RUNNING, point(1)), state("a", Phase.DONE, point(1)))
    assert await show.run() == 0
    assert any("cannot be written: No such file or directory" in line for line in said)


async def test_the_preview_finds_a_start_that_the_model_does_not_allow_and_tells_a_start_that_moves(tmp_path):
    link: Any = Scripted()
    nerd = msgspec.structs.replace(STATUS, model="NerdQAxe++", core_mv=1250)
    link.fleet = link.fleet.with_(Snapshot("b", address="10.0.0.2", status=nerd, limits=Limits(max_mhz=800)))
    plan = SweepPlan(start_mhz=900)
    said: list[str] = []
    show = Follower(link, [Sweep(1, "10.0.0.2", msgspec.structs.replace(plan, device="b"))], tmp_path, said.append)
    await show.preview()
    assert [sweep.plan.device for sweep in show.impossible] == ["b"]
    why = "! it cannot start at 900 MHz: the limits in force on this NerdQAxe++ allow 400..800 MHz"
    assert any(text.endswith(why) for text in said)
    assert any("it runs 1250 mV now, outside the range: the sweep starts at 1200 mV" in text for text in said)


async def test_without_a_word_about_it_the_preview_is_of_the_adaptive_strategy(tmp_path):
    show, said = follower(Scripted(), tmp_path, ("a",))
    show.sweeps[0].plan = SweepPlan(device="a")
    await show.preview()
    assert any(text.startswith("[a] some ") for text in said)


async def test_the_preview_tells_points_time_and_limits(tmp_path):
    hot = msgspec.structs.replace(STATUS, power_w=57.0)
    link = Scripted()
    link.fleet = link.fleet.with_(Snapshot("b", address="10.0.0.2", status=hot, limits=Limits(max_mhz=520)))
    show, said = follower(link, tmp_path)
    await show.preview()
    assert said[0].startswith(
        "[a] 10.0.0.1: from 500 MHz / 1150 mV in steps of 5 MHz / 5 mV, within 400..1200 MHz and 1000..1200 mV"
    )
    assert "at most 161 points, 30 h 11 min" in said[1]
    assert "chip 62 °C, VR 65 °C, 28 W" in said[1]
    assert "400..520 MHz" in said[2]
    assert said[4].endswith("! limits in force on this miner: the sweep ends at 520 MHz instead of 1200")
    assert "it draws 57 W (under 28) now: it is slowed down before the first point" in said[5]


def test_an_earlier_result_is_set_aside_and_never_lost(tmp_path):
    show, _ = follower(Scripted(("a",)), tmp_path)
    one = show.sweeps[0]
    old = tmp_path / "bitaxe_benchmark_results_10.0.0.1.json"
    old.write_text("the last sweep")
    show._save(one)
    assert old.read_text() == "the last sweep", "a sweep without a point replaces nothing"
    one.points = (SweepPoint(1, 500, 1150, PointVerdict.PASSED, hashrate_ghs=1000, power_w=15),)
    show._save(one)
    show._save(one)
    aside = [file for file in tmp_path.iterdir() if file != old]
    assert [file.read_text() for file in aside] == ["the last sweep"]
    assert b"averageHashRate" in old.read_bytes()


# whose engine ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("address", "name"), [("10.0.0.1", "a"), ("10.0.0.1:80", "a"), ("10.0.0.7", "a")])
def test_a_running_engine_knows_the_miner_by_either_address(address, name):
    assert own_engine.name_there(Scripted(("a",)).fleet, MinerConfig(address, address)) == name


def test_a_running_engine_that_does_not_know_the_miner_keeps_us_out():
    with pytest.raises(LinkError, match=r"does not know 10\.0\.0\.9: add the miner"):
        own_engine.name_there(Scripted(("a",)).fleet, MinerConfig("10.0.0.9", "10.0.0.9"))
    with pytest.raises(LinkError, match="did you mean “garage”"):
        own_engine.name_there(Scripted(("garage", "b")).fleet, MinerConfig("garge", "garge"))
