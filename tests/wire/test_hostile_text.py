"""Each attack through all texts of each answer at once, and one of them through each place alone, where a number should
be too: what comes out is printable, finite and never an error of our own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from minertui.model.errors import Garbled, MinertuiError
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_fields import asic, info
from minertui.sim.axeos_statistics import statistics
from minertui.wire.axeos.info import parse_info
from minertui.wire.axeos.statistics import parse_statistics
from minertui.wire.duco import rest
from minertui.wire.duco.pool import Conversation, Desync, Motd, Refusal, Verdict
from tests.proofs.fuzz_duco import finite
from tests.tui.pictures import PAYLOADS

Place = tuple[Any, ...]
ESCAPE = PAYLOADS[7]


def boards() -> list[Board]:
    made = [Board("gamma", firmware="v2.15.3", seed=1), Board("supra", firmware="v2.4.5", seed=2),
            Board("nerdqaxe++", seed=3)]  # fmt: skip
    for board in made:
        board.settle(900)
    return made


BOARDS = boards()


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Where texts are, keys of objects included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*at, key)
            yield from places(inner, (*at, key))
    elif isinstance(value, list):
        for n, inner in enumerate(value[:4]):
            yield from places(inner, (*at, n))
    elif isinstance(value, str):
        yield at


def attacked(value: Any, at: Place, payload: str) -> bytes:
    """``value`` with the payload at this place: for the text there, or as the value of the key."""
    made = copy.deepcopy(value)
    inner = made
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = payload
    return json.dumps(made).encode()


def answers(told: dict[str, Any]) -> Iterator[bytes]:
    """``told`` under attack."""
    for payload in PAYLOADS:
        yield json.dumps(everywhere(told, payload)).encode()
    for at in sorted(set(places(told)), key=str):
        yield attacked(told, at, ESCAPE)


def everywhere(value: Any, payload: str) -> Any:
    """``value`` with the payload for every text."""
    if isinstance(value, dict):
        return {key: everywhere(inner, payload) for key, inner in value.items()}
    if isinstance(value, list):
        return [everywhere(inner, payload) for inner in value]
    return payload if isinstance(value, str) else value


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.family.model)
def test_every_text_of_a_miner(board: Board):
    told, options = info(board), asic(board) or {}
    plain = json.dumps(told).encode()
    assert len(set(places(told))) > 40
    for data in answers(told):
        finite(parse_info(data, None))
    for data in answers(options):
        finite(parse_info(plain, data))


def test_every_text_of_its_statistics():
    told = statistics(BOARDS[0], "")
    assert told
    told["statistics"] = told["statistics"][:3]
    for data in answers(told):
        try:
            finite(parse_statistics(data))
        except Garbled as error:
            finite(str(error))


def test_every_text_of_the_duco_server():
    row = dict.fromkeys(rest.MinerRow.__struct_fields__, "x") | {"hashrate": 218.0, "accepted": 9}
    for told in (
        {"success": True, "result": {"balance": {"username": "u", "balance": 1.5, "verified": "yes"}, "miners": [row]}},
        {"success": True, "result": [row]}, {"success": False, "message": "no"},
        {"success": True, "ip": "203.0.113.7", "port": 6000, "name": "pool"}, {"success": True, "has_key": True},
    ):  # fmt: skip
        for data in answers(told):
            for parse in (rest.parse_get_pool, rest.parse_users, rest.parse_miners, rest.parse_mining_key):
                try:
                    finite(parse(data))
                except MinertuiError as error:
                    finite(str(error))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_every_word_of_a_pool(payload: str):
    """Greeting, message of the day, instead of a job, reason of a verdict and instead of one."""
    text = payload.encode() + b"\n"
    job = b"%s,%s,8\n" % (b"a" * 40, b"b" * 40)
    seen: list[object] = []
    for said in ((text,), (b"BAD," + text,), (b"4.3\n", text), (b"4.3\n", b"BAD," + text),
                 (b"4.3\n", job, b"BAD," + text), (b"4.3\n", job, text)):  # fmt: skip
        talk = Conversation("alice", "AVR", chip_id="DUCOID0", software="s", rig_id="r")
        for n, line in enumerate(said):
            seen += talk.received(line)
            if n == 0 and not talk.over and len(said) > 1:
                talk.request_job()
            elif n == 1 and not talk.over and len(said) > 2:
                talk.submit(1, None)
    for event in seen:
        finite(event)
    assert {type(event) for event in seen} & {Desync, Motd, Refusal, Verdict}
