"""A person's order that changes nothing: what the miner runs already is what they want, and needs no way back any more;
an order that was refused without a change leaves the way back of the one before it; and what was
applied is told so whatever the journal says."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.engine.journal import JournalError
from minertui.model.commands import OutcomeState, Rank, Tune
from tests.engine.bench import Bench
from tests.engine.house import until
from tests.engine.test_persons_entry import GUARD, cut_off
from tests.engine.test_taken import sweeping

pytestmark = pytest.mark.looptime


async def test_a_point_of_a_sweep_that_a_person_orders_stays(tmp_path: Path):
    async with sweeping(tmp_path) as swept:
        await until(lambda: not swept.engine.arbiter._desk("m1").turn.locked(), 100)
        here = swept.miner.mhz, swept.miner.mv
        outcome = await swept.person(Tune(here[0], round(here[1])))
        assert outcome.reason == "it is so already; this ended the sweep on it"
        await until(lambda: swept.over, 60)
        await until(lambda: not swept.journal, 60)
        assert (swept.miner.mhz, swept.miner.mv) == here


async def test_what_waits_to_be_given_back_does_not_go_up_where_a_person_wants_it(bench: Bench):
    assert (await bench.do(Tune(500), Rank.SAFETY, GUARD)).ok
    assert (await bench.person(Tune(500))).ok
    assert bench.journal.entries() == ()


async def test_where_a_cut_off_order_came_to_can_be_ordered(bench: Bench):
    await cut_off(bench, Tune(575, 1200))
    assert bench.at == (525, 1175)
    assert (await bench.person(Tune(525, 1175))).ok
    assert bench.journal.entries() == ()


async def test_an_order_without_a_value_wants_nothing(bench: Bench):
    assert (await bench.do(Tune(500), Rank.SAFETY, GUARD)).ok
    await bench.person(Tune())
    assert len(bench.journal.entries()) == 1


async def test_a_job_that_asks_for_what_is_so_keeps_its_way_back(bench: Bench):
    assert (await bench.do(Tune(550))).ok
    assert (await bench.do(Tune(550))).ok
    assert len(bench.journal.entries()) == 1


async def test_nothing_is_known_to_be_so_already_at_a_miner_that_does_not_answer(bench: Bench):
    assert (await bench.do(Tune(550))).ok
    bench.miner.dead = True
    outcome = await bench.person(Tune(550, 1150))
    assert outcome.state is OutcomeState.UNKNOWN
    assert "does not answer now" in outcome.reason
    assert len(bench.journal.entries()) == 1


async def test_a_refused_order_that_moved_nothing_leaves_the_way_back_of_the_one_cut_off_before(bench: Bench):
    await cut_off(bench, Tune(575, 1200))
    bench.miner.ignore = True
    assert (await bench.person(Tune(600, 1200))).state is OutcomeState.REFUSED
    bench.miner.ignore = False
    ((_, outcome),) = await bench.arbiter.restore_all()
    assert outcome.ok, outcome
    assert bench.at == (525, 1150)


async def test_a_refused_order_that_stopped_on_the_way_is_where_the_person_was_told(bench: Bench):
    await cut_off(bench, Tune(575, 1200))
    bench.miner.spy = lambda what: setattr(bench.miner, "ignore", True) if what == "written" else None
    outcome = await bench.person(Tune(600, 1225))
    assert outcome.state is OutcomeState.REFUSED
    assert outcome.changes
    assert bench.journal.entries() == ()


async def test_a_journal_that_cannot_forget_does_not_make_an_order_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    def stays(_: str) -> None:
        raise JournalError("the entry cannot be removed: Read-only file system")

    monkeypatch.setattr(bench.journal, "close", stays)
    outcome = await bench.person(Tune(550))
    assert (outcome.state, bench.at) == (OutcomeState.APPLIED, (550, 1150))
    assert "Read-only file system, so the next start of the engine may lead it back" in outcome.reason
