"""Whoever wants a climb to end is heard at once: the engine that stops, a person who stops the job, the config that the
miner leaves. It is led back from where it stopped, and nothing climbs on through a line that is closed."""

from __future__ import annotations

import asyncio

import pytest

from minertui.config import Config
from minertui.engine.engine import Engine
from minertui.model.commands import CommandRecord, Order, OutcomeState, Rank, Tune
from minertui.model.plans import Limits, Phase, Strategy, SweepPlan, SweepView
from tests.engine.bench import REFUSED, SWEEP, Bench
from tests.engine.house import House, job, miner, until

pytestmark = pytest.mark.looptime

OWN = (500.0, 1150.0)
HIGH = SweepPlan(
    "m1", strategy=Strategy.GRID, settle_s=60, measure_s=60, start_mhz=900, start_mv=1390, max_mhz=950, max_mv=1400
)
SOON_S = 30.0  # one step and the way back; the climb alone takes six minutes


class Climb:
    """A miner in the middle of a climb of six minutes, raised once or twice."""

    def __init__(self, house: House, engine: Engine, order: asyncio.Task[CommandRecord] | None) -> None:
        self.house, self.engine, self.order = house, engine, order
        self.it = house.miners["127.0.0.1:8001"]
        self._before, self._began_s = len(self.it.tunes), house.clock.boot()

    def since(self) -> list[Tune]:
        """What was written since then."""
        return self.it.tunes[self._before :]

    def led_back(self) -> None:
        """At once, to where it was, with nothing raised, and nothing is left in the journal."""
        assert self.house.clock.boot() - self._began_s < SOON_S
        assert (self.it.mhz, self.it.mv) == OWN
        assert all((t.core_mv or 0) <= 1150 and (t.frequency_mhz or 0) <= 500 for t in self.since())
        assert not list((self.house.folder / "journal").glob("*.json"))


async def climbing(house: House, what: SweepPlan | Tune) -> Climb:
    engine = await house.running()
    order = None
    if isinstance(what, SweepPlan):
        await engine.start(what)
    else:
        order = asyncio.create_task(engine.send(Order("o1", "m1", what)))
    await asyncio.sleep(25)
    climb = Climb(house, engine, order)
    assert climb.it.mv > 1150
    return climb


@pytest.fixture(params=[HIGH, Tune(900.0, 1390)], ids=["sweep", "person"])
def what(request: pytest.FixtureRequest) -> SweepPlan | Tune:
    found: SweepPlan | Tune = request.param
    return found


async def test_the_engines_end(house: House, what: SweepPlan | Tune):
    climb = await climbing(house, what)
    await climb.engine.close()
    climb.led_back()
    if climb.order is not None:
        outcome = (await climb.order).outcome
        assert outcome.state is OutcomeState.REFUSED
        assert outcome.reason == (
            "stopped on the way: the engine is stopping; the way back to 500 MHz / 1150 mV is kept"
        )


async def test_a_sweep_that_the_engines_end_stopped_on_its_way_up_tries_that_point_again(house: House):
    climb = await climbing(house, HIGH)
    await climb.engine.close()
    engine = await house.running()
    view = job(engine, "sweep:m1").view
    assert isinstance(view, SweepView)
    assert view.points == (), "the point was never reached, so nothing is known of it"
    await until(lambda: climb.it.mv > 1150)
    await engine.close()
    assert (climb.it.mhz, climb.it.mv) == OWN


async def test_a_persons_stop_of_the_job(house: House):
    climb = await climbing(house, HIGH)
    await climb.engine.stop("sweep:m1")
    await until(lambda: job(climb.engine, "sweep:m1").phase.over, SOON_S)
    climb.led_back()
    assert job(climb.engine, "sweep:m1").phase is Phase.STOPPED
    assert (await climb.engine.send(Order("o2", "m1", Tune(525.0)))).outcome.ok, "others may raise it"
    await climb.engine.close()


async def test_the_miner_leaves_the_config(house: House, what: SweepPlan | Tune):
    climb = await climbing(house, what)
    await climb.engine.reload(Config())
    climb.led_back()
    assert climb.it.closed == 1
    written = len(climb.it.tunes)
    await asyncio.sleep(120)
    assert len(climb.it.tunes) == written
    if climb.order is not None:
        outcome = (await climb.order).outcome
        assert outcome.state is OutcomeState.REFUSED
        assert "it leaves the config" in outcome.reason
    await climb.engine.close()


async def test_the_miner_gets_another_address_and_lower_limits(house: House, what: SweepPlan | Tune):
    climb = await climbing(house, what)
    house.miners["localhost:8001"] = climb.it
    there = miner("m1", "localhost:8001", limits=Limits(max_mhz=560), readonly=True)
    await climb.engine.reload(Config(miner=(there,)))
    climb.led_back()
    await asyncio.sleep(120)
    assert (climb.it.mhz, climb.it.mv) == OWN
    await climb.engine.close()


async def test_one_that_falls_silent_as_it_leaves_is_led_back_by_the_line_that_finds_it(house: House):
    climb = await climbing(house, Tune(900.0, 1390))
    climb.it.dead = True
    await climb.engine.reload(Config())
    assert list((house.folder / "journal").glob("*.json"))
    climb.it.dead = False
    await climb.engine.reload(Config(miner=(miner("attic"),)))
    await until(lambda: (climb.it.mhz, climb.it.mv) == OWN)
    await until(lambda: not list((house.folder / "journal").glob("*.json")))
    await climb.engine.close()


async def test_a_best_point_above_ones_own_is_not_climbed_to_when_the_engine_ends(bench: Bench):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(500))).ok
    to_best = asyncio.create_task(bench.arbiter.conclude("garage", Tune(700, 1300), SWEEP))
    await asyncio.sleep(25)
    bench.arbiter.end()
    outcome = await to_best
    assert (outcome.state, "the engine is stopping" in outcome.reason) == (REFUSED, True)
    assert bench.at[0] == 500
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok, "a way back may go up to the baseline"
    assert bench.at == (525, 1150)


async def test_what_lowers_is_carried_out_though_all_is_ending(bench: Bench):
    assert (await bench.person(Tune(600))).ok
    bench.arbiter.end()
    assert (await bench.person(Tune(450, 1100))).ok
    assert bench.at == (450, 1100)
    refused = await bench.person(Tune(475))
    assert (refused.state, refused.reason[:23]) == (REFUSED, "the engine is stopping;")


async def test_a_raise_that_is_cut_short_is_known_to_the_last_resort(bench: Bench):
    raising = asyncio.create_task(bench.person(Tune(600)))
    await asyncio.sleep(0.3)
    assert (await bench.do(Tune(550), Rank.SAFETY, "guard:garage")).ok
    await asyncio.gather(raising, return_exceptions=True)
    origin = bench.arbiter.origin("garage")
    assert origin is not None
    assert origin.frequency_mhz == 525
