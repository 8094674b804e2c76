"""A person's order that was cut off left its entry in the journal; then somebody else orders, or the person again."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.model.commands import Command, OutcomeState, Rank, Tune
from tests.engine.bench import SWEEP, Bench

pytestmark = pytest.mark.looptime

HOME = (525, 1150)
GUARD = "guard:garage"


async def cut_off(bench: Bench, command: Command) -> None:
    """The miner takes the first write of a person's order and falls silent; then it answers again."""
    bench.miner.spy = lambda what: setattr(bench.miner, "dead", True) if what == "written" else None
    assert (await bench.person(command)).state is OutcomeState.UNKNOWN
    bench.miner.spy = lambda _: None
    bench.miner.dead = False


async def test_what_was_raised_half_way_goes_back_to_the_persons_settings_after_a_guard_too(bench: Bench):
    await cut_off(bench, Tune(575, 1200))
    assert bench.at == (525, 1175)
    assert (await bench.do(Tune(500), Rank.SAFETY, GUARD)).ok
    assert (await bench.arbiter.conclude("garage", None, GUARD)).ok
    assert bench.at == HOME
    assert bench.journal.entries() == ()


async def test_a_sweep_on_top_of_it_ends_there_too(bench: Bench):
    await cut_off(bench, Tune(575, 1200))
    assert (await bench.do(Tune(550, 1175))).ok
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == HOME


async def test_what_arrived_whole_is_what_a_guard_gives_back(bench: Bench):
    await cut_off(bench, Tune(550))
    assert bench.at == (550, 1150)
    assert (await bench.do(Tune(500), Rank.SAFETY, GUARD)).ok
    assert (await bench.arbiter.conclude("garage", None, GUARD)).ok
    assert bench.at == (550, 1150)


async def test_what_a_person_began_to_lower_stays_lower_after_a_guard(bench: Bench):
    await cut_off(bench, Tune(500, 1140))
    assert bench.at == (500, 1150)
    assert (await bench.do(Tune(450), Rank.SAFETY, GUARD)).ok
    assert (await bench.arbiter.conclude("garage", None, GUARD)).ok
    assert bench.at == (500, 1150)


async def test_a_second_order_that_is_cut_off_too_goes_back_to_where_the_first_began(bench: Bench):
    await cut_off(bench, Tune(575, 1200))
    await cut_off(bench, Tune(600, 1225))
    assert bench.at == (525, 1200)
    ((_, outcome),) = await bench.arbiter.restore_all()
    assert outcome.ok, outcome
    assert bench.at == HOME


async def test_its_way_back_is_on_disk_until_the_next_one_is(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """A disk that refuses in between is as good as a crash."""
    await cut_off(bench, Tune(575, 1200))
    [before] = bench.journal.entries()
    put = bench.journal._put

    def full(path: Path, raw: bytes) -> None:
        if path.suffix == ".json":
            raise OSError(28, "No space left on device")
        put(path, raw)

    monkeypatch.setattr(bench.journal, "_put", full)
    assert (await bench.do(Tune(500), Rank.SAFETY, GUARD)).ok, "what goes down goes without"
    assert bench.journal.entries() == (before,)


def by_another_hand(bench: Bench, mhz: float, mv: int) -> None:
    bench.miner.set(frequency_mhz=mhz, actual_mhz=mhz, core_mv=mv, core_actual_mv=mv)


async def test_what_somebody_set_since_counts_once_two_readings_agree(bench: Bench):
    """Else nothing but a person, or the next start, would let a job raise it again."""
    await cut_off(bench, Tune(575, 1200))
    by_another_hand(bench, 480, 1120)
    assert "somebody else" in (await bench.do(Tune(500), Rank.SAFETY, GUARD)).reason, "one reading may be half of it"
    assert (await bench.do(Tune(500), Rank.SAFETY, GUARD)).ok
    assert (await bench.arbiter.conclude("garage", None, GUARD)).ok
    assert bench.at == (480, 1120)
    assert bench.journal.entries() == ()


async def test_what_is_above_the_persons_own_waits_for_a_person_and_says_so(bench: Bench):
    """It may be the half of their own order that the miner made something else of."""
    await cut_off(bench, Tune(575, 1200))
    by_another_hand(bench, 560, 1190)
    for _ in range(3):
        outcome = await bench.do(Tune(565), Rank.SAFETY, GUARD)
        assert outcome.reason.endswith("; set it by hand, then that counts")
    assert (await bench.person(Tune(560))).ok
    assert (await bench.do(Tune(565), Rank.SAFETY, GUARD)).ok


async def test_a_dry_run_settles_nothing(bench: Bench):
    await cut_off(bench, Tune(575, 1200))
    by_another_hand(bench, 480, 1120)
    for _ in range(3):
        await bench.do(Tune(500), Rank.SAFETY, GUARD, dry=True)
    assert len(bench.journal.entries()) == 1
