"""The systemd unit is understood by systemd, and leaves the engine little to attack."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "minertui.service"
ANALYZE = shutil.which("systemd-analyze") or ""

pytestmark = pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not on this computer")


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_systemd_understands_every_line(tmp_path: Path):
    unit = tmp_path / "minertui.service"
    unit.write_text(UNIT.read_text().replace("/opt/minertui/bin/minertui", "/bin/true"))  # verify wants it to exist
    found = analyze("verify", "--man=no", str(unit))
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_verify_would_notice_a_misspelt_line(tmp_path: Path):
    unit = tmp_path / "minertui.service"
    unit.write_text(UNIT.read_text().replace("/opt/minertui/bin/minertui", "/bin/true").replace("WatchdogSec", "Wach"))
    assert "Wach" in analyze("verify", "--man=no", str(unit)).stderr


def test_exposure_is_at_most_two():
    found = analyze("security", "--offline=true", "--threshold=20", str(UNIT))
    assert found.returncode == 0, found.stdout[-600:]


def test_the_id_of_the_boot_comes_from_systemd_because_the_unit_hides_it():
    lines = UNIT.read_text().splitlines()
    assert "ProcSubset=pid" in lines, "with it /proc/sys/kernel/random/boot_id is not there"
    assert any(line.startswith("Environment=") and "MINERTUI_BOOT_ID=%b" in line.split() for line in lines)


def test_recovery_runs_after_every_end_and_the_watchdog_is_on():
    lines = UNIT.read_text().splitlines()
    assert "Type=notify" in lines
    assert "WatchdogSec=30s" in lines
    assert any(line.startswith("ExecStopPost=") and "restore --journal" in line for line in lines)
