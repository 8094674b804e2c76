"""Old or new, never half, and never in each other's way."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from minertui import durable


def test_the_new_content_comes_with_the_mode_asked_for_whatever_the_umask(tmp_path: Path):
    before = os.umask(0o077)
    try:
        durable.replace(tmp_path / "f", b"one", mode=0o644)
        durable.replace(tmp_path / "g", b"two")
    finally:
        os.umask(before)
    assert (tmp_path / "f").read_bytes() == b"one"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "g").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_the_old_content_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "f"
    durable.replace(path, b"one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        durable.replace(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_many_writers_of_one_file_do_not_meet(tmp_path: Path):
    path = tmp_path / "f"
    texts = [bytes([65 + n]) * 5000 for n in range(16)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda text: durable.replace(path, text), texts * 4))
    assert path.read_bytes() in texts
    assert list(tmp_path.iterdir()) == [path]


def test_removing_what_is_not_there_is_fine(tmp_path: Path):
    durable.remove(tmp_path / "none")
    durable.remove(tmp_path / "no folder" / "none")
