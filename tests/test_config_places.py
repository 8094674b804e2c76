"""One miner that stands in the config twice is found however its address is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.config import Config, MinerConfig
from minertui.config_places import check, free, notice, renamed, same_place
from minertui.model.errors import ConfigError

FILE = Path("config.toml")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10.0.0.1", "10.0.0.1:80"),
        ("garage.local", "GARAGE.local"),
        ("garage.local", "garage.local."),
        ("10.0.0.1", "http://10.0.0.1/"),
        ("[FE80::1]:80", "[fe80::1]"),
    ],
)
def test_spellings_of_one_place(one: str, other: str):
    assert same_place(one, other)


@pytest.mark.parametrize(("one", "other"), [("10.0.0.1", "10.0.0.1:8080"), ("10.0.0.1", "10.0.0.11"), ("a b", "a")])
def test_two_places(one: str, other: str):
    assert not same_place(one, other)


def test_what_is_wrong_names_file_line_both_miners_the_address_and_what_to_do():
    text = '[[miner]]\nname = "a"\naddress = "rig.local"\n[[miner]]\nname = "b"\naddress = "RIG.local:80"\n'
    miners = (MinerConfig("a", "rig.local"), MinerConfig("b", "RIG.local:80"))
    with pytest.raises(ConfigError) as caught:
        check(Config(miner=miners), FILE, text)
    assert str(caught.value) == (
        "config.toml:6: miner[2].address: “a” and “b” have one address, RIG.local:80: "
        "give each its own, or remove one of the two"
    )
    check(Config(miner=miners[:1]), FILE, text)


def test_what_an_engine_says_counts_them():
    three = tuple(MinerConfig(name, "10.0.0.1") for name in "abc")
    assert "“a” and “b” have one address, 10.0.0.1" in notice(Config(miner=three))
    assert "(and 1 more such)" in notice(Config(miner=three))
    assert "more such" not in notice(Config(miner=three[:2]))
    assert notice(Config(miner=three[:1])) == ""


def test_a_place_is_free_for_who_has_it_and_for_nobody_else():
    miners = [{"name": "a", "address": "10.0.0.1"}, {"name": "b", "address": "10.0.0.1"}]
    free(miners, FILE, "a", "10.0.0.1:80")  # a double that is there already keeps nothing from being changed
    free(miners, FILE, "a", "10.0.0.2")
    for name in ("", "c"):
        with pytest.raises(ConfigError, match=r"“a” has the address 10\.0\.0\.1 already"):
            free(miners, FILE, name, "10.0.0.1")


def test_who_has_another_name_at_the_same_address():
    before = Config(miner=(MinerConfig("a", "rig.local"), MinerConfig("b", "10.0.0.2"), MinerConfig("c", "10.0.0.3")))
    after = Config(miner=(MinerConfig("x", "RIG.local:80"), MinerConfig("c", "10.0.0.2"), MinerConfig("d", "10.0.0.9")))
    assert renamed(before, after) == [("a", "x")], "b's place has c now, which is another one's name"
    assert renamed(before, before) == []
