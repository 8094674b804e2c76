"""status, logs, stop, config, completion: what is printed, and the exit codes."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from minertui.api.client import ApiClient
from minertui.api.server import ApiServer
from minertui.cli.main import main, parser
from minertui.cli.status import text, well
from minertui.config import load
from minertui.engine.journal import FOLDER, Entry, Journal
from minertui.engine.lock import StateLock, tell
from minertui.model.alerts import Alert, Severity
from minertui.model.events import LogLine
from minertui.model.fleet import Fleet, Health
from minertui.model.plans import GuardPlan, GuardView, JobState, Phase, SweepPlan, SweepView
from minertui.model.relay import BoardState
from minertui.safety.settings import Settings
from tests.api.fake_link import FakeLink, fleet
from tests.cli.conftest import Run, terminal
from tests.tui import rigs

MINE = (
    "attach", "status", "logs", "tune", "fan", "pools", "restart", "pause", "resume", "identify", "config", "stop",
    "completion",
)  # fmt: skip


class TestStatus:
    async def test_table(self, server: ApiServer, run: Run) -> None:
        code, out, _ = await run("status")
        lines = out.splitlines()
        assert lines[0].split("  ")[0] == "name"
        assert lines[1].split() == ["attic", "lost", *["-"] * 10]
        assert lines[2].split() == [
            "garage",
            "ok",
            "1200",
            "98.0",
            "14.6",
            "58.5",
            "61.0",
            "17.5",
            "44",
            "0.99",
            "-",
            "10",
        ]
        assert lines[0].index("GH/s") + 4 == lines[2].index("1200") + 4
        assert "1 of 2 miners answer: 1200 GH/s, 18 W, 14.6 J/TH" in out
        assert "!! critical: garage: chip at 71 °C" in out
        assert code == 1
        assert "\x1b" not in out

    async def test_all_is_well(self, server: ApiServer, run: Run, link: FakeLink) -> None:
        link.fleet = msgspec.structs.replace(link.fleet.without("attic"), alerts={})
        assert (await run("status"))[0] == 0

    async def test_json(self, server: ApiServer, run: Run) -> None:
        _, out, _ = await run("status", "--json")
        assert msgspec.json.decode(out, type=Fleet) == fleet()

    async def test_a_lost_miners_old_numbers_are_not_shown(self, server: ApiServer, run: Run, link: FakeLink) -> None:
        lost = msgspec.structs.replace(link.fleet.snapshots["garage"], health=Health.LOST)
        link.fleet = link.fleet.with_(lost)
        assert "1200" not in (await run("status"))[1]

    async def test_jobs_and_notices(self, server: ApiServer, run: Run, link: FakeLink) -> None:
        link.fleet = msgspec.structs.replace(with_sweep(link.fleet), notice="the config is refused")
        out = (await run("status"))[1]
        assert "sweep 3/40" in out
        assert "note: the config is refused" in out

    def test_how_a_sweep_ended_while_nobody_looked(self) -> None:
        view, note = SweepView(SweepPlan("garage")), "complete; now at 550 MHz / 1150 mV, before at 500 MHz / 1150 mV"
        ended = JobState("sweep:garage", "garage", Phase.DONE, view, note=note)
        assert f"sweep of garage: done: {note}" in text(fleet().with_job(ended), "").splitlines()
        under_way = msgspec.structs.replace(ended, phase=Phase.RUNNING, done=3, total=11, left_s=700.0)
        assert "sweep 3/11 12 min left" in text(fleet().with_job(under_way), "")

    def test_a_narrow_terminal_gets_short_titles_then_fewer_columns_and_is_told_which(self) -> None:
        whole = text(fleet(), "").splitlines()
        assert max(map(len, whole[:3])) > 80, "or nothing is shown here"
        assert text(fleet(), "", 200).splitlines()[:3] == whole[:3]
        for wide in (80, 60):
            lines = text(fleet(), "", wide).splitlines()
            assert max(map(len, lines)) <= wide
            assert lines[0].split()[:3] == ["name", "state", "GH/s"]
            assert "exp %" in lines[0]
            missing = [title for title in ("rejects %", "age s", "VR C", "fan %", "J/TH") if title not in lines[0]]
            assert ("left out for want of room: " + ", ".join(missing) in lines) == bool(missing)

    def test_what_a_guard_holds(self) -> None:
        why = "at 560 MHz / 1130 mV, 61.2 °C, holds 62 °C along its frontier"
        views = {"held": GuardView(GuardPlan(), holds_c=62, why=why), "watched": GuardView(GuardPlan(), why="cool")}
        states = [JobState(f"guard:{name}", name, Phase.RUNNING, view) for name, view in views.items()]
        shown = text(msgspec.structs.replace(fleet(), jobs={job.id: job for job in states}), "")
        assert f"guard of held: {why}" in shown.splitlines()
        assert "guard of watched" not in shown

    async def test_no_miner_yet(self, server: ApiServer, run: Run, link: FakeLink) -> None:
        link.fleet = Fleet()
        code, out, _ = await run("status")
        assert code == 1
        assert "there is no miner yet: start “minertui”" in out

    async def test_no_engine(self, run: Run) -> None:
        code, _, err = await run("status")
        assert (code, "no engine is running" in err) == (1, True)

    async def test_watching_as_json(self, server: ApiServer, link: FakeLink, places: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "minertui", "status", "--watch", "--json", stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout
        assert b'"type":"whole"' in await process.stdout.readline()
        await link.push(LogLine("garage", "hello", 1.0))
        assert b"hello" in await process.stdout.readline()
        process.terminate()
        await process.wait()


class TestLogs:
    async def test_lines(self, server: ApiServer, run: Run, link: FakeLink) -> None:
        code, out, _ = await run("logs", "-n", "7")
        assert code == 0
        first, second = out.splitlines()
        assert first.endswith(" garage: hello")
        assert second.endswith(" engine: ! hot")
        assert ("log", None, 7) in link.calls

    async def test_of_one_source(self, server: ApiServer, run: Run, link: FakeLink) -> None:
        await run("logs", "garage")
        assert ("log", "garage", 100) in link.calls

    async def test_of_nobody(self, server: ApiServer, run: Run) -> None:
        code, _, err = await run("logs", "garge")
        assert (code, "did you mean “garage”?" in err) == (1, True)

    async def test_following(self, server: ApiServer, link: FakeLink, places: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "minertui", "logs", "garage", "-f", stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout
        assert b"garage: hello" in await process.stdout.readline()
        await process.stdout.readline()
        await link.push(LogLine("attic", "not this", 1.0))
        await link.push(LogLine("garage", "but this", 1.0))
        assert (await process.stdout.readline()).rstrip().endswith(b"garage: but this")
        async with asyncio.timeout(60):
            while ("follow", "garage", True) not in link.calls:
                await asyncio.sleep(0.01)
        process.terminate()
        await process.wait()

    @pytest.mark.parametrize("wide", [44, 80, 0])
    async def test_on_a_terminal_words_stay_whole_and_the_time_stands_alone(
        self, server: ApiServer, link: FakeLink, monkeypatch: pytest.MonkeyPatch, places: Path, wide: int
    ) -> None:
        text = "at 560 MHz / 1130 mV on the way to 600 MHz / 1180 mV: chip is heading for 61.4 of 62 °C"

        async def said(*_: object) -> list[LogLine]:
            return [LogLine("sweep:garage", text, 1.0)]

        monkeypatch.setattr(link, "log", said)
        with terminal("stdout", wide) as lines:
            assert await asyncio.to_thread(main, ["logs"]) == 0
        assert " ".join(line.strip() for line in lines).endswith(f" sweep:garage: {text}")
        assert len(lines) == {44: 4, 80: 2, 0: 1}[wide]  # who does not tell how wide they are get one line
        indent = min(20, wide // 4)
        assert all(len(line) <= wide and line.startswith(" " * indent) for line in lines[1:])

    async def test_what_a_dead_engine_left(self, run: Run, places: Path) -> None:
        (places / "state").mkdir()
        (places / "state" / "engine.log").write_text("old\nlast words\n")
        code, out, err = await run("logs", "-n", "1")
        assert (code, out) == (1, "last words\n")
        assert "no engine is running" in err


class TestStop:
    async def test_nothing_runs(self, run: Run) -> None:
        assert await run("stop") == (0, "No engine is running.\n", "")

    async def test_waits_until_it_has_ended(self, server: ApiServer, run: Run, link: FakeLink) -> None:
        closing: list[asyncio.Task[None]] = []
        link.on_shutdown = lambda: closing.append(asyncio.ensure_future(server.close()))
        code, out, _ = await run("stop")
        assert (code, "has ended" in out) == (0, True)
        assert closing

    @pytest.mark.parametrize(
        ("argv", "answer", "stops"), [((), "n\n", False), ((), "y\n", True), (("--yes",), "", True)]
    )
    async def test_asks_what_runs(
        self, server: ApiServer, run: Run, link: FakeLink, typed: Callable[[str], None],
        argv: tuple[str, ...], answer: str, stops: bool,
    ) -> None:  # fmt: skip
        typed(answer)
        link.fleet = with_sweep(link.fleet)
        link.on_shutdown = lambda: closing.append(asyncio.ensure_future(server.close()))
        closing: list[asyncio.Task[None]] = []
        code, out, _ = await run("stop", *argv)
        assert "sweep on garage: running, 3 of about 40" in out
        assert (("shutdown",) in link.calls, code) == (stops, 0 if stops else 1)

    @pytest.mark.parametrize("name", ["garage", "Garage", "sweep:garage"])
    async def test_what_runs_on_one_miner_ends_and_the_engine_goes_on(
        self, server: ApiServer, run: Run, link: FakeLink, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        link.fleet = with_sweep(link.fleet)
        ask = link.stop

        async def stop(job_id: str) -> JobState:
            over = msgspec.structs.replace(link.fleet.jobs[job_id], phase=Phase.STOPPED, note="a person ended it")
            link.fleet = msgspec.structs.replace(link.fleet, jobs={job_id: over})
            return await ask(job_id)

        monkeypatch.setattr(link, "stop", stop)
        code, out, _ = await run("stop", name, "--yes")
        assert (code, out.splitlines()[-1]) == (0, "sweep:garage: a person ended it")
        assert ("stop", "sweep:garage") in link.calls
        assert ("shutdown",) not in link.calls

    async def test_what_does_not_run_is_named(
        self, server: ApiServer, run: Run, link: FakeLink, typed: Callable[[str], None]
    ) -> None:
        assert (await run("stop", "attic", "-y"))[2] == "minertui: nothing runs on attic\n"
        link.fleet = with_sweep(link.fleet)
        assert "nothing runs that is called “garrage”; did you mean “garage”?" in (await run("stop", "garrage"))[2]
        typed("n\n")
        code, out, _ = await run("stop", "garage")
        assert (code, out.endswith("It goes on.\n")) == (1, True)
        assert ("stop", "sweep:garage") not in link.calls

    @pytest.mark.parametrize("said", [b'{"snapshots":7}', b'{"jobs":{"x":{"phase":"flying"}}}'])
    async def test_ends_one_of_another_version_too(
        self, server: ApiServer, run: Run, link: FakeLink, monkeypatch: pytest.MonkeyPatch, said: bytes
    ) -> None:
        """Every other command says that this one does."""
        real = ApiClient._exchange

        async def older(self: ApiClient, method: str, path: str, *rest: Any) -> bytes:
            return said if path == "/v1/fleet" else await real(self, method, path, *rest)

        monkeypatch.setattr(ApiClient, "_exchange", older)
        code, _, err = await run("status")
        assert (code, "end it with “minertui stop”" in " ".join(err.split())) == (1, True)
        closing: list[asyncio.Task[None]] = []
        link.on_shutdown = lambda: closing.append(asyncio.ensure_future(server.close()))
        code, out, _ = await run("stop", "--yes")
        assert (code, "cannot be shown here" in out, "has ended" in out) == (0, True, True)


class TestAlone:
    async def test_a_command_that_brought_its_own_engine_is_named_where_there_is_none_to_ask(
        self, run: Run, places: Path
    ) -> None:
        with StateLock(places / "state"):
            code, _, said = await run("status")
            assert "no engine is running" in said, "a lasting engine, about to open its door"
            tell(places / "state", "minertui sweep of garage, attic")
            code, _, said = await run("status")
            assert code == 1
            assert f"minertui sweep of garage, attic (process {os.getpid()}) works with {places / 'state'}" in said
        assert "no engine is running" in (await run("status"))[2]


class TestConfig:
    async def test_path_before_and_after_the_word(self, run: Run, places: Path) -> None:
        assert await run("config", "path") == (0, f"{places / 'config.toml'}\n", "")
        assert (await run("--config", "/a.toml", "config", "path"))[1] == "/a.toml\n"
        assert (await run("config", "path", "--config", "/b.toml"))[1] == "/b.toml\n"

    async def test_check(self, run: Run, places: Path) -> None:
        assert "not there yet" in (await run("config", "check"))[1]
        (places / "config.toml").write_text('[[miner]]\nname = "a"\naddress = "b"\n')
        assert (await run("config", "check"))[1].endswith(": all is well, 1 miner\n")
        board = '[[rig.board]]\nname = "{}"\nat = "i2c:1:{}"\n'
        rig = '[[rig]]\nname = "attic"\nuser = "u"\n' + board.format("one", 20) + board.format("two", 21)
        (places / "config.toml").write_text(rig)
        assert (await run("config", "check"))[1].endswith(": all is well, 0 miners, 1 rig of 2 boards\n")

    async def test_two_miners_of_one_address_are_no_config(self, run: Run, places: Path) -> None:
        file = places / "config.toml"
        file.write_text('[[miner]]\nname = "a"\naddress = "rig"\n[[miner]]\nname = "c"\naddress = "RIG:80"\n')
        code, _, said = await run("config", "check")
        assert (code, said.count("\n")) == (1, 1)
        assert f"{file}:6: miner[2].address: “a” and “c” have one address, RIG:80: give each its own" in said
        (places / "config.toml").write_text("[engine]\npol_s = 3\n")
        code, _, err = await run("config", "check")
        assert code == 1
        assert "config.toml:2: engine.pol_s: unknown key; did you mean poll_s?" in err

    async def test_an_address_that_no_alert_can_be_sent_to_is_refused(self, run: Run, places: Path) -> None:
        (places / "config.toml").write_text('[alerts]\nurls = ["json://127.0.0.1", "nonsense"]\n')
        code, _, err = await run("config", "check")
        assert (code, "config.toml:2: alerts.urls: address 2 is not one that Apprise knows" in err) == (1, True), err
        assert "nonsense" not in err  # it may hold a key

    async def test_a_theme_that_the_screen_would_not_find_is_refused(self, run: Run, places: Path) -> None:
        file = places / "config.toml"
        file.write_text('[screen]\n\ntheme = "solarised"\n')
        code, _, err = await run("config", "check")
        assert code == 1
        assert "config.toml:3: screen.theme: there is no theme “solarised”; there are colour-blind, dark, " in err
        assert str(places / "themes" / "NAME.toml") in err
        (places / "themes").mkdir()
        own = places / "themes" / "solarised.toml"
        own.write_text('[colors]\nprimary = "mauvish"\n')
        assert f"{own}: colors.primary: 'mauvish' is no colour" in (await run("config", "check"))[2]
        own.write_text('[colors]\nprimary = "#268bd2"\n')
        assert (await run("config", "check"))[0] == 0

    async def test_keys_that_the_screen_could_not_use_are_refused(self, run: Run, places: Path) -> None:
        file = places / "config.toml"
        for written, said in (
            ('tun = "x"', "config.toml:4: screen.keys.tun: there is no such action; did you mean tune?"),
            ('tune = "f"', "config.toml:4: screen.keys.tune: f is already the key of fan"),
            ('"rows.up" = "F5"', "config.toml:4: screen.keys.rows.up: there is no key “F5”; did you mean f5?"),
        ):
            file.write_text(f"[screen.keys]\nzoom = 'Z'\n\n{written}\n")
            code, _, err = await run("config", "check")
            assert (code, said in err) == (1, True), err
        file.write_text("[screen.keys]\nzoom = 'Z'\ntune = 'f'\nfan = 't'\n'rows.up' = 'f5'\n")
        assert (await run("config", "check"))[0] == 0

    async def test_an_editor_cannot_save_a_theme_that_is_none(
        self, run: Run, places: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VISUAL", editor(places, '[screen]\ntheme = "light"\n'))
        assert (await run("config", "edit"))[0] == 0
        monkeypatch.setenv("VISUAL", editor(places, '[screen]\ntheme = "lite"\n'))
        code, _, err = await run("config", "edit")
        assert (code, "there is no theme “lite”" in err) == (1, True)
        assert load(places / "config.toml").screen.theme == "light"

    async def test_edit_replaces_what_is_right(self, run: Run, places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VISUAL", editor(places, "# kept\n[engine]\npoll_s = 9\n"))
        code, out, _ = await run("config", "edit")
        assert (code, "saved, 0 miners" in out) == (0, True)
        assert load(places / "config.toml").engine.poll_s == 9
        assert "nothing was changed" in (await run("config", "edit"))[1]

    async def test_edit_keeps_what_was_when_the_new_is_wrong(
        self, run: Run, places: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TMPDIR", str(places))
        monkeypatch.setattr("tempfile.tempdir", None)
        (places / "config.toml").write_text("[engine]\n")
        monkeypatch.setenv("VISUAL", editor(places, "[engine]\npoll_s = 0\n"))
        code, _, err = await run("config", "edit")
        assert code == 1
        assert "engine.poll_s: must be 2 to 3600" in err
        assert (places / "config.toml").read_text() == "[engine]\n"
        kept = Path(err.rpartition("your text is in ")[2].strip())
        assert "poll_s = 0" in kept.read_text()

    async def test_no_editor(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VISUAL", "/not/an/editor")
        code, _, err = await run("config", "edit")
        assert (code, "cannot start the editor" in err) == (1, True)


def editor(folder: Path, text: str) -> str:
    """An editor that writes this text."""
    (folder / "new.toml").write_text(text)
    return f"cp {folder / 'new.toml'}"


def with_sweep(fleet: Fleet) -> Fleet:
    plan = SweepPlan("garage")
    return fleet.with_job(JobState("sweep:garage", "garage", Phase.RUNNING, SweepView(plan), done=3, total=40))


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
    async def test_knows_every_command(self, run: Run, shell: str) -> None:
        code, out, _ = await run("completion", shell)
        assert code == 0
        for word in ("status", "identify", "dry-run", "socket"):
            assert word in out

    async def test_bash_accepts_it(self, run: Run) -> None:
        script = (await run("completion", "bash"))[1]
        ask = "COMP_WORDS=(minertui sta); COMP_CWORD=1; _shtab_minertui"
        asked = subprocess.run(
            ["bash", "-c", f"{script}\n{ask}; echo ${{COMPREPLY[@]}}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert asked.stdout.split() == ["status"]


class TestWhole:
    def test_every_command_teaches(self) -> None:
        top = parser()
        (commands,) = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))
        for name in MINE:
            one = commands.choices[name]
            assert one.description, name
            assert "example" in (one.epilog or ""), name

    def test_without_a_terminal_the_screen_says_so(self, places: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 1
        assert "use “minertui status”" in capsys.readouterr().err

    def test_help_is_quick_to_import(self) -> None:
        code = "import sys; from minertui.cli.main import parser; parser(); print('textual' in sys.modules)"
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert told.stdout.strip() == "False"

    def test_a_reader_that_has_had_enough(self) -> None:
        command = f"{sys.executable} -m minertui completion zsh | head -c 1"
        told = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert told.stderr == ""

    def test_a_terminal_without_unicode(self, places: Path) -> None:
        told = subprocess.run(
            [sys.executable, "-m", "minertui", "--help"], env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True, check=False,
        )  # fmt: skip
        assert (told.returncode, b"COMMAND --help" in told.stdout) == (0, True)


def test_status_shows_an_overheat_of_the_firmware_until_a_person_has_seen_it():
    once = Alert("incident:garage", "incident", "garage", Severity.CRITICAL, "it tripped", 5.0, 5.0)
    shown = text(msgspec.structs.replace(fleet(), alerts={once.id: once}), "")
    assert "!! critical: garage: it tripped (it happened; told until you acknowledge it" in shown
    seen = msgspec.structs.replace(once, acknowledged=True)
    assert "it tripped" not in text(msgspec.structs.replace(fleet(), alerts={once.id: seen}), "")
    over = msgspec.structs.replace(once, until_s=9.0)
    assert "it tripped" not in text(msgspec.structs.replace(fleet(), alerts={once.id: over}), "")


def test_status_has_a_line_for_each_rig():
    shown = text(rigs.fleet(Fleet()), "nothing yet").splitlines()
    assert [line.split() for line in shown[:2]] == [
        ["rig", "state", "boards", "H/s", "good", "bad", "notice"],
        ["bench", "stopped", "0/0", "-", "0", "0", "-"],
    ]
    assert shown[2].split(maxsplit=6) == [
        "rig-42", "running", "3/5", "657", "1650", "10", "board-3: it does not answer on bus 1 address 23; looked for",
    ]  # fmt: skip
    assert shown[0].index("H/s") + 3 == shown[2].index("657") + 3
    both = text(rigs.fleet(fleet()), "").splitlines()
    assert both.index(shown[0]) == both.index("1 of 2 miners answer: 1200 GH/s, 18 W, 14.6 J/TH") + 2
    assert text(Fleet(), "nothing yet") == "nothing yet"


def test_status_of_a_rig_says_first_why_it_ended_then_what_its_boards_lack_then_what_costs_money():
    failed = msgspec.structs.replace(rigs.job(phase=Phase.FAILED), note="the mining key of alice is wrong")
    assert "failed     0/0" in text(Fleet().with_job(failed), "")
    assert "the mining key of alice is wrong" in text(Fleet().with_job(failed), "")
    three = msgspec.structs.replace(rigs.view(), boards=tuple(rigs.board(n) for n in (3, 3, 3)))
    away = msgspec.structs.replace(rigs.job(), view=three)
    assert text(Fleet().with_job(away), "").endswith("looked for (and 2 more)")
    mining = msgspec.structs.replace(rigs.job(), view=msgspec.structs.replace(three, boards=(rigs.board(0),)))
    assert "9 workers are paid 90 %" in text(Fleet().with_job(mining), "")


def test_a_rig_that_waits_for_a_person_is_not_well_and_one_that_a_person_closed_is():
    idle, running = Fleet().with_job(rigs.job("bench", Phase.STOPPED)), Fleet().with_job(rigs.job())
    assert well(idle)
    assert well(running), "a board that is away is looked for"
    assert not well(Fleet().with_job(rigs.job(phase=Phase.FAILED)))
    stopped = msgspec.structs.replace(rigs.board(0), state=BoardState.STOPPED)
    view = msgspec.structs.replace(rigs.view(), boards=(stopped,))
    assert not well(Fleet().with_job(msgspec.structs.replace(rigs.job(), view=view)))


async def test_stop_says_which_miner_is_not_back_at_its_own_settings(
    server: ApiServer, link: FakeLink, run: Run, places: Path
) -> None:
    link.fleet = msgspec.structs.replace(link.fleet, jobs={})
    closing: list[asyncio.Task[None]] = []
    link.on_shutdown = lambda: closing.append(asyncio.ensure_future(server.close()))
    Journal(places / "state" / FOLDER, lambda: 1.0).open_entry(
        Entry("020000000010", "garage", "192.0.2.1", Settings(525.0, 1150.0))
    )
    code, _, err = await run("stop", "-y")
    assert code == 1
    assert "garage is not proven to be back at 525 MHz / 1150 mV" in err
    assert "minertui restore" in err
