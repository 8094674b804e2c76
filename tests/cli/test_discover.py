"""``minertui discover``: what it shows, asks and writes."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from minertui import config
from minertui.cli import discover as command
from minertui.cli.main import main
from minertui.engine import discovery
from minertui.engine.records import RECORDS
from minertui.model.history import Found

ATTIC = Found("192.168.1.20", "axeos", "Gamma", "attic", "02:00:00:00:00:01", "v2.15.3", 1039.5)
CELLAR = Found("192.168.1.21", "axeos", "NerdQAxe++", None, "02:00:00:00:00:02", "V1.0", None)


class Stage:
    """What discovery finds, what a person types, and what was asked for."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = tmp_path / "config.toml"
        self.found: list[Found] = [ATTIC, CELLAR]
        self.typed: list[str] = []
        self.tty = True
        self.networks: list[str] = []
        self.known: dict[str, str] = {}
        monkeypatch.setattr(discovery, "discover", self.discover)
        monkeypatch.setattr(discovery, "own_networks", lambda: ["192.168.1.0/24", "10.0.5.0/24"])
        monkeypatch.setattr(command, "_can_ask", lambda: self.tty)
        monkeypatch.setattr("builtins.input", self.input)

    async def discover(self, networks: Sequence[str], *, known: dict[str, str]) -> list[Found]:
        self.networks, self.known = list(networks), known
        return self.found

    def input(self, question: str) -> str:
        if not self.typed:
            raise EOFError
        return self.typed.pop(0)

    def run(self, *args: str) -> int:
        return main(["discover", "--config", str(self.path), "--state", str(self.path.parent / "state"), *args])

    def saved(self) -> list[tuple[str, str]]:
        return [(miner.name, miner.address) for miner in config.load(self.path).miner]


@pytest.fixture
def stage(tmp_path, monkeypatch) -> Stage:
    return Stage(tmp_path, monkeypatch)


def test_it_lists_what_it_found(stage, capsys):
    stage.found = [ATTIC, Found("192.168.1.21", "axeos", known_as="cellar")]
    stage.typed = ["n"]
    assert stage.run("192.168.1.0/24") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["192.168.1.20", "Gamma", "attic", "v2.15.3", "1040", "new"] in rows
    assert ["192.168.1.21", "—", "—", "—", "—", "known", "as", "cellar"] in rows
    assert stage.networks == ["192.168.1.0/24"]
    assert stage.saved() == []


def test_yes_adds_all_with_names_of_their_own(stage, capsys):
    stage.path.write_text('[[miner]]\nname = "Attic"\naddress = "192.168.1.9"\n')
    assert stage.run("192.168.1.0/24", "--yes") == 0
    assert stage.saved() == [("Attic", "192.168.1.9"), ("attic-2", "192.168.1.20"), ("NerdQAxe++", "192.168.1.21")]
    assert stage.known == {"192.168.1.9": "Attic"}
    assert "2 miners added" in capsys.readouterr().out


def test_a_person_says_which_and_under_what_name(stage):
    stage.typed = ["loft", "N"]
    assert stage.run("192.168.1.0/24") == 0
    assert stage.saved() == [("loft", "192.168.1.20")]


MOVED = Found("192.168.1.57", "axeos", "Gamma", known_as="garage", moved_from="192.168.1.40")
GARAGE = '[[miner]]\nname = "garage"\naddress = "192.168.1.40"  # by the door\n[miner.sweep]\nstep_mv = 10\n'


@pytest.mark.parametrize(
    ("typed", "address"),
    [([""], "192.168.1.57"), (["y"], "192.168.1.57"), (["n"], "192.168.1.40"), ([], "192.168.1.40")],
)
def test_of_one_that_moved_the_address_is_changed_when_a_person_agrees(stage, capsys, typed, address):
    stage.path.write_text(GARAGE)
    stage.found, stage.typed = [MOVED], typed
    assert stage.run("192.168.1.0/24") == 0
    out = capsys.readouterr().out
    assert "garage moved: 192.168.1.40 → 192.168.1.57" in out
    assert ("the address of 1 miner changed" in out) is (address == "192.168.1.57")
    assert stage.saved() == [("garage", address)]
    assert "# by the door\n[miner.sweep]\nstep_mv = 10" in stage.path.read_text()


def test_yes_changes_it_unasked_and_then_adds_who_stands_there_now(stage, capsys):
    stage.path.write_text(GARAGE)
    stage.found = [Found("192.168.1.40", "axeos", "Gamma", "new"), MOVED]
    assert stage.run("192.168.1.0/24", "--yes") == 0
    assert stage.saved() == [("garage", "192.168.1.57"), ("new", "192.168.1.40")]
    assert "1 miner added and the address of 1 miner changed" in capsys.readouterr().out


def test_what_an_engine_learned_tells_who_is_who(stage, tmp_path):
    (tmp_path / "state").mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "state" / RECORDS)) as db, db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE identity (device TEXT PRIMARY KEY, body BLOB NOT NULL)")
        kept = {
            "garage": b'{"mac": "02:00:00:00:00:01"}',
            "gone": b'{"mac": "02:00:00:00:00:09"}',
            "new": b"{}",
            "x": b"{",
        }
        db.executemany("INSERT INTO identity VALUES (?, ?)", kept.items())
    stage.path.write_text(GARAGE)
    stage.found = []
    stage.run("192.168.1.0/24")
    assert stage.known == {"192.168.1.40": "garage", "02:00:00:00:00:01": "garage"}
    assert [file.name for file in (tmp_path / "state").iterdir()] == [RECORDS]
    (tmp_path / "state" / RECORDS).write_bytes(b"torn")
    stage.run("192.168.1.0/24")
    assert stage.known == {"192.168.1.40": "garage"}


def test_own_networks_are_scanned_only_when_agreed_to(stage):
    stage.found = []
    stage.typed = ["", "Y"]
    assert stage.run() == 1
    assert stage.networks == ["10.0.5.0/24"]
    assert stage.run("--yes") == 1
    assert stage.networks == ["192.168.1.0/24", "10.0.5.0/24"]


def test_without_a_terminal_nothing_is_scanned_or_written_unasked(stage, capsys):
    stage.tty = False
    assert stage.run() == 0
    assert (stage.networks, stage.saved()) == ([], [])
    out = capsys.readouterr().out
    assert "minertui discover 192.168.1.0/24" in out
    assert "--yes" in out


def test_nothing_found_teaches(stage, capsys):
    stage.found = []
    assert stage.run("192.168.1.0/24") == 1
    assert "no miner found" in capsys.readouterr().out


def test_a_network_that_must_not_be_scanned_is_one_sentence(tmp_path, capsys):
    assert main(["discover", "--config", str(tmp_path / "c.toml"), "8.8.8.0/24"]) == 1
    assert "only private networks" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hostname", "model", "taken", "name"),
    [
        ("attic", "Gamma", [], "attic"),
        ("a/b\\c", None, [], "a-b-c"),
        (None, "Gamma", ["GAMMA", "gamma-2"], "Gamma-3"),
        (None, None, [], "miner"),
        ("x" * 200, None, [], "x" * 56),
    ],
)
def test_names(hostname, model, taken, name):
    assert command.name_for(Found("10.0.0.1", "axeos", model, hostname), taken) == name
