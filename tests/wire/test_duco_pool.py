from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minertui.wire.duco.hash import Job
from minertui.wire.duco.lines import OVERLONG, Lines
from minertui.wire.duco.messages import cleaned, encode_iot, encode_job, encode_result, made_up_id
from minertui.wire.duco.pool import (
    Closed,
    Conversation,
    Desync,
    Event,
    Greeted,
    JobCame,
    Kind,
    Motd,
    Refusal,
    State,
    Verdict,
)

ID = "DUCOID000C948900948900"
LAST = "05b7406b3909071b2d85b2d2958ad07a0d52bd12"
EXPECTED = "0d4b80952939b2e4e173c17b69c7d8593ff7ddc2"
JOB_LINE = f"{LAST},{EXPECTED},10\n".encode()
JOB = Job(LAST, EXPECTED, 10)


def talk(state: State = State.GREETING, user: str = "alice") -> Conversation:
    """A conversation brought to ``state``."""
    talk = Conversation(user, "AVR", chip_id=ID, software="Official AVR Miner 4.3", rig_id="rig1")
    order = [State.GREETING, State.READY, State.ASKED, State.OPEN, State.JUDGED]
    for at in order[: order.index(state)]:
        if at is State.GREETING:
            talk.received(b"3.0\n")
        elif at is State.READY:
            talk.request_job()
        elif at is State.ASKED:
            talk.received(JOB_LINE)
        else:
            talk.submit(973, 220.5)
    assert talk.state is state
    return talk


def test_one_share() -> None:
    one = talk()
    assert one.received(b"3.0\n") == [Greeted("3.0")]
    assert one.request_job() == b"JOB,alice,AVR,None"
    assert one.received(JOB_LINE) == [JobCame(JOB)]
    assert one.submit(973, 220.5) == b"973,220.50,Official AVR Miner 4.3,rig1,DUCOID000C948900948900"
    assert one.received(b"GOOD\n") == [Verdict(Kind.GOOD)]
    assert one.state is State.READY
    assert one.unpaid_left == 9


def test_every_recorded_dialogue(recorded: Path) -> None:
    """What the client of each recorded dialogue got is understood as it was meant."""
    text = (recorded / "duco" / "pool_dialogue.txt").read_text()
    told: dict[str, list[Event]] = {}
    talks: dict[str, Conversation] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        number, way, rest = line.split(" ", 2)
        data: bytes = ast.literal_eval(rest)
        one = talks.setdefault(number, Conversation("alice", "AVR", chip_id=ID, software="s", rig_id="r"))
        if way == ">":
            if data == b"MOTD":
                one.ask_motd()
            elif one.state is State.OPEN:
                one.submit(1, 220.0)
            else:
                one.request_job()
        else:
            told.setdefault(number, []).extend(one.received(data) if data else one.closed())
    kinds = {
        number: [getattr(e, "reason", "") or type(e).__name__ for e in events if not isinstance(e, JobCame)]
        for number, events in told.items()
    }
    assert kinds == {
        "1": ["Greeted", "Motd", "Verdict", "Incorrect result", "Too low starting difficulty",
              "Too high starting difficulty", "Verdict"],
        "4": ["Greeted", "No username specified"],
        "5": ["Greeted", "Incorrect data"],
        "7": ["Greeted"],
        "13": ["Greeted", "Incorrect result"],
        "14": ["Greeted", "Verdict"],
        "15": ["Greeted", "Verdict"],
    }  # fmt: skip
    difficulties = [e.job.difficulty for e in told["1"] + told["7"] if isinstance(e, JobCame)]
    assert difficulties == [10, 10, 10, 32, 10, 400_000]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (b"GOOD\n", Verdict(Kind.GOOD)),
        (b"BLOCK\n", Verdict(Kind.BLOCK)),
        (b"BAD\n", Verdict(Kind.BAD)),
        (b"BAD,\n", Verdict(Kind.BAD)),
        (b"BAD,Incorrect result\r\n", Verdict(Kind.BAD, "Incorrect result")),
        (b"BAD,You have been moved, twice\n", Verdict(Kind.BAD, "You have been moved, twice")),
        (b"BAD,\x1b[2Jx\n", Verdict(Kind.BAD, "\ufffd[2Jx")),
    ],
)
def test_verdicts(line: bytes, verdict: Verdict) -> None:
    one = talk(State.JUDGED)
    assert one.received(line) == [verdict]
    assert one.state is State.READY
    assert one.accepted == verdict.accepted


def test_another_verdict_is_a_rejected_share_and_needs_a_new_connection() -> None:
    one = talk(State.JUDGED)
    verdict, desync = one.received(b"Pong!\n")
    assert verdict == Verdict(Kind.OTHER, "Pong!")
    assert isinstance(desync, Desync)
    assert one.over


def test_a_verdict_that_closes() -> None:
    one = talk(State.JUDGED)
    assert one.received(b"BAD,User banned\n") == [Verdict(Kind.BAD, "User banned"), Refusal("User banned")]
    assert one.over


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (State.GREETING, b"HTTP/1.1 400 Bad Request\n"),
        (State.GREETING, b"\n"),
        (State.GREETING, JOB_LINE),
        (State.READY, b"GOOD\n"),
        (State.READY, b"\n"),
        (State.ASKED, b"GOOD\n"),
        (State.ASKED, b"\n" + JOB_LINE),
        (State.ASKED, JOB_LINE.replace(b",10", b",0")),
        (State.ASKED, JOB_LINE.replace(b",10", b",-1")),
        (State.ASKED, JOB_LINE[1:]),
        (State.ASKED, b"x" + JOB_LINE),
        (State.OPEN, b"GOOD\n"),
        (State.OPEN, JOB_LINE),
        (State.JUDGED, JOB_LINE),
    ],
)
def test_out_of_step(state: State, line: bytes) -> None:
    one = talk(state)
    events = one.received(line)
    assert isinstance(events[-1], Desync)
    assert one.over
    assert one.received(JOB_LINE) == []
    for turn in (one.request_job, one.ask_motd, lambda: one.submit(1, 1.0)):
        with pytest.raises(RuntimeError, match="not now"):
            turn()


def test_glued_and_split_segments() -> None:
    one = talk(State.JUDGED)
    good, desync = one.received(b"GOOD\n" + JOB_LINE)  # a job that nobody asked for
    assert good == Verdict(Kind.GOOD)
    assert isinstance(desync, Desync)
    one = talk(State.ASKED)
    events = [event for byte in JOB_LINE for event in one.received(bytes((byte,)))]
    assert events == [JobCame(JOB)]


def test_a_line_without_end() -> None:
    one = talk(State.ASKED)
    events = [event for _ in range(100) for event in one.received(b"x" * 100)]
    assert len(events) == 1
    assert isinstance(events[0], Desync)


def test_motd_of_several_lines_and_without_newline() -> None:
    one = talk(State.READY)
    assert one.ask_motd() == b"MOTD"
    assert one.received(b"Welcome\n\nto the [b]pool\nlast line") == [Motd("Welcome"), Motd(""), Motd("to the [b]pool")]
    assert one.request_job() == b"JOB,alice,AVR,None"
    assert one.received(b" of it\nand" + JOB_LINE) == [Motd("last line of it"), JobCame(JOB)]
    one.submit(1, 1.0)
    one.received(b"GOOD\n")
    with pytest.raises(RuntimeError, match="takes MOTD for a result"):
        one.ask_motd()


def test_a_motd_without_end() -> None:
    one = talk(State.READY)
    one.ask_motd()
    assert isinstance(one.received(b"ha\n" * 100)[-1], Desync)


def test_only_one_message_at_a_time() -> None:
    for state, turns in {
        State.GREETING: ["request_job", "submit", "ask_motd"],
        State.READY: ["submit"],
        State.ASKED: ["request_job", "submit", "ask_motd"],
        State.OPEN: ["request_job", "ask_motd"],
        State.JUDGED: ["request_job", "submit", "ask_motd"],
    }.items():
        for turn in turns:
            one = talk(state)
            with pytest.raises(RuntimeError, match="not now"):
                one.submit(5, 1.0) if turn == "submit" else getattr(one, turn)()
            assert one.state is state


def test_the_end_says_what_was_under_way_once() -> None:
    one = talk(State.OPEN)
    assert one.closed() == [Closed(State.OPEN)]
    assert one.job is None
    assert one.closed() == []


@given(st.lists(st.binary(max_size=300), max_size=12), st.sampled_from(list(State)[:2] + list(State)[3:6]))
def test_any_bytes_are_events(pieces: list[bytes], state: State) -> None:
    one = talk(state)
    events = [event for piece in pieces for event in one.received(piece)]
    ends = [event for event in events if isinstance(event, Desync | Refusal)]
    assert len(ends) <= 1
    assert one.over == bool(ends)


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b""))), st.data())
def test_lines_do_not_depend_on_the_segments(lines: list[bytes], data: st.DataObject) -> None:
    stream, framer, got = b"".join(line + b"\n" for line in lines), Lines(40), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        got += framer.feed(stream[:size])
        stream = stream[size:]
    assert got == lines


def test_an_overlong_line_is_told_once_and_the_next_is_whole() -> None:
    framer = Lines(10)
    assert framer.feed(b"x" * 25) == [OVERLONG]
    assert framer.feed(b"x" * 25 + b"\nshort\n" + b"y" * 11 + b"\nz\n") == [b"short", OVERLONG, b"z"]


def test_job_messages() -> None:
    assert encode_job("alice", "AVR", "s3cr3t!") == b"JOB,alice,AVR,s3cr3t!"
    assert encode_job("alice", "AVR", None, encode_iot({"temp": 21.04})) == b"JOB,alice,AVR,None,temp:21.0"
    for user, tier, key in [("a,b", "AVR", None), ("", "AVR", None), ("a", "AVR,x", None), ("a", "AVR", "my, key")]:
        with pytest.raises(ValueError, match=r"user name|no tier|mining key") as error:
            encode_job(user, tier, key)
        assert not key or key not in str(error.value)


@pytest.mark.parametrize(
    ("rate", "text"),
    [(220.5, b"220.50"), (1000, b"1000.00"), (None, b""), (0.0, b""), (-3, b""), (float("nan"), b""),
     (float("inf"), b"")],
)  # fmt: skip
def test_the_rate_is_decimal_or_left_empty(rate: float | None, text: bytes) -> None:
    assert encode_result(7, rate, software="s", rig_id="r", chip_id=ID).split(b",")[1] == text


@given(st.text(), st.text())
def test_names_cannot_break_the_message(software: str, rig_id: str) -> None:
    message = encode_result(7, 1.0, software=software, rig_id=rig_id, chip_id=ID)
    assert message.count(b",") == 4
    assert b":" not in message
    assert b"\n" not in message
    assert message.isascii()


def test_names_and_ids() -> None:
    assert cleaned("rig:1\n(attic), 2.0-é") == "rig 1 (attic)  2.0-"
    for chip_id in ("", "DUCOID,1", "DUCOID 1"):
        with pytest.raises(ValueError, match="no id"):
            encode_result(7, 1.0, software="s", rig_id="r", chip_id=chip_id)
    with pytest.raises(ValueError, match="never a solution"):
        encode_result(0, 1.0, software="s", rig_id="r", chip_id=ID)
    assert made_up_id("rig1/20") == made_up_id("rig1/20") != made_up_id("rig1/21")
    assert len(made_up_id("x")) == len(ID)


def test_iot_keeps_to_its_length() -> None:
    text = encode_iot({f"sensor:{n}": 20.0 for n in range(9)} | {"nan": float("nan")})
    assert text.startswith("sensor 0:20.0@sensor 1:20.0@")
    assert len(text) <= 48
