"""Homes that nobody knows, ports that are none, addresses with half a bracket: one sentence, and no traceback that
keeps an engine from its miners."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minertui import paths
from minertui.api.sockets import tcp_door
from minertui.cli.device_commands import _host_port
from minertui.cli.main import main
from minertui.config import decode
from minertui.devices.duco_pool import Servers
from minertui.engine.config_watch import ConfigWatch
from minertui.model.errors import ConfigError, MinertuiError, Unreachable
from tests.engine.fakes import LoopClock

NOBODY = "~nobody-has-this-name/x"
RIG = '[[rig]]\nname = "attic"\nuser = "u"\n'


@pytest.mark.parametrize(
    "text",
    [
        f'{RIG}balance_log = "{NOBODY}"',
        f'{RIG}mining_key = "file:{NOBODY}"',
        f'[alerts]\nurls_file = "{NOBODY}"',
        f'[api]\ntcp = "127.0.0.1:0"\ntoken_file = "{NOBODY}"',
    ],
)
def test_a_home_that_nobody_knows_is_one_sentence(text: str, tmp_path: Path):
    with pytest.raises(ConfigError, match="nobody knows that home here; write the whole path"):
        decode(text.encode(), tmp_path / "config.toml")


@pytest.mark.looptime
async def test_a_running_engine_says_so_and_goes_on_with_the_config_it_has(tmp_path: Path):
    file, wrong = tmp_path / "config.toml", list[str]()
    file.write_text("")

    async def changed(_: object) -> None:
        raise AssertionError

    watch = ConfigWatch(file, LoopClock(), changed, wrong.append, lambda *_: None)
    file.write_text(f'{RIG}balance_log = "{NOBODY}"')
    await watch.look()
    await watch.look()
    [text] = wrong
    assert "the old one stays in force" in text


@pytest.mark.parametrize("option", ["--state", "--socket"])
def test_nor_is_it_on_the_command_line(option: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(ConfigError, match="nobody knows that home"):
        paths.expanded(NOBODY)
    assert main(["status", option, NOBODY]) == 1
    assert "nobody knows that home" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("port", ["²", "9" * 5000, "", "-1", "65536"])
def test_a_port_that_is_none_is_said(port: str):
    with pytest.raises(ConfigError, match="must be 127"):
        tcp_door(f"127.0.0.1:{port}")
    with pytest.raises(MinertuiError, match="write the pool as HOST:PORT"):
        _host_port(f"pool.example:{port}")


@pytest.mark.parametrize("server", ["http://[::1", "http://x:99999", "http://x:0", "https://[]"])
def test_a_server_that_cannot_be_one_is_said(server: str, tmp_path: Path):
    with pytest.raises(ConfigError, match="write an address like https"):
        decode(f'{RIG}rest = "{server}"'.encode(), tmp_path / "config.toml")


@pytest.mark.parametrize("server", ["http://[::1", "http://127.0.0.1:99999", "http://\x7f"])
def test_nor_is_it_asked(server: str):
    async def asked() -> None:
        servers = Servers()
        try:
            await servers.ask(server, loopback=False)
        finally:
            await servers.close()

    with pytest.raises(Unreachable):
        asyncio.run(asked())
