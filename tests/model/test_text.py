"""Foreign text made harmless, and what has to be plain is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minertui.cli.discover import name_for
from minertui.config_file import save_miner
from minertui.model.errors import ConfigError, DeviceError, MinertuiError
from minertui.model.history import Found, MinerEntry
from minertui.model.text import as_name, clean, is_plain, plain, without_user
from minertui.tui.dialogs.discover import entries
from tests.tui.pictures import PAYLOADS

ACTS = [text for text in PAYLOADS if not text.isprintable()]


@given(st.text())
def test_what_was_cleaned_is_plain_and_stays_as_it_is(text: str):
    once = clean(text)
    assert is_plain(once)
    assert is_plain(plain(text))
    assert len(plain(text)) == len(text)
    assert is_plain(text) == (plain(text) == text)


@pytest.mark.parametrize("text", ACTS)
def test_an_error_is_plain_whatever_it_quotes(text: str):
    errors = (
        MinertuiError(text), DeviceError(text, text), ConfigError(text, file=Path(f"/{text}"), key=text, line=3)
    )  # fmt: skip
    for error in errors:
        assert not is_plain(text)
        assert is_plain(str(error))
        assert "\ufffd" in str(error)
        assert is_plain(getattr(error, "message", ""))
    assert is_plain(errors[2].key)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("pool.example.org", "pool.example.org"),
        ("stratum+tcp://pool.example.org:3333", "stratum+tcp://pool.example.org:3333"),
        ("stratum+tcp://alice:canary@pool.example.org", "•••@pool.example.org"),
        ("alice:can@ary@pool.example.org:3333", "•••@pool.example.org:3333"),
    ],
)
def test_a_user_in_an_address_is_hidden(url: str, shown: str):
    assert without_user(url) == shown


@pytest.mark.parametrize("text", [*PAYLOADS, "a" * 55 + " b", " ", "/", "\u3000x\xa0", "\xa0" * 300])
def test_every_miners_own_name_becomes_one_that_the_config_takes(text: str, tmp_path: Path):
    """One that does not would keep all the others from being added."""
    found = Found("10.0.0.1", "axeos", clean(text), clean(text))
    assert as_name(text) == as_name(as_name(text))
    names = [name_for(found, []), name_for(found, [name_for(found, [])]), *(e.name for e in entries([found, found]))]
    for n, name in enumerate(names):
        config = save_miner(tmp_path / f"{n}.toml", MinerEntry(name=name, address="10.0.0.1"), None)
        assert [miner.name for miner in config.miner] == [name]
