"""Nothing but printable text leaves the program for a terminal or a log, whoever said it."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from minertui.cli import main as cli
from minertui.cli.terminal import log_to_stderr, shown
from minertui.model.errors import MinertuiError
from tests.tui.pictures import PAYLOADS


@pytest.mark.parametrize("text", PAYLOADS)
def test_no_payload_passes_and_nothing_else_is_lost(text: str) -> None:
    out = shown(f"before {text} after\n")
    assert out.startswith("before ")
    assert out.endswith(" after\n")
    assert all(c.isprintable() or c in "\n\t" for c in out)
    kept = "".join(c for c in text if c.isprintable() or c in "\n\t")
    assert out.replace("\ufffd", "") == f"before {kept} after\n"


def test_colours_lines_and_words_stay() -> None:
    for text in ("\x1b[32m[2]\x1b[0m 525 MHz", "a\tb\nc", "Zürich 漢字 — °C", ""):
        assert shown(text) == text
    assert shown("\x1b[2Jx\r\x1b[31m\x00") == "\ufffd[2Jx\ufffd\x1b[31m\ufffd"


def test_a_file_with_a_hostile_name_is_an_error_in_plain_text(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "\x1b]52;c;ZXZpbA==\x1b\\.toml"
    place.write_text("[\x1b")
    assert cli.main(["--config", str(place), "config", "check"]) == 1
    out, err = capfd.readouterr()
    assert "ZXZpbA" in err
    assert all(c.isprintable() or c == "\n" for c in out + err)
    assert sys.stdout is not None
    print("\x1b[2J")
    assert capfd.readouterr().out == "\x1b[2J\n"  # the gate is the command's, not the process's


def test_words_of_an_error_are_behind_the_gate(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(_: object) -> int:
        print("\x9b31mred")
        raise MinertuiError("\x1bP$q\x1b\\")

    monkeypatch.setattr(cli, "_meant", lambda argv: ("stop",))
    monkeypatch.setattr("minertui.cli.stop.add", lambda sub: sub.add_parser("stop").set_defaults(run=fails))
    assert cli.main(["stop"]) == 1
    out, err = capfd.readouterr()
    assert out == "\ufffd31mred\n"
    assert err == "minertui: \ufffdP$q\ufffd\\\n"


@pytest.fixture
def logs() -> Iterator[None]:
    """The logging of this process as it was."""
    names = ("", "minertui", "urllib3", "apprise")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_the_log_is_printable_and_libraries_tell_only_their_warnings(
    logs: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own
    log_to_stderr("debug")
    logging.getLogger("minertui.x").debug("ours \x1b[2J")
    for library in ("httpx2", "httpcore2.http11", "websockets.client", "apprise", "zeroconf", "uvicorn.error"):
        logging.getLogger(library).debug("> Authorization: canary-61")
        logging.getLogger(library).info("GET http://u:canary-62@h/?key=canary-63")
    logging.getLogger("urllib3.connectionpool").warning("Failed to parse headers (url=/canary-64)")
    logging.getLogger("uvicorn.error").warning("heard\x07 this")
    err = capsys.readouterr().err
    assert "DEBUG minertui.x: ours \ufffd[2J\n" in err
    assert "heard\ufffd this" in err
    assert "canary" not in err


_SAYS = """
from minertui.cli.terminal import log_to_stderr
from minertui.engine.outbox import apprise_senders
from minertui.model.errors import ConfigError
log_to_stderr("debug")
for url in ("tgram://canary-71/abc", "nope://u:canary-72@h/canary-73", "slack://canary-74"):
    try:
        apprise_senders([url])
    except ConfigError as error:
        print(error)
[send] = apprise_senders(["json://u:canary-75@127.0.0.1:1/canary-76?k=canary-77"])
print(send("title", "body"))
"""


def test_apprise_tells_no_address() -> None:
    """It logs what it cannot read, with the keys in it, and what it cannot reach."""
    done = subprocess.run([sys.executable, "-c", _SAYS], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.count("address 1 is not one that Apprise knows") == 3
    assert done.stdout.endswith("False\n")
    assert "canary" not in done.stdout + done.stderr


def test_a_password_in_an_address_is_not_repeated(capfd: pytest.CaptureFixture[str]) -> None:
    for address in ("http://u:canary-81@miner", "u:canary-81@miner:80", f"http://{'u' * 90}:canary-81@miner/x"):
        assert cli.main(["probe", address]) == 1
        _, err = capfd.readouterr()
        assert "is not the address of a miner" in err
        assert "canary" not in err
