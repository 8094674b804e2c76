"""Hash, checksums, exchanges and the parsers of everything a board says."""

from __future__ import annotations

import ast
import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minertui.model.errors import Garbled
from minertui.sim.duco_sketch import SketchBoard
from minertui.wire.duco import adaptor, crc, dialect, i2c_a, i2c_a85, i2c_b, i2c_c, i2c_d, i2c_text, sketch
from minertui.wire.duco.exchange import (
    BoardError,
    Exchange,
    NotFound,
    Outcome,
    Read,
    Solved,
    TooHard,
    Wait,
    Write,
    WrongNonce,
)
from minertui.wire.duco.hash import TEST_JOB, TEST_NONCE, Job, digest, longest_s, mean_s, solve, verify

LAST = "05b7406b3909071b2d85b2d2958ad07a0d52bd12"
VECTORS = {
    "9d180ec72683f79f586ccdca311f301b7bcf884c": 476,
    "a1c58fd7ba657c03ccf13df553af9dcf37827186": 2,
    "a1fcb18d4275d7c761aecf9f5138539977932e17": 999,
}
JOB = Job(LAST, "9d180ec72683f79f586ccdca311f301b7bcf884c", 5)


@pytest.mark.parametrize(("expected", "nonce"), VECTORS.items())
def test_hash_vectors(expected: str, nonce: int) -> None:
    job = Job(LAST, expected, 10)
    assert solve(job) == nonce
    assert verify(job, nonce)
    assert not verify(job, nonce + 1)
    assert digest(LAST, nonce) == expected


def test_hash_edges() -> None:
    assert solve(TEST_JOB) == TEST_NONCE
    assert solve(Job(LAST, digest(LAST, 999), 9)) is None  # beyond 100 × difficulty
    assert not verify(Job(LAST, digest(LAST, 999), 9), 999)
    assert not verify(Job(LAST, digest(LAST, 0), 9), 0)  # 0 says "not found"
    assert mean_s(5, 160) == pytest.approx(1.57, abs=0.01)
    assert longest_s(5, 160) == pytest.approx(3.125)
    assert longest_s(10) == 10


def test_crc_vectors() -> None:
    assert (crc.maxim(b"123456789"), crc.plain(b"123456789")) == (161, 244)
    assert crc.maxim(b"476,1424000,DUCOIDb4d7be17bae25c6b,") == 247
    assert (crc.plain(b"476,1422,"), crc.plain(b"999,2984,")) == (192, 49)


def test_jobs_as_each_dialect_writes_them() -> None:
    text = f"{JOB.last_hash},{JOB.expected},5"
    assert i2c_text.job_text(JOB, i2c_b.SPELLING) == f"{text}\n".encode()
    assert i2c_text.job_text(JOB, i2c_c.SPELLING) == f"{text},59\n".encode()
    assert i2c_text.job_text(JOB, i2c_c.WITHOUT_CRC) == f"{text}\n".encode()
    assert i2c_text.job_text(JOB, i2c_d.SPELLING) == f"{text},73\n".encode()
    far = Job(LAST, "a1fcb18d4275d7c761aecf9f5138539977932e17", 10)
    assert i2c_text.job_text(far, i2c_d.SPELLING).endswith(b",10,0\n")  # a CRC of 0 is valid
    assert sketch.job_text(JOB) == f"{text},".encode()


def test_answers() -> None:
    answer = i2c_text.parse_answer(b"476,1424000,DUCOIDb4d7be17bae25c6b,247", i2c_c.SPELLING)
    assert answer == i2c_text.Answer(476, 1_424_000, "DUCOIDb4d7be17bae25c6b")
    assert i2c_text.parse_answer(b"476,1422,192", i2c_d.SPELLING) == i2c_text.Answer(476, 1_422_000, None)
    assert i2c_text.parse_answer(b"#,0000,DUCOIDb4d7be17bae25c6b,216", i2c_c.SPELLING).nonce is None
    assert i2c_text.parse_answer(b"0,0000,DUCOIDb4d7be17bae25c6b", i2c_b.SPELLING).nonce is None
    small = i2c_text.parse_answer(b"2,8000,DUCOIDb4d7be17bae25c6b,14", i2c_c.SPELLING)
    two = Job(LAST, "a1c58fd7ba657c03ccf13df553af9dcf37827186", 5)
    outcome = i2c_text.judged(small, two)
    assert outcome == Solved(2, None, "DUCOIDb4d7be17bae25c6b")  # 4 ms a hash whatever it took: no rate
    assert isinstance(outcome, Solved)
    assert outcome.rate_hs is None


@given(st.integers(0, 37), st.integers(0, 7))
def test_any_flipped_bit_of_a_checked_answer_is_seen(place: int, bit: int) -> None:
    text = b"476,1424000,DUCOIDb4d7be17bae25c6b,247"
    spoilt = text[:place] + bytes((text[place] ^ 1 << bit,)) + text[place + 1 :]
    with pytest.raises(Garbled):
        i2c_text.parse_answer(spoilt, i2c_c.SPELLING)


@given(st.binary(max_size=80), st.sampled_from([i2c_b.SPELLING, i2c_c.SPELLING, i2c_d.SPELLING]))
def test_any_text_is_an_answer_or_garbled(text: bytes, spelling: i2c_text.Spelling) -> None:
    try:
        answer = i2c_text.parse_answer(text, spelling)
    except Garbled:
        return
    assert answer.nonce is None or 0 < answer.nonce < 100_000


@pytest.mark.parametrize(
    ("reply", "chip", "told"),
    [("36", "atmega328p", 30), ("0", "atmega328p", None), ("37777777257", "atmega328p", None),
     ("37777777773", "t85", -5), ("39", "atmega328p", None), ("unkn", "t85", None), ("30.25", "rp2040", 30.25),
     ("-4.5", "rp2040", -4.5), ("x", "rp2040", None), ("77777777777", "t85", None)],
)  # fmt: skip
def test_temperatures(reply: str, chip: str, told: float | None) -> None:
    assert i2c_c.temperature_c(reply, chip) == told


def test_status_of_dialect_a() -> None:
    assert [i2c_a.state_of(told) for told in (b"Ic ", b"B?O", b"C? ")] == ["I", "B", "C"]
    assert [i2c_a.state_of(told) for told in (None, b"", b"I", b"\xff\xff\xff", b"I\xff ", b"Xc ")] == [None] * 6
    assert [i2c_a.number_of(told) for told in (b"  476", b"65535", b"    0")] == [476, 65_535, 0]
    assert [i2c_a.number_of(told) for told in (None, b"476", b"476  ", b" 4 76", b"\xff" * 5, b"     ")] == [None] * 6


@given(st.binary(max_size=6))
def test_any_bytes_are_a_status_or_none(data: bytes) -> None:
    assert i2c_a.state_of(data) in ("I", "B", "C", None)
    number = i2c_a.number_of(data)
    assert number is None or 0 <= number <= 99_999


def test_pieces_hold_both_hashes() -> None:
    for pieces in (i2c_a.PIECES, i2c_a85.PIECES):
        assert sum(size for _, size in pieces) == 80
    assert max(size for _, size in i2c_a85.PIECES) < 16


def run(exchange: Exchange, answers: list[bytes | None], *, most_s: float = 1e5) -> Outcome:
    """Drive an exchange with made-up bytes; when they run out, everything fails."""
    now_s, left = 0.0, list(answers)
    while now_s < most_s:
        step = exchange.next(now_s)
        if isinstance(step, Wait):
            now_s = step.until_s
        elif isinstance(step, Write):
            now_s += 0.001
            exchange.got(b"")
        elif isinstance(step, Read):
            now_s += 0.001
            exchange.got(left.pop(0) if left else None)
        else:
            assert exchange.next(now_s) == step  # the outcome stays
            return step
    raise AssertionError("it does not end")


@given(st.lists(st.none() | st.binary(max_size=24), max_size=60), st.sampled_from(dialect.DIALECTS))
def test_an_exchange_ends_and_lies_about_nothing(answers: list[bytes | None], name: str) -> None:
    outcome = run(dialect.solve(name, JOB, known=False), answers)
    assert isinstance(outcome, BoardError | NotFound | WrongNonce) or outcome == Solved(476)


@given(st.lists(st.none() | st.binary(min_size=1, max_size=3), max_size=60))
def test_detection_ends(answers: list[bytes | None]) -> None:
    assert run(dialect.detect(), answers) is not None


def test_a_board_that_sends_without_end() -> None:
    for name in ("B", "C", "D"):
        outcome = run(dialect.solve(name, JOB), [b"7"] * 1000)
        assert isinstance(outcome, BoardError)
        assert "without end" in outcome.reason


def test_an_exchange_says_the_same_until_it_is_answered() -> None:
    exchange = i2c_a.solve(JOB)
    assert exchange.next(0.0) == exchange.next(1.0) == Write(b"S")
    exchange.got(b"")
    assert exchange.next(1.0) == Read(3)
    exchange.got(b"B?O")
    step = exchange.next(1.0)
    assert isinstance(step, Wait)
    assert exchange.next(1.0) == step
    with pytest.raises(RuntimeError, match="no transfer"):
        exchange.got(b"")
    assert exchange.next(step.until_s) == Write(b"S")
    assert exchange.tally.busy_polls == 1


def test_a_top_bit_flipped_on_the_way_is_taken_back() -> None:
    text = b"\n" + b"476,1424000,DUCOIDb4d7be17bae25c6b,247".replace(b"2", b"\xb2") + b"\n"
    assert run(dialect.solve("C", JOB), [bytes((byte,)) for byte in text]) == Solved(
        476, 1_424_000, "DUCOIDb4d7be17bae25c6b"
    )


def test_no_other_dialect() -> None:
    with pytest.raises(ValueError, match="there are A, A85"):
        dialect.solve("F", JOB)


def test_recorded_sketch_replies(recorded: Path) -> None:
    lines = (recorded / "duco" / "sketch_replies.txt").read_text().splitlines()
    rates = {"2.5": 208, "3.0": 208, "4.3": 335}
    for line in lines:
        if line.startswith("#") or not line:
            continue
        version, test, reply = line.split(" | ")
        base = sketch.base_told_by(ast.literal_eval(test).rstrip())
        assert base == (sketch.Base.DECIMAL if version == "2.5" else sketch.Base.BINARY)
        answer = sketch.parse_reply(ast.literal_eval(reply).rstrip(), base)
        assert answer.nonce == 476
        assert 476e6 / answer.elapsed_us == pytest.approx(rates[version], abs=1)


@pytest.mark.parametrize(
    "line", [b"", b"476", b"476,", b"476,12,DUCO ID", b"2,10,X", b"1" * 30 + b",1,X", b"1,1,X,1", b"\xff,1,X"]
)
def test_garbage_of_a_sketch(line: bytes) -> None:
    with pytest.raises(Garbled):
        sketch.parse_reply(line, sketch.Base.BINARY)


@given(st.binary(max_size=120), st.sampled_from(list(sketch.Base)))
def test_any_line_is_a_reply_or_garbled(line: bytes, base: sketch.Base) -> None:
    try:
        answer = sketch.parse_reply(line, base)
    except Garbled:
        return
    assert answer.nonce is None or 0 < answer.nonce <= 65_500


@given(st.lists(st.none() | st.binary(max_size=40), max_size=30))
def test_a_serial_exchange_ends(answers: list[bytes | None]) -> None:
    assert not isinstance(run(sketch.solve(JOB, sketch.Base.BINARY), answers), Solved)
    assert run(sketch.Handshake().exchange, answers) is not None


@pytest.mark.parametrize("early_s", [0.0, 0.005, 0.2])
def test_a_board_that_still_starts_is_asked_again_soon(early_s: float) -> None:
    one, exchange, now_s = SketchBoard("3.3"), sketch.Handshake().exchange, sketch.BOOT_S - early_s
    one.reset(0.0)
    while not isinstance(step := exchange.next(now_s), Solved):
        assert not isinstance(step, BoardError)
        if isinstance(step, Wait):
            now_s = step.until_s
        elif isinstance(step, Write):
            one.feed(step.data, now_s)
            exchange.got(b"")
        else:
            exchange.got(one.output(now_s))
    assert now_s < sketch.BOOT_S + 1.5


def test_a_sketch_refuses_what_its_16_bits_cannot_count() -> None:
    assert run(sketch.solve(Job(LAST, LAST, 656), sketch.Base.BINARY), []) == TooHard(656, 655)


def test_adaptor_commands() -> None:
    assert adaptor.write_command(8, ord("x")) == b"8:w:x$"
    assert adaptor.read_command(8) == b"8:r$"
    assert adaptor.flush_command(8) == b"fl:w:8$"
    for byte in b":$":
        with pytest.raises(ValueError, match="cannot be sent"):
            adaptor.write_command(8, byte)
    with pytest.raises(ValueError, match="no board has address"):
        adaptor.read_command(127)
    letters = i2c_text.job_text(JOB, i2c_c.SPELLING)
    assert all(len(adaptor.write_command(119, byte)) <= 9 for byte in letters)


def test_adaptor_answers() -> None:
    answers = adaptor.Answers()
    answers.feed(b"08:")
    assert answers.read_byte(8) is None
    answers.feed(b"4$0A:$$08 0A \n")
    assert answers.read_byte(8) == b"4"
    assert answers.read_byte(10) == b"$"
    assert answers.scanned() == (8, 10)
    answers.feed(b"no I2CS detected\r\n")
    assert answers.scanned() == ()
    answers.feed(b"0B:4$")
    with pytest.raises(Garbled, match="not a byte of address 8"):
        answers.read_byte(8)
    with pytest.raises(Garbled, match="without end"):
        answers.feed(b"x" * 500)
    assert answers.scanned() is None


@given(st.binary(max_size=60))
def test_any_adaptor_answer_is_one_or_garbled(data: bytes) -> None:
    with contextlib.suppress(Garbled):
        assert all(1 <= address <= 126 for address in adaptor.parse_scan(data))
    with contextlib.suppress(Garbled):
        assert len(adaptor.parse_read(data, 8)) == 1
