"""The terminal closes under a command with an engine of its own: a real process and signal, a simulated miner."""

from __future__ import annotations

import argparse
import asyncio
import os
import pty
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from minertui.cli.discover import _ask
from minertui.cli.engine_link import agreed
from minertui.cli.terminal import say
from minertui.clock import SystemClock
from minertui.sim.axeos import fleet, serve

SPEED = 10


@pytest.mark.parametrize(
    "words",
    [("sweep", "-f", "450", "--yes"), ("guard", "--max-temp", "50", "--frequency", "525", "--min-frequency", "450")],
    ids=["sweep", "guard"],
)
async def test_a_closed_terminal_gives_the_miner_its_own_settings_back(tmp_path: Path, words: tuple[str, ...]):
    clock = SystemClock(SPEED)
    (board,) = fleet(1, seed=3, mix={("gamma", "v2.15.3"): 1}, ambient_c=30, warm_s=600)
    own = board.nvs["frequency"]
    server = await serve([board], clock=clock)
    terminal, slave = pty.openpty()
    command, *options = words
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "minertui", command, server.addresses[0], *options, f"--speed={SPEED}",
        stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # under nohup it would be meant to live on
        env={**os.environ, **{f"MINERTUI_{name}": str(tmp_path / name) for name in ("CONFIG", "STATE", "SOCKET")}},
    )  # fmt: skip
    os.close(slave)
    try:
        async with asyncio.timeout(120):
            while board.nvs["frequency"] == own:
                await asyncio.sleep(0.05)
            board.ambient_c = -20.0  # a guard gives back what is cool
            board.cooler.chip_c = board.cooler.vr_c = 42.0
            os.close(terminal)  # every line from now on is an error
            process.send_signal(signal.SIGHUP)
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        await server.close()
    assert process.returncode == 0
    assert board.nvs["frequency"] == own
    assert not list((tmp_path / "STATE" / "journal").glob("*.json"))


def test_a_line_for_nobody_is_not_an_error(capfd: pytest.CaptureFixture[str]):
    gone, there = os.pipe()
    os.close(gone)
    with os.fdopen(there, "w") as pipe:
        say("nobody reads this", pipe)
        say("nor this", pipe)
    say("somebody reads this")
    assert capfd.readouterr().out == "somebody reads this\n"


class Hesitant:
    """A person at a terminal who presses Ctrl+C, and would have said yes."""

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        signal.raise_signal(signal.SIGINT)
        return "y\n"


@pytest.mark.parametrize(
    "ask",
    [lambda: agreed("Really?", argparse.Namespace(yes=False)), lambda: _ask("Really? ")],
    ids=["agreed", "discover"],
)
def test_ctrl_c_at_a_question_ends_the_command_at_once(monkeypatch: pytest.MonkeyPatch, ask: Callable[[], object]):
    monkeypatch.setattr(sys, "stdin", Hesitant())
    before, answers = signal.getsignal(signal.SIGINT), []

    async def command() -> None:
        answers.append(ask())

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(command())
    assert answers == []
    assert signal.getsignal(signal.SIGINT) is before
