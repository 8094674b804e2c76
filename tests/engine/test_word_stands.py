"""What a person orders while the disk keeps a job's way back: their word stands, and the file goes when it can."""

from __future__ import annotations

import pytest

from minertui import durable
from minertui.engine.journal import Journal, UnreadError
from minertui.model.commands import Rank, Tune
from tests.engine.bench import SWEEP, Bench

pytestmark = pytest.mark.looptime
HOME = (525, 1150)


@pytest.fixture
async def left(bench: Bench) -> Bench:
    """A sweep lowered it, and ended without leading it back."""
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(450, 1100))).ok
    bench.arbiter.release("garage", SWEEP)
    return bench


def closed(*_: object) -> None:
    raise OSError(5, "Input/output error")


async def test_it_is_not_led_back_over_their_word(left: Bench, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as disk:
        disk.setattr(durable, "remove", closed)
        outcome = await left.person(Tune(400, 1100))
        assert outcome.ok
        assert "the next start of the engine may lead it back" in outcome.reason
        assert await left.arbiter.restore_all() == ()
    assert left.at == (400, 1100)
    assert left.journal.checked() == ""
    assert Journal(left.journal._folder, left.clock.wall).entries() == ()


async def test_nor_while_nobody_can_read_what_is_kept(left: Bench, monkeypatch: pytest.MonkeyPatch):
    def unread(*_: object) -> None:
        raise UnreadError("the disk does not answer")

    with monkeypatch.context() as disk:
        disk.setattr(Journal, "read", unread)
        outcome = await left.person(Tune(400, 1100))
        assert outcome.ok
        assert "the next start of the engine may lead it back" in outcome.reason
    assert await left.arbiter.restore_all() == ()
    assert left.at == (400, 1100)


async def test_work_that_begins_later_has_a_way_back_of_its_own(left: Bench, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as disk:
        disk.setattr(durable, "remove", closed)
        assert (await left.person(Tune(400, 1100))).ok
    left.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await left.do(Tune(420, 1100))).ok
    assert (await left.arbiter.conclude("garage", None, SWEEP)).ok
    assert left.at == (400, 1100)
    assert left.journal.entries() == ()
    assert left.journal.checked() == ""


async def test_what_another_program_keeps_there_by_then_is_not_removed(left: Bench, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as disk:
        disk.setattr(durable, "remove", closed)
        assert (await left.person(Tune(400, 1100))).ok
    (entry,) = Journal(left.journal._folder, left.clock.wall).entries()
    Journal(left.journal._folder, lambda: entry.at_s + 1).open_entry(entry, instead=True)
    assert left.journal.checked() == ""
    assert len(left.journal.entries()) == 1
