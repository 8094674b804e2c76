"""One engine a state folder."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minertui.engine.lock import Holder, StateLock, holder, tell
from minertui.model.errors import LinkError


def test_a_second_one_is_refused_with_the_firsts_process_id(tmp_path: Path):
    with StateLock(tmp_path / "state"):
        with pytest.raises(LinkError, match=rf"process {os.getpid()}\b.*stop it"), StateLock(tmp_path / "state"):
            pass
        assert (tmp_path / "state" / "engine.lock").read_text().strip() == str(os.getpid())
    with StateLock(tmp_path / "state"):
        pass


def test_what_the_holder_does_is_told_to_whoever_asks_and_to_a_second_one(tmp_path: Path):
    assert holder(tmp_path) is None
    with StateLock(tmp_path):
        assert holder(tmp_path) == Holder(f"{os.getpid()}")
        tell(tmp_path, "minertui sweep of garage, attic")
        assert holder(tmp_path) == Holder(f"{os.getpid()}", "minertui sweep of garage, attic")
        with pytest.raises(LinkError, match=r"minertui sweep of garage, attic \(process \d+\) already works with"):
            StateLock(tmp_path).__enter__()
    assert holder(tmp_path) is None, "what stands in the file is over"
    with StateLock(tmp_path):
        assert holder(tmp_path) == Holder(f"{os.getpid()}"), "nothing of the one before"


@pytest.mark.parametrize("left", ["", "no number", "99999999999999999999", "4194305"])
def test_a_file_that_says_nothing_useful_is_nobodys(tmp_path: Path, left: str):
    with StateLock(tmp_path):
        (tmp_path / "engine.lock").write_text(left)
        assert holder(tmp_path) is None


def test_a_killed_owner_frees_it(tmp_path: Path):
    code = (
        "import sys, pathlib\nfrom minertui.engine.lock import StateLock\n"
        "with StateLock(pathlib.Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(LinkError, match=f"process {owner.pid}"), StateLock(tmp_path):
            pass
    finally:
        owner.kill()
        owner.communicate()
    with StateLock(tmp_path):
        pass


def test_on_a_full_disk_it_is_held_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An engine that starts anew there still has miners to lower and to lead back."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with StateLock(tmp_path), pytest.raises(LinkError, match="process unknown"), StateLock(tmp_path):
        pass


def test_on_a_disk_that_became_read_only_it_is_held_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As a card does when it begins to fail: an engine that starts anew there still has miners to lower."""
    real = os.open

    def read_only(path: Any, flags: int, *mode: int) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY | os.O_CREAT):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *mode)

    with StateLock(tmp_path):
        pass
    monkeypatch.setattr(os, "open", read_only)
    with StateLock(tmp_path), pytest.raises(LinkError, match="already works with"), StateLock(tmp_path):
        pass
    with pytest.raises(LinkError, match="cannot be used"), StateLock(tmp_path / "never used"):
        pass


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LinkError, match="cannot be used"), StateLock(tmp_path / "file"):
        pass
