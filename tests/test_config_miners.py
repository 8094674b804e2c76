"""A miner that nothing could be reached with is refused where the config is read, before anything is saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.cli.main import main
from minertui.config import decode
from minertui.config_file import save_miner
from minertui.model.errors import ConfigError
from minertui.model.history import MinerEntry

MINER = '[[miner]]\nname = "q"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('address = "192.168.77.1"\nkind = "zz"', "miner\\[1\\].kind: there is no kind 'zz'; known: axeos"),
        ('address = "192.168.77.1:80800"', "miner\\[1\\].address: .*a port is 1 to 65535"),
        ('address = "..."', "miner\\[1\\].address: .*has no host name"),
        ('address = "-x-"', "miner\\[1\\].address: .*has no host name"),
        ('address = "192.168.77.1"\nheaders = {"a b" = "secret"}', "miner\\[1\\].headers: .*cannot be sent"),
        ('address = "192.168.77.1"\nheaders = {host = "secret"}', "miner\\[1\\].headers: .*cannot be sent"),
    ],
)
def test_it_names_the_key_and_no_secret(text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(ConfigError, match=words) as told:
        decode(f"{MINER}{text}\n".encode(), tmp_path / "config.toml")
    assert "secret" not in str(told.value)
    (file := tmp_path / "config.toml").write_text(f"{MINER}{text}\n")
    assert main(["config", "check", "--config", str(file)]) == 1
    assert "all is well" not in capsys.readouterr().out


def test_what_is_refused_is_not_in_the_file(tmp_path: Path):
    file = tmp_path / "config.toml"
    save_miner(file, MinerEntry("m1", "192.168.77.2"))
    before = file.read_bytes()
    for kind, address in (("zz", "192.168.77.1"), ("axeos", "192.168.77.1:99999")):
        with pytest.raises(ConfigError):
            save_miner(file, MinerEntry("q", address, kind=kind))
        assert file.read_bytes() == before, "the next engine would not start with it"
