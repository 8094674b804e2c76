"""Files that leave the screen."""

from __future__ import annotations

import csv
import json

import msgspec
import pytest

from minertui.model.errors import MinertuiError
from minertui.model.text import path_text
from minertui.tui.export import as_csv, cell, export_history, file_stem, save_text, told
from tests.tui import pictures
from tests.tui.fake_link import FakeLink


async def test_history_goes_to_csv_and_json(tmp_path):
    link = FakeLink(pictures.normal())
    paths = await export_history(link, "attic-1", pictures.NOW_S, tmp_path)
    assert [p.suffix for p in paths] == [".csv", ".json"]
    rows = list(csv.DictReader(paths[0].open()))
    assert len(rows) == 120
    assert rows[0]["at"] == "2025-11-19T12:06:00+00:00"
    assert float(rows[0]["chip_temp_c"]) == pytest.approx(57, abs=4)
    assert rows[75]["chip_temp_c"] == ""  # the gap is a gap
    data = json.loads(paths[1].read_text())
    assert data["device"] == "attic-1"
    assert len(data["mean"]["power_w"]) == 120
    (device, _, since_s, until_s, _) = link.sent("history")[0]
    assert (device, until_s - since_s) == ("attic-1", 86_400)


def test_nothing_is_overwritten(tmp_path):
    assert save_text("1", "a.txt", tmp_path).name == "a.txt"
    assert save_text("2", "a.txt", tmp_path).name == "a-2.txt"
    assert (tmp_path / "a.txt").read_text() == "1"


def test_a_folder_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    with pytest.raises(MinertuiError, match=f"cannot write to {tmp_path}/missing: No such file or directory; start"):
        save_text("1", "a.txt", tmp_path / "missing")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(MinertuiError, match="the folder minertui was started in is gone"):
        save_text("1", "a.txt")


def test_where_files_are_is_told_in_full_and_from_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "farm").mkdir()
    monkeypatch.chdir(tmp_path / "farm")
    paths = [save_text("1", name) for name in ("a.csv", "a.csv", "b.json")]
    assert told(paths) == "Saved in ~/farm: a.csv, a-2.csv, b.json"
    assert told(paths * 2) == "Saved 6 files in ~/farm: a.csv, …"
    assert path_text(tmp_path) == "~"
    monkeypatch.setenv("HOME", "/nowhere")
    assert told(paths[:1]) == f"Saved in {tmp_path}/farm: a.csv"
    assert path_text(tmp_path) == str(tmp_path)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x"])
def test_a_cell_is_never_a_formula(text):
    assert cell(text) == f"'{text}"
    series = msgspec.structs.replace(pictures.series("d", ("power_w",), 0, 120, 2), device=text)
    assert as_csv(series).splitlines()[1].startswith(f"'{text},")


@pytest.mark.parametrize("text", pictures.PAYLOADS)
def test_names_of_files_are_harmless(text, tmp_path):
    stem = file_stem(text)
    assert stem
    assert stem.isascii()
    assert not set(stem) & set("/\\:*? \x1b")
    assert not stem.startswith(".")
