from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minertui.model.errors import Garbled, Refused
from minertui.wire.duco.rest import (
    KeyState,
    MinerRow,
    PoolAddress,
    mining_key_path,
    parse_get_pool,
    parse_miners,
    parse_mining_key,
    parse_users,
    users_path,
)

PARSERS = [parse_get_pool, parse_users, parse_miners, parse_mining_key]


def test_recorded_pool(recorded: Path) -> None:
    pool = parse_get_pool((recorded / "duco" / "rest_getPool.json").read_bytes())
    assert pool == PoolAddress("198.51.100.20", 6043, "example-pool")
    with pytest.raises(Refused, match="the server says: You're using a proxy or VPN"):
        parse_get_pool((recorded / "duco" / "rest_getPool_error.json").read_bytes())


def test_recorded_user(recorded: Path) -> None:
    account = parse_users((recorded / "duco" / "rest_users_name.json").read_bytes())
    assert account.balance.username == "alice"
    assert account.balance.balance == pytest.approx(2935.2533704999)
    (row,) = account.miners
    assert (row.software, row.hashrate, row.accepted, row.diff, row.ki) == (
        "Official AVR Miner 3.0",
        227.8,
        219223,
        4,
        2,
    )
    assert row.pg is None
    assert row.it is None


def test_recorded_no_miners(recorded: Path) -> None:
    with pytest.raises(Refused, match="No miners detected for: alice"):
        parse_miners((recorded / "duco" / "rest_miners_none_error.json").read_bytes())


def test_recorded_keys(recorded: Path) -> None:
    answers = json.loads((recorded / "duco" / "rest_mining_key.json").read_bytes())
    told = {name: parse_mining_key(json.dumps(answer).encode()) for name, answer in answers.items()}
    assert told == {
        "no_key_set": KeyState.NOT_NEEDED,
        "right_key": KeyState.RIGHT,
        "wrong_or_missing_key": KeyState.WRONG,
    }


@pytest.mark.parametrize("parse", PARSERS)
def test_web_pages_and_bans(parse: Any) -> None:
    page = b"<!doctype html><html>Too Many Requests</html>"
    with pytest.raises(Refused, match="too often"):
        parse(page, 429)
    with pytest.raises(Refused, match="ban lasts an hour") as banned:
        parse(page, 403)
    assert banned.value.auth
    with pytest.raises(Refused, match="HTTP 502"):
        parse(page, 502)
    with pytest.raises(Garbled, match="a web page"):
        parse(page)


def test_one_bad_row_or_member_costs_itself_alone() -> None:
    rows = [{"identifier": "a\x1b[2Jb", "hashrate": "227.8", "accepted": "x", "diff": None}, 7, None, {"threadid": 3}]
    answer = {"result": {"balance": {"username": "alice", "balance": 1}, "miners": rows}, "success": True}
    first, second = parse_users(json.dumps(answer).encode()).miners
    assert (first.identifier, first.hashrate, first.accepted) == ("a\ufffd[2Jb", 227.8, None)
    assert second.threadid == ""


@pytest.mark.parametrize("number", ["1e308", "-1e308", "1" + "0" * 300, "NaN", "1e999"])
def test_a_number_that_no_account_has_is_unknown(number: str) -> None:
    row = ", ".join(f'"{name}": {number}' for name in ("hashrate", "sharetime", "accepted", "ki", "pg"))
    data = f'{{"success": true, "result": {{"balance": {{"username": "u", "balance": 1}}, "miners": [{{{row}}}]}}}}'
    try:
        [found] = parse_users(data.encode()).miners
    except Garbled:
        assert number in ("NaN", "1e999")  # which are no JSON
    else:
        assert found == MinerRow()


@pytest.mark.parametrize(
    "pool", [{}, {"ip": "", "port": 1}, {"ip": "1.2.3.4", "port": 0}, {"ip": "1.2.3.4", "port": 70_000},
             {"ip": "a\u202eb", "port": 1}, {"ip": None, "port": 1}]
)  # fmt: skip
def test_no_pool_in_the_answer(pool: dict[str, Any]) -> None:
    with pytest.raises(Garbled, match="names no pool"):
        parse_get_pool(json.dumps(pool | {"success": True}).encode())


def test_paths_are_quoted() -> None:
    assert users_path("a/b?c") == "/users/a%2Fb%3Fc?limit=1"
    assert mining_key_path("alice", "k&y #1") == "/mining_key?u=alice&k=k%26y%20%231"
    assert mining_key_path("alice", None) == "/mining_key?u=alice&k=None"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["success", "has_key", "message", "result", "balance", "miners", "ip", "port", "diff"]),
        inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@given(VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200), st.sampled_from(PARSERS))
def test_any_answer_is_a_value_or_a_sentence(data: bytes, parse: Any) -> None:
    try:
        parse(data)
    except (Garbled, Refused):
        return
