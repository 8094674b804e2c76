"""Where things live."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui import paths


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFIG", "STATE", "SOCKET"):
        monkeypatch.delenv(f"MINERTUI_{name}", raising=False)
    for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_the_option_beats_the_environment_beats_the_platform(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert paths.config_file().is_relative_to(home)
    monkeypatch.setenv("MINERTUI_CONFIG", "~/mine.toml")
    assert paths.config_file() == home / "mine.toml"
    assert paths.config_file(Path("/given.toml")) == Path("/given.toml")


def test_the_socket_stands_in_the_runtime_directory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    assert paths.socket_path() == home / "minertui" / "engine.sock"


@pytest.mark.parametrize("runtime", ["", "/does/not/exist"])
def test_without_one_it_stands_in_the_state_folder(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    assert paths.socket_path() == paths.state_dir() / "engine.sock"


def test_another_state_folder_has_another_engine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    assert paths.socket_path(state=Path("/other")) == Path("/other/engine.sock")
    monkeypatch.setenv("MINERTUI_STATE", "/third")
    assert paths.socket_path() == Path("/third/engine.sock")
    monkeypatch.setenv("MINERTUI_SOCKET", "/fourth")
    assert paths.socket_path() == Path("/fourth")


def test_a_private_folder(home: Path) -> None:
    made = paths.private_dir(home / "a" / "b")
    assert made.stat().st_mode & 0o777 == 0o700
    assert paths.private_dir(made) == made
