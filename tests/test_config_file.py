"""Editing keeps what people wrote, and never leaves a config that does not decode."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minertui.config import load
from minertui.config_file import entries, remove_miner, replace_text, save_miner
from minertui.model.errors import ConfigError
from minertui.model.history import MinerEntry
from minertui.model.plans import Limits

COMMENTED = """\
# my miners
[limits]
max_power_w = 30 # the supply

[[miner]]
name = "garage"   # the loud one
address = "10.0.0.1"
headers = { Authorization = "env:HOME" }
tags = ["old"]
[miner.limits]
max_mhz = 600
[miner.sweep]
step_mv = 10

[[miner]]
name = "attic"
address = "10.0.0.2"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(COMMENTED)
    return path


def test_entries_hold_only_their_own_limits(file: Path) -> None:
    garage, attic = entries(load(file))
    assert garage == MinerEntry(name="garage", address="10.0.0.1", tags=("old",), limits=Limits(max_mhz=600))
    assert attic == MinerEntry(name="attic", address="10.0.0.2")


def test_what_is_saved_is_what_is_read(file: Path) -> None:
    before = load(file)
    for entry in entries(before):
        save_miner(file, entry, replaces=entry.name)
    assert load(file) == before
    assert file.read_text() == COMMENTED


def test_changing_keeps_comments_and_keys_it_does_not_know(file: Path) -> None:
    new = MinerEntry(name="cellar", address="10.0.0.9:8080", pinned=True, poll_s=7.5, limits=Limits(max_power_w=20))
    save_miner(file, new, replaces="garage")
    miner = load(file).miner[0]
    assert entries(load(file))[0] == new
    assert miner.sweep.step_mv == 10
    assert set(miner.headers) == {"Authorization"}
    text = file.read_text()
    assert "# the loud one" in text
    assert "# the supply" in text
    assert "tags" not in text


def test_a_new_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    save_miner(path, MinerEntry(name="a", address="10.0.0.1"))
    save_miner(path, MinerEntry(name="b", address="10.0.0.2", limits=Limits(max_mv=1200)))
    assert [entry.name for entry in entries(load(path))] == ["a", "b"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["config.toml"]


def test_adding_leaves_every_byte_before_it(file: Path) -> None:
    save_miner(file, MinerEntry(name="new", address="10.0.0.3", tags=("a", "b"), limits=Limits(max_mv=1200)))
    added = file.read_text().removeprefix(COMMENTED)
    assert added.split("\n")[:4] == ["", "[[miner]]", 'name = "new"', 'address = "10.0.0.3"']
    assert entries(load(file))[2].limits == Limits(max_mv=1200)


@pytest.mark.parametrize("text", ["miner = []\n", 'miner = [{ name = "a", address = "b" }]\n'])
def test_miners_in_one_list_are_left_to_their_author(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"write each miner as \[\[miner\]\]"):
        save_miner(file, MinerEntry(name="new", address="10.0.0.3"))
    assert file.read_text() == text


def test_removing(file: Path) -> None:
    assert [miner.name for miner in remove_miner(file, "garage").miner] == ["attic"]
    assert remove_miner(file, "attic").miner == ()
    assert "# my miners" in file.read_text()
    assert load(file).limits.max_power_w == 30


FARM = """\
# my farm

# the board in the attic
[[miner]]
name = "attic"
address = "10.0.0.1"

# the board in the barn
# it is loud
[[miner]]
name = "barn"
address = "10.0.0.2" # static
# it was 10.0.0.9
[miner.limits]
max_mhz = 600

# the board in the cellar
[[miner]]
name = "cellar"
address = "10.0.0.3"

# how it runs
[engine]
poll_s = 9

# the end
"""


@pytest.mark.parametrize("name", ["attic", "barn", "cellar"])
def test_a_removed_miner_takes_its_own_comments_and_no_others(file: Path, name: str) -> None:
    file.write_text(FARM)
    remove_miner(file, name)
    blocks = FARM.split("\n\n")
    gone = [block for block in blocks if f"the board in the {name}" in block]
    assert len(gone) == 1
    assert file.read_text() == "\n\n".join(block for block in blocks if block not in gone)


def test_the_comments_of_a_removed_miner_at_the_end_go_and_those_after_it_stay(file: Path) -> None:
    file.write_text('[engine]\npoll_s = 9\n\n# mine\n[[miner]]\nname = "a"\naddress = "10.0.0.1"\n# old\n\n# the end\n')
    remove_miner(file, "a")
    assert file.read_text() == "[engine]\npoll_s = 9\n\n# the end\n"


@pytest.mark.parametrize("comment", ["# of the file, or of a?\n{a}{b}", "{a}# of a, or of b?\n{b}"])
def test_a_comment_that_may_be_somebody_elses_stays(file: Path, comment: str) -> None:
    one, two = (f'[[miner]]\nname = "{n}"\naddress = "10.0.0.{n}"\n' for n in (1, 2))
    for name in ("1", "2"):
        file.write_text(comment.format(a=one, b=two))
        remove_miner(file, name)
        assert comment.format(a="", b="") in file.read_text()


def test_a_miner_written_as_nobody_writes_it_is_removed_all_the_same(file: Path) -> None:
    text = '[[miner]]\nname = "a"\naddress = "10.0.0.1"\ntags = ["""\\\n[[miner]]\\\n""", "x"]\n'
    file.write_text(text + '[[miner]]\nname = "b"\naddress = "10.0.0.2"\n')
    assert [miner.name for miner in remove_miner(file, "a").miner] == ["b"]
    file.write_text('[[ "miner" ]]\nname = "a"\naddress = "10.0.0.1"\n')
    assert remove_miner(file, "a").miner == ()


@pytest.mark.parametrize(
    ("entry", "replaces", "said"),
    [
        (MinerEntry(name="attic", address="10.0.0.3"), None, "is the name of miner"),
        (MinerEntry(name="attic", address="10.0.0.3"), "garage", "is the name of miner"),
        (MinerEntry(name="new", address="not an address"), None, "host name"),
        (MinerEntry(name="new", address="10.0.0.3", poll_s=0.1), None, "poll_s: must be 2 to 3600"),
        (MinerEntry(name="new", address="10.0.0.2:80"), None, "“attic” has the address 10.0.0.2 already"),
        (MinerEntry(name="garage", address="10.0.0.2"), "garage", "“attic” has the address 10.0.0.2 already"),
        (MinerEntry(name="new", address="10.0.0.3"), "nobody", "no miner named “nobody”"),
    ],
)
def test_what_would_not_decode_is_refused(file: Path, entry: MinerEntry, replaces: str | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        save_miner(file, entry, replaces)
    assert file.read_text() == COMMENTED
    assert [p.name for p in file.parent.iterdir()] == ["config.toml"]


def test_a_config_that_is_wrong_already_is_not_touched(file: Path) -> None:
    file.write_text("[engine]\npoll = 3\n")
    with pytest.raises(ConfigError, match=r"engine.poll: unknown key"):
        save_miner(file, MinerEntry(name="a", address="10.0.0.1"))
    assert file.read_text() == "[engine]\npoll = 3\n"


def test_a_link_to_the_file_stays_a_link(file: Path) -> None:
    link = file.with_name("link.toml")
    link.symlink_to(file)
    replace_text(link, "[engine]\npoll_s = 9\n")
    assert link.is_symlink()
    assert load(file).engine.poll_s == 9


def test_a_failed_write_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("minertui.durable.os.fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        remove_miner(file, "attic")
    assert file.read_text() == COMMENTED
    assert [p.name for p in file.parent.iterdir()] == ["config.toml"]


@given(name=st.text(max_size=70), tag=st.text(max_size=20))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_name_or_tag_injects_anything(tmp_path: Path, name: str, tag: str) -> None:
    path = tmp_path / "config.toml"
    path.unlink(missing_ok=True)
    entry = MinerEntry(name=name, address="10.0.0.1", tags=(tag,))
    try:
        save_miner(path, entry)
    except ConfigError:
        assert not path.exists()
    else:
        assert entries(load(path)) == [entry]


def test_a_file_of_an_editor_that_marks_utf_8_is_read_and_changed(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_bytes(b'\xef\xbb\xbf# mine\r\n[[miner]]\r\nname = "a"\r\naddress = "192.168.1.2"\r\n')
    file.chmod(0o644)
    assert [miner.name for miner in load(file).miner] == ["a"]
    save_miner(file, MinerEntry("b", "192.168.1.3"))
    remove_miner(file, "a")
    assert [miner.name for miner in load(file).miner] == ["b"]
    assert b"# mine" in file.read_bytes()
