"""``minertui restore`` leads all miners back, whatever becomes of its terminal, or of one of them."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from minertui import durable
from minertui.engine.journal import Journal
from tests.cli.test_restore import ENTRY, Net, raised, run

OTHER = "02:00:00:00:00:11"
pytestmark = pytest.mark.looptime


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "journal", lambda: 1.0)
    journal.open_entry(ENTRY)
    journal.open_entry(replace(ENTRY, key="020000000011", device="attic", address="192.0.2.2", mac=OTHER))
    return journal


class Gone:
    """The terminal was closed."""

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")

    flush = fileno = isatty = lambda self: 0


async def test_a_terminal_that_is_gone(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    miners = raised(), raised(OTHER)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    monkeypatch.setattr(sys, "stdout", Gone())
    monkeypatch.setattr(sys, "stderr", Gone())
    assert await run(journal, Net(**{"192.0.2.1": miners[0], "192.0.2.2": miners[1]})) == 0
    assert [miner.status.frequency_mhz for miner in miners] == [525, 525]


async def test_a_disk_that_does_not_forget(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def refused(path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    miners = raised(), raised(OTHER)
    monkeypatch.setattr(durable, "remove", refused)
    assert await run(journal, Net(**{"192.0.2.1": miners[0], "192.0.2.2": miners[1]})) == 1
    assert [miner.status.frequency_mhz for miner in miners] == [525, 525]
    assert len(capsys.readouterr().err.splitlines()) >= 2


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_whoever_started_it_closed_are_nowhere(tmp_path: Path, closed: str):
    """Not None, and not the first file that is opened."""
    code = (
        "import os, sys; from minertui.cli.main import main; "
        "code = main(sys.argv[1:]); os._exit(code + 40 * (os.open('/dev/null', 0) < 3))"
    )
    words = ["config", "check", "--config", str(tmp_path / "none.toml")]
    line = " ".join(f"'{word}'" for word in (sys.executable, "-c", code.replace("'", '"'), *words))
    assert subprocess.run(["sh", "-c", f"{line} {closed}"], timeout=60, check=False).returncode == 0
